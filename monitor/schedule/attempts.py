"""What is asked before a poll: may it happen, which validators go with it, does it set a baseline.

Called by `jobs` and `pipeline`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from monitor.schedule import bounds, trust
from monitor.schedule import state as st
from monitor.schedule.reasons import NextReason
from monitor.values import Validators

GUARD = timedelta(minutes=10)
"""No URL is requested twice within this time, across restarts (Rachel Kroll's feed reader score)."""
SPREAD = timedelta(minutes=10)
NEW_A_SECOND = 30
"""First polls of new feeds in a second: about what one process does on one core (docs/scale.md)."""
ROUND = timedelta(hours=1)
"""The usual ceiling: in so long every feed is asked once."""


def may_attempt(
    state: st.FeedState, policy: st.Policy, host: st.HostFacts, now: datetime, *, force: bool = False
) -> st.Refusal | None:
    """Say why a due feed may not be requested now, and from when it may; None if it may.

    `force` lifts the guard of 10 minutes; nothing lifts a hold.
    """
    limits = bounds.holds(state, host, now)
    if not force and state.last_attempt_at:
        guard = min(GUARD, bounds.floor(state, policy))
        # A last attempt in the future means that the clock was set back: the guard then counts from now.
        limits.append((min(state.last_attempt_at, now) + guard, NextReason.ATTEMPT_GUARD))
    until, reason = max(limits, default=(now, NextReason.FORCED))
    return st.Refusal(reason, until) if until > now else None


def to_send(state: st.FeedState, now: datetime) -> Validators:
    """The validators of the next request: none while they are not trusted or when their truth is tested."""
    if trust.is_distrusted(state.cache, now) or trust.is_probe_due(state, now):
        return Validators()
    return state.validators


def needs_baseline(state: st.FeedState) -> bool:
    """Whether the next successful poll stores entries without telling: the first, after a move, after `gone`."""
    return state.last_ok_at is None or state.gone or state.moved


def first_poll(number: int, now: datetime) -> datetime:
    """When the `number`-th of many new feeds, from 0, is asked first: so many a second, again and again for an hour.

    A million feeds that come at once are then asked at the pace at which they will be asked at the least.
    """
    return now + timedelta(seconds=number / NEW_A_SECOND) % ROUND


def spread(next_at: datetime, interval: timedelta | None, now: datetime, jitter: float) -> datetime:
    """Move an overdue poll to some time in the next 10 minutes (or the feed's interval, if shorter).

    For the start and for the return of the network; a poll that is not overdue keeps its time.
    """
    return next_at if next_at > now else now + jitter * min(SPREAD, interval or SPREAD)
