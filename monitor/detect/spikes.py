"""When a story spreads unusually fast: independent outlets within some hours, against what is usual for the watch.

Pure; called by `events` for a mention that adds an outlet. The usual number is the caller's to know: the median of
independent outlets per window over four weeks, None while a watch is too young for one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monitor.values import MentionFact, Role


@dataclass(frozen=True, slots=True)
class Spike:
    """At least `outlets` within a window, and at least `times` the usual number."""

    outlets: int = 3
    within: timedelta = timedelta(hours=6)
    times: float = 3.0


def outlets_within(mentions: Iterable[MentionFact], now: datetime, within: timedelta) -> int:
    """Count the publishers whose first own piece in the story is so young; copies and sister services add none."""
    first: dict[str, datetime] = {}
    for mention in mentions:
        publisher = mention.publisher or mention.outlet
        if publisher is not None and mention.role is not Role.COPY:
            first[publisher] = min(first.get(publisher, mention.seen_at), mention.seen_at)
    return sum(now - seen < within for seen in first.values())


def is_spike(rule: Spike, count: int, usual: float | None) -> bool:
    """Whether so many outlets are a spike; without a usual number the count alone decides."""
    return count >= rule.outlets and (usual is None or count >= rule.times * usual)


def window_start(now: datetime, within: timedelta) -> datetime:
    """The start of the window on a grid that begins at midnight UTC: one spike per story and window.

    >>> window_start(datetime(2025, 6, 5, 13, 20, tzinfo=UTC), timedelta(hours=6)).isoformat()
    '2025-06-05T12:00:00+00:00'
    """
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (now - midnight) // within * within
