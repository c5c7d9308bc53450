"""How often a feed brings something new, by hour of the day, and how long one may therefore wait.

A rate is 24 decayed counts of new entries with 24 decayed exposures in hours. It forgets with a half-life of 30
days. Called by `schedule.decide` after a successful poll and by `schedule.health` to tell silence from habit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

HALF_LIFE = timedelta(days=30)
PRIOR_ENTRIES, PRIOR_HOURS = 0.05, 1.0
"""What is believed of an hour nobody has watched yet."""
WANTED = 0.5
"""A poll is due when so many new entries are expected."""
_HOUR = timedelta(hours=1)
_NO_TIME = 1e-9
"""Hours that are only what rounding left."""
_LONGEST_SEED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Rate:
    """Counts of new entries and hours of exposure for each hour of the UTC day."""

    entries: tuple[float, ...] = (0.0,) * 24
    hours: tuple[float, ...] = (0.0,) * 24


def seed(published: Sequence[datetime], now: datetime) -> Rate:
    """Guess a rate from the dates of a first document: its window began at the oldest date of the last 30 days."""
    dates = [at for at in published if now - _LONGEST_SEED < at <= now]
    if len(dates) < 2:
        return Rate()
    return observe(Rate(), min(dates), now, len(dates) - 1, sorted(dates)[1:])


def observe(rate: Rate, since: datetime, now: datetime, new: int, published: Sequence[datetime] = ()) -> Rate:
    """Add what one poll saw: `new` entries since the poll before.

    An entry dated within the span counts in its own hour, the others evenly over the span.
    """
    if now <= since:
        return rate
    keep = 0.5 ** ((now - since) / HALF_LIFE)
    entries = [count * keep for count in rate.entries]
    hours = [count * keep for count in rate.hours]
    dated = [at for at in published if since < at <= now][:new]
    span = (now - since) / _HOUR
    for slot, part in _slots(since, span):
        hours[slot] += part
        entries[slot] += (new - len(dated)) * part / span
    for at in dated:
        entries[at.hour] += 1
    return Rate(tuple(entries), tuple(hours))


@lru_cache(maxsize=256)
def per_hour(rate: Rate) -> tuple[float, ...]:
    """Entries per hour for each hour of the day, smoothed over the neighbouring hours. A poll asks for it twice."""
    entries, hours = _around(rate.entries), _around(rate.hours)
    neighbours = zip(entries, entries[1:], entries[2:], hours, hours[1:], hours[2:], strict=False)
    return tuple(
        [(0.5 * (a + c) + b + PRIOR_ENTRIES) / (0.5 * (x + z) + y + PRIOR_HOURS) for a, b, c, x, y, z in neighbours]
    )


def _around(day: tuple[float, ...]) -> tuple[float, ...]:
    """The hours of a day between the last and the first of them: half of each neighbour counts for an hour."""
    return (*day[-1:], *day, *day[:1])


def wait(rate: Rate, now: datetime, items: int, most: timedelta) -> timedelta:
    """How long until 0.5 new entries are expected, at most `most`.

    Never longer than a quarter of the time in which a document of `items` entries overflows at the peak rate.
    """
    curve = per_hour(rate)
    if items > 0:
        most = min(most, items / max(curve) / 4 * _HOUR)
    spent, left = 0.0, WANTED
    for slot, part in _slots(now, most / _HOUR):
        if curve[slot] * part >= left:
            return (spent + left / curve[slot]) * _HOUR
        left -= curve[slot] * part
        spent += part
    return most


def expected(rate: Rate, since: datetime, until: datetime) -> float:
    """How many new entries the habit of this feed promises between two times."""
    curve = per_hour(rate)
    return sum(curve[slot] * part for slot, part in _slots(since, (until - since) / _HOUR))


def _slots(since: datetime, span: float) -> Iterator[tuple[int, float]]:
    """Cut a span of hours into (hour of day, hours); whole days are given to all hours alike."""
    days, left = divmod(max(span, 0.0), 24)
    if days:
        yield from ((slot, days) for slot in range(24))
    slot, room = since.hour, 1 - (since.minute * 60 + since.second + since.microsecond / 1e6) / 3600
    while left > _NO_TIME:
        part = min(left, room)
        yield slot, part
        left -= part
        slot, room = (slot + 1) % 24, 1.0
