"""How well we see: every feed with its health and delay, and per watch how many of its feeds answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerts.values import Coverage
from monitor import seeing, status
from monitor.config import stored
from monitor.store import coverage as lows
from monitor.store import feeds as feed_rows
from monitor.store import sights


@dataclass(frozen=True, slots=True)
class FeedSeen:
    """A feed. `colour` and its `reasons` are those of `status`, a failure left out that `fail_reason` names already;
    `delay`: how old an entry may be before the next poll brings it."""

    url: str
    moved_to: str | None
    state: str
    colour: str
    last_ok: datetime | None
    last_new: datetime | None
    next_at: datetime
    next_reason: str
    delay: timedelta | None
    failing_since: datetime | None
    fail_reason: str | None
    fail_message: str | None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WatchSeen:
    """A watch and how many of its feeds answer; `low_since` is set while it sees too few."""

    watch: str
    healthy: int
    feeds: int
    slowest: timedelta | None
    low_since: datetime | None


@dataclass(frozen=True, slots=True)
class Seen:
    """The whole page: feeds, worst first, of `total`; what cannot be seen; per watch how well it sees."""

    feeds: tuple[FeedSeen, ...]
    total: int
    coverage: Coverage
    watches: tuple[WatchSeen, ...]


MOST = 500
"""Feeds that a page lists: more are found by their address."""
_ORDER = {"red": 0, "amber": 1, "green": 2, "grey": 3}


def read(
    connection: Connection,
    now: datetime,
    watches: Mapping[str, stored.Choice],
    insecure: frozenset[str] = frozenset(),
    *,
    part: str | None = None,
    most: int = MOST,
) -> Seen:
    """Read how well we see. `watches` maps a watch to the feeds that it looks into.

    `insecure` are the feeds whose certificate is not looked at. At most so many feeds are listed, one by one, and with
    `part` only those in whose address it is; everything else is said of all of them.
    """
    polled = tuple(sights.read(connection, settings=seeing.asks_for_tags(watches)))
    low = lows.read(connection)
    seen = []
    for watch, covered in seeing.tally(polled, now, watches).items():
        since = low[watch].low_since if watch in low else None
        seen.append(WatchSeen(watch, covered.healthy, covered.feeds, covered.slowest, since))
    listed = [_feed(row, now, insecure) for row in feed_rows.worst(connection, most, part)]
    listed.sort(key=lambda feed: (_ORDER[feed.colour], feed.url))
    return Seen(tuple(listed), feed_rows.count(connection), seeing.coverage(polled, now), tuple(seen))


def _feed(row: feed_rows.FeedRow, now: datetime, insecure: frozenset[str]) -> FeedSeen:
    line = status.feed_line(row, 0, now, insecure_tls=row.url in insecure)
    return FeedSeen(
        url=row.url,
        moved_to=row.moved_to,
        state=row.state,
        colour=line.colour,
        last_ok=row.last_ok_at,
        last_new=row.last_new_at,
        next_at=row.next_at,
        next_reason=row.next_reason,
        delay=row.next_at - row.last_ok_at if row.last_ok_at else None,
        failing_since=row.first_fail_at if row.fail_reason else None,
        fail_reason=row.fail_reason,
        fail_message=row.fail_message,
        reasons=tuple(reason for reason in line.reasons if reason != row.fail_reason),
    )
