"""Deliveries for people: list, show, retry, discard, move, resolve, evidence of what was sent.

Every command that changes something names a reason or a state it expects, so that repeating it changes nothing more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from alerts import tables
from alerts.outbox import codec, settling, sick
from alerts.values import DeliveryState, Doubt, Event, Recipient

NEW_LIFE = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery as people see it; `recipient` is channel and address."""

    delivery_id: str
    kind: str
    channel: str
    recipient: str
    story: str
    subject: str
    state: str
    tries: int
    urgent: bool
    created_at: datetime
    decided_at: datetime | None
    next_at: datetime | None
    first_attempt_at: datetime | None
    sent_at: datetime | None
    error_class: str | None
    error: str | None
    config_rev: int
    body_bytes: int
    body_sha256: str
    superseded_by: str | None
    fallback_of: str | None
    receipt: str | None
    event_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt of a delivery and how it ended."""

    number: int
    started: datetime
    ended: datetime | None
    end: str | None
    reason: str | None
    status: str | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A delivery with its bytes and attempts."""

    row: Row
    body: bytes
    attempts: tuple[Attempt, ...]


def listed(
    connection: sa.Connection,
    *,
    state: str | None = None,
    channel: str | None = None,
    story: str | None = None,
    limit: int = 200,
) -> tuple[Row, ...]:
    """List deliveries, the newest first."""
    outbox = tables.outbox.c
    query = sa.select(*_COLUMNS).order_by(outbox.created_at.desc(), outbox.delivery_id.desc()).limit(limit)
    for column, wanted in ((outbox.state, state), (outbox.channel, channel), (outbox.story_id, story)):
        if wanted is not None:
            query = query.where(column == wanted)
    return tuple(_row(row) for row in connection.execute(query).mappings())


_COLUMNS: tuple[Any, ...] = (
    *(column for column in tables.outbox.c if column.name not in ("body", "compact")),
    sa.func.length(tables.outbox.c.body).label("body_bytes"),
)


def _row(row: Mapping[Any, Any]) -> Row:
    values = {name: row[name] for name in Row.__slots__ if name not in ("story", "event_keys")}
    return Row(story=row["story_id"], event_keys=tuple(json.loads(row["event_keys"])), **values)


def show(connection: sa.Connection, delivery_id: str) -> Shown | None:
    """Show one delivery."""
    outbox, receipt = tables.outbox.c, tables.receipt.c
    query = sa.select(*_COLUMNS, outbox.body).where(outbox.delivery_id == delivery_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    tries = connection.execute(
        sa.select(tables.receipt).where(receipt.delivery_id == delivery_id).order_by(receipt.attempt)
    )
    attempts = tuple(
        Attempt(one.attempt, one.started, one.ended, one._mapping["class"], one.reason, one.status, one.answer)
        for one in tries
    )
    return Shown(_row(row), row["body"], attempts)


def as_text(shown: Shown) -> str:
    """Describe a delivery for a terminal."""
    row = shown.row
    lines = [
        f"{row.delivery_id}  {row.kind} to {row.recipient}: {row.subject}",
        f"state     {row.state}" + (f" ({row.error})" if row.error else ""),
        f"made      {_stamp(row.created_at)}  revision {row.config_rev}",
        f"body      {row.body_bytes:,} B  sha256 {row.body_sha256}",
    ]
    if row.next_at is not None and row.state == DeliveryState.READY:
        lines.append(f"next      {_stamp(row.next_at)}")
    if row.superseded_by:
        lines.append(f"told in   {row.superseded_by}")
    if row.fallback_of:
        lines.append(f"instead of {row.fallback_of}")
    for one in shown.attempts:
        end = " ".join(word for word in (one.end, one.reason, one.status, one.answer) if word)
        lines.append(f"attempt {one.number}  {_stamp(one.started)}  {end or 'being sent'}")
    lines += [f"tells     {key}" for key in row.event_keys]
    return "\n".join(lines) + "\n"


def _stamp(at: datetime) -> str:
    return f"{at:%d %b %H:%M:%S} UTC"


def counts(connection: sa.Connection) -> dict[tuple[str, str], int]:
    """Count deliveries by channel and state."""
    outbox = tables.outbox.c
    rows = connection.execute(
        sa.select(outbox.channel, outbox.state, sa.func.count().label("number")).group_by(outbox.channel, outbox.state)
    )
    return {(row.channel, row.state): row.number for row in rows}


def retry(
    connection: sa.Connection, now: datetime, *, delivery_id: str | None = None, channel: str | None = None
) -> int:
    """Make dead and held deliveries ready again: new attempts, same id, same bytes. Rows being sent are left alone."""
    outbox = tables.outbox.c
    query = tables.outbox.update().where(outbox.state.in_((DeliveryState.DEAD, DeliveryState.HELD)))
    query = _chosen(query, delivery_id, channel)
    done = connection.execute(
        query.values(
            state=DeliveryState.READY,
            next_at=now,
            tries=0,
            expires_at=now + NEW_LIFE,
            error_class=None,
            error=None,
            doubt=sa.case((outbox.doubt == Doubt.AMBIGUOUS, Doubt.REPEAT), else_=outbox.doubt),
        )
    )
    return done.rowcount


def discard(
    connection: sa.Connection, reason: str, *, delivery_id: str | None = None, channel: str | None = None
) -> int:
    """Never send waiting or dead deliveries; their events ride along once in the next message."""
    outbox = tables.outbox.c
    states = (DeliveryState.READY, DeliveryState.HELD, DeliveryState.DEAD)
    chosen = sa.select(outbox.delivery_id).where(outbox.state.in_(states))
    if delivery_id is not None:
        chosen = chosen.where(outbox.delivery_id == delivery_id)
    if channel is not None:
        chosen = chosen.where(outbox.channel == channel)
    ids = list(connection.execute(chosen).scalars())
    connection.execute(
        tables.outbox.update()
        .where(outbox.delivery_id.in_(ids))
        .values(state=DeliveryState.DISCARDED, error_class="discarded", error=reason[:200])
    )
    settling.give_back(connection, ids)
    return len(ids)


def move(
    connection: sa.Connection,
    to: Sequence[Recipient],
    now: datetime,
    *,
    delivery_id: str | None = None,
    channel: str | None = None,
) -> int:
    """Tell other recipients what waiting or held deliveries say, rendered anew for their channel."""
    outbox = tables.outbox.c
    query = sa.select(outbox.delivery_id).where(outbox.state.in_(sick.UNSENT), outbox.kind != "update")
    if delivery_id is not None:
        query = query.where(outbox.delivery_id == delivery_id)
    if channel is not None:
        query = query.where(outbox.channel == channel)
    ids = tuple(connection.execute(query).scalars())
    sick.hand_over(connection, ids, to, "moved", now)
    return len(ids)


def _chosen(query: sa.Update, delivery_id: str | None, channel: str | None) -> sa.Update:
    if delivery_id is not None:
        query = query.where(tables.outbox.c.delivery_id == delivery_id)
    return query if channel is None else query.where(tables.outbox.c.channel == channel)


def hold_unsent(connection: sa.Connection, reason: str = "after_restore") -> int:
    """Hold everything that waits or was being sent, after an older database was put back; see `resolve`."""
    outbox = tables.outbox.c
    done = connection.execute(
        tables.outbox.update()
        .where(outbox.state.in_((DeliveryState.READY, DeliveryState.SENDING)))
        .values(state=DeliveryState.HELD, error=reason, lease_owner=None, lease_until=None)
    )
    return done.rowcount


def resolve(connection: sa.Connection, askable: Sequence[str], now: datetime) -> int:
    """Let deliveries go that were held after a restore: channels that can be asked are asked first."""
    outbox = tables.outbox.c
    can_ask = outbox.channel.in_(list(askable))
    done = connection.execute(
        tables.outbox.update()
        .where(outbox.state == DeliveryState.HELD, outbox.error == "after_restore")
        .values(
            state=DeliveryState.READY,
            next_at=now,
            error=None,
            doubt=sa.case((can_ask, Doubt.AMBIGUOUS), else_=outbox.doubt),
            doubt_since=now,
            lookups=0,
        )
    )
    return done.rowcount


UNWELL_FOR = timedelta(hours=24)
"""A delivery that died colours the whole for a day; after that it is history, and `outbox list` still shows it."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with telling now. `since` is when it began."""

    word: str
    about: str
    since: datetime | None

    @property
    def is_red(self) -> bool:
        """Whether somebody is not told who should be; otherwise it is late, or goes another way."""
        return self.word in ("broken", "dead")


def troubles(connection: sa.Connection, now: datetime) -> tuple[Trouble, ...]:
    """List what is wrong with telling: channels that are away, deliveries that died within a day, rows that are held.

    A delivery whose events rode along in a later message that arrived is no trouble any more.
    """
    state, outbox, item = tables.channel_state.c, tables.outbox.c, tables.item.c
    sick_channels = connection.execute(sa.select(state.channel, state.state, state.since).where(state.state != "ok"))
    found = [Trouble("broken" if row.state == "broken" else "open", row.channel, row.since) for row in sick_channels]
    lost = sa.exists().where(item.delivery_id == outbox.delivery_id)
    died = connection.execute(
        sa.select(outbox.delivery_id, outbox.created_at).where(
            outbox.state == DeliveryState.DEAD, outbox.died_at > now - UNWELL_FOR, lost
        )
    )
    found += [Trouble("dead", row.delivery_id, row.created_at) for row in died]
    held = connection.execute(
        sa.select(outbox.channel, sa.func.min(outbox.created_at).label("first"))
        .where(outbox.state == DeliveryState.HELD)
        .group_by(outbox.channel)
    )
    found += [Trouble("held", row.channel, row.first) for row in held]
    return tuple(found)


def newest_sent(connection: sa.Connection) -> datetime | None:
    """Say when the newest delivery was sent, to be compared with a mark kept outside the database."""
    return connection.execute(sa.select(sa.func.max(tables.outbox.c.sent_at))).scalar_one_or_none()


def events_of(connection: sa.Connection, group: str) -> tuple[tuple[Event, str], ...]:
    """List a story's events with their states, in the order in which they were decided."""
    event = tables.event.c
    rows = connection.execute(
        sa.select(event.payload, event.state).where(event.group_key == group).order_by(event.decided_at, event.id)
    )
    return tuple((codec.load(row.payload), row.state) for row in rows)


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one event for one recipient."""

    recipient: str
    state: str
    reason: str | None
    due_at: datetime | None
    schedule: str | None
    delivery_id: str | None


def ladder(connection: sa.Connection, event_key: str) -> tuple[Step, ...]:
    """Say what became of an event, recipient by recipient: for `explain`."""
    event, item = tables.event.c, tables.item.c
    rows = connection.execute(
        sa.select(tables.item)
        .join_from(tables.item, tables.event, event.id == item.event_id)
        .where(event.event_key == event_key)
        .order_by(item.recipient)
    )
    return tuple(Step(row.recipient, row.state, row.reason, row.due_at, row.schedule, row.delivery_id) for row in rows)
