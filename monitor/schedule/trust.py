"""Whether a server's 304 can be believed. Some answer 304 for days although the feed changed (FreshRSS #1020 #1680).

A feed that normally publishes but answers 304 for a day is asked once without validators; a document that withheld
entries ends the trust for a week. Called by `schedule.attempts` and `schedule.decide`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.schedule import rate
from monitor.schedule import state as st

PROBE_EVERY = timedelta(hours=24)
RETRY_TRUST = timedelta(days=7)
BUSY = 1.0
"""Entries a day by habit that make a day of 304 worth a question."""


def is_probe_due(state: st.FeedState, now: datetime) -> bool:
    """Whether the next poll should go without validators to see if the 304s are true."""
    quiet_since = state.cache.unchanged_since
    if quiet_since is None or now - quiet_since < PROBE_EVERY:
        return False
    if state.cache.probed_at and now - state.cache.probed_at < PROBE_EVERY:
        return False
    return rate.expected(state.rate, quiet_since, quiet_since + PROBE_EVERY) >= BUSY


def is_distrusted(cache: st.Cache, now: datetime) -> bool:
    """Whether validators are left out for now."""
    return cache.untrusted_since is not None and now - cache.untrusted_since < RETRY_TRUST


def after_200(
    state: st.FeedState,
    fresh: timedelta | None,
    says_cache: bool,
    outcome: st.Changed | st.Unchanged,
    now: datetime,
) -> st.Cache:
    """Note a 200; if it answered a probe with entries the 304s had withheld, stop trusting them."""
    cache = replace(state.cache, fresh=fresh, sends_cache_control=says_cache, unchanged_since=None, probed_at=None)
    if is_probe_due(state, outcome.asked_at) and _was_withheld(outcome, state.last_ok_at):
        return replace(cache, untrusted_since=now)
    if cache.untrusted_since and not is_distrusted(cache, now):
        return replace(cache, untrusted_since=None)
    return cache


def after_304(cache: st.Cache, says_cache: bool, now: datetime) -> st.Cache:
    """Note a 304."""
    untrusted = cache.untrusted_since if is_distrusted(cache, now) else None
    return replace(
        cache,
        ever_304=True,
        sends_cache_control=cache.sends_cache_control or says_cache,
        unchanged_since=cache.unchanged_since or now,
        untrusted_since=untrusted,
    )


def _was_withheld(outcome: st.Outcome, last_ok: datetime | None) -> bool:
    """An entry dated after the last 304 is no proof of a lie: it may have come since."""
    if not isinstance(outcome, st.Changed) or outcome.new == 0:
        return False
    return len(outcome.published) < outcome.new or last_ok is None or min(outcome.published) <= last_ok
