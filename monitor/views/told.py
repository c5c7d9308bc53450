"""What was told and what was muted: deliveries, newest first, the ones of a story, and the silences."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, select

from alerts import tables
from alerts.outbox import admin, muted
from alerts.values import Silence

LISTED = 50
_outbox, _item, _event = tables.outbox.c, tables.item.c, tables.event.c


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery: to whom, about which story, and how it went. The message itself stays in the outbox."""

    delivery_id: str
    kind: str
    channel: str
    recipient: str
    story: str
    subject: str
    state: str
    tries: int
    created_at: datetime
    sent_at: datetime | None
    error: str | None
    body_sha256: str
    events: int


@dataclass(frozen=True, slots=True)
class Told:
    """One page of deliveries; `further` names the one the next page begins behind."""

    deliveries: tuple[Sent, ...]
    further: str | None


def deliveries(connection: Connection, state: str | None = None, after: str | None = None) -> Told:
    """Read one page. Ids carry the time they were made, so their order is that of time, and has an index."""
    query = select(*_COLUMNS).order_by(_outbox.delivery_id.desc()).limit(LISTED + 1)
    if state is not None:
        query = query.where(_outbox.state == state)
    if after is not None:
        query = query.where(_outbox.delivery_id < after)
    rows = connection.execute(query).mappings().all()
    further = rows[LISTED - 1]["delivery_id"] if len(rows) > LISTED else None
    return Told(tuple(_sent(row) for row in rows[:LISTED]), further)


_COLUMNS = (
    *(_outbox[name] for name in Sent.__slots__ if name not in ("story", "events")),
    _outbox.story_id,
    _outbox.event_keys,
)


def of_story(connection: Connection, keys: Sequence[str]) -> tuple[Sent, ...]:
    """The deliveries that told of a story, oldest first; its former keys count too."""
    mine = (
        select(_item.delivery_id)
        .distinct()
        .join_from(tables.event, tables.item, _item.event_id == _event.id)
        .where(_event.group_key.in_(list(keys)), _item.delivery_id.is_not(None))
    )
    ids = [row[0] for row in connection.execute(mine)]
    rows = connection.execute(
        select(*_COLUMNS).where(_outbox.delivery_id.in_(ids)).order_by(_outbox.delivery_id)
    ).mappings()
    return tuple(_sent(row) for row in rows)


def _sent(row: Mapping[Any, Any]) -> Sent:
    values = {name: row[name] for name in Sent.__slots__ if name not in ("story", "events")}
    return Sent(story=row["story_id"], events=len(json.loads(row["event_keys"])), **values)


def counts(connection: Connection) -> Mapping[str, int]:
    """How many deliveries are in each state."""
    query = select(_outbox.state, sa.func.count()).group_by(_outbox.state)
    return {row[0]: row[1] for row in connection.execute(query)}


def attempts(connection: Connection, delivery_id: str) -> tuple[admin.Attempt, ...]:
    """How often one delivery was tried and how each try ended; empty for an unknown one."""
    shown = admin.show(connection, delivery_id)
    return shown.attempts if shown else ()


def muting(connection: Connection, keys: Sequence[str], now: datetime) -> tuple[Silence, ...]:
    """The silences that mute a story by its name, a former one too."""
    every = muted.running(connection, now)
    return tuple(one for one in every if set(dict(one.matchers.conditions).get("story", ())) & set(keys))


def silences(connection: Connection, now: datetime) -> tuple[tuple[Silence, int], ...]:
    """All silences with the number of events each has muted, the newest first."""
    return tuple(reversed(muted.listed(connection, now, past=True)))
