"""Floors, ceilings and the wishes of servers: the bounds between which a poll may fall.

Each default says whose number it is. Called by `schedule.decide` and `schedule.attempts`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.schedule import state as st
from monitor.schedule.reasons import NextReason

Limit = tuple[datetime, str]
"""A time before which no poll may happen, and the word for it."""

LOWEST_FLOOR = timedelta(minutes=5)
FLOOR = timedelta(minutes=15)
FLOOR_WITH_CACHE_CONTROL = timedelta(minutes=10)
"""A server that sends Cache-Control has thought about polling (brendanlong/lion-reader)."""
HEAVY_FLOOR = timedelta(minutes=60)
"""For what is fetched whole each time: no validators, no 304 ever, large; and for feeds whose 304 lies."""
HEAVY_BYTES = 256 * 1024
CEILING = timedelta(minutes=60)
GOVERNMENT_CEILING = timedelta(minutes=30)
LONGEST_TTL = timedelta(hours=6)
LONGEST_PERIOD = timedelta(hours=24)
LONGEST_SKIP = timedelta(hours=12)
_HOUR = timedelta(hours=1)


def floor(state: st.FeedState, policy: st.Policy) -> timedelta:
    """The shortest interval of this feed, whoever asks."""
    if policy.floor is not None:
        lowest = max(policy.floor, LOWEST_FLOOR)
    else:
        lowest = FLOOR_WITH_CACHE_CONTROL if state.cache.sends_cache_control else FLOOR
    return max(lowest, HEAVY_FLOOR) if is_heavy(state) or state.cache.untrusted_since else lowest


def is_heavy(state: st.FeedState) -> bool:
    """Whether each poll costs the server the whole of a large document."""
    has_validators = state.validators.etag is not None or state.validators.last_modified is not None
    return not has_validators and not state.cache.ever_304 and state.bytes > HEAVY_BYTES


def ceiling(state: st.FeedState, policy: st.Policy) -> timedelta:
    """The longest interval as long as nobody asks for more; never under the floor."""
    highest = policy.ceiling or (GOVERNMENT_CEILING if policy.government else CEILING)
    return max(highest, floor(state, policy))


def asked(state: st.FeedState, now: datetime, fresh: timedelta | None) -> list[Limit]:
    """What the server and its document ask for, as times."""
    limits: list[Limit] = []
    if fresh:
        limits.append((now + fresh, NextReason.CACHE_CONTROL))
    if state.wishes.ttl:
        limits.append((now + min(state.wishes.ttl, LONGEST_TTL), NextReason.TTL))
    if state.wishes.update_period:
        limits.append((now + min(state.wishes.update_period, LONGEST_PERIOD), NextReason.TTL))
    return limits


def holds(state: st.FeedState, host: st.HostFacts, now: datetime) -> list[Limit]:
    """Times before which this feed or its host is left alone."""
    limits: list[Limit] = []
    if state.hold_until and state.hold_until > now:
        limits.append((state.hold_until, NextReason.RETRY_AFTER))
    if host.hold_until and host.hold_until > now:
        limits.append((host.hold_until, NextReason.HOST_HOLD))
    return limits


def unskipped(at: datetime, wishes: st.Wishes) -> datetime:
    """Move a time out of the hours and days (UTC, Monday is 0) a feed wants to be spared, by at most 12 h."""
    if not wishes.skip_hours and not wishes.skip_days:
        return at
    moved = at
    while moved - at < LONGEST_SKIP:
        if moved.hour not in wishes.skip_hours and moved.weekday() not in wishes.skip_days:
            return moved
        moved = moved.replace(minute=0, second=0, microsecond=0) + _HOUR
    return at + LONGEST_SKIP


def host_interval(feeds: int, spacing: timedelta) -> timedelta:
    """The shortest interval at which all `feeds` of one host can be polled with `spacing` between two starts."""
    return feeds * spacing
