"""What colour a feed has, and when silence means something."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor import schedule
from tests.monitor.schedule.play import NOW, Feed, days, hours, minutes


def newspaper() -> Feed:
    """Forty entries a day between 6 and 22 o'clock, for two weeks."""
    feed = Feed(last_ok_at=None)
    dates = tuple(
        NOW.replace(hour=6) - days(d) + minutes(24 * i) for d in range(14) for i in range(40) if d or i * 24 < 180
    )
    feed.changed(new=len(dates), total=len(dates), known=0, published=dates)
    return feed


def ministry() -> Feed:
    """Two entries a day."""
    feed = Feed(last_ok_at=None)
    feed.changed(new=28, total=28, known=0, published=tuple(NOW - hours(12 * i) for i in range(28)))
    return feed


def colour(feed: Feed) -> tuple[str, tuple[str, ...]]:
    judged = schedule.health(feed.state, feed.now)
    return str(judged.colour), judged.reasons


def test_a_newspaper_silent_for_five_hours_at_noon_is_out_of_habit() -> None:
    feed = newspaper()
    feed.wait(hours(2)).not_modified()
    assert colour(feed) == ("green", ())
    feed.wait(hours(3)).not_modified()
    assert colour(feed) == ("amber", ("silent",))


def test_a_newspaper_silent_at_night_is_asleep() -> None:
    feed = newspaper()
    feed.now = NOW.replace(hour=22)
    feed.changed(new=1, published=(feed.now,))
    feed.wait(hours(7)).not_modified()
    assert colour(feed) == ("green", ())


def test_a_ministry_silent_for_two_days_is_no_news() -> None:
    feed = ministry()
    feed.wait(days(2)).not_modified()
    assert colour(feed) == ("green", ())


FAILING: dict[str, tuple[Callable[[Feed], object], tuple[str, tuple[str, ...]]]] = {
    "one failure is nothing": (lambda f: f.failed("not_found"), ("green", ())),
    "two failures want a look": (
        lambda f: (f.failed("not_found"), f.wait(hours(1)).failed("connect")),
        ("amber", ("connect",)),
    ),
    "five hours of 404 are not red": (
        lambda f: [f.wait(minutes(30)).failed("not_found") for _ in range(10)],
        ("amber", ("not_found",)),
    ),
    "a day without success is red": (
        lambda f: [f.wait(hours(3)).failed("server_error") for _ in range(9)],
        ("red", ("server_error",)),
    ),
    "gone is red": (lambda f: [f.wait(hours(13)).failed("gone") for _ in range(3)], ("red", ("gone",))),
    "one success is green again": (
        lambda f: ([f.wait(hours(3)).failed("server_error") for _ in range(9)], f.changed()),
        ("green", ()),
    ),
}


@pytest.mark.parametrize(("story", "expected"), FAILING.values(), ids=FAILING)
def test_failures_have_a_colour(story: Callable[[Feed], object], expected: tuple[str, tuple[str, ...]]) -> None:
    feed = Feed()
    story(feed)
    assert colour(feed) == expected


def test_a_certificate_nobody_looks_at_is_always_shown() -> None:
    assert schedule.health(Feed().state, NOW, insecure_tls=True).reasons == ("insecure_tls",)
