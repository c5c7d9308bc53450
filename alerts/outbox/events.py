"""Events into the outbox: each key once, with one item per recipient it is routed to.

Runs inside the producer's transaction, so that an event and the entry it came from are stored together or not at all.
It sends nothing and renders nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from alerts import route, tables
from alerts.outbox import codec
from alerts.values import Event, EventState, PutReport

SILENT = frozenset({EventState.BASELINE, EventState.STALE})
"""States of events that are kept and never told."""


def insert(connection: sa.Connection, table: sa.Table) -> Any:
    """Give the INSERT of the database at hand, the one that knows ON CONFLICT."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def put(connection: sa.Connection, events: Sequence[Event], plan: route.Plan, now: datetime) -> PutReport:
    """Store events whose key is new, and the items they make. Known keys are counted and change nothing."""
    stored = tuple(event for event in events if _store(connection, event, plan, now))
    return PutReport(stored, len(events) - len(stored))


def _store(connection: sa.Connection, event: Event, plan: route.Plan, now: datetime) -> bool:
    targets = () if event.state in SILENT else route.targets(event, plan)
    state = EventState.UNROUTED if event.state is EventState.OPEN and not targets else event.state
    event_id = connection.execute(
        insert(connection, tables.event)
        .values(
            {
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
        )
        .on_conflict_do_nothing(index_elements=["event_key"])
        .returning(tables.event.c.id)
    ).scalar_one_or_none()
    if event_id is None:
        return False
    if targets:
        told = last_told(connection, event.group, [target.recipient.key for target in targets])
        rows = [_item(event_id, event, target, plan, told.get(target.recipient.key)) for target in targets]
        connection.execute(tables.item.insert(), rows)
    return True


def last_told(connection: sa.Connection, group: str, recipients: Iterable[str]) -> dict[str, datetime]:
    """Say when each recipient's last message on a story was made."""
    cursor = tables.cursor.c
    rows = connection.execute(
        sa.select(cursor.recipient, cursor.told_at).where(
            cursor.group_key == group, cursor.recipient.in_(list(recipients)), cursor.told_at.is_not(None)
        )
    )
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
