"""The past of a watch told on purpose: what it recorded without telling, in one digest for each recipient.

Only what stands as baseline is told, so asking again tells nothing twice. Nothing is rendered here; the digest is made
at once by the planner. Called in the transaction of whoever asks.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from alerts import route, tables
from alerts.digest.slots import Slot
from alerts.outbox import codec
from alerts.outbox.slot_rows import open_slot
from alerts.values import Event, EventClass, EventState

REASON = "backfill"


def tell(connection: sa.Connection, watch: str, since: datetime, plan: route.Plan, now: datetime) -> int:
    """Hand what a watch recorded since then to a digest that is due now; returns how many stories are told."""
    event = tables.event.c
    rows = connection.execute(
        sa.select(event.id, event.payload)
        .where(
            event.watch == watch,
            event.decided_at >= since,
            event.state == EventState.BASELINE,
            event["class"] != EventClass.OPERATOR,
        )
        .order_by(event.decided_at, event.id)
    ).all()
    groups = set()
    for row in rows:
        told = replace(codec.load(row.payload), state=EventState.OPEN)
        if _hand_over(connection, row.id, told, plan, now, since):
            groups.add(told.group)
    return len(groups)


def _hand_over(
    connection: sa.Connection, event_id: int, told: Event, plan: route.Plan, now: datetime, since: datetime
) -> bool:
    """Open one event and bind it to the digest of everybody it is routed to."""
    targets = route.targets(told, plan)
    if not targets:
        return False
    connection.execute(
        tables.event.update()
        .where(tables.event.c.id == event_id)
        .values(state=EventState.OPEN, payload=codec.dump(told))
    )
    rows = [_item(connection, event_id, told, target, now, since) for target in targets]
    connection.execute(tables.item.insert(), rows)
    return True


def _item(
    connection: sa.Connection, event_id: int, told: Event, target: route.Target, now: datetime, since: datetime
) -> dict[str, object]:
    key = target.recipient.key
    slot = Slot(f"{REASON}:{key}:{now:%Y-%m-%dT%H:%M:%SZ}", key, REASON, now)
    open_slot(connection, slot, f"What was found since {since:%d %b %H:%M} UTC, told because it was asked for.")
    return {
        "event_id": event_id,
        "recipient": key,
        "group_key": told.group,
        "state": "pending",
        "reason": REASON,
        "due_at": None,
        "schedule": None,
        "slot_id": slot.slot_id,
        "max_age_s": int(target.max_age.total_seconds()),
        "returned": 0,
    }
