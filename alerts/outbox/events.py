"""Events into the outbox: each key once, with one item per recipient it is routed to.

Runs inside the producer's transaction, so that an event and the entry it came from are stored together or not at all.
It sends nothing and renders nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from alerts import route, tables
from alerts.outbox import codec
from alerts.values import Event, EventState

SILENT = frozenset({EventState.BASELINE, EventState.STALE})
"""States of events that are kept and never told."""
INSERT_ITEM = tables.item.insert()
LAST_TOLD = sa.select(tables.cursor.c.recipient, tables.cursor.c.told_at).where(
    tables.cursor.c.group_key == sa.bindparam("group"),
    tables.cursor.c.recipient.in_(sa.bindparam("recipients", expanding=True)),
    tables.cursor.c.told_at.is_not(None),
)


def insert(connection: sa.Connection, table: sa.Table) -> Any:
    """Give the INSERT of the database at hand, the one that knows ON CONFLICT."""
    return _insert(connection.dialect.name, table)


def put(connection: sa.Connection, events: Sequence[Event], plan: route.Plan, now: datetime) -> tuple[Event, ...]:
    """Store the events whose key is new with the items they make, and return them. Known keys change nothing."""
    return tuple(event for event in events if _put(connection, event, plan, now))


def _put(connection: sa.Connection, event: Event, plan: route.Plan, now: datetime) -> bool:
    targets = () if event.state in SILENT else route.targets(event, plan)
    state = EventState.UNROUTED if event.state is EventState.OPEN and not targets else event.state
    event_id = store(connection, event, state)
    if event_id is None:
        return False
    if targets:
        told = last_told(connection, event.group, [target.recipient.key for target in targets])
        rows = [_item(event_id, event, target, plan, told.get(target.recipient.key)) for target in targets]
        connection.execute(INSERT_ITEM, rows)
    return True


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


def _item(
    event_id: int, event: Event, target: route.Target, plan: route.Plan, last_message: datetime | None
) -> dict[str, Any]:
    prompt = target.prompt and not route.rides_along(event, plan)
    return {
        "event_id": event_id,
        "recipient": target.recipient.key,
        "group_key": event.group,
        "state": "pending",
        "reason": "flood" if event.state is EventState.FLOOD else None,
        "due_at": route.due_at(event, plan, last_message) if prompt else None,
        "schedule": target.schedule,
        "max_age_s": int(target.max_age.total_seconds()),
        "returned": 0,
    }
