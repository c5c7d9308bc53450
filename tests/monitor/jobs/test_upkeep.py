"""What is deleted when it is old, and what stays: fetch log, bytes, entries, deliveries."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, func, insert, select, update

from alerts import tables as telling
from monitor.config.values import Keep
from monitor.jobs import upkeep
from monitor.store import documents, entries, feeds, fetch_log, fetch_ring, meta, partitions, retention, tables
from monitor.values import EntryId, FeedId, Match

NOW = datetime(2025, 6, 5, 8, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEPT = 14 * DAY
KEEP = Keep(text=60 * DAY, bytes=KEPT, deliveries=730 * DAY, seen=90 * DAY, unmatched=20 * DAY, fetch_log=KEPT)


@pytest.fixture
def feed(engine: Engine) -> FeedId:
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed("https://a.example/f", "a.example")], NOW)
        row = feeds.by_url(connection, "https://a.example/f")
    assert row is not None
    return row.id


def prune(engine: Engine) -> int:
    pruning = upkeep.begin(engine, NOW, KEEP)
    while pruning.step():
        pass
    return pruning.gone.total()


def write_rows(engine: Engine, feed: FeedId, outcome: str, count: int, since: datetime) -> None:
    with engine.begin() as connection:
        for n in range(count):
            fetch_log.write(connection, feed, fetch_log.FetchRecord(since + n * HOUR, outcome))


def outcomes(engine: Engine, feed: FeedId) -> list[str]:
    with engine.begin() as connection:
        return [line.outcome for line in fetch_log.newest(connection, feed, 1000)]


def test_rows_of_the_log_go_after_two_weeks(engine: Engine, feed: FeedId) -> None:
    write_rows(engine, feed, "failed", 5, NOW - 30 * DAY)
    write_rows(engine, feed, "changed", 7, NOW - 10 * DAY)
    write_rows(engine, feed, "not_modified", 4, NOW - 40 * DAY)  # by a worker of the release before there were rings
    due = retention.counts(engine, KEEP, NOW)
    # Two weeks of Mondays: a partition is one thing that goes.
    assert due.get("fetch log lines", 9) == 9
    assert due.get("partitions of the fetch log", 2) == 2
    assert prune(engine) == (2 if engine.dialect.name == "postgresql" else 9)
    assert outcomes(engine, feed) == ["changed"] * 7
    assert prune(engine) == 0
    assert set(retention.counts(engine, KEEP, NOW).values()) == {0}


def test_a_ring_stays_however_old(engine: Engine, feed: FeedId) -> None:
    lines = [fetch_log.FetchRecord(NOW - (300 + n) * DAY, "failed", 500, "server_error") for n in range(30)]
    ring = fetch_ring.begun([fetch_ring.packed(line) for line in lines])
    with engine.begin() as connection:
        connection.execute(update(tables.feed).values(recent=ring))
        fetch_log.write(connection, feed, replace(lines[0], message="it said why"))
    assert prune(engine) == 1
    with engine.begin() as connection:
        assert fetch_log.newest(connection, feed) == tuple(lines)


BEFORE = {
    "the log of an earlier release stays while a line of it may be young": (13 * DAY, 1),
    "it goes as a whole when none is": (15 * DAY, 0),
}


@pytest.mark.parametrize(("ago", "left"), BEFORE.values(), ids=BEFORE.keys())
def test_what_becomes_of_the_log_before_there_were_rings(
    engine: Engine, feed: FeedId, ago: timedelta, left: int
) -> None:
    with engine.begin() as connection:
        meta.put(connection, fetch_log.BEFORE, (NOW - ago).isoformat())
        line = {"feed_id": feed, "at": NOW - 300 * DAY, "outcome": "changed"}
        connection.execute(insert(tables.fetch_log_before).values(**line))
    assert retention.counts(engine, KEEP, NOW)["fetch log of an earlier release"] == 1 - left
    assert prune(engine) == 1 - left
    assert prune(engine) == 0
    assert outcomes(engine, feed) == ["changed"] * left


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
        old = connection.execute(documents.due(NOW - DAY, budget=5_500)).all()
        assert len(old) == 5
        documents.forget(connection, old)
        assert [document.at for document in documents.of_feed(connection, feed)] == [NOW - n * HOUR for n in range(5)]


def test_a_body_that_comes_again_is_kept_once(engine: Engine, feed: FeedId) -> None:
    for hours, body in ((3, b"a"), (2, b"a"), (1, b"b"), (0, b"a")):
        keep(engine, feed, NOW - hours * HOUR, body)
    with engine.begin() as connection:
        assert [document.at for document in documents.of_feed(connection, feed)] == [NOW, NOW - HOUR, NOW - 3 * HOUR]


def put_entry(connection: Connection, n: int, at: datetime, *, matched: bool) -> None:
    """An entry that was revised once and whose page was read."""
    partitions.make_room(connection, at)
    digest = entries.text_hash("t", str(n), "")
    words = {"title": "t", "summary": str(n), "content": "", "text_sha256": digest}
    connection.execute(
        insert(tables.entry).values(id=n, feed_id=1, entry_key=f"k{n}", first_seen_at=at, gen=1, **words)
    )
    connection.execute(insert(tables.entry_revision).values(entry_id=n, n=1, at=at, **words))
    page = {"url": "u", "url_key": "u", "host": "h", "state": "read"}
    connection.execute(insert(tables.article).values(entry_id=n, **page))
    if matched:
        entries.record_matches(connection, EntryId(n), [Match("w", ())], config_rev=1, now=at)


def numbers(engine: Engine) -> dict[str, list[int]]:
    with engine.connect() as connection:
        return {
            name: sorted(connection.execute(select(column)).scalars())
            for name, column in (
                ("entry", tables.entry.c.id),
                ("revision", tables.entry_revision.c.entry_id),
                ("page", tables.article.c.entry_id),
                ("match", tables.match.c.entry_id),
            )
        }


def test_entries_go_with_their_revisions_and_pages_and_what_was_matched_stays_longer(engine: Engine) -> None:
    with engine.begin() as connection:
        for n, days in enumerate((190, 150, 50, 30, 10), start=1):
            put_entry(connection, 2 * n, NOW - days * DAY, matched=False)
            put_entry(connection, 2 * n + 1, NOW - days * DAY, matched=True)
    due = retention.counts(engine, KEEP, NOW)
    assert due["unmatched entries"] == 4
    prune(engine)
    left = numbers(engine)
    # On Postgres what is kept longest goes with its partition, once all of that is old.
    assert left["entry"] in ([7, 9, 10, 11], [5, 7, 9, 10, 11])
    assert left["revision"] == left["page"] == left["entry"]
    assert left["match"] == [3, 5, 7, 9, 11]
    assert set(retention.counts(engine, KEEP, NOW).values()) == {0}


def test_the_newest_entry_stays_so_that_its_number_is_not_given_again(engine: Engine) -> None:
    if engine.dialect.name == "postgresql":
        pytest.skip("a sequence never goes back")
    with engine.begin() as connection:
        put_entry(connection, 1, NOW - 400 * DAY, matched=False)
        put_entry(connection, 2, NOW - 400 * DAY, matched=False)
    prune(engine)
    assert numbers(engine)["entry"] == [2]


def test_deliveries_that_are_over_go_after_two_years_with_their_attempts(engine: Engine) -> None:
    texts = ("kind", "event_keys", "channel", "recipient", "story_id", "order_key", "form", "body_sha256")
    with engine.begin() as connection:
        for name, state, days in (("a", "sent", 800), ("b", "ready", 800), ("c", "sent", 700)):
            at = NOW - days * DAY
            row = dict.fromkeys(texts, "") | {"delivery_id": name, "state": state, "body": b""}
            connection.execute(insert(telling.outbox).values(**row, created_at=at, expires_at=at))
            connection.execute(insert(telling.receipt).values(delivery_id=name, attempt=1, started=at))
    prune(engine)
    with engine.connect() as connection:
        assert sorted(connection.execute(select(telling.outbox.c.delivery_id)).scalars()) == ["b", "c"]
        assert connection.execute(select(func.count()).select_from(telling.receipt)).scalar_one() == 2
