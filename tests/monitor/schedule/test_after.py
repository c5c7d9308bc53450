"""What one poll means for the next: the rules of manners, one sentence each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from monitor import schedule
from monitor.schedule import reasons
from monitor.schedule.headers import Headers
from monitor.values import Validators
from tests.monitor.schedule.play import NOW, Feed, days, head, hours, http, minutes

# ------------------------------------------------------------------------------------------------- validators

A, B = Validators(b'"a"', b"Mon"), Validators(b'"b"', b"Mon")
TAUGHT: dict[str, tuple[Callable[[Feed], object], Validators]] = {
    "a 200 with the same body and a new ETag leaves the new ETag": (lambda f: f.same_body(validators=B), B),
    "a 200 with a new ETag and an old Last-Modified leaves both": (lambda f: f.changed(validators=B), B),
    "a 200 without validators leaves none": (lambda f: f.changed(), Validators()),
    "a 200 with the same body and no validators leaves none": (lambda f: f.same_body(), Validators()),
    "a 304 without validators leaves the old ones": (lambda f: f.not_modified(), A),
    "a 304 with a new ETag leaves it beside the old Last-Modified": (
        lambda f: f.not_modified(validators=Validators(b'"b"')),
        B,
    ),
    "a 304 to an unconditional request leaves none": (lambda f: f.failed("unexpected_304"), Validators()),
    "a cut document leaves the old ones": (lambda f: f.changed(validators=B, complete=False), A),
    "a document that does not parse leaves the old ones": (lambda f: f.failed("not_a_feed"), A),
    "a failure leaves the old ones": (lambda f: f.failed("connect"), A),
}


@pytest.mark.parametrize(("poll", "kept"), TAUGHT.values(), ids=TAUGHT)
def test_validators_are_those_of_the_last_answer(poll: Callable[[Feed], object], kept: Validators) -> None:
    feed = Feed()
    poll(feed)
    assert feed.sends == kept


def quiet(feed: Feed, span: timedelta) -> None:
    """Let the server answer 304 every half hour."""
    end = feed.now + span
    while feed.now < end:
        feed.wait(minutes(30))
        if feed.sends != Validators():
            feed.not_modified()


def busy_feed() -> Feed:
    """A feed with an entry every hour of the last week."""
    feed = Feed(last_ok_at=None)
    feed.changed(new=168, total=168, known=0, published=tuple(NOW - hours(i) for i in range(168)), validators=A)
    return feed


def test_a_304_for_a_week_is_probed_once_a_day_and_a_lie_ends_the_trust() -> None:
    feed = busy_feed()
    quiet(feed, hours(26))
    assert feed.sends == Validators()
    decision = feed.changed(new=3, published=(feed.now - hours(20),) * 3, validators=A)
    assert reasons.Note.VALIDATORS_UNTRUSTED in decision.notes
    assert feed.waits >= minutes(60)
    feed.wait(days(6.9))
    assert feed.sends == Validators()
    feed.changed(new=1, validators=A)
    feed.wait(days(0.2))
    assert feed.sends == A


def test_a_probe_that_finds_the_same_body_keeps_the_trust_for_another_day() -> None:
    feed = busy_feed()
    quiet(feed, hours(26))
    assert feed.sends == Validators()
    feed.same_body(validators=A)
    probes = 0
    for _ in range(48):
        feed.wait(minutes(30))
        probes += feed.sends == Validators()
        feed.not_modified()
    assert feed.sends == A
    assert probes == 0


def test_a_probe_that_finds_only_what_came_since_keeps_the_trust() -> None:
    feed = busy_feed()
    quiet(feed, hours(26))
    feed.wait(minutes(20))
    decision = feed.changed(new=1, published=(feed.now - minutes(5),), validators=B)
    assert not decision.notes
    assert feed.sends == B


def test_a_probe_that_fails_is_not_repeated_within_a_day() -> None:
    feed = busy_feed()
    quiet(feed, hours(26))
    feed.failed("read_timeout")
    feed.wait(minutes(30))
    assert feed.sends == A


def test_a_quiet_feed_is_not_probed() -> None:
    feed = Feed()
    quiet(feed, days(5))
    assert feed.sends == A


# -------------------------------------------------------------------------------------------------- freshness


def test_a_304_may_promise_freshness_and_never_more_than_the_last_200() -> None:
    feed = Feed()
    feed.not_modified(headers=head(cache_control="max-age=43200"))
    assert feed.waits >= hours(12)
    assert feed.next is not None
    assert feed.next.reason == "cache_control"
    feed.changed(headers=head(cache_control="max-age=3600"))
    feed.not_modified(headers=head(cache_control="max-age=43200"))
    assert hours(1) <= feed.waits < hours(1.2)


FRESH = {
    "an aged answer leaves the floor": (head(cache_control="max-age=600", age="590"), minutes(10), minutes(61)),
    "Expires counts from Date": (head(expires=http(NOW + hours(3)), date=http(NOW + hours(1))), hours(2), hours(2.2)),
    "no-cache is no licence and no limit": (head(cache_control="no-cache, max-age=6000"), minutes(10), minutes(61)),
    "an unreadable max-age leaves the rate": (head(cache_control="max-age=abc"), minutes(10), minutes(61)),
    "Expires 0 leaves the rate": (head(expires="0"), minutes(15), minutes(61)),
    "max-age of a week is a day": (head(cache_control="max-age=604800"), hours(24), hours(26.5)),
}


@pytest.mark.parametrize(("fields", "least", "most"), FRESH.values(), ids=FRESH)
def test_freshness_moves_the_next_poll(fields: Headers, least: timedelta, most: timedelta) -> None:
    feed = Feed()
    feed.changed(headers=fields)
    assert least <= feed.waits <= most


# ------------------------------------------------------------------------------------- wishes of the document

WISHES = {
    "skipHours with all 24 hours": ({"skip_hours": frozenset(range(24))}, hours(12), hours(13.1)),
    "skipDays with all days": ({"skip_days": frozenset(range(7))}, hours(12), hours(13.1)),
    "skipHours for the next three hours": ({"skip_hours": frozenset({9, 10, 11})}, hours(3), hours(3)),
    "skipDays today": ({"skip_days": frozenset({0})}, hours(12), hours(13.1)),
    "skipHours for other hours": ({"skip_hours": frozenset({0, 1})}, minutes(15), minutes(61)),
    "ttl 0": ({"ttl": timedelta(0)}, minutes(15), minutes(61)),
    "ttl of three hours": ({"ttl": hours(3)}, hours(3), hours(3.3)),
    "ttl of two years": ({"ttl": minutes(999_999)}, hours(6), hours(6.6)),
    "an update period of a day": ({"update_period": days(1)}, hours(24), hours(26.5)),
    "an update period of a year": ({"update_period": days(365)}, hours(24), hours(26.5)),
}


@pytest.mark.parametrize(("wishes", "least", "most"), WISHES.values(), ids=WISHES)
def test_a_document_may_ask_for_time(wishes: dict[str, object], least: timedelta, most: timedelta) -> None:
    feed = Feed()
    feed.changed(wishes=wishes)
    assert least <= feed.waits <= most
    feed.wait(feed.waits).not_modified()
    assert feed.waits <= most + hours(1)


# ---------------------------------------------------------------------------------------- waiting when told to


def test_429_with_retry_after_holds_the_host_as_long_and_the_feed_backs_off() -> None:
    feed = Feed()
    decision = feed.failed("rate_limited", retry_after="120")
    assert [(h.scope, h.name, h.until - NOW, h.reason) for h in decision.holds] == [
        ("host", "feeds.example", timedelta(seconds=120), "rate_limited")
    ]
    assert feed.waits >= minutes(30)


RETRY = {
    "12 hours": ({"retry_after": "43200"}, hours(12), hours(12)),
    "a negative number is ignored": ({"retry_after": "-5"}, minutes(30), minutes(90)),
    "a word is ignored": ({"retry_after": "xyz"}, minutes(30), minutes(90)),
    "a billion seconds are 31 days": ({"retry_after": "1e9"}, days(31), days(31)),
    "a date counts from the server's clock": (
        {"retry_after": http(NOW + hours(5)), "date": http(NOW + hours(1))},
        hours(4),
        hours(4),
    ),
}


@pytest.mark.parametrize(("fields", "least", "most"), RETRY.values(), ids=RETRY)
def test_a_429_is_obeyed(fields: dict[str, str], least: timedelta, most: timedelta) -> None:
    feed = Feed()
    decision = feed.failed("rate_limited", **fields)
    assert least <= feed.waits <= most
    assert all(hold.until - NOW <= hours(24) for hold in decision.holds)
    assert decision.reason == ("retry_after" if most == least else "backoff")


@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
def test_429_without_retry_after_waits_30_60_120_minutes_and_at_most_6_hours(jitter: float) -> None:
    feed = Feed(jitter=jitter)
    waits = []
    for _ in range(8):
        feed.failed("rate_limited")
        waits.append(feed.waits)
        feed.wait(feed.waits)
    for wait, base in zip(waits, (30, 60, 120, 240), strict=False):
        assert minutes(base) <= wait <= minutes(base + 60)
    assert max(waits) <= hours(6)
    feed.changed()
    feed.failed("rate_limited")
    assert feed.waits <= minutes(90)


def test_503_with_retry_after_holds_this_feed_and_not_its_host() -> None:
    feed = Feed()
    decision = feed.failed("server_error", retry_after="7200")
    assert not decision.holds
    assert feed.waits == hours(2)
    assert decision.reason == "retry_after"


def test_the_third_host_of_a_domain_that_says_429_within_an_hour_holds_the_domain() -> None:
    feed = Feed()
    feed.host = schedule.HostFacts("c.blogs.example", "blogs.example", limited=frozenset({"a.blogs.example"}))
    assert [h.scope for h in feed.failed("rate_limited").holds] == ["host"]
    feed.host = schedule.HostFacts(
        "c.blogs.example", "blogs.example", limited=frozenset({"a.blogs.example", "b.blogs.example"})
    )
    holds = feed.failed("rate_limited", retry_after="600").holds
    assert [(h.scope, h.name) for h in holds] == [("host", "c.blogs.example"), ("domain", "blogs.example")]


def test_an_own_bridge_is_never_held_as_a_host() -> None:
    feed = Feed(policy=schedule.Policy(own_host=True))
    assert not feed.failed("rate_limited", retry_after="600").holds


def test_a_200_with_retry_after_is_not_told_to_wait() -> None:
    feed = Feed()
    feed.changed(headers=head(retry_after="43200"))
    assert feed.waits <= minutes(61)


def test_a_304_with_retry_after_is_told_to_wait() -> None:
    feed = Feed()
    feed.not_modified(headers=head(retry_after="43200"))
    assert feed.waits >= hours(12)


def test_a_hold_on_the_host_moves_the_next_poll_behind_it() -> None:
    feed = Feed()
    feed.host = schedule.HostFacts("feeds.example", hold_until=NOW + hours(5), hold_reason="rate_limited")
    assert feed.changed().reason == "host_hold"
    assert feed.waits >= hours(5)


# ---------------------------------------------------------------------------------------------------- failures


def test_500_twenty_times_never_ends_the_feed_and_one_200_forgets_it_all() -> None:
    feed = Feed()
    waits = []
    for _ in range(20):
        feed.failed("server_error")
        waits.append(feed.waits)
        feed.wait(feed.waits)
    assert waits[:4] == sorted(waits[:4])
    assert minutes(15) <= waits[0] <= minutes(35)
    assert max(waits) == hours(24)
    feed.changed(new=20, known=0)
    assert feed.state.fail == schedule.FeedState().fail
    assert feed.waits <= minutes(61)


def test_404_for_five_hours_of_a_day_is_still_polled() -> None:
    feed = Feed()
    polls = 0
    while feed.now < NOW + hours(5):
        feed.failed("not_found")
        polls += 1
        feed.wait(feed.waits)
    assert polls >= 5
    assert feed.now < NOW + hours(7)
    feed.changed()
    assert feed.waits <= minutes(61)


def test_410_once_and_then_200_loses_nothing() -> None:
    feed = Feed()
    assert not feed.failed("gone").notes
    feed.wait(feed.waits)
    feed.changed(new=3)
    feed.wait(hours(30))
    assert not feed.failed("gone").notes


def test_a_second_410_a_day_later_is_gone_told_once_and_asked_again_after_30_days() -> None:
    feed = Feed()
    told = []
    for _ in range(12):
        decision = feed.failed("gone")
        told += decision.notes
        if feed.state.gone:
            break
        feed.wait(feed.waits)
    assert told == ["gone"]
    assert feed.now - NOW >= hours(24)
    assert feed.waits == days(30)
    assert decision.reason == "gone"
    feed.wait(days(30))
    assert not feed.failed("gone").notes
    assert feed.waits == days(30)
    feed.wait(days(30))
    assert schedule.needs_baseline(feed.state)
    feed.changed(new=20, known=0)
    assert not feed.state.gone
    assert not schedule.needs_baseline(feed.state)


@pytest.mark.parametrize("reason", ["refused_address", "bad_scheme"])
def test_a_refused_address_is_not_tried_again_within_a_day(reason: str) -> None:
    feed = Feed()
    feed.failed(reason)
    assert feed.waits >= hours(24)


@pytest.mark.parametrize("reason", ["too_large", "bomb"])
def test_a_body_over_the_limit_moves_the_next_poll_and_backs_off(reason: str) -> None:
    feed = Feed()
    feed.failed(reason)
    first = feed.waits
    feed.wait(first).failed(reason)
    assert feed.waits > first >= minutes(30)


def test_unwatched_feeds_back_off_to_a_week() -> None:
    feed = Feed(policy=schedule.Policy(watched=False))
    for _ in range(30):
        feed.failed("bad_status")
        longest = feed.waits
        feed.wait(longest)
    assert longest == days(7)


WEIGHTS = {"dns_temporary": 0.25, "connect": 0.5, "not_found": 0.5, "rate_limited": 1.0, "html": 0.5, "bomb": 1.0}


@pytest.mark.parametrize(("reason", "weight"), WEIGHTS.items(), ids=WEIGHTS)
def test_a_failure_weighs_what_it_says_about_the_feed(reason: str, weight: float) -> None:
    feed = Feed()
    feed.failed(reason)
    assert feed.state.fail.weight == weight
    assert feed.state.fail.reason == reason
    assert feed.state.fail.first_at == NOW


def test_a_body_that_does_not_parse_is_an_error_again_next_time() -> None:
    feed = Feed()
    for n in (1, 2):
        feed.failed("not_a_feed")
        assert feed.state.fail.count == n
        feed.wait(feed.waits)


def test_every_reason_has_a_weight_and_an_answer_to_whether_it_passes() -> None:
    assert set(reasons.WEIGHT) == set(reasons.FailReason)
    lasting = {r for r in reasons.FailReason if not reasons.is_transient(r)}
    assert lasting == {"unauthorized", "bad_status", "gone", "refused_address", "bad_scheme", "too_large", "bomb"}


# --------------------------------------------------------------------------------------------- floor, ceiling


def test_a_large_feed_without_validators_is_fetched_once_an_hour() -> None:
    feed = Feed(validators=Validators())
    feed.policy = schedule.Policy(government=True)
    feed.changed(bytes=400 * 1024)
    assert feed.waits >= minutes(60)
    light = Feed(validators=Validators(), policy=schedule.Policy(government=True))
    light.changed(bytes=100 * 1024)
    assert light.waits <= minutes(30)


FLOORS = {
    "15 minutes": (schedule.Policy(), (), minutes(15)),
    "10 minutes where the server sends Cache-Control": (schedule.Policy(), head(cache_control="public"), minutes(10)),
    "what the configuration says": (schedule.Policy(floor=minutes(7)), (), minutes(7)),
    "never below 5 minutes": (schedule.Policy(floor=minutes(1)), (), minutes(5)),
    "raised by the configuration": (schedule.Policy(floor=minutes(45)), head(cache_control="public"), minutes(45)),
}


@pytest.mark.parametrize(("policy", "fields", "floor"), FLOORS.values(), ids=FLOORS)
def test_a_live_story_brings_a_feed_to_its_floor(policy: schedule.Policy, fields: Headers, floor: timedelta) -> None:
    feed = Feed(policy=policy)
    feed.burst = True
    assert feed.changed(headers=fields).reason == "burst"
    assert floor <= feed.waits <= floor * 1.1


def test_no_burst_for_a_host_that_once_said_429() -> None:
    feed = Feed()
    feed.burst = True
    feed.host = schedule.HostFacts("feeds.example", ever_429=True)
    assert feed.changed().reason == "adaptive"
    assert feed.waits > minutes(30)


def test_no_burst_against_freshness() -> None:
    feed = Feed()
    feed.burst = True
    assert feed.changed(headers=head(cache_control="max-age=7200")).reason == "cache_control"
    assert feed.waits >= hours(2)


CEILINGS = {
    "60 minutes": (schedule.Policy(), 60),
    "30 minutes for a government": (schedule.Policy(government=True), 30),
}


@pytest.mark.parametrize(("policy", "most"), CEILINGS.values(), ids=CEILINGS)
@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
def test_a_silent_feed_is_polled_at_its_ceiling(policy: schedule.Policy, most: int, jitter: float) -> None:
    feed = Feed(policy=policy, jitter=jitter)
    for _ in range(200):
        feed.wait(minutes(most)).not_modified()
    assert minutes(most * 0.9) <= feed.waits <= minutes(most)


def test_a_crowded_host_stretches_the_interval_of_its_feeds() -> None:
    feed = Feed()
    feed.host = schedule.HostFacts("feeds.example", interval=hours(2))
    assert feed.changed().reason == "host_budget"
    assert feed.waits >= hours(2)


# ----------------------------------------------------------------------------------------------- odd documents


def test_a_document_without_any_known_entry_halves_the_interval_and_is_told() -> None:
    feed = Feed()
    decision = feed.changed(new=40, total=40, known=0)
    assert decision.notes == ("window_overflow",)
    assert minutes(15) <= feed.waits <= minutes(31)


def test_an_empty_document_after_full_ones_is_looked_at_again_at_the_floor() -> None:
    feed = Feed()
    assert feed.changed(new=0, total=0, known=0).notes == ("empty_suspicious",)
    assert feed.waits <= minutes(17)
    assert feed.state.items == 20


def test_the_first_poll_is_a_baseline_and_overflows_nothing() -> None:
    feed = Feed(last_ok_at=None, items=0)
    assert schedule.needs_baseline(feed.state)
    assert not feed.changed(new=500, total=500, known=0).notes
    assert not schedule.needs_baseline(feed.state)


def test_a_226_is_a_changed_document_like_any_other() -> None:
    feed = Feed()
    assert not feed.changed(new=2, total=3, known=1).notes


# ----------------------------------------------------------------------------------------------- before a poll


def refusal(feed: Feed, *, force: bool = False) -> schedule.Refusal | None:
    return schedule.may_attempt(feed.state, feed.policy, feed.host, feed.now, force=force)


def test_no_url_is_asked_twice_within_ten_minutes_and_the_answer_says_when_it_may() -> None:
    feed = Feed()
    assert refusal(feed) is None
    feed.changed()
    feed.wait(minutes(3))
    assert refusal(feed) == schedule.Refusal("attempt_guard", NOW + minutes(10))
    assert refusal(feed, force=True) is None
    feed.wait(minutes(7))
    assert refusal(feed) is None


def test_five_restarts_in_ten_minutes_ask_once() -> None:
    feed = Feed()
    asked = 0
    for _ in range(5):
        if refusal(feed) is None:
            feed.changed()
            asked += 1
        feed.wait(minutes(1.9))
    assert asked == 1


def test_a_shorter_floor_shortens_the_guard() -> None:
    feed = Feed(policy=schedule.Policy(floor=minutes(5)))
    feed.changed()
    assert refusal(feed.wait(minutes(5))) is None


def test_nothing_lifts_a_hold() -> None:
    feed = Feed()
    feed.failed("server_error", retry_after="7200")
    feed.wait(minutes(30))
    assert refusal(feed, force=True) == schedule.Refusal("retry_after", NOW + hours(2))
    feed.host = schedule.HostFacts("feeds.example", hold_until=NOW + hours(5))
    assert refusal(feed, force=True) == schedule.Refusal("host_hold", NOW + hours(5))


def test_a_clock_set_back_does_not_lock_a_feed_out() -> None:
    feed = Feed()
    feed.changed()
    feed.wait(-hours(1))
    held = refusal(feed)
    assert held is not None
    assert held.until - feed.now <= minutes(10)


def test_a_clock_that_jumps_forth_and_back_brings_no_burst_of_polls() -> None:
    feed = Feed()
    polls, due, jumps = 0, NOW, {60: hours(1), 120: -hours(1), 180: hours(1), 240: -hours(1)}
    for minute in range(300):
        feed.wait(minutes(1) + jumps.get(minute, timedelta(0)))
        if due <= feed.now and refusal(feed) is None:
            feed.not_modified()
            polls += 1
            assert feed.next is not None
            due = feed.next.next_at
    assert 3 <= polls <= 12


def test_overdue_polls_are_spread_over_ten_minutes_and_others_keep_their_time() -> None:
    spread = [schedule.spread(NOW - hours(5), minutes(30), NOW, j / 100) - NOW for j in range(100)]
    assert min(spread) == timedelta(0)
    assert minutes(9) < max(spread) < minutes(10)
    assert schedule.spread(NOW - hours(5), minutes(5), NOW, 0.99) < NOW + minutes(5)
    assert schedule.spread(NOW + hours(5), minutes(30), NOW, 0.5) == NOW + hours(5)
