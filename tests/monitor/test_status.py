"""How things stand: colours of feeds and of the whole, what is being watched, one story as people read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, update

from monitor import schedule, status
from monitor.store import feeds, tables

NOW = datetime(2025, 6, 5, 12, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
URL = "https://paper.example/rss"


def stored(engine: Engine, **values: object) -> None:
    """One feed with these columns."""
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed(URL, "paper.example")], NOW)
        if values:
            connection.execute(update(tables.feed).values(**values))


def failing(count: int, since: datetime, *, ok: datetime | None = None) -> dict[str, object]:
    """The columns of a feed that failed `count` times in a row."""
    fail = schedule.state.Failures(weight=0.5 * count, count=count, reason="connect_timeout", first_at=since)
    state = schedule.FeedState(last_attempt_at=NOW, last_ok_at=ok, fail=fail)
    columns = {"last_attempt_at": NOW, "last_ok_at": ok, "fail_reason": "connect_timeout", "first_fail_at": since}
    return {**columns, "schedule": schedule.to_json(state)}


def remembered(**values: Any) -> dict[str, object]:
    """The columns of a feed that answered and of which this is remembered."""
    state = schedule.FeedState(**{"last_attempt_at": NOW, "last_ok_at": NOW} | values)
    return {"last_attempt_at": NOW, "last_ok_at": state.last_ok_at, "schedule": schedule.to_json(state)}


EVERY_HOUR = schedule.state.rate.Rate((30.0,) * 24, (30.0,) * 24)
COLOURS = {
    "never asked": ({}, "grey", ()),
    "paused": ({"state": "paused", "last_attempt_at": NOW}, "grey", ("paused",)),
    "answered": ({"last_attempt_at": NOW, "last_ok_at": NOW}, "green", ()),
    "failed once": (failing(1, NOW, ok=NOW - HOUR), "green", ()),
    "failed twice": (failing(2, NOW - HOUR, ok=NOW - HOUR), "amber", ("connect_timeout",)),
    "failing for two days": (failing(9, NOW - 48 * HOUR, ok=NOW - 48 * HOUR), "red", ("connect_timeout",)),
    "never answered, for two days": (failing(9, NOW - 48 * HOUR), "red", ("connect_timeout",)),
    "gone for good": ({**remembered(gone=True), "state": "gone", "fail_reason": "gone"}, "red", ("gone",)),
    "nothing new for a day where an hour is usual": (
        remembered(rate=EVERY_HOUR, last_new_at=NOW - 24 * HOUR),
        "amber",
        ("silent",),
    ),
    "its 304 was caught lying": (
        remembered(cache=schedule.state.Cache(untrusted_since=NOW - HOUR)),
        "amber",
        ("validators_untrusted",),
    ),
    "its password is missing": ({"next_reason": "secret_missing"}, "amber", ("secret_missing",)),
}


@pytest.mark.parametrize(("values", "colour", "reasons"), COLOURS.values(), ids=COLOURS)
def test_a_feeds_colour_and_why(
    engine: Engine, values: dict[str, object], colour: str, reasons: tuple[str, ...]
) -> None:
    stored(engine, **values)
    with engine.connect() as connection:
        (line,) = status.feeds(connection, NOW)
    assert (line.colour, line.reasons) == (colour, reasons)


def test_a_feed_whose_certificate_is_not_looked_at_stays_amber(engine: Engine) -> None:
    stored(engine, **remembered())
    with engine.connect() as connection:
        (line,) = status.feeds(connection, NOW, insecure={URL})
        standing = status.read(connection, NOW, insecure={URL})
    assert (line.colour, line.reasons) == ("amber", ("insecure_tls",))
    assert f"{URL}  insecure_tls" in standing.as_text()
    assert "insecure_tls" in status.feed_table([line])


WATCHED = {
    "answered within its interval": ({"last_ok_at": NOW - 10 * MINUTE, "next_at": NOW + 5 * MINUTE}, True),
    "overdue by less than an interval": ({"last_ok_at": NOW - 25 * MINUTE, "next_at": NOW - 10 * MINUTE}, True),
    "overdue by more": ({"last_ok_at": NOW - 40 * MINUTE, "next_at": NOW - 25 * MINUTE}, False),
    "the server asked for a day": ({"last_ok_at": NOW - 20 * HOUR, "next_at": NOW + 4 * HOUR}, True),
    "failing, last answer two hours ago": (
        {"last_ok_at": NOW - 2 * HOUR, "next_at": NOW + HOUR, "fail_reason": "timeout"},
        True,
    ),
    "failing, the next attempt far away": (
        {"last_ok_at": NOW - 4 * HOUR, "next_at": NOW + 20 * HOUR, "fail_reason": "timeout"},
        False,
    ),
    "never answered": ({"next_at": NOW}, False),
}


@pytest.mark.parametrize(("values", "watched"), WATCHED.values(), ids=WATCHED)
def test_what_is_being_watched(engine: Engine, values: dict[str, object], watched: bool) -> None:
    stored(engine, **values)
    with engine.connect() as connection:
        covered = status.coverage(connection, NOW)
    assert (covered.feeds, covered.healthy) == (1, int(watched))
    assert [blind.feed for blind in covered.blind] == ([] if watched else ["paper.example/rss"])


def test_a_paused_feed_is_neither_watched_nor_blind(engine: Engine) -> None:
    stored(engine, state="paused")
    with engine.connect() as connection:
        assert status.coverage(connection, NOW).feeds == 0


STANDINGS = {
    "no feed at all": ({}, (), "green", 0),
    "a dead delivery": ({"dead": 1}, ("green",), "red", 1),
    "a held delivery": ({"held": 2}, ("green",), "amber", 0),
    "one feed of three fails": ({}, ("green", "green", "red"), "amber", 0),
    "most feeds fail": ({}, ("green", "red", "red"), "red", 1),
}


@pytest.mark.parametrize(("deliveries", "colours", "colour", "code"), STANDINGS.values(), ids=STANDINGS)
def test_the_whole_is_as_bad_as_its_worst_part(
    deliveries: dict[str, int], colours: tuple[str, ...], colour: str, code: int
) -> None:
    lines = tuple(
        status.FeedLine(f"https://{n}.example/", "active", c, 0, None, None, NOW, "startup", None, None)
        for n, c in enumerate(colours)
    )
    troubles = tuple(status.Trouble(word, "dlv_1", NOW) for word in deliveries)
    standing = status.Standing(lines, 0, 0, {}, deliveries, troubles, 0)
    assert (standing.colour, standing.exit_code) == (colour, code)


def test_reading_an_empty_database_says_nothing_is_there(engine: Engine) -> None:
    with engine.connect() as connection:
        standing = status.read(connection, NOW)
        assert status.story(connection, "st_0000000000") is None
        assert status.story_table(status.stories_of(connection, 5)) == "no stories yet\n"
    assert "0 stored, 0 stories" in standing.as_text()
    assert standing.as_dict()["state"] == "green"


def test_a_failing_feed_is_named_with_its_reason_and_what_is_worst_comes_first(engine: Engine) -> None:
    urls = ("https://a.example/rss", "https://b.example/rss")
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed(url, url.split("/")[2]) for url in urls], NOW)
        connection.execute(
            update(tables.feed)
            .where(tables.feed.c.url == urls[1])
            .values(**failing(2, NOW) | {"fail_reason": "not_found", "fail_message": "404 Not Found"})
        )
        standing = status.read(connection, NOW)
        lines = status.feeds(connection, NOW)
    assert [line.url for line in lines] == [urls[1], urls[0]]
    assert "https://b.example/rss  not_found: 404 Not Found" in standing.as_text()
    assert [feed["url"] for feed in standing.as_dict()["failing"]] == [urls[1]]
    assert "not_found: 404 Not Found" in status.feed_table(lines)
