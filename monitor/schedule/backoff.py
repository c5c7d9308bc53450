"""How long a failing feed is left alone, and what its failures add up to. No feed is ever given up.

Called by `schedule.decide`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.schedule import reasons
from monitor.schedule import state as st
from monitor.schedule.reasons import FailReason

STEP = timedelta(minutes=30)
WATCHED_CAP = timedelta(hours=24)
CAP = timedelta(days=7)
LIMITED_CAP = timedelta(hours=6)
"""For a 429 that does not say how long."""
LIMITED_SPREAD = timedelta(minutes=60)
HOST_HOLD_CAP = timedelta(hours=24)
DOMAIN_HOSTS = 3
"""So many hosts of one registrable domain saying 429 within an hour hold all of it (FreshRSS #8925)."""
DAILY = timedelta(hours=24)
GONE_AFTER = timedelta(hours=24)
GONE_RECHECK = timedelta(days=30)


def count(fail: st.Failures, reason: FailReason, now: datetime) -> st.Failures:
    """Add one failure."""
    weight = reasons.WEIGHT[reason]
    return st.Failures(
        weight=fail.weight + weight,
        count=fail.count + 1,
        reason=reason,
        first_at=fail.first_at or now,
        first_410_at=(fail.first_410_at or now) if reason is FailReason.GONE else fail.first_410_at,
        limited=fail.limited + 1 if reason is FailReason.RATE_LIMITED else fail.limited,
        forgivable=weight if reason in reasons.OWN_NETWORK else 0.0,
    )


def forgive(fail: st.Failures) -> st.Failures:
    """Take back the newest failure, if it was one of the network."""
    if not fail.forgivable:
        return fail
    if fail.count <= 1:
        return st.Failures(first_410_at=fail.first_410_at)
    return replace(fail, weight=fail.weight - fail.forgivable, count=fail.count - 1, forgivable=0.0)


def wait(fail: st.Failures, floor: timedelta, watched: bool, jitter: float) -> timedelta:
    """30 min x 2^(w-1) for the summed weight w, never under the floor, at most a day (a week if nobody watches).

    Up to a tenth is added, so that feeds that failed together do not come back together.
    """
    cap = WATCHED_CAP if watched else CAP
    curve = STEP * float(2.0 ** min(fail.weight - 1, 20)) * (1 + 0.1 * jitter)
    if fail.reason in reasons.DAILY_AT_MOST:
        return max(DAILY, min(curve, cap))
    return max(floor, min(curve, cap))


def limited_wait(fail: st.Failures, jitter: float) -> timedelta:
    """The wait after a 429 without Retry-After: 30, 60, 120 min and so on, up to an hour more, at most 6 h."""
    return min(STEP * float(2 ** min(fail.limited - 1, 20)) + jitter * LIMITED_SPREAD, LIMITED_CAP)


def is_gone(fail: st.Failures, now: datetime) -> bool:
    """Whether a 410 is the second one at least a day after the first."""
    return fail.first_410_at is not None and now - fail.first_410_at >= GONE_AFTER


def host_holds(host: st.HostFacts, asked: timedelta, now: datetime) -> tuple[st.Hold, ...]:
    """What a 429 means for the other feeds of the host, and of its domain when three hosts of it said so."""
    until = now + min(asked, HOST_HOLD_CAP)
    holds = [st.Hold("host", host.name, until, FailReason.RATE_LIMITED)] if host.name else []
    if host.domain and len(host.limited | {host.name}) >= DOMAIN_HOSTS:
        holds.append(st.Hold("domain", host.domain, until, FailReason.RATE_LIMITED))
    return tuple(holds)
