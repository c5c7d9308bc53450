"""Rows of events: stored once by their key. `producing` gives them items."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from alerts import tables
from alerts.outbox import codec
from alerts.values import Event, EventState

LAST_TOLD = sa.select(tables.cursor.c.recipient, tables.cursor.c.told_at).where(
    tables.cursor.c.group_key == sa.bindparam("group"),
    tables.cursor.c.recipient.in_(sa.bindparam("recipients", expanding=True)),
    tables.cursor.c.told_at.is_not(None),
)


def insert(connection: sa.Connection, table: sa.Table) -> Any:
    """Give the INSERT of the database at hand, the one that knows ON CONFLICT."""
    return _insert(connection.dialect.name, table)


def store(connection: sa.Connection, event: Event, state: EventState) -> int | None:
    """Store an event alone, without items; its row's id, None when its key was known."""
    row = {
        "event_key": event.key,
        "kind": event.kind,
        "class": event.event_class,
        "watch": event.watch,
        "group_key": event.group,
        "payload": codec.dump(event),
        "config_rev": event.config_rev,
        "decided_at": event.decided_at,
        "state": state,
    }
    event_id: int | None = connection.execute(_insert_event(connection.dialect.name), row).scalar_one_or_none()
    return event_id


def known(connection: sa.Connection, keys: Collection[str]) -> frozenset[str]:
    """Those of some keys under which an event is stored."""
    if not keys:
        return frozenset()
    found = connection.execute(sa.select(tables.event.c.event_key).where(tables.event.c.event_key.in_(keys)))
    return frozenset(row.event_key for row in found)


@functools.cache
def _insert_event(dialect: str) -> Any:
    """Build the INSERT once: an entry's transaction should not spend its time on building statements."""
    statement = _insert(dialect, tables.event)
    return statement.on_conflict_do_nothing(index_elements=["event_key"]).returning(tables.event.c.id)


def _insert(dialect: str, table: sa.Table) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


def last_told(connection: sa.Connection, group: str, recipients: Iterable[str]) -> dict[str, datetime]:
    """Say when each recipient's last message on a story was made."""
    rows = connection.execute(LAST_TOLD, {"group": group, "recipients": list(recipients)})
    return {row.recipient: row.told_at for row in rows}
