"""What must hold of every decision, whatever the feed, the server and the dice."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import schedule
from monitor.schedule import FailReason, bounds, headers, rate, state
from monitor.schedule.state import NEW_FEED as NEW
from monitor.schedule.state import NO_VALIDATORS
from monitor.values import Hop, Validators
from tests.monitor.schedule.play import NOW, Feed, days, hours, http, minutes

UNIT = st.floats(0, 0.999)
SPAN = st.integers(0, 10**6).map(lambda s: timedelta(seconds=s))
TAG = st.none() | st.binary(max_size=5)
VALIDATORS = st.builds(Validators, TAG, TAG)
FIELDS = st.lists(
    st.sampled_from(
        [
            ("cache-control", b"max-age=3600"),
            ("cache-control", b"max-age=999999, s-maxage=40"),
            ("cache-control", b"no-cache"),
            ("age", b"100"),
            ("expires", http(NOW + hours(3)).encode()),
            ("date", http(NOW + hours(1)).encode()),
            ("retry-after", b"7200"),
            ("retry-after", b"1e9"),
            ("retry-after", b"-1"),
        ]
    ),
    max_size=4,
).map(tuple)
HOPS = st.lists(
    st.builds(Hop, st.sampled_from([301, 302, 308]), st.just("http://a/"), st.just("https://a/")), max_size=2
)
WISHES = st.builds(
    schedule.Wishes,
    st.none() | SPAN,
    st.none() | SPAN,
    st.frozensets(st.integers(0, 23)),
    st.frozensets(st.integers(0, 6)),
)
AGO = st.none() | st.integers(0, 40 * 86400).map(lambda s: NOW - timedelta(seconds=s))
CHANGED = st.builds(
    schedule.Changed,
    new=st.integers(0, 50),
    total=st.integers(0, 50),
    asked_at=st.just(NOW),
    known=st.integers(0, 50),
    published=st.lists(st.integers(-(10**6), 10**6).map(lambda s: NOW + timedelta(seconds=s)), max_size=5).map(tuple),
    headers=FIELDS,
    validators=VALIDATORS,
    hops=HOPS.map(tuple),
    url=st.just("http://a/"),
    bytes=st.integers(0, 10**7),
    complete=st.booleans(),
    same_feed=st.booleans(),
    wishes=WISHES,
)
UNCHANGED = st.builds(
    schedule.Unchanged,
    asked_at=st.just(NOW),
    headers=FIELDS,
    validators=VALIDATORS,
    not_modified=st.booleans(),
    bytes=st.integers(0, 10**7),
)
FAILED = st.builds(schedule.Failed, st.sampled_from(FailReason), FIELDS, HOPS.map(tuple))
OUTCOME = CHANGED | UNCHANGED | FAILED
POLICY = st.builds(
    schedule.Policy,
    floor=st.none() | st.integers(1, 120).map(minutes),
    ceiling=st.none() | st.integers(10, 600).map(minutes),
    government=st.booleans(),
    watched=st.booleans(),
    phase=UNIT,
)
HOST = st.builds(
    schedule.HostFacts,
    name=st.just("a"),
    hold_until=st.none() | SPAN.map(lambda s: NOW + s),
    ever_429=st.booleans(),
    interval=st.none() | SPAN,
)
ASKING = {"cache_control", "ttl", "skip_hours", "retry_after", "host_hold", "host_budget", "backoff", "gone"}


@st.composite
def states(draw: st.DrawFn) -> schedule.FeedState:
    """A state that some history leads to: a few polls, half an hour apart and more."""
    feed = Feed(jitter=draw(UNIT), last_ok_at=draw(AGO))
    feed.now = NOW - days(60)  # longer than all the spans
    for outcome in draw(st.lists(OUTCOME, max_size=3)):
        feed.after(outcome)
        feed.wait(draw(SPAN))
    return feed.state


@settings(max_examples=150, deadline=None)
@given(states(), POLICY, OUTCOME, UNIT, HOST, st.booleans())
def test_a_poll_is_never_earlier_than_any_limit_nor_later_than_the_ceiling_unasked(
    state: schedule.FeedState,
    policy: schedule.Policy,
    outcome: schedule.Outcome,
    jitter: float,
    host: schedule.HostFacts,
    burst: bool,
) -> None:
    decision = schedule.after(state, policy, outcome, NOW, jitter, host=host, burst=burst)
    wait = decision.next_at - NOW
    assert wait >= min(bounds.floor(decision.state, policy), minutes(10))
    if host.hold_until:
        assert decision.reason == "gone" or decision.move or decision.next_at >= host.hold_until
    if not isinstance(outcome, schedule.Failed):
        assert wait >= bounds.floor(decision.state, policy)
        fresh = headers.freshness(outcome.headers, NOW)
        is_304 = isinstance(outcome, schedule.Unchanged) and outcome.not_modified
        if fresh is not None and not is_304:
            assert wait >= fresh
        if decision.reason not in ASKING:
            assert wait <= bounds.ceiling(decision.state, policy)
    if isinstance(outcome, schedule.Failed) and not decision.move and decision.reason != "gone":
        asked = headers.asked_to_wait(outcome.headers, NOW)
        assert asked is None or wait >= asked
    assert wait <= days(32)  # 31 days asked, 12 hours skipped, and a little jitter


@settings(max_examples=60, deadline=None)
@given(states(), OUTCOME, UNIT)
def test_a_state_survives_being_stored(state: schedule.FeedState, outcome: schedule.Outcome, jitter: float) -> None:
    after = schedule.after(state, schedule.Policy(), outcome, NOW, jitter).state
    text = json.dumps(schedule.to_json(after))
    again = schedule.from_json(json.loads(text), after.validators)
    assert json.dumps(schedule.to_json(again)) == text
    assert len(text) < 2000


def test_no_member_of_a_state_is_forgotten() -> None:
    then, span, days_off = NOW - hours(1), hours(2), frozenset({1, 5})
    everything = schedule.FeedState(
        NO_VALIDATORS,
        *(span, then, then, then, then, "retry_after", True, True, 30, 9_000),
        state.Failures(0.5, 2, "dns", then, then, 1, 0.25),
        state.Cache(span, True, True, then, then, then),
        rate.Rate((1.5,) * 24, (2.5,) * 24),
        state.Wishes(span, span, days_off, days_off),
        state.Tracked("https://new.example/rss", then, 3, True),
    )
    unlike = [one.name for one in fields(everything) if getattr(everything, one.name) == getattr(NEW, one.name)]
    assert unlike == ["validators"]
    assert schedule.from_json(json.loads(json.dumps(schedule.to_json(everything))), NO_VALIDATORS) == everything


@settings(max_examples=40, deadline=None)
@given(states())
def test_an_older_program_reads_a_newer_state(state: schedule.FeedState) -> None:
    data = {**schedule.to_json(state), "invented_later": {"x": 1}}
    assert schedule.from_json(data, state.validators) == schedule.from_json(schedule.to_json(state), state.validators)


@settings(max_examples=60, deadline=None)
@given(states(), POLICY, st.booleans())
def test_whatever_happened_a_feed_may_be_asked_again_some_day(
    state: schedule.FeedState, policy: schedule.Policy, force: bool
) -> None:
    refusal = schedule.may_attempt(state, policy, schedule.HostFacts(), NOW, force=force)
    assert refusal is None or NOW < refusal.until <= NOW + days(31)
    later = NOW + days(32)
    assert schedule.may_attempt(state, policy, schedule.HostFacts(), later, force=force) is None


def test_a_rate_that_was_written_as_lists_of_numbers_is_still_read() -> None:
    watched = tuple(n / 4 for n in range(24))
    kept = {"rate": {"entries": [0.0] * 24, "hours": list(watched)}}
    assert schedule.from_json(kept, NO_VALIDATORS).rate == rate.Rate((0.0,) * 24, watched)
