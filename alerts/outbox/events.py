"""Rows of events, stored once by their key, and of the items that say who is to be told."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from alerts import tables
from alerts.outbox import codec
from alerts.values import Event, EventState

Value = TypeVar("Value")
CHUNK = 1000
KNOWN = sa.select(tables.event.c.event_key).where(tables.event.c.event_key.in_(sa.bindparam("keys", expanding=True)))
LAST_TOLD = sa.select(tables.cursor.c.group_key, tables.cursor.c.recipient, tables.cursor.c.told_at).where(
    tables.cursor.c.group_key.in_(sa.bindparam("groups", expanding=True)),
    tables.cursor.c.recipient.in_(sa.bindparam("recipients", expanding=True)),
    tables.cursor.c.told_at.is_not(None),
)


def insert(connection: sa.Connection, table: sa.Table) -> Any:
    """Give the INSERT of the database at hand, the one that knows ON CONFLICT."""
    return _insert(connection.dialect.name, table)


def chunks(values: Iterable[Value]) -> Iterator[list[Value]]:
    """Cut a list so that a statement never names too many values."""
    rest = list(values)
    for start in range(0, len(rest), CHUNK):
        yield rest[start : start + CHUNK]


def known(connection: sa.Connection, keys: Iterable[str]) -> frozenset[str]:
    """Those of some keys under which an event is stored."""
    found: set[str] = set()
    for some in chunks(keys):
        found.update(connection.execute(KNOWN, {"keys": some}).scalars())
    return frozenset(found)


def store_all(connection: sa.Connection, events: Sequence[tuple[Event, EventState]]) -> dict[str, int]:
    """Store events alone, without items; the ids of their rows by key. A key that was known is left out."""
    statement = _insert_event(connection.dialect.name)
    ids: dict[str, int] = {}
    for some in chunks(events):
        ids.update((row.event_key, row.id) for row in connection.execute(statement, [_row(*one) for one in some]))
    return ids


def _row(event: Event, state: EventState) -> dict[str, Any]:
    return {
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


def give(
    connection: sa.Connection, events: Sequence[Mapping[str, Any]], recipients: Iterable[str], due_at: datetime
) -> None:
    """Let recipients be told events at a time, unless they are told them anyway.

    A row of `events` names its event, group, how old it may get, and, where it stands in for a delivery, which and why.
    """
    rows = [
        {"reason": None, "fallback_of": None, **row, "recipient": key, "due_at": due_at}
        for key in recipients
        for row in events
    ]
    if rows:
        statement = insert(connection, tables.item).on_conflict_do_nothing(index_elements=["event_id", "recipient"])
        connection.execute(statement, [{"state": "pending", "returned": 0, **row} for row in rows])


@functools.cache
def _insert_event(dialect: str) -> Any:
    """Build the INSERT once: an entry's transaction should not spend its time on building statements."""
    statement = _insert(dialect, tables.event)
    return statement.on_conflict_do_nothing(index_elements=["event_key"]).returning(
        tables.event.c.id, tables.event.c.event_key
    )


def _insert(dialect: str, table: sa.Table) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(table)


def last_told(
    connection: sa.Connection, groups: Sequence[str], recipients: Sequence[str]
) -> dict[tuple[str, str], datetime]:
    """Say when each recipient's last message on each story was made, by (story, recipient)."""
    found: dict[tuple[str, str], datetime] = {}
    for some in chunks(groups):
        rows = connection.execute(LAST_TOLD, {"groups": some, "recipients": list(recipients)})
        found.update(((row.group_key, row.recipient), row.told_at) for row in rows)
    return found
