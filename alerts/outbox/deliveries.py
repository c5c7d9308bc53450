"""Rendered deliveries: enqueue (TX2), claim (TX3), recover; `settling` writes how they ended (TX4).

A row is `sending` with an attempt number and a lease before anything goes out, and only who names that number may
settle it. Rows of one (recipient, story) go one after another; a row that is dead, held or superseded blocks nobody.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from alerts import retry, tables
from alerts.outbox import settling
from alerts.outbox.events import insert
from alerts.outbox.ids import is_gone
from alerts.values import (
    ChannelHealth,
    ChannelState,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Digest,
    Doubt,
    Draft,
    Event,
)

WAITING = (DeliveryState.READY, DeliveryState.SENDING)
HELD_BY_CHANNEL = (
    tables.outbox.c.state == DeliveryState.HELD,
    tables.outbox.c.error_class.is_distinct_from("ambiguous"),
    tables.outbox.c.error.is_distinct_from("after_restore"),
)
"""Rows that wait for their channel, not for a person."""
INSERT = tables.outbox.insert()
CHANNEL = sa.select(tables.channel_state).where(tables.channel_state.c.channel == sa.bindparam("name"))
_EARLIER, _ROOT = tables.outbox.alias("earlier"), tables.outbox.alias("root")
LANE_IS_FREE = ~sa.exists().where(
    _EARLIER.c.order_key == tables.outbox.c.order_key,
    _EARLIER.c.state.in_(WAITING),
    (_EARLIER.c.created_at < tables.outbox.c.created_at)
    | ((_EARLIER.c.created_at == tables.outbox.c.created_at) & (_EARLIER.c.delivery_id < tables.outbox.c.delivery_id)),
)
ROOT_IS_SETTLED = ~sa.exists().where(_ROOT.c.delivery_id == tables.outbox.c.waits_for, _ROOT.c.state.in_(WAITING))


@dataclass(frozen=True, slots=True)
class Lane:
    """Where a delivery stands among others: its story, what must go before it, and until when it is worth sending."""

    group: str
    order_key: str
    expires_at: datetime
    waits_for: str | None = None
    next_at: datetime | None = None
    fallback_of: str | None = None


def enqueue(
    connection: sa.Connection, digest: Digest, draft: Draft, lane: Lane, events: Iterable[Event], now: datetime
) -> None:
    """Store a delivery with its bytes, ready to be claimed; held when its channel is broken."""
    listed = list(events)
    recipient = digest.recipient
    health = channel(connection, recipient.channel).health
    state = DeliveryState.HELD if health is ChannelHealth.BROKEN else DeliveryState.READY
    connection.execute(
        INSERT,
        {
            "delivery_id": digest.delivery_id,
            "kind": draft.kind,
            "event_keys": json.dumps([event.key for event in listed], ensure_ascii=False),
            "channel": recipient.channel,
            "recipient": recipient.key,
            "story_id": lane.group,
            "order_key": lane.order_key,
            "subject": digest.subject,
            "form": digest.form,
            "urgent": digest.urgent,
            "waits_for": lane.waits_for,
            "config_rev": digest.config_rev,
            "headers": json.dumps(draft.headers),
            "body": draft.body,
            "body_sha256": hashlib.sha256(draft.body).hexdigest(),
            "compact": draft.compact,
            "state": state,
            "next_at": lane.next_at or now,
            "error": "channel_broken" if state is DeliveryState.HELD else None,
            "fallback_of": lane.fallback_of,
            "created_at": now,
            "expires_at": lane.expires_at,
            "decided_at": min((event.decided_at for event in listed), default=now),
        },
    )


def channel(connection: sa.Connection, name: str) -> ChannelState:
    """Read what is known of a channel; a new one is in order."""
    row = connection.execute(CHANNEL, {"name": name}).first()
    if row is None:
        return ChannelState(name)
    return ChannelState(
        row.channel, ChannelHealth(row.state), row.paused_until, row.failures, row.since, row.reason, row.probe_at
    )


def store_channel(connection: sa.Connection, state: ChannelState) -> None:
    """Write a channel's state."""
    values = {
        "state": state.health,
        "paused_until": state.paused_until,
        "failures": state.failures,
        "since": state.since,
        "reason": state.reason,
        "probe_at": state.probe_at,
    }
    connection.execute(
        insert(connection, tables.channel_state)
        .values({"channel": state.channel, **values})
        .on_conflict_do_update(index_elements=["channel"], set_=values)
    )


def claim(
    connection: sa.Connection, name: str, owner: str, lease: timedelta, now: datetime, blocked: Collection[str] = ()
) -> Delivery | None:
    """Take the next delivery of a channel: it becomes `sending`, attempt + 1, with a lease. None when none may go."""
    state = channel(connection, name)
    gate = retry.gate(state, now)
    if gate is retry.Gate.SHUT:
        return None
    row = _candidate(connection, name, now, blocked, probe=gate is retry.Gate.PROBE)
    if row is None:
        return None
    probe = gate is retry.Gate.PROBE
    if probe:
        store_channel(connection, retry.probing(state, now))
    return replace(_take(connection, row, owner, lease, now), probe=probe)


def _candidate(
    connection: sa.Connection, name: str, now: datetime, blocked: Collection[str], *, probe: bool
) -> sa.Row[Any] | None:
    """Find the row to send next. A probe is the oldest row, whatever its next time, also one that is held."""
    outbox = tables.outbox.c
    query = sa.select(tables.outbox).where(outbox.channel == name, ROOT_IS_SETTLED)
    if probe:
        held = sa.and_(*HELD_BY_CHANNEL)
        query = query.where((outbox.state == DeliveryState.READY) | held).order_by(outbox.created_at)
    else:
        query = query.where(outbox.state == DeliveryState.READY, outbox.next_at <= now, LANE_IS_FREE)
        query = query.order_by(outbox.next_at, outbox.created_at, outbox.delivery_id)
    if blocked:
        query = query.where(outbox.recipient.not_in(list(blocked)))
    return connection.execute(query.limit(1).with_for_update(skip_locked=True, of=tables.outbox)).first()


def _take(connection: sa.Connection, row: sa.Row[Any], owner: str, lease: timedelta, now: datetime) -> Delivery:
    outbox = tables.outbox.c
    attempt, first = row.attempt + 1, row.first_attempt_at or now
    connection.execute(
        tables.outbox.update()
        .where(outbox.delivery_id == row.delivery_id)
        .values(
            state=DeliveryState.SENDING,
            attempt=attempt,
            lease_owner=owner,
            lease_until=now + lease,
            first_attempt_at=first,
        )
    )
    connection.execute(
        tables.receipt.insert().values(
            {"delivery_id": row.delivery_id, "attempt": attempt, "started": now, "written": False}
        )
    )
    return Delivery(
        delivery_id=row.delivery_id,
        kind=DeliveryKind(row.kind),
        channel=row.channel,
        to=row.recipient.removeprefix(row.channel + "/"),
        group=row.story_id,
        body=row.body,
        headers=tuple((str(name), str(value)) for name, value in json.loads(row.headers)),
        attempt=attempt,
        tries=row.tries,
        created_at=row.created_at,
        expires_at=row.expires_at,
        compact=row.compact,
        compacted=row.compacted,
        doubt=Doubt(row.doubt),
        doubt_since=row.doubt_since,
        lookups=row.lookups,
        first_attempt_at=first,
        thread=_root(connection, row.recipient, row.story_id),
    )


def _root(connection: sa.Connection, recipient: str, group: str) -> str | None:
    cursor = tables.cursor.c
    return connection.execute(
        sa.select(cursor.root).where(cursor.recipient == recipient, cursor.group_key == group)
    ).scalar_one_or_none()


def recover(connection: sa.Connection, askable: Collection[str], now: datetime) -> int:
    """Take over deliveries whose sender is gone: their end is ambiguous.

    `askable` names the channels that can be asked; the others send the same bytes again.
    """
    outbox = tables.outbox.c
    rows = connection.execute(
        sa.select(
            outbox.delivery_id, outbox.attempt, outbox.lease_owner, outbox.lease_until, outbox.channel, outbox.kind
        )
        .where(outbox.state == DeliveryState.SENDING)
        .with_for_update(skip_locked=True)
    ).all()
    taken = 0
    for row in rows:
        if row.lease_until > now and not is_gone(row.lease_owner):
            continue
        ask = row.channel in askable and row.kind != DeliveryKind.UPDATE
        connection.execute(
            tables.outbox.update()
            .where(outbox.delivery_id == row.delivery_id, outbox.attempt == row.attempt)
            .values(
                state=DeliveryState.READY,
                next_at=now + (retry.FIRST_LOOK if ask else timedelta(0)),
                doubt=Doubt.AMBIGUOUS if ask else Doubt.REPEAT,
                doubt_since=now,
                lookups=0,
                tries=outbox.tries + 1,
                error_class="ambiguous",
                error="sender_gone",
                lease_owner=None,
                lease_until=None,
            )
        )
        receipt = tables.receipt.c
        connection.execute(
            tables.receipt.update()
            .where(receipt.delivery_id == row.delivery_id, receipt.attempt == row.attempt)
            .values({"ended": now, "class": "ambiguous", "reason": "sender_gone"})
        )
        taken += 1
    return taken


def drop_refreshes(connection: sa.Connection, order_key: str, by: str, now: datetime, every: timedelta) -> datetime:
    """Supersede the refreshes of a root that still wait, and say when the next one may go."""
    outbox = tables.outbox.c
    connection.execute(
        tables.outbox.update()
        .where(outbox.order_key == order_key, outbox.state.in_((DeliveryState.READY, DeliveryState.HELD)))
        .values(state=DeliveryState.SUPERSEDED, superseded_by=by)
    )
    last = connection.execute(
        sa.select(sa.func.max(outbox.sent_at)).where(outbox.order_key == order_key)
    ).scalar_one_or_none()
    return max(now, last + every) if last is not None else now


def channel_of(connection: sa.Connection, delivery_id: str) -> tuple[str, datetime | None]:
    """Name the channel of a delivery, and since when it is not in order."""
    outbox = tables.outbox.c
    name = connection.execute(sa.select(outbox.channel).where(outbox.delivery_id == delivery_id)).scalar_one_or_none()
    return (name, channel(connection, name).since) if name else ("The usual channel", None)


def expire(connection: sa.Connection, now: datetime) -> tuple[tuple[str, str], ...]:
    """Give up deliveries that are too old, held ones of a broken channel excepted; list (delivery, channel)."""
    outbox = tables.outbox.c
    rows = connection.execute(
        sa.select(outbox.delivery_id, outbox.channel).where(
            outbox.state == DeliveryState.READY, outbox.expires_at <= now, outbox.doubt != Doubt.AMBIGUOUS
        )
    ).all()
    if rows:
        ids = [row.delivery_id for row in rows]
        connection.execute(
            tables.outbox.update()
            .where(outbox.delivery_id.in_(ids), outbox.state == DeliveryState.READY)
            .values(state=DeliveryState.DEAD, error="too_old", died_at=now)
        )
        settling.give_back(connection, ids)
    return tuple((row.delivery_id, row.channel) for row in rows)


def next_send(connection: sa.Connection) -> tuple[tuple[str, str, datetime], ...]:
    """List (channel, recipient, next time) of what waits, of held rows to probe with, of leases that run out."""
    outbox = tables.outbox.c
    ready = connection.execute(
        sa.select(outbox.channel, outbox.recipient, sa.func.min(outbox.next_at).label("first"))
        .where(outbox.state == DeliveryState.READY)
        .group_by(outbox.channel, outbox.recipient)
    )
    leased = connection.execute(
        sa.select(outbox.channel, outbox.recipient, sa.func.min(outbox.lease_until).label("first"))
        .where(outbox.state == DeliveryState.SENDING)
        .group_by(outbox.channel, outbox.recipient)
    )
    held = connection.execute(
        sa.select(outbox.channel, outbox.recipient, sa.func.min(outbox.created_at).label("first"))
        .join_from(tables.outbox, tables.channel_state, tables.channel_state.c.channel == outbox.channel)
        .where(tables.channel_state.c.state != ChannelHealth.OK, *HELD_BY_CHANNEL)
        .group_by(outbox.channel, outbox.recipient)
    )
    return tuple((row.channel, row.recipient, row.first) for rows in (ready, leased, held) for row in rows)
