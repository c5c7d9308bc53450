"""Silences as rows: made by people, ended by time or by people, and told about when they end.

Silenced events keep their keys and never come back as new; the count of what was muted does.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from alerts import mute, tables
from alerts.digest.slots import counted
from alerts.errors import AlertError
from alerts.outbox import codec
from alerts.outbox.events import give, store_all
from alerts.outbox.groups import silence_of
from alerts.values import Event, Kind, Silence


def add(connection: sa.Connection, silence: Silence, *, everything: bool = False) -> Silence:
    """Store a silence under the next free id (S1, S2, ...). Errors: AlertError with the reason it is refused."""
    reason = mute.refusal(silence, everything=everything)
    if reason is not None:
        raise AlertError(reason)
    numbers = [int(name[1:]) for name in connection.execute(sa.select(tables.silence.c.id)).scalars()]
    silence_id = f"S{max(numbers, default=0) + 1}"
    connection.execute(
        tables.silence.insert().values(
            id=silence_id,
            matchers=json.dumps(silence.matchers.conditions, ensure_ascii=False),
            starts=silence.starts,
            until=silence.until,
            comment=silence.comment,
            author=silence.author,
            responses=silence.responses,
            recipient=silence.recipient,
        )
    )
    return replace(silence, silence_id=silence_id)


def end(connection: sa.Connection, silence_id: str, who: str, now: datetime) -> bool:
    """End a silence before its time; the digest builder tells what it muted. False when there is none to end."""
    silence = tables.silence.c
    done = connection.execute(
        tables.silence.update()
        .where(silence.id == silence_id, silence.ended_at.is_(None), silence.until > now)
        .values(until=now, ended_by=who)
    )
    return done.rowcount == 1


def running(connection: sa.Connection, now: datetime) -> tuple[Silence, ...]:
    """The silences that are not over yet, the oldest first."""
    silence = tables.silence.c
    rows = connection.execute(sa.select(tables.silence).where(silence.until > now).order_by(silence.starts))
    return tuple(silence_of(row) for row in rows)


def listed(connection: sa.Connection, now: datetime, *, past: bool = False) -> tuple[tuple[Silence, int], ...]:
    """List silences with the number of items each has muted so far."""
    silence, item = tables.silence.c, tables.item.c
    query = sa.select(tables.silence).order_by(silence.starts)
    rows = connection.execute(query if past else query.where(silence.until > now))
    counts = connection.execute(
        sa.select(item.silence_id, sa.func.count().label("muted"))
        .where(item.silence_id.is_not(None))
        .group_by(item.silence_id)
    )
    muted = {row.silence_id: int(row.muted) for row in counts}
    return tuple((silence_of(row), muted.get(row.id, 0)) for row in rows)


def preview(connection: sa.Connection, silence: Silence, since: datetime, now: datetime) -> Counter[Kind]:
    """Count by kind what a silence would have muted since an instant."""
    event = tables.event.c
    rows = connection.execute(sa.select(event.payload).where(event.decided_at >= since, event.decided_at <= now))
    events = (codec.load(payload) for payload in rows.scalars())
    return Counter(event.kind for event in events if mute.mutes(silence, event, silence.starts))


def ended(connection: sa.Connection, now: datetime) -> tuple[tuple[Event, str], ...]:
    """Close the silences whose time is over: per story and recipient, the event that says what was muted."""
    silence = tables.silence.c
    rows = connection.execute(
        sa.select(tables.silence).where(silence.until <= now, silence.ended_at.is_(None)).with_for_update()
    ).all()
    told: list[tuple[Event, str]] = []
    for row in rows:
        connection.execute(tables.silence.update().where(silence.id == row.id).values(ended_at=now))
        told += _over(connection, row.id, now)
    return tuple(told)


def _over(connection: sa.Connection, silence_id: str, now: datetime) -> list[tuple[Event, str]]:
    item, event = tables.item.c, tables.event.c
    rows = connection.execute(
        sa.select(item.recipient, item.group_key, event.watch, event.kind)
        .join_from(tables.item, tables.event, event.id == item.event_id)
        .where(item.silence_id == silence_id)
        .order_by(event.id)
    ).all()
    muted: dict[tuple[str, str, str], Counter[str]] = {}
    for row in rows:
        muted.setdefault((row.group_key, row.recipient, row.watch), Counter())[row.kind] += 1
    several = len({group for group, _, _ in muted}) > 1
    return [
        (_event(silence_id, group, watch, kinds, now, several=several), recipient)
        for (group, recipient, watch), kinds in muted.items()
    ]


def _event(silence_id: str, group: str, watch: str, kinds: Counter[str], now: datetime, *, several: bool) -> Event:
    said = ", ".join(counted(kind, number) for kind, number in kinds.items())
    key = f"silence_over:{silence_id.lower()}" + (f":{group}" if several else "")
    return Event(key, Kind.SILENCE_OVER, watch, group, now, facts=(("message", f"While muted: {said}"),))


def tell(connection: sa.Connection, event: Event, recipient: str, max_age_s: int, now: datetime) -> None:
    """Store the end of a silence for one recipient, due at once. The event itself may be there for another."""
    store_all(connection, [(event, event.state)])
    known = sa.select(tables.event.c.id).where(tables.event.c.event_key == event.key)
    row = {"event_id": connection.execute(known).scalar_one(), "group_key": event.group, "max_age_s": max_age_s}
    give(connection, [row], [recipient], now)
