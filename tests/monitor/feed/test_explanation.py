"""What `feed explain` says of a feed: the rule, the header, the bound, the hold, and when it may be asked again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from monitor import schedule
from monitor.feed import explanation, facts, views
from monitor.feed.facts import FeedUnknown
from monitor.parse.identity import TRUSTED
from monitor.schedule.rate import Rate
from monitor.schedule.state import Cache, Failures, FeedState, Tracked, Wishes
from monitor.store import feeds, hosts
from monitor.values import FeedId, Validators

NOW = datetime(2025, 6, 5, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
URL = "https://paper.example/rss"
GIVEN = Validators(b'"v1"', b"Thu, 05 Jun 2025 11:00:00 GMT")
BUSY, QUIET = Rate((60.0,) * 24, (10.0,) * 24), Rate((0.2,) * 24, (100.0,) * 24)


def about(known: FeedState, policy: schedule.Policy = schedule.Policy(), **more: Any) -> facts.Facts:  # noqa: B008
    held = tuple(more.pop("held", ()))
    last = held[0] if held else None
    host = schedule.HostFacts("paper.example", "paper.example", *((last.hold_until, "rate_limited") if last else ()))
    columns: dict[str, Any] = {
        "id": FeedId(1), "url": URL, "moved_to": None, "host": "paper.example", "state": "active",
        "validators": known.validators, "body_sha256": None, "gen": 1, "items": None, "trust": TRUSTED,
        "standing": "ok", "standing_since": None, "next_at": NOW + 12 * MINUTE, "next_reason": "adaptive",
        "schedule": {}, "fail_reason": None, "fail_message": None, "first_fail_at": None,
        "last_ok_at": known.last_ok_at, "last_new_at": None, "last_attempt_at": known.last_attempt_at,
        "baseline_at": None,
    }  # fmt: skip
    return facts.Facts(feeds.FeedRow(**columns | more), known, None, policy, host, held, NOW)


def state(**more: Any) -> FeedState:
    return FeedState(**{"last_attempt_at": NOW - HOUR, "last_ok_at": NOW - HOUR, "rate": BUSY, "items": 20} | more)


HELD = hosts.HostRow("domain", "paper.example", NOW + HOUR, "rate_limited", NOW, True)
SAYS = {
    "the rule and what it means": (about(state()), "05 Jun 12:12 UTC, in 12 min: adaptive"),
    "an overdue poll": (about(state(), next_at=NOW - 5 * MINUTE), "due for 5 min: adaptive"),
    "a paused feed": (about(state(), state="paused"), "never: the feed is paused"),
    "a rate beyond the floor": (about(state()), "the floor of 15 min decides"),
    "a rate below the ceiling": (about(state(rate=QUIET)), "the ceiling of 60 min decides"),
    "a government's ceiling": (about(state(rate=QUIET), schedule.Policy(government=True)), "30 min (tag government)"),
    "a floor of the server's making": (
        about(state(cache=Cache(sends_cache_control=True))),
        "floor 10 min (the server sends Cache-Control)",
    ),
    "a heavy feed": (about(state(bytes=400_000)), "floor 60 min (no validators and 400,000 bytes each time)"),
    "freshness": (about(state(cache=Cache(fresh=30 * MINUTE))), "fresh for 30 min"),
    "a ttl beyond reason": (about(state(wishes=Wishes(ttl=3 * DAY))), "ttl 3 d, taken as 6 h"),
    "hours to be spared": (
        about(state(wishes=Wishes(skip_hours=frozenset({1, 0}), skip_days=frozenset({5, 6})))),
        "skipHours 0, 1 (UTC)",
    ),
    "a held domain": (about(state(), held=[HELD]), "domain paper.example until 05 Jun 13:00 UTC: rate_limited"),
    "a feed asked to wait": (
        about(state(hold_until=NOW + 2 * HOUR, hold_reason="retry_after")),
        f"feed {URL} until 05 Jun 14:00 UTC: retry_after",
    ),
    "failures and their weight": (
        about(
            state(fail=Failures(2.0, 4, "not_found", NOW - DAY)),
            fail_reason="not_found",
            fail_message="HTTP 404",
        ),
        "they weigh 2 together: it is left alone for at least 60 min",
    ),
    "validators that are sent": (about(state(validators=GIVEN, cache=Cache(ever_304=True))), "it has answered 304"),
    "a 304 that lied": (
        about(state(validators=GIVEN, cache=Cache(untrusted_since=NOW - DAY))),
        "not sent until 11 Jun 12:00 UTC: a 304 withheld entries on 04 Jun 12:00",
    ),
    "a day of nothing but 304": (
        about(state(validators=GIVEN, cache=Cache(ever_304=True, unchanged_since=NOW - DAY))),
        "left out next time",
    ),
    "a redirect under observation": (
        about(state(redirect=Tracked("https://new.example/rss", NOW - DAY, 2, True))),
        "permanent to https://new.example/rss, seen 2 times since 04 Jun 12:00 UTC; believed after 3 times over 7 d",
    ),
    "silence": (about(state(last_new_at=NOW - DAY)), "amber, silent; last new entry 04 Jun 12:00 UTC"),
    "a refresh that may be": (about(state()), "feed refresh may ask now"),
    "a refresh that has to wait": (
        about(state(last_attempt_at=NOW - MINUTE)),
        "feed refresh may ask again from 05 Jun 12:09 UTC (attempt_guard)",
    ),
}


@pytest.mark.parametrize(("one", "says"), SAYS.values(), ids=SAYS)
def test_what_is_said_of_a_feed(engine: Engine, one: facts.Facts, says: str) -> None:
    with engine.connect() as connection:
        told = explanation.explain(connection, one)
    assert says in told.as_text()
    assert told.as_dict()["url"] == URL


def test_every_rule_has_its_words() -> None:
    assert {str(reason) for reason in schedule.NextReason} <= set(explanation.WHY)


UNKNOWN = {
    "a slip of the pen": ("https://paper.example/rs", f"did you mean {URL}?"),
    "another path of a known host": ("https://paper.example/feed/all.xml", f"did you mean {URL}?"),
    "a part of an address": ("paper.ex", f"did you mean {URL}?"),
    "nothing alike": ("https://other.example/", "storywatch feed list shows them all"),
}


@pytest.mark.parametrize(("url", "says"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_feed_is_answered_with_those_that_may_be_meant(engine: Engine, url: str, says: str) -> None:
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed(URL, "paper.example")], NOW)
        with pytest.raises(FeedUnknown) as refused:
            facts.find(connection, url)
    assert says in str(refused.value)


@pytest.mark.parametrize("url", [URL, "HTTP://Paper.example:80/rss/", "https://paper.example/rss#top"])
def test_a_feed_is_found_however_it_is_written(engine: Engine, url: str) -> None:
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed(URL, "paper.example")], NOW)
        assert facts.find(connection, url).url == URL


def test_a_curve_is_drawn_with_its_highest_hour_full() -> None:
    assert views.sparkline([0.0, 1.0, 2.0]) == "▁▅█"
    assert views.sparkline([0.0, 0.0]) == "▁▁"


SPANS = {40: "40 s", 25 * 60: "25 min", 6.5 * 3600: "6.5 h", 3 * 86400: "3 d", 31 * 86400: "31 d"}


@pytest.mark.parametrize(("seconds", "text"), SPANS.items())
def test_a_span_is_said_in_one_unit(seconds: float, text: str) -> None:
    assert facts.span(timedelta(seconds=seconds)) == text
