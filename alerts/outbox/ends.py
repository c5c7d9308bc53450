"""What became of an attempt and which events it told: for the log and the figures of whoever runs the courier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from alerts import retry, tables
from alerts.outbox import codec
from alerts.values import Delivery


@dataclass(frozen=True, slots=True)
class Told:
    """An event in a delivery. `entry` is the number of the entry that raised it; `prompt`: not in a planned digest."""

    key: str
    entry: str | None
    decided_at: datetime
    published: datetime | None
    prompt: bool


@dataclass(frozen=True, slots=True)
class End:
    """The end of one attempt. `outcome` is sent, again, held, dead, or lost when somebody else had settled it."""

    delivery: Delivery
    outcome: str
    at: datetime
    reason: str | None = None
    told: tuple[Told, ...] = ()


def end(connection: sa.Connection, delivery: Delivery, settlement: retry.Settlement, now: datetime) -> End:
    """Describe how an attempt ended, within the transaction that settles it."""
    match settlement:
        case retry.Done():
            return End(delivery, "sent", now, told=told_by(connection, delivery.delivery_id))
        case retry.Again():
            return End(delivery, "again", now, settlement.reason)
        case retry.Hold():
            return End(delivery, "held", now, settlement.reason)
        case retry.Dead():
            return End(delivery, "dead", now, settlement.reason)


def told_by(connection: sa.Connection, delivery_id: str) -> tuple[Told, ...]:
    """Read the events that a delivery tells, in the order in which they were decided."""
    item, event = tables.item, tables.event
    rows = connection.execute(
        sa.select(event.c.payload, item.c.slot_id)
        .join_from(item, event, event.c.id == item.c.event_id)
        .where(item.c.delivery_id == delivery_id)
        .order_by(event.c.decided_at, event.c.id)
    )
    return tuple(_told(row.payload, row.slot_id is None) for row in rows)


def first_sent(connection: sa.Connection, watch: str, since: datetime) -> datetime | None:
    """When the first message about something a watch brought since a time was sent."""
    event, item, outbox = tables.event, tables.item, tables.outbox
    sent = (
        sa.select(sa.func.min(outbox.c.sent_at))
        .join_from(event, item, event.c.id == item.c.event_id)
        .join(outbox, outbox.c.delivery_id == item.c.delivery_id)
        .where(event.c.watch == watch, event.c.decided_at >= since)
    )
    at: datetime | None = connection.execute(sent).scalar_one()
    return at


def _told(payload: str, prompt: bool) -> Told:
    event = codec.load(payload)
    mention = event.mention
    return Told(
        key=event.key,
        entry=mention.entry if mention else None,
        decided_at=event.decided_at,
        published=mention.published if mention else None,
        prompt=prompt,
    )
