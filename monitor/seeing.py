"""How well feeds are seen: of all of them, and of those that each watch looks into. One pass, however many.

Called by `status`, `views` and `jobs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.values import Blind, Coverage
from monitor.config import stored
from monitor.store.sights import Sight

_FRESH_AT_MOST = timedelta(hours=3)


def coverage(polled: Iterable[Sight], now: datetime) -> Coverage:
    """What is being watched right now, of all feeds."""
    healthy, blind, slowest = 0, [], timedelta()
    for row in polled:
        interval = _fresh(row, now)
        if interval is not None:
            healthy += 1
            slowest = max(slowest, interval)
        else:
            blind.append(Blind(row.url.partition("://")[2], row.first_fail_at or row.last_ok_at, row.fail_reason))
    return Coverage(healthy, healthy + len(blind), tuple(blind), slowest or None)


@dataclass(slots=True)
class Tally:
    """How many of the feeds that a watch looks into answer; `slowest` is the longest of their intervals."""

    healthy: int = 0
    feeds: int = 0
    slowest: timedelta | None = None


def asks_for_tags(choices: Mapping[str, stored.Choice]) -> bool:
    """Whether `tally` has to be given the settings of feeds: those in the database have their tags there."""
    return any(choice.tags is not None for choice in choices.values())


def tally(polled: Iterable[Sight], now: datetime, choices: Mapping[str, stored.Choice]) -> dict[str, Tally]:
    """Count for each of these watches how well it sees: one pass, whatever the number of feeds."""
    found = {name: Tally() for name in choices}
    for row in polled:
        interval = _fresh(row, now)
        for name, choice in choices.items():
            if choice.takes(row.url, row.settings):
                _count(found[name], interval)
    return found


def _count(seen: Tally, interval: timedelta | None) -> None:
    seen.feeds += 1
    if interval is not None:
        seen.healthy += 1
        seen.slowest = max(seen.slowest or interval, interval)


def _fresh(row: Sight, now: datetime) -> timedelta | None:
    """The interval of a feed whose last success is young enough; None for one that is not seen."""
    interval = row.next_at - row.last_ok_at if row.last_ok_at and row.fail_reason is None else _FRESH_AT_MOST / 2
    if row.last_ok_at is None or now - row.last_ok_at > max(min(2 * interval, _FRESH_AT_MOST), interval):
        return None
    return interval
