"""What happens to deliveries while a channel is away, and when it comes back: hold, fall back, catch up.

Nothing is re-rendered here: deliveries that are not sent any more hand their items back, and the digest builder tells
those in one message that says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from alerts import tables
from alerts.digest.slots import Slot
from alerts.outbox.deliveries import HELD_BY_CHANNEL
from alerts.outbox.events import give
from alerts.outbox.slot_rows import open_slot
from alerts.values import DeliveryState, DigestForm, Recipient

AWAY = timedelta(minutes=30)
OLD = timedelta(hours=2)
PER_STORY = 3
PER_RECIPIENT = 10
UNSENT = (DeliveryState.READY, DeliveryState.HELD)


def hold(connection: sa.Connection, channel: str) -> int:
    """Hold the rows of a channel that broke, so that none is burned."""
    outbox = tables.outbox.c
    done = connection.execute(
        tables.outbox.update()
        .where(outbox.channel == channel, outbox.state == DeliveryState.READY)
        .values(state=DeliveryState.HELD, error="channel_broken")
    )
    return done.rowcount


def release(connection: sa.Connection, channel: str, now: datetime) -> int:
    """Let the held rows of a channel go that is in order again; those a person must decide on stay."""
    outbox = tables.outbox.c
    done = connection.execute(
        tables.outbox.update()
        .where(outbox.channel == channel, *HELD_BY_CHANNEL)
        .values(
            state=DeliveryState.READY,
            next_at=now,
            expires_at=sa.case((outbox.expires_at > now + AWAY, outbox.expires_at), else_=now + AWAY),
        )
    )
    return done.rowcount


def catch_up(connection: sa.Connection, channel: str, note: str, now: datetime) -> int:
    """Fold what piled up while a channel was away into one digest per recipient; count the folded deliveries."""
    outbox = tables.outbox.c
    rows = connection.execute(
        sa.select(outbox.delivery_id, outbox.recipient, outbox.story_id, outbox.created_at).where(
            outbox.channel == channel,
            outbox.state.in_(UNSENT),
            outbox.doubt == "",
            outbox.created_at < now - OLD,
            outbox.kind != "update",
        )
    ).all()
    piles: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in rows:
        piles[row.recipient].append((row.delivery_id, row.story_id))
    folded = 0
    for recipient, pile in piles.items():
        ids = _too_many(pile)
        if ids:
            slot = Slot(f"catch-up:{recipient}:{now:%Y-%m-%dT%H:%M:%SZ}", recipient, "catch-up", now)
            open_slot(connection, slot, f"{note}; {len(ids)} messages are folded into this one.")
            supersede(connection, ids, slot.slot_id)
            folded += len(ids)
    return folded


def _too_many(pile: Sequence[tuple[str, str]]) -> list[str]:
    """Pick what is folded: all of a recipient's pile over ten, else the stories with more than three."""
    if len(pile) > PER_RECIPIENT:
        return [delivery for delivery, _ in pile]
    stories: dict[str, list[str]] = defaultdict(list)
    for delivery, story in pile:
        stories[story].append(delivery)
    return [delivery for ids in stories.values() if len(ids) > PER_STORY for delivery in ids]


def supersede(connection: sa.Connection, deliveries: Sequence[str], slot_id: str) -> None:
    """Take deliveries back and bind their items to a slot; the slot's delivery is written into them when it is made."""
    outbox, item = tables.outbox.c, tables.item.c
    connection.execute(
        tables.outbox.update()
        .where(outbox.delivery_id.in_(deliveries), outbox.state.in_(UNSENT))
        .values(state=DeliveryState.SUPERSEDED, superseded_by=slot_id)
    )
    connection.execute(
        tables.item.update()
        .where(item.delivery_id.in_(deliveries), item.state == "enqueued")
        .values(state="pending", reason="catch_up", due_at=None, slot_id=slot_id)
    )


def superseded_by(connection: sa.Connection, mark: str, delivery_id: str) -> None:
    """Write the delivery that took over into those that were superseded under a mark."""
    outbox = tables.outbox.c
    connection.execute(tables.outbox.update().where(outbox.superseded_by == mark).values(superseded_by=delivery_id))


def fall_back(connection: sa.Connection, channel: str, to: Iterable[Recipient], now: datetime) -> tuple[str, ...]:
    """Hand the urgent deliveries of a channel that is away to other recipients; list what is not sent any more.

    The items of the new recipients are due at once. Fallbacks do not chain: their own deliveries are left alone.
    """
    query = sa.select(tables.outbox.c.delivery_id).where(tables.outbox.c.channel == channel, _handed_over())
    ids = tuple(connection.execute(query).scalars())
    hand_over(connection, ids, to, "fallback", now)
    return ids


def hand_over(
    connection: sa.Connection, ids: Sequence[str], to: Iterable[Recipient], reason: str, now: datetime
) -> None:
    """Tell other recipients at once what some unsent deliveries hold; those are not sent any more."""
    outbox, item = tables.outbox.c, tables.item.c
    rows = connection.execute(sa.select(tables.item).where(item.delivery_id.in_(ids))).all() if ids else []
    events = [
        {
            "event_id": row.event_id,
            "group_key": row.group_key,
            "max_age_s": row.max_age_s,
            "reason": reason,
            "fallback_of": row.delivery_id,
        }
        for row in rows
    ]
    give(connection, events, [recipient.key for recipient in to], now)
    if ids:
        connection.execute(
            tables.outbox.update()
            .where(outbox.delivery_id.in_(ids), outbox.state.in_(UNSENT))
            .values(state=DeliveryState.SUPERSEDED, error=reason)
        )


def next_fallback(connection: sa.Connection, channels: Collection[str]) -> datetime | None:
    """Say when the first of some channels will have been away long enough with urgent deliveries waiting."""
    state, outbox = tables.channel_state.c, tables.outbox.c
    since = connection.execute(
        sa.select(sa.func.min(state.since))
        .join_from(tables.channel_state, tables.outbox, outbox.channel == state.channel)
        .where(state.state != "ok", state.channel.in_(list(channels)), _handed_over())
    ).scalar_one_or_none()
    return None if since is None else since + AWAY


def _handed_over() -> sa.ColumnElement[bool]:
    """What goes to a fallback: urgent, not sent, not in doubt, and no fallback itself."""
    outbox = tables.outbox.c
    return sa.and_(
        outbox.state.in_(UNSENT),
        outbox.urgent.is_(True),
        outbox.form == DigestForm.PROMPT,
        outbox.kind != "update",
        outbox.doubt == "",
        outbox.fallback_of.is_(None),
    )


SICK = sa.select(tables.channel_state.c.channel, tables.channel_state.c.since, tables.channel_state.c.reason).where(
    tables.channel_state.c.state != "ok",
    tables.channel_state.c.since.is_not(None),
    tables.channel_state.c.since <= sa.bindparam("before", type_=tables.Instant()),
)


def away(connection: sa.Connection, now: datetime) -> tuple[tuple[str, datetime, str], ...]:
    """List the channels that have been open or broken for half an hour: name, since when, why."""
    rows = connection.execute(SICK, {"before": now - AWAY})
    return tuple((row.channel, row.since, row.reason or "") for row in rows)
