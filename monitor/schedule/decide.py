"""Decide after a poll when the next one happens, and what the feed's state becomes.

    adaptive -> floor and ceiling -> burst -> server's wishes -> jitter -> waits -> attempt guard

Each step but the first only moves the time later, and the last one that did leaves its word. Called by `pipeline`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.schedule import backoff, bounds, headers, rate, redirects, trust
from monitor.schedule import state as st
from monitor.schedule.attempts import GUARD
from monitor.schedule.reasons import NOT_THE_FEED, OWN_NETWORK, FailReason, NextReason, Note
from monitor.values import Validators

_NOTHING = timedelta(0)
_RETRY_WHEN_DOWN = timedelta(seconds=60)
JITTER = 0.1
"""Half of it fixed by the feed's id, half random: feeds of one start drift apart and stay apart."""


def after(
    state: st.FeedState,
    policy: st.Policy,
    outcome: st.Outcome,
    now: datetime,
    jitter: float,
    *,
    host: st.HostFacts = st.HostFacts(),  # noqa: B008  frozen
    burst: bool = False,
    circuit_open: bool = False,
) -> st.Next:
    """Decide when a feed is polled next. `jitter` is a random number in [0, 1).

    `burst` says that a story it carries is live, `circuit_open` that our own network is down: then network failures
    count for nothing.
    """
    match outcome:
        case st.Changed() | st.Unchanged():
            return _succeeded(state, policy, outcome, now, jitter, host, burst)
        case st.Failed(reason) if circuit_open and reason in OWN_NETWORK:
            return _settle(replace(state, last_attempt_at=now), now + _RETRY_WHEN_DOWN, NextReason.CIRCUIT)
        case st.Failed():
            return _failed(replace(state, last_attempt_at=now), policy, outcome, now, jitter, host)


def forgive(state: st.FeedState) -> st.FeedState:
    """Take back the newest failure if it was one of the network: it turned out to be our own."""
    return replace(state, fail=backoff.forgive(state.fail))


# --------------------------------------------------------------------------------------------------- success


def _succeeded(
    state: st.FeedState,
    policy: st.Policy,
    outcome: st.Changed | st.Unchanged,
    now: datetime,
    jitter: float,
    host: st.HostFacts,
    burst: bool,
) -> st.Next:
    fresh = _fresh(state.cache, outcome, now)
    learnt = _learn(state, outcome, fresh, now)
    notes = _notes(state, learnt, outcome)
    moved = redirects.learn(outcome.url, learnt.redirect, now)
    if moved:
        learnt = _move(learnt, moved)
        notes = (*notes, Note.MOVED)

    interval, word = _interval(learnt, policy, now, burst and not host.ever_429, notes)
    highest = bounds.ceiling(learnt, policy)
    limits = bounds.asked(learnt, now, fresh)
    if host.interval:
        limits.append((now + host.interval, NextReason.HOST_BUDGET))
    retry = headers.asked_to_wait(outcome.headers, now) if _is_304(outcome) else None
    learnt = _held(learnt, now, retry)
    limits += bounds.holds(learnt, host, now)
    at, reason = _jittered(now, interval, word, limits, highest, policy, bounds.floor(learnt, policy), jitter)
    spared = bounds.unskipped(at, learnt.wishes)
    if spared > at:
        at, reason = spared, NextReason.SKIP_HOURS
    return _settle(replace(learnt, interval=interval), at, reason, move=moved, notes=notes)


def _is_304(outcome: st.Outcome) -> bool:
    return isinstance(outcome, st.Unchanged) and outcome.not_modified


def _fresh(cache: st.Cache, outcome: st.Changed | st.Unchanged, now: datetime) -> timedelta | None:
    """Freshness of this answer; a 304 never promises more than the last 200 did, if that promised anything."""
    fresh = headers.freshness(outcome.headers, now)
    if _is_304(outcome) and fresh is not None and cache.fresh is not None:
        return min(fresh, cache.fresh)
    return fresh


def _learn(
    state: st.FeedState, outcome: st.Changed | st.Unchanged, fresh: timedelta | None, now: datetime
) -> st.FeedState:
    """Fold a successful answer into the state."""
    says_cache = bool(headers.values(outcome.headers, "cache-control"))
    new = outcome.new if isinstance(outcome, st.Changed) else 0
    same_feed = outcome.same_feed if isinstance(outcome, st.Changed) else True
    cache = (
        trust.after_304(state.cache, says_cache, now)
        if _is_304(outcome)
        else trust.after_200(state, fresh, says_cache, outcome, now)
    )
    target = redirects.permanent_target(outcome.hops)
    if target is None and isinstance(outcome, st.Changed) and outcome.moved_to:
        target, same_feed = outcome.moved_to, True  # the feed says so itself
    learnt = replace(
        state,
        validators=_validators(state.validators, outcome),
        last_attempt_at=now,
        last_ok_at=now,
        last_new_at=now if new else state.last_new_at,
        hold_until=None,
        hold_reason=None,
        gone=False,
        moved=isinstance(outcome, st.Changed) and outcome.rekeyed,
        fail=st.Failures(),
        cache=cache,
        rate=_rate(state, outcome, new, now),
        redirect=redirects.track(state.redirect, target, same_feed, now),
    )
    if isinstance(outcome, st.Changed):
        items = state.items if outcome.partial else outcome.total or state.items
        return replace(learnt, items=items, bytes=outcome.bytes, wishes=outcome.wishes)
    return learnt if outcome.not_modified else replace(learnt, bytes=outcome.bytes)


def _validators(stored: Validators, outcome: st.Changed | st.Unchanged) -> Validators:
    """After a 200 exactly its own, none included; after a 304 only those it names; after a cut body the old ones.

    None when the entries get other keys: the next document must come whole, to be the baseline.
    """
    given = outcome.validators
    if isinstance(outcome, st.Changed):
        if outcome.rekeyed:
            return st.NO_VALIDATORS
        return given if outcome.complete else stored
    if not outcome.not_modified:
        return given
    return Validators(
        stored.etag if given.etag is None else given.etag,
        stored.last_modified if given.last_modified is None else given.last_modified,
    )


def _rate(state: st.FeedState, outcome: st.Changed | st.Unchanged, new: int, now: datetime) -> rate.Rate:
    if isinstance(outcome, st.Changed) and outcome.mass_change:
        return state.rate
    published = outcome.published if isinstance(outcome, st.Changed) else ()
    if state.last_ok_at is None:
        return rate.seed(published, now)
    return rate.observe(state.rate, state.last_ok_at, now, new, published)


def _notes(before: st.FeedState, learnt: st.FeedState, outcome: st.Outcome) -> tuple[Note, ...]:
    notes: list[Note] = []
    if learnt.cache.untrusted_since and not before.cache.untrusted_since:
        notes.append(Note.VALIDATORS_UNTRUSTED)
    if isinstance(outcome, st.Changed) and before.items and not outcome.partial:
        if outcome.total == 0:
            notes.append(Note.EMPTY_SUSPICIOUS)
        elif outcome.mass_change:
            notes.append(Note.MASS_CHANGE)
        elif outcome.known == 0 and not before.gone and not before.moved:
            notes.append(Note.WINDOW_OVERFLOW)
    return tuple(notes)


def _move(state: st.FeedState, move: st.Move) -> st.FeedState:
    """Start anew at another address. The same page over https is the same document, so no new baseline."""
    if move.why == "https":
        return replace(state, redirect=None)
    return replace(state, redirect=None, moved=True, validators=Validators())


def _interval(
    state: st.FeedState, policy: st.Policy, now: datetime, burst: bool, notes: tuple[Note, ...]
) -> tuple[timedelta, NextReason]:
    low, high = bounds.floor(state, policy), bounds.ceiling(state, policy)
    if Note.EMPTY_SUSPICIOUS in notes:
        return low, NextReason.ADAPTIVE
    if burst:
        return low, NextReason.BURST
    interval = rate.wait(state.rate, now, state.items, high)
    if Note.WINDOW_OVERFLOW in notes:
        interval /= 2
    return max(interval, low), NextReason.ADAPTIVE


def _jittered(
    now: datetime,
    interval: timedelta,
    reason: NextReason,
    limits: list[bounds.Limit],
    highest: timedelta,
    policy: st.Policy,
    floor: timedelta,
    jitter: float,
) -> tuple[datetime, str]:
    """Move a time by up to a tenth, never before a limit or the floor, never behind the ceiling unasked."""
    lean = JITTER * (policy.phase + jitter - 1)
    at = min(max(now + interval * (1 + lean), now + floor), now + highest)
    limit, word = max(limits, default=(now, reason))
    if limit <= at:
        return at, reason
    return limit + JITTER * jitter * min(interval, limit - now), word


# -------------------------------------------------------------------------------------------------- failures


def _failed(
    state: st.FeedState, policy: st.Policy, outcome: st.Failed, now: datetime, jitter: float, host: st.HostFacts
) -> st.Next:
    reason = outcome.reason
    if reason in (FailReason.NOT_FOUND, FailReason.GONE) and not outcome.hops:
        move = redirects.learn_from_death(state.redirect)
        if move:
            return _settle(_move(state, move), now + GUARD, NextReason.BACKOFF, move=move, notes=(Note.MOVED,))

    fail = backoff.count(state.fail, reason, now)
    probed = trust.is_probe_due(state, now)
    known = replace(
        state,
        fail=fail,
        cache=replace(state.cache, probed_at=now) if probed else state.cache,
        redirect=None if reason in NOT_THE_FEED else state.redirect,
        validators=Validators() if reason is FailReason.UNEXPECTED_304 else state.validators,
    )
    if state.gone or (reason is FailReason.GONE and backoff.is_gone(fail, now)):
        notes = () if state.gone else (Note.GONE,)
        return _settle(replace(known, gone=True), now + backoff.GONE_RECHECK, NextReason.GONE, notes=notes)

    retry = headers.asked_to_wait(outcome.headers, now)
    known = _held(known, now, retry)
    wait = backoff.wait(fail, bounds.floor(known, policy), policy.watched, jitter)
    holds: tuple[st.Hold, ...] = ()
    if reason is FailReason.RATE_LIMITED:
        asked = backoff.limited_wait(fail, jitter) if retry is None else retry
        wait = min(wait, backoff.LIMITED_CAP) if retry is not None else asked
        holds = () if policy.own_host else backoff.host_holds(host, asked, now)
    waits = [(now + wait, NextReason.BACKOFF), *bounds.holds(known, host, now)]
    at, word = max(waits)
    return _settle(known, at, word, holds=holds)


def _held(state: st.FeedState, now: datetime, retry: timedelta | None) -> st.FeedState:
    """Note what a server asked this feed to wait; a longer wait asked for earlier still stands."""
    if retry is None:
        return state
    until = max(now + retry, state.hold_until or now)
    return replace(state, hold_until=until, hold_reason=NextReason.RETRY_AFTER)


def _settle(
    state: st.FeedState,
    at: datetime,
    reason: str,
    *,
    holds: tuple[st.Hold, ...] = (),
    move: st.Move | None = None,
    notes: tuple[Note, ...] = (),
) -> st.Next:
    return st.Next(at, NextReason(reason), state, holds, move, notes)
