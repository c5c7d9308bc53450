"""Events into the outbox: each key once, with one item per recipient it is routed to.

Runs inside the producer's transaction, so that an event and the entry it came from are stored together or not at all.
It sends nothing and renders nothing. A watch that matches too much at once is braked here: what it finds is told in
planned digests only, and one event says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from alerts import route, tables
from alerts.digest import slots
from alerts.outbox.events import insert, last_told, store
from alerts.outbox.groups import open_slot
from alerts.outbox.reports import flood_event
from alerts.values import Event, EventClass, EventState, Kind

SILENT = frozenset({EventState.BASELINE, EventState.STALE})
"""States of events that are kept and never told."""
MATCHES = frozenset({Kind.NEW_STORY, Kind.NEW_OUTLET, Kind.COPY})
"""Kinds of which a matching entry raises one; they are what the brake counts."""
COOL_FOR = timedelta(minutes=30)
"""A brake opens when its watch has matched less than half of the limit for so long."""
INSERT_ITEM = tables.item.insert()
RECENT = (
    sa.select(tables.event.c.id)
    .where(
        tables.event.c.watch == sa.bindparam("watch"),
        tables.event.c.decided_at > sa.bindparam("since", type_=tables.Instant()),
        tables.event.c.kind.in_(sorted(MATCHES)),
        tables.event.c.state.not_in(sorted(SILENT)),
    )
    .limit(sa.bindparam("most"))
)


def put(connection: sa.Connection, events: Sequence[Event], plan: route.Plan, now: datetime) -> tuple[Event, ...]:
    """Store the events whose key is new with the items they make, and return them. Known keys change nothing."""
    stored = []
    for event in events:
        told = _braked(connection, event, plan, now)
        if _put(connection, told, plan, now):
            stored.append(told)
            _put_reminder(connection, told, plan, now)
    return tuple(stored)


def _put_reminder(connection: sa.Connection, event: Event, plan: route.Plan, now: datetime) -> None:
    """Plan the reminder of a body that was asked in vain; its time is a row, and whether it answered is asked then."""
    after = plan.timers.get(event.watch, route.Timers()).remind_after
    if event.kind is Kind.NON_ANSWER and event.answer is not None and after is not None and event.state not in SILENT:
        said = event.answer
        key = f"reminder:{event.watch}:{event.group}:{said.government}:{said.body}".lower()
        _put(connection, replace(event, key=key, kind=Kind.REMINDER), plan, now)


def _put(connection: sa.Connection, event: Event, plan: route.Plan, now: datetime) -> bool:
    targets = () if event.state in SILENT else route.targets(event, plan)
    state = EventState.UNROUTED if event.state is EventState.OPEN and not targets else event.state
    event_id = store(connection, event, state)
    if event_id is None:
        return False
    if targets:
        told = last_told(connection, event.group, [target.recipient.key for target in targets])
        rows = [_item(event_id, event, target, plan, told.get(target.recipient.key)) for target in targets]
        if event.state is EventState.FLOOD:
            _wait_for_slots(connection, rows, plan, now)
        connection.execute(INSERT_ITEM, rows)
    return True


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
        "slot_id": None,
        "max_age_s": int(target.max_age.total_seconds()),
        "returned": 0,
    }


def _wait_for_slots(connection: sa.Connection, rows: Sequence[dict[str, Any]], plan: route.Plan, now: datetime) -> None:
    """Bind items to the next digest of their recipient: one without a schedule gets one at the full hour."""
    for row in rows:
        recipient = plan.recipient(row["recipient"])
        if recipient is not None:
            slot = slots.demoted(recipient, route.schedules_of(recipient, plan), now)
            open_slot(connection, slot)
            row["slot_id"] = slot.slot_id


# ------------------------------------------------------------------------------------------------------------ the brake


def _braked(connection: sa.Connection, event: Event, plan: route.Plan, now: datetime) -> Event:
    """Give the event as it is to be stored: marked when its watch is in flood."""
    if event.state is not EventState.OPEN or event.event_class is EventClass.OPERATOR or not event.watch:
        return event
    return replace(event, state=EventState.FLOOD) if _is_flooded(connection, event, plan, now) else event


def _is_flooded(connection: sa.Connection, event: Event, plan: route.Plan, now: datetime) -> bool:
    brake, most = tables.brake.c, plan.flood.count
    pulled = connection.execute(sa.select(brake.hot_at).where(brake.watch == event.watch)).scalar_one_or_none()
    if event.kind not in MATCHES:
        return pulled is not None
    asked = {"watch": event.watch, "since": now - plan.flood.per, "most": most}
    number = len(connection.execute(RECENT, asked).all())
    if number >= most:
        _pull(connection, event.watch, plan, now, again=pulled is not None)
        return True
    if pulled is None:
        return False
    if number * 2 >= most:
        connection.execute(tables.brake.update().where(brake.watch == event.watch).values(hot_at=now))
    elif now - pulled >= COOL_FOR:
        connection.execute(tables.brake.delete().where(brake.watch == event.watch))
        return False
    return True


def _pull(connection: sa.Connection, watch: str, plan: route.Plan, now: datetime, *, again: bool) -> None:
    """Brake a watch, and take back what it was about to tell promptly."""
    connection.execute(
        insert(connection, tables.brake)
        .values({"watch": watch, "pulled_at": now, "hot_at": now})
        .on_conflict_do_update(index_elements=["watch"], set_={"hot_at": now})
    )
    if again:
        return
    _put(connection, flood_event(watch, plan.flood.count, plan.flood.per, now, plan.config_rev), plan, now)
    item, event = tables.item.c, tables.event.c
    of_watch = sa.select(event.id).where(
        event.watch == watch, event["class"] != EventClass.OPERATOR, event.decided_at > now - COOL_FOR
    )
    waiting = sa.and_(item.event_id.in_(of_watch), item.state == "pending", item.due_at.is_not(None))
    for key in connection.execute(sa.select(item.recipient).distinct().where(waiting)).scalars().all():
        recipient = plan.recipient(key)
        if recipient is not None:
            slot = slots.demoted(recipient, route.schedules_of(recipient, plan), now)
            open_slot(connection, slot)
            connection.execute(
                tables.item.update()
                .where(waiting, item.recipient == key)
                .values(due_at=None, reason="flood", slot_id=slot.slot_id)
            )
