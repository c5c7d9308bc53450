"""The ring of a feed's last fetches: what a line keeps, how a ring turns, how it meets the rows of the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, insert, select, update

from monitor.schedule import FailReason, NextReason
from monitor.store import claims, feeds, fetch_log, fetch_ring, results, tables
from monitor.store.fetch_log import RING, FetchRecord
from monitor.values import FeedId, ParseReason, Validators

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
HOUR, SECOND, MS = timedelta(hours=1), timedelta(seconds=1), timedelta(milliseconds=1)
MARK, OTHER = b"mark", b"last"
PLAIN = FetchRecord(NOW, "not_modified", 304, next_at=NOW + HOUR, next_reason="adaptive", took=200 * MS, sent=MARK)

KEPT = {
    "a 304": PLAIN,
    "a 304 with other validators": replace(PLAIN, given=OTHER),
    "the same body to a question for the whole": replace(
        PLAIN, outcome="same_body", status=200, size=48_000, sent=None
    ),
    "a document with new entries": replace(PLAIN, outcome="changed", status=226, size=9_000, new=12, given=OTHER),
    "a failure without an answer": FetchRecord(
        NOW, "failed", None, "deadline", next_at=NOW + HOUR, next_reason="backoff"
    ),
    "a failure with one": replace(
        PLAIN, outcome="failed", status=503, reason="server_error", next_reason="retry_after"
    ),
    "a feed that is looked at once a month": replace(PLAIN, next_at=NOW + 31 * 24 * HOUR, next_reason="gone"),
    "a fetch whose next one nobody decided": FetchRecord(NOW, "changed"),
}
CUT = {
    "times to the millisecond, the next one in whole seconds": (
        {"at": NOW + timedelta(microseconds=1999), "next_at": NOW + HOUR + timedelta(microseconds=2999)},
        {"at": NOW + MS, "next_at": NOW + HOUR + MS},
    ),
    "marks of earlier releases to their first four bytes": ({"sent": b"eightlet"}, {"sent": b"eigh"}),
    "what no longer fits to the most that does": (
        {"outcome": "changed", "size": 20_000_000, "new": 999, "took": 99_000 * MS, "next_at": NOW + 5000 * HOUR},
        {"outcome": "changed", "size": 0xFFFFFF, "new": 255, "took": 65_535 * MS, "next_at": NOW + 0xFFFFFF * SECOND},
    ),
    "a next time that is past to now": ({"next_at": NOW - HOUR}, {"next_at": NOW}),
    "a reason nobody numbered to other": (
        {"outcome": "failed", "reason": "sunspots", "next_reason": "moon"},
        {"outcome": "failed", "reason": "other", "next_reason": "other"},
    ),
    "message and names of headers to nothing": (
        {"outcome": "failed", "reason": "html", "message": "a page", "odd_headers": ("cookie",)},
        {"outcome": "failed", "reason": "html"},
    ),
}  # fmt: skip
UNREADABLE = {
    "none": None,
    "nothing at all": b"",
    "a version of some later release": b"\x02" + bytes(200),
    "a version without lines": b"\x01\x1d",
    "less than a line": b"\x01\x1d" + bytes(25),
}


def read(*records: FetchRecord) -> tuple[FetchRecord, ...]:
    return fetch_ring.unpacked(fetch_ring.begun([fetch_ring.packed(record) for record in records])).records


@pytest.mark.parametrize("record", KEPT.values(), ids=KEPT.keys())
def test_a_line_comes_back_as_it_was(record: FetchRecord) -> None:
    assert read(record) == (record,)


@pytest.mark.parametrize(("given", "kept"), CUT.values(), ids=CUT.keys())
def test_a_line_is_cut(given: dict[str, object], kept: dict[str, object]) -> None:
    assert read(replace(PLAIN, **given)) == (replace(PLAIN, **kept),)  # type: ignore[arg-type]


@pytest.mark.parametrize("stored", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_ring_that_cannot_be_read_is_empty(stored: bytes | None) -> None:
    assert fetch_ring.unpacked(stored) == fetch_ring.Ring()


def test_stored_rings_mean_the_same_for_ever() -> None:
    stored = bytes.fromhex("011d01a20244e800153000c801000e10000000006d61726b00000000")
    assert fetch_ring.unpacked(stored) == fetch_ring.Ring((PLAIN,), whole=True)
    assert fetch_ring.begun([fetch_ring.packed(PLAIN, first=True)]) == stored
    assert (fetch_ring.WORDS[14], fetch_ring.WORDS[48]) == ("attempt_guard", "moved")


@pytest.mark.parametrize("words", [FailReason, NextReason, ParseReason])
def test_every_reason_has_a_number(words: type[FailReason | NextReason | ParseReason]) -> None:
    assert set(words) <= set(fetch_ring.WORDS)
    assert len(set(fetch_ring.WORDS)) == len(fetch_ring.WORDS) < 255


def test_marks_tell_validators_apart() -> None:
    sorts = [Validators(b"a"), Validators(b"b"), Validators(None, b"a"), Validators(b"a", b"a")]
    marks = [fetch_ring.mark(one) for one in sorts]
    assert len(set(marks)) == 4
    assert all(mark is not None and len(mark) == 4 for mark in marks)
    assert fetch_ring.mark(Validators()) is None


# ------------------------------------------------------------------------------------------ in the database


@pytest.fixture
def feed(engine: Engine) -> FeedId:
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed("https://a.example/f", "a.example")], NOW)
        row = feeds.by_url(connection, "https://a.example/f")
    assert row is not None
    return row.id


def hour(n: int) -> FetchRecord:
    return replace(PLAIN, at=NOW + n * HOUR, next_at=NOW + (n + 1) * HOUR, took=n * MS)


def poll(connection: Connection, feed: FeedId, record: FetchRecord, *, alone: bool, first: bool = False) -> None:
    """Settle a poll by itself or among others, with its row where it has one."""
    held = claims.seize(connection, feed, record.at, HOUR)
    assert held is not None
    line = fetch_ring.packed(record, first=first)
    done = results.Settlement(record.at + HOUR, "adaptive", {}, record.at, ok=True, line=line)
    if alone:
        results.settle(connection, held, done)
    else:
        assert results.settle_plain(connection, [(held, done)]) == {feed}
    if not fetch_log.is_plain(record):
        fetch_log.write(connection, feed, record)


TURNS = {"after one": 1, "when it is full": 30, "after the next": 31, "half round": 45, "after two rounds": 91}


@pytest.mark.parametrize("count", TURNS.values(), ids=TURNS.keys())
@pytest.mark.parametrize("alone", [True, False], ids=["by itself", "among others"])
def test_a_ring_holds_the_last_thirty(engine: Engine, feed: FeedId, count: int, *, alone: bool) -> None:
    with engine.begin() as connection:
        for n in range(count):
            poll(connection, feed, hour(n), alone=alone, first=n == 0)
        assert fetch_log.newest(connection, feed) == tuple(hour(n) for n in range(count))[::-1][:RING]
        known, whole_from = fetch_log.history(connection, feed)
        assert (len(known), whole_from) == ((count, 0) if count <= RING else (RING, 1))
        size = connection.execute(select(tables.feed.c.recent)).scalar_one()
        assert len(size) == 2 + 26 * min(count, RING)


def test_a_ring_that_came_from_the_other_database_turns_on(engine: Engine, feed: FeedId) -> None:
    """SQLite moves the lines of a full ring, Postgres overwrites one: it goes on with what a copied database holds."""
    lines = [fetch_ring.packed(hour(n)) for n in range(RING)][::-1]
    shifted = fetch_ring.begun(lines)
    turned = bytes((1, 9)) + b"".join(lines[20:] + lines[:20])  # the oldest line stands at place 9
    for stored in (shifted, fetch_ring.begun(lines[10:]), turned if engine.dialect.name == "postgresql" else shifted):
        with engine.begin() as connection:
            connection.execute(update(tables.feed).values(recent=stored))
            before = fetch_ring.unpacked(stored).records
            poll(connection, feed, hour(RING), alone=False)
            assert fetch_log.newest(connection, feed) == (hour(RING), *before)[:RING]


def test_a_ring_of_another_version_is_begun_anew(engine: Engine, feed: FeedId) -> None:
    with engine.begin() as connection:
        connection.execute(update(tables.feed).values(recent=b"\x02" + bytes(781)))
        poll(connection, feed, hour(0), alone=False)
        poll(connection, feed, hour(1), alone=True)
        assert fetch_log.newest(connection, feed) == (hour(1), hour(0))


def test_a_row_says_more_than_its_line_and_is_told_once(engine: Engine, feed: FeedId) -> None:
    said = replace(
        hour(1), at=hour(1).at + timedelta(microseconds=1), outcome="failed", reason="html", message="a page"
    )
    odd = replace(hour(2), odd_headers=("cookie",))
    with engine.begin() as connection:
        for record in (hour(0), said, odd, hour(3)):
            poll(connection, feed, record, alone=False)
        assert fetch_log.newest(connection, feed) == (hour(3), odd, said, hour(0))
        assert fetch_log.newest(connection, feed, 2) == (hour(3), odd)
        rows = connection.execute(select(tables.fetch_log.c.outcome).order_by(tables.fetch_log.c.at)).scalars()
        assert list(rows) == ["failed", "not_modified"]


def test_lines_of_workers_of_the_last_release_and_of_the_log_before_are_told_too(engine: Engine, feed: FeedId) -> None:
    line = {"feed_id": feed, "outcome": "not_modified", "sent": b"mark" * 2}
    with engine.begin() as connection:
        for n in (0, 1):
            connection.execute(insert(tables.fetch_log_before).values(**line, at=hour(n).at))
        poll(connection, feed, hour(3), alone=False)
        fetch_log.write(connection, feed, replace(hour(2), sent=b"mark" * 2))  # who knows no rings writes every line
        poll(connection, feed, hour(4), alone=False)
        assert [record.at for record in fetch_log.newest(connection, feed)] == [hour(n).at for n in (4, 3, 2, 1, 0)]
        known, whole_from = fetch_log.history(connection, feed)
        assert ([record.sent for record in known], whole_from) == ([MARK] * 5, 3)


WHOLE = {
    "nothing was ever fetched": ([], False, 1),
    "all fetches of a feed are in its ring": ([0, 1, 2], True, 0),
    "the ring began later": ([0, 1, 2], False, 1),
}


@pytest.mark.parametrize(("hours", "first", "whole_from"), WHOLE.values(), ids=WHOLE.keys())
def test_a_history_says_from_where_it_is_whole(
    engine: Engine, feed: FeedId, hours: list[int], whole_from: int, *, first: bool
) -> None:
    with engine.begin() as connection:
        for n in hours:
            poll(connection, feed, hour(n), alone=False, first=first and n == 0)
        assert fetch_log.history(connection, feed) == (tuple(map(hour, hours)), whole_from)
