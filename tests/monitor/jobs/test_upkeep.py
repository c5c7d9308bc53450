"""What is deleted of the fetch log and of the bytes that servers sent, and what stays."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from monitor.jobs import upkeep
from monitor.store import documents, feeds, fetch_log
from monitor.values import FeedId

NOW = datetime(2025, 6, 5, 8, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEPT = 14 * DAY


@pytest.fixture
def feed(engine: Engine) -> FeedId:
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed("https://a.example/f", "a.example")], NOW)
        row = feeds.by_url(connection, "https://a.example/f")
    assert row is not None
    return row.id


def prune(engine: Engine) -> int:
    with engine.begin() as connection:
        return upkeep.prune(connection, NOW, log_kept=KEPT, bytes_kept=KEPT)


def write_lines(engine: Engine, feed: FeedId, outcome: str, count: int, since: datetime) -> None:
    with engine.begin() as connection:
        for n in range(count):
            fetch_log.write(connection, feed, fetch_log.FetchRecord(since + n * HOUR, outcome))


def lines(engine: Engine, feed: FeedId) -> list[str]:
    with engine.begin() as connection:
        return [line.outcome for line in fetch_log.newest(connection, feed, 1000)]


def test_the_last_thirty_lines_of_a_feed_stay_however_old(engine: Engine, feed: FeedId) -> None:
    write_lines(engine, feed, "not_modified", 40, NOW - 300 * DAY)
    assert prune(engine) == 10
    assert lines(engine, feed) == ["not_modified"] * 30
    assert prune(engine) == 0


def test_what_was_not_plain_stays_for_two_weeks_beyond_the_ring(engine: Engine, feed: FeedId) -> None:
    write_lines(engine, feed, "failed", 5, NOW - 20 * DAY)
    write_lines(engine, feed, "changed", 7, NOW - 10 * DAY)
    write_lines(engine, feed, "not_modified", 20, NOW - 5 * DAY)
    write_lines(engine, feed, "same_body", 30, NOW - 2 * DAY)
    assert prune(engine) == 25
    assert sorted(set(lines(engine, feed))) == ["changed", "same_body"]
    assert len(lines(engine, feed)) == 37


def keep(engine: Engine, feed: FeedId, at: datetime, body: bytes) -> None:
    made = documents.sheet(at, "https://a.example/f", None, {}, body)
    with engine.begin() as connection:
        documents.keep(connection, feed, made)


def test_bytes_go_after_two_weeks(engine: Engine, feed: FeedId) -> None:
    for days in (20, 15, 13, 1):
        keep(engine, feed, NOW - days * DAY, b"body of %d days" % days)
    assert prune(engine) == 2
    with engine.begin() as connection:
        kept = documents.of_feed(connection, feed)
        assert [document.at for document in kept] == [NOW - DAY, NOW - 13 * DAY]
        assert documents.body(connection, feed, NOW - DAY) == b"body of 1 days"


def test_the_oldest_bytes_go_first_when_there_are_too_many(engine: Engine, feed: FeedId) -> None:
    for hours in range(10):
        keep(engine, feed, NOW - hours * HOUR, os.urandom(1000))
    with engine.begin() as connection:
        assert documents.prune(connection, NOW - DAY, budget=5_500) == 5
        assert [document.at for document in documents.of_feed(connection, feed)] == [NOW - n * HOUR for n in range(5)]


def test_a_body_that_comes_again_is_kept_once(engine: Engine, feed: FeedId) -> None:
    for hours, body in ((3, b"a"), (2, b"a"), (1, b"b"), (0, b"a")):
        keep(engine, feed, NOW - hours * HOUR, body)
    with engine.begin() as connection:
        assert [document.at for document in documents.of_feed(connection, feed)] == [NOW, NOW - HOUR, NOW - 3 * HOUR]
