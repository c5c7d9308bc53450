"""The flood brake: a watch that matches too much at once, or far more than it usually does, is told in digests only.

Too much is an absolute rate; far more than usual compares the last hour with the same hour of the days before, once
the watch has a week of them. What is stored is read once per batch and watch; what the batch adds is counted here.
Called by `producing` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from alerts import route, tables
from alerts.digest import slots
from alerts.outbox.events import insert
from alerts.outbox.slot_rows import open_slot
from alerts.values import Event, EventClass, EventState, Kind

SILENT = frozenset({EventState.BASELINE, EventState.STALE})
"""States of events that are kept and never told."""
MATCHES = frozenset({Kind.NEW_STORY, Kind.NEW_OUTLET, Kind.COPY})
"""Kinds of which a matching entry raises one; they are what the brake counts."""
COOL_FOR = timedelta(minutes=30)
"""A brake opens when its watch has matched less than half of the limit for so long."""
HOUR = timedelta(hours=1)
LEARNT_DAYS = 7
PAST_DAYS = 28
MOST_COUNTED = 1000
"""So many matches of an hour are counted at most: a busy watch must not make every entry slow."""

_event = tables.event.c
_OF_WATCH = (_event.watch == sa.bindparam("watch"), _event.kind.in_(sorted(MATCHES)))
_LAST_HOUR = (
    sa.select(_event.decided_at)
    .where(
        *_OF_WATCH,
        _event.decided_at > sa.bindparam("hour", type_=tables.Instant()),
        _event.state.not_in(sorted(SILENT)),
    )
    .order_by(_event.decided_at.desc())
    .limit(MOST_COUNTED)
    .subquery()
)
RECENT = sa.select(
    sa.func.count().label("hour"),
    sa.func.count().filter(_LAST_HOUR.c.decided_at > sa.bindparam("since", type_=tables.Instant())).label("now"),
).select_from(_LAST_HOUR)
FIRST = sa.select(sa.func.min(_event.decided_at)).where(*_OF_WATCH)
PULLED = sa.select(tables.brake.c.hot_at).where(tables.brake.c.watch == sa.bindparam("watch"))


@dataclass(slots=True)
class _Pace:
    """How much a watch has matched: within the brake's window, and within the last hour; since when it is hot."""

    now: int
    hour: int
    hot_at: datetime | None
    limit: float | None = None
    is_hot: bool = False


class Brakes:
    """The brakes of the watches of one batch."""

    def __init__(self, connection: sa.Connection, plan: route.Plan, now: datetime) -> None:
        self._connection = connection
        self._flood = plan.flood
        self._now = now
        self._paces: dict[str, _Pace] = {}

    def holds(self, event: Event, pull: Callable[[str], None]) -> bool:
        """Tell whether an event is told in digests only; `pull` is called first where it pulls the brake."""
        if event.state is not EventState.OPEN or event.event_class is EventClass.OPERATOR or not event.watch:
            return False
        pace = self._pace(event.watch)
        if event.kind not in MATCHES:
            return pace.hot_at is not None
        held = self._counted(event.watch, pace, pull)
        pace.now += 1
        pace.hour += 1
        return held

    def _pace(self, watch: str) -> _Pace:
        if watch not in self._paces:
            asked = {"watch": watch, "since": self._now - self._flood.per, "hour": self._now - HOUR}
            row = self._connection.execute(RECENT, asked).one()
            hot_at = self._connection.execute(PULLED, {"watch": watch}).scalar_one_or_none()
            self._paces[watch] = _Pace(row.now, row.hour, hot_at)
        return self._paces[watch]

    def _counted(self, watch: str, pace: _Pace, pull: Callable[[str], None]) -> bool:
        if pace.now >= self._flood.count or self._is_unusual(watch, pace, 1):
            if pace.hot_at is None:
                pull(self._why(pace))
            self._heat(watch, pace)
            return True
        if pace.hot_at is None:
            return False
        if pace.now * 2 >= self._flood.count or self._is_unusual(watch, pace, 2):
            self._heat(watch, pace)
        elif self._now - pace.hot_at >= COOL_FOR:
            self._connection.execute(tables.brake.delete().where(tables.brake.c.watch == watch))
            pace.hot_at, pace.is_hot = None, False
            return False
        return True

    def _why(self, pace: _Pace) -> str:
        if pace.now >= self._flood.count:
            return f"{self._flood.count:,} or more within {int(self._flood.per.total_seconds())} s"
        return f"{pace.hour:,} or more within an hour, over {self._flood.times:g} times its usual rate,"

    def _is_unusual(self, watch: str, pace: _Pace, share: int) -> bool:
        """Tell whether the last hour reaches a share of what is far more than usual; one half closes, a whole pulls."""
        if pace.hour * share < self._flood.least:
            return False
        if pace.limit is None:
            usual = usual_rate(self._connection, watch, self._now)
            pace.limit = float("inf") if usual is None else usual * self._flood.times
        return pace.hour * share >= max(pace.limit, self._flood.least)

    def _heat(self, watch: str, pace: _Pace) -> None:
        pace.hot_at = self._now
        if pace.is_hot:
            return
        pace.is_hot = True
        self._connection.execute(
            insert(self._connection, tables.brake)
            .values({"watch": watch, "pulled_at": self._now, "hot_at": self._now})
            .on_conflict_do_update(index_elements=["watch"], set_={"hot_at": self._now})
        )


def usual_rate(connection: sa.Connection, watch: str, now: datetime) -> float | None:
    """Say how much a watch matches in the hour before this time of day, by the last 28 days; None in its first week."""
    first = connection.execute(FIRST, {"watch": watch}).scalar_one_or_none()
    days = min(PAST_DAYS, (now - first).days) if first is not None else 0
    if days < LEARNT_DAYS:
        return None
    ends = [now - timedelta(days=n) for n in range(1, days + 1)]
    hours = sa.or_(*(sa.and_(_event.decided_at > end - HOUR, _event.decided_at <= end) for end in ends))
    number: int = connection.execute(
        sa.select(sa.func.count()).select_from(tables.event).where(*_OF_WATCH, hours), {"watch": watch}
    ).scalar_one()
    return number / days


def take_back(connection: sa.Connection, watch: str, plan: route.Plan, now: datetime) -> None:
    """Let what a watch was about to tell promptly wait for the next digest of each recipient."""
    item = tables.item.c
    of_watch = sa.select(_event.id).where(
        _event.watch == watch, _event["class"] != EventClass.OPERATOR, _event.decided_at > now - COOL_FOR
    )
    waiting = sa.and_(item.event_id.in_(of_watch), item.state == "pending", item.due_at.is_not(None))
    for key in connection.execute(sa.select(item.recipient).distinct().where(waiting)).scalars().all():
        slot_id = next_slot(connection, key, plan, now)
        if slot_id is not None:
            connection.execute(
                tables.item.update()
                .where(waiting, item.recipient == key)
                .values(due_at=None, reason="flood", slot_id=slot_id)
            )


def next_slot(connection: sa.Connection, key: str, plan: route.Plan, now: datetime) -> str | None:
    """Open the next digest of a recipient and name it: one without a schedule gets one at the full hour."""
    recipient = plan.recipient(key)
    if recipient is None:
        return None
    slot = slots.demoted(recipient, route.schedules_of(recipient, plan), now)
    open_slot(connection, slot)
    return slot.slot_id
