"""Which redirects are learnt: permanent ones that lasted, to what is demonstrably the same feed."""

from __future__ import annotations

import pytest

from monitor import schedule
from monitor.schedule import redirects
from monitor.values import Hop
from tests.monitor.schedule.play import URL, Feed, days, hop, hours

TO = "https://news.example/feed"
MOVED = (hop(301, URL, TO),)
A, B, C = "https://a.example/", "https://b.example/", "https://c.example/"

CHAINS = {
    "no redirect": ((), None),
    "301": ((hop(301, A, B),), B),
    "308": ((hop(308, A, B),), B),
    "302": ((hop(302, A, B),), None),
    "303": ((hop(303, A, B),), None),
    "307": ((hop(307, A, B),), None),
    "302 A-B, 301 B-C teaches nothing": ((hop(302, A, B), hop(301, B, C)), None),
    "301 A-B, 302 B-C teaches B": ((hop(301, A, B), hop(302, B, C)), B),
    "301 A-B, 308 B-C teaches C": ((hop(301, A, B), hop(308, B, C)), C),
}


@pytest.mark.parametrize(("hops", "target"), CHAINS.values(), ids=CHAINS)
def test_only_the_permanent_beginning_of_a_chain_counts(hops: tuple[Hop, ...], target: str | None) -> None:
    assert redirects.permanent_target(hops) == target


def daily(feed: Feed, n: int) -> list[schedule.Move]:
    moves = []
    for _ in range(n):
        decision = feed.changed(hops=MOVED)
        moves += [decision.move] if decision.move else []
        feed.wait(days(1))
    return moves


def test_a_301_is_learnt_after_seven_days_of_daily_polls() -> None:
    feed = Feed()
    assert not daily(feed, 7)
    assert daily(feed, 1) == [schedule.Move(TO, "redirect")]
    assert feed.state.redirect is None
    assert schedule.needs_baseline(feed.state)


def test_two_sightings_a_week_apart_are_not_enough() -> None:
    feed = Feed()
    feed.changed(hops=MOVED)
    assert feed.wait(days(8)).changed(hops=MOVED).move is None
    assert feed.wait(hours(1)).changed(hops=MOVED).move


def test_a_301_that_stops_is_forgotten() -> None:
    feed = Feed()
    daily(feed, 3)
    feed.changed()
    assert feed.state.redirect is None
    feed.wait(days(1))
    assert not daily(feed, 7)


def test_a_301_that_changes_its_target_starts_anew() -> None:
    feed = Feed()
    daily(feed, 5)
    feed.changed(hops=(hop(301, URL, B),))
    assert feed.state.redirect is not None
    assert (feed.state.redirect.to, feed.state.redirect.seen) == (B, 1)


def test_a_304_at_the_end_of_a_redirect_is_a_sighting() -> None:
    feed = Feed()
    feed.changed(hops=MOVED)
    for _ in range(6):
        assert feed.wait(days(1)).not_modified(hops=MOVED).move is None
    assert feed.wait(days(1)).not_modified(hops=MOVED).move


@pytest.mark.parametrize("reason", ["html", "blocked"])
def test_a_301_to_a_page_is_forgotten(reason: str) -> None:
    feed = Feed()
    daily(feed, 3)
    feed.failed(reason, MOVED)
    assert feed.state.redirect is None


def test_a_301_to_a_stranger_is_never_learnt() -> None:
    feed = Feed()
    for _ in range(20):
        assert feed.changed(hops=MOVED, known=0, same_feed=False).move is None
        feed.wait(days(1))


def test_a_failure_on_the_way_does_not_end_the_watching() -> None:
    feed = Feed()
    daily(feed, 4)
    feed.failed("read_timeout")
    assert daily(feed, 4)


def test_https_on_the_same_host_and_path_is_learnt_at_once_without_a_new_baseline() -> None:
    feed = Feed()
    plain = URL.replace("https", "http")
    decision = feed.changed(hops=(hop(301, plain, URL),), url=plain)
    assert decision.move == schedule.Move(URL, "https")
    assert not schedule.needs_baseline(feed.state)


UPGRADES = {
    "same place": ("http://a.example/rss?x=1", "https://a.example/rss?x=1", True),
    "ports that go without saying": ("http://a.example:80/rss", "https://A.example:443/rss", True),
    "another path": ("http://a.example/rss", "https://a.example/feed", False),
    "another query": ("http://a.example/rss?x=1", "https://a.example/rss", False),
    "another host": ("http://a.example/rss", "https://www.a.example/rss", False),
    "downwards": ("https://a.example/rss", "http://a.example/rss", False),
}


@pytest.mark.parametrize(("old", "new", "is_one"), UPGRADES.values(), ids=UPGRADES)
def test_an_upgrade_changes_nothing_but_the_scheme(old: str, new: str, is_one: bool) -> None:
    assert redirects.is_upgrade(old, new) is is_one


@pytest.mark.parametrize("reason", ["not_found", "gone"])
def test_when_the_old_address_dies_its_last_redirect_is_learnt(reason: str) -> None:
    feed = Feed()
    daily(feed, 2)
    assert feed.failed(reason).move == schedule.Move(TO, "dead_url")
    assert feed.waits <= hours(1)


def test_a_404_at_the_target_is_no_death_of_the_old_address() -> None:
    feed = Feed()
    daily(feed, 2)
    assert feed.failed("not_found", MOVED).move is None


def test_a_feed_that_names_its_new_url_is_watched_like_a_301() -> None:
    feed = Feed()
    moves = []
    for _ in range(8):
        moves.append(feed.changed(moved_to=TO).move)
        feed.wait(days(1))
    assert moves == [None] * 7 + [schedule.Move(TO, "redirect")]
