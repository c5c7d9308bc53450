"""What follows an attempt: the schedule, Retry-After, the state of a channel. Tables; no clock, no network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts import retry
from alerts.errors import Ambiguous, ChannelBroken, Deferred, DeliveryError, Poison, Rejected, Throttled
from alerts.values import ChannelHealth, ChannelState, Delivery, DeliveryKind, Doubt, Receipt

NOW = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
WELL = ChannelState("desk")


def delivery(**changes: Any) -> Delivery:
    values: dict[str, Any] = {
        "delivery_id": "dlv_1",
        "kind": DeliveryKind.POST,
        "channel": "desk",
        "to": "desk",
        "group": "st_1",
        "body": b"full",
        "headers": (),
        "attempt": 1,
        "tries": 0,
        "created_at": NOW,
        "expires_at": NOW + timedelta(hours=72),
        "compact": b"short",
    }
    return Delivery(**(values | changes))


def again(seconds: float, **changes: Any) -> dict[str, Any]:
    return {"again_s": seconds, **changes}


SETTLED: dict[str, tuple[DeliveryError, dict[str, Any], dict[str, Any]]] = {
    "a first transient failure waits five seconds": (DeliveryError("desk", "unreachable"), {}, again(5)),
    "a second one waits thirty": (DeliveryError("desk", "unreachable"), {"tries": 1}, again(30)),
    "the twelfth waits a day": (
        DeliveryError("desk", "unreachable"),
        {"tries": 11, "expires_at": NOW + timedelta(days=9)},
        again(86400),
    ),
    "after the thirteenth it is dead": (
        DeliveryError("desk", "unreachable"),
        {"tries": 12, "expires_at": NOW + timedelta(days=9)},
        {"dead": "attempts_spent"},
    ),
    "a wait beyond its age is the end": (
        DeliveryError("desk", "unreachable"),
        {"tries": 8, "expires_at": NOW + timedelta(hours=1)},
        {"dead": "too_old"},
    ),
    "a 429 spends no attempt and waits as told": (
        Throttled("desk", "ratelimited", retry_after=timedelta(seconds=30), status="429"),
        {},
        again(30, spent=False),
    ),
    "a 429 that says nothing waits a second": (Throttled("desk", "x", status="429"), {}, again(1, spent=False)),
    "a 503 with Retry-After spends one": (
        Throttled("desk", "x", retry_after=timedelta(seconds=9), status="503"),
        {},
        again(9, spent=True),
    ),
    "greylisting waits by the schedule": (Deferred("desk", "smtp_rcpt_451"), {}, again(5, spent=True)),
    "a refused recipient is dead": (Rejected("desk", "no_such_recipient"), {}, {"dead": "no_such_recipient"}),
    "refused bytes are sent once more in short": (Poison("desk", "invalid_blocks"), {}, again(0, compact=True)),
    "refused short bytes are dead": (Poison("desk", "x"), {"compacted": True}, {"dead": "x"}),
    "a broken channel holds it": (ChannelBroken("desk", "is_archived"), {}, {"hold": "is_archived"}),
    "a 404 is believed at the third time": (ChannelBroken("desk", "http_404", strikes=3), {}, again(5)),
    "an unsure end is asked for first": (
        Ambiguous("desk", "timeout"),
        {"can_ask": True},
        again(5, doubt=Doubt.AMBIGUOUS),
    ),
    "an unsure end that nobody can be asked about is sent again": (
        Ambiguous("desk", "timeout"),
        {},
        again(5, doubt=Doubt.REPEAT),
    ),
}


@pytest.mark.parametrize(("error", "given_", "wanted"), SETTLED.values(), ids=SETTLED.keys())
def test_what_follows_an_error(error: DeliveryError, given_: dict[str, Any], wanted: dict[str, Any]) -> None:
    can_ask = given_.pop("can_ask", False)
    end = retry.settle(delivery(**given_), error, WELL, NOW, 0.5, can_ask=can_ask)
    match end:
        case retry.Again():
            assert end.at - NOW == timedelta(seconds=wanted["again_s"])
            for name in ("spent", "compact", "doubt"):
                assert name not in wanted or getattr(end, name) == wanted[name]
        case retry.Dead():
            assert end.reason == wanted["dead"]
        case retry.Hold():
            assert end.reason == wanted["hold"]
        case _:
            raise AssertionError(end)


def test_twelve_attempts_fall_inside_three_days() -> None:
    elapsed, falls = timedelta(0), [timedelta(0)]
    for tries in range(1, len(retry.WAITS) + 1):
        wait = retry.wait(tries, 0.5)
        assert wait is not None
        elapsed += wait
        falls.append(elapsed)
    assert sum(fall <= timedelta(hours=72) for fall in falls) == 12


@given(st.integers(1, 12), st.floats(0, 1))
def test_waits_stay_within_a_fifth_of_the_schedule(tries: int, jitter: float) -> None:
    wait = retry.wait(tries, jitter)
    assert wait is not None
    assert 0.799 <= wait / retry.WAITS[tries - 1] <= 1.201


HEADERS = {
    "seconds": ("30", None, 30),
    "an HTTP date against our clock": ("Mon, 15 Jun 2026 10:02:00 GMT", None, 120),
    "an HTTP date against the answer's own date": (
        "Mon, 15 Jun 2026 10:02:00 GMT",
        "Mon, 15 Jun 2026 10:01:30 GMT",
        30,
    ),
    "nothing": (None, None, None),
    "zero is a second": ("0", None, 1),
    "absurd is an hour": ("1000000000", None, 3600),
    "a past date is nothing": ("Mon, 15 Jun 2026 09:00:00 GMT", None, None),
    "words are nothing": ("soon", None, None),
    "negative is nothing": ("-5", None, None),
    "more digits than any clock has is an hour": ("9" * 5000, None, 3600),
}


@pytest.mark.parametrize(("value", "date", "seconds"), HEADERS.values(), ids=HEADERS.keys())
def test_retry_after_is_read(value: str | None, date: str | None, seconds: int | None) -> None:
    found = retry.retry_after(value, date, NOW)
    assert (found.total_seconds() if found else None) == seconds


def test_five_failures_open_the_circuit_and_one_success_closes_it() -> None:
    state = WELL
    for number in range(5):
        assert state.health is ChannelHealth.OK, number
        state = retry.after_error(state, DeliveryError("desk", "unreachable"), NOW)
    assert state.health is ChannelHealth.OPEN
    assert retry.gate(state, NOW) is retry.Gate.SHUT
    assert retry.gate(state, NOW + timedelta(seconds=60)) is retry.Gate.PROBE
    assert retry.after_success(state, NOW).health is ChannelHealth.OK


def test_a_broken_channel_is_probed_every_quarter_of_an_hour() -> None:
    state = retry.after_error(WELL, ChannelBroken("desk", "token_revoked"), NOW)
    assert retry.gate(state, NOW + timedelta(minutes=14)) is retry.Gate.SHUT
    assert retry.gate(state, NOW + timedelta(minutes=15)) is retry.Gate.PROBE


def test_a_throttled_channel_is_shut_for_all_its_deliveries() -> None:
    state = retry.after_error(WELL, Throttled("desk", "x", retry_after=timedelta(seconds=30), status="429"), NOW)
    assert retry.gate(state, NOW + timedelta(seconds=29)) is retry.Gate.SHUT
    assert retry.gate(state, NOW + timedelta(seconds=30)) is retry.Gate.OPEN


def test_pauses_that_nobody_names_double_up_to_a_minute() -> None:
    state, waits = WELL, []
    for _ in range(8):
        after = retry.after_error(state, Throttled("desk", "x", status="429"), NOW)
        assert after.paused_until is not None
        waits.append((after.paused_until - NOW).total_seconds())
        state = after
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_one_bad_recipient_says_nothing_about_the_channel() -> None:
    for error in (Rejected("desk", "no_such_recipient"), Poison("desk", "x"), Deferred("desk", "smtp_rcpt_451")):
        assert retry.after_error(WELL, error, NOW) == WELL


def test_a_message_that_was_asked_for_twice_in_vain_is_sent_again() -> None:
    doubtful = delivery(doubt=Doubt.AMBIGUOUS)
    first = retry.asked(doubtful, None, NOW)
    assert isinstance(first, retry.Again)
    assert (first.at - NOW, first.doubt, first.lookups) == (timedelta(seconds=30), Doubt.AMBIGUOUS, 1)
    second = retry.asked(delivery(doubt=Doubt.AMBIGUOUS, lookups=1), None, NOW)
    assert isinstance(second, retry.Again)
    assert second.doubt is Doubt.NONE
    assert retry.asked(doubtful, Receipt("ok"), NOW) == retry.Done(Receipt("ok"))


def test_a_question_that_cannot_be_asked_is_given_up_after_half_an_hour() -> None:
    error = DeliveryError("desk", "missing_scope")
    early = retry.cannot_ask(delivery(doubt_since=NOW), error, NOW + timedelta(minutes=10), resend=True)
    assert isinstance(early, retry.Again)
    assert early.doubt is Doubt.AMBIGUOUS
    late = retry.cannot_ask(delivery(doubt_since=NOW), error, NOW + timedelta(minutes=31), resend=True)
    assert isinstance(late, retry.Again)
    assert late.doubt is Doubt.REPEAT
    held = retry.cannot_ask(delivery(doubt_since=NOW), error, NOW + timedelta(minutes=31), resend=False)
    assert held == retry.Hold("cannot_ask", "ambiguous")


def test_a_bucket_lets_three_through_and_then_one_a_second() -> None:
    pace, state, times = retry.Pace(timedelta(seconds=1), 3), None, []
    now = NOW
    for _ in range(6):
        at, state = retry.paced(state, pace, now)
        times.append((at - NOW).total_seconds())
    assert times == [0, 0, 0, 1, 2, 3]
