"""Partitions on Postgres: made ahead, made in need by whoever comes first, dropped whole."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Connection, Engine, func, insert, select, text

from monitor.store import engine as engines
from monitor.store import entries, fetch_log, partitions, tables
from monitor.store.partitions import Partition, Step
from monitor.values import FeedId

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
DAY = timedelta(days=1)
HALF_YEAR, FORTNIGHT = 180 * DAY, 14 * DAY


def day(said: str) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=UTC)


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    opened = engines.open_engine(postgres_url)
    yield opened
    opened.dispose()


def row(at: datetime, n: int = 0) -> dict[str, object]:
    return {
        "feed_id": 1,
        "entry_key": f"k{n}",
        "title": "t",
        "summary": "",
        "content": "",
        "first_seen_at": at,
        "gen": 1,
        "text_sha256": entries.text_hash("t", str(n), ""),
    }


def put(connection: Connection, at: datetime, n: int = 0) -> int:
    partitions.make_room(connection, at)
    return int(connection.execute(insert(tables.entry).values(**row(at, n)).returning(tables.entry.c.id)).scalar_one())


AHEAD = {
    "months where entries are kept half a year": (
        HALF_YEAR,
        ["entry_2026_11", "entry_2026_12", "entry_2027_01", "entry_2027_02"],
    ),
    "days where they are kept a fortnight": (
        FORTNIGHT,
        [f"entry_{NOW + timedelta(days=n):%Y_%m_%d}" for n in range(31)],
    ),
}


@pytest.mark.postgres
@pytest.mark.parametrize(("kept", "names"), AHEAD.values(), ids=AHEAD.keys())
def test_partitions_are_made_ahead_once(engine: Engine, kept: timedelta, names: list[str]) -> None:
    with engine.begin() as connection:
        assert partitions.make_ahead(connection, NOW, kept) == len(names) + 6  # and weeks of the fetch log
    with engine.begin() as connection:
        assert partitions.make_ahead(connection, NOW, kept) == 0
        there = partitions.listed(connection)
    assert [one.name for one in there] == names
    assert all(one.until == after.since for one, after in pairwise(there))
    assert not partitions.is_short(NOW, there)
    assert partitions.is_short(there[-1].until - timedelta(days=9), there)


@pytest.mark.postgres
def test_weeks_of_the_fetch_log_are_made_ahead_beside_the_entries(engine: Engine) -> None:
    with engine.begin() as connection:
        partitions.make_ahead(connection, NOW, HALF_YEAR)
        there = partitions.listed(connection, partitions.FETCH_LOG)
        assert partitions.make_next(connection, NOW + 7 * DAY, partitions.FETCH_LOG) == 1
    assert [one.name for one in there] == [
        f"fetch_log_{day}"
        for day in ("2026_11_16", "2026_11_23", "2026_11_30", "2026_12_07", "2026_12_14", "2026_12_21")
    ]
    assert all(one.until == after.since for one, after in pairwise(there))
    assert not partitions.is_short(NOW, there)
    assert partitions.is_short(there[-1].until - timedelta(days=9), there)


@pytest.mark.postgres
def test_a_fetch_that_finds_no_week_makes_it_and_old_weeks_go_whole(engine: Engine) -> None:
    with engine.begin() as connection:
        put(connection, day("2026-03-01"))
        for at in ("2026-10-31", "2026-11-01", "2026-11-02", "2026-11-22"):
            fetch_log.write(connection, FeedId(1), fetch_log.FetchRecord(day(at), "changed"))
    assert partitions.drop_old(engine, NOW - FORTNIGHT, partitions.FETCH_LOG) == ("fetch_log_2026_10_26",)
    with engines.reading(engine) as connection:
        names = [one.name for one in partitions.listed(connection, partitions.FETCH_LOG)]
        assert names == ["fetch_log_2026_11_02", "fetch_log_2026_11_16"]
        assert connection.execute(select(func.count()).select_from(tables.fetch_log)).scalar_one() == 2
        assert [one.name for one in partitions.listed(connection)] == ["entry_2026_03"]


FITTED = {
    "days follow the months that are there": (
        Step.DAY,
        [Partition("entry_2026_11", day("2026-11-01"), day("2026-12-01"))],
        ("entry_2026_12_01", day("2026-12-01")),
    ),
    "a month begins where the days end": (
        Step.MONTH,
        [Partition("entry_2026_11_22", day("2026-11-22"), day("2026-11-23"))],
        ("entry_2026_11_23_to_2026_12_01", day("2026-11-23")),
    ),
    "a gap between two is filled and no more": (
        Step.MONTH,
        [
            Partition("entry_2026_10", day("2026-10-01"), day("2026-11-01")),
            Partition("entry_2026_11_24", day("2026-11-24"), day("2027-11-01")),
        ],
        ("entry_2026_11_01_to_2026_11_24", day("2026-11-01")),
    ),
}


@pytest.mark.parametrize(("step", "there", "first"), FITTED.values(), ids=FITTED.keys())
def test_no_partition_overlaps_another(step: Step, there: list[Partition], first: tuple[str, datetime]) -> None:
    made = next(partitions.wanted(NOW, step, there))
    assert (made.name, made.since) == first


@pytest.mark.postgres
def test_an_entry_that_finds_no_partition_makes_it(engine: Engine) -> None:
    with engine.begin() as connection:
        first = put(connection, NOW)
    with engine.begin() as connection:
        second = put(connection, NOW + timedelta(days=1), 1)
        assert [one.name for one in partitions.listed(connection)] == ["entry_2026_11"]
    assert second > first


@pytest.mark.postgres
def test_two_that_find_none_make_one_and_neither_fails(engine: Engine) -> None:
    with engine.connect() as one, engine.connect() as other:
        begun = one.begin()
        put(one, NOW)
        waiting = threading.Thread(target=lambda: (put(other, NOW, 1), other.commit()))
        waiting.start()
        begun.commit()
        waiting.join(20)
    with engines.reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(tables.entry)).scalar_one() == 2
        assert len(partitions.listed(connection)) == 1


@pytest.mark.postgres
def test_making_one_waits_for_no_writer(engine: Engine) -> None:
    with engine.begin() as connection:
        put(connection, NOW)
    with engine.connect() as writer, engine.begin() as maker:
        put(writer, NOW, 1)  # not committed
        maker.execute(text("set local lock_timeout = '1s'"))
        assert partitions.make_next(maker, NOW, partitions.ENTRY) == 3


@pytest.mark.postgres
def test_old_partitions_go_whole_and_young_ones_stay(engine: Engine) -> None:
    with engine.begin() as connection:
        for n, at in enumerate(("2026-03-01", "2026-05-25", "2026-05-26", "2026-11-22")):
            put(connection, day(at), n)
    assert partitions.drop_old(engine, NOW - HALF_YEAR) == ("entry_2026_03",)
    with engines.reading(engine) as connection:
        assert [one.name for one in partitions.listed(connection)] == ["entry_2026_05", "entry_2026_11"]
        assert connection.execute(select(func.count()).select_from(tables.entry)).scalar_one() == 3


@pytest.mark.long
@pytest.mark.postgres
def test_what_a_long_reader_holds_up_is_finished_by_the_next_call(engine: Engine) -> None:
    with engine.begin() as connection:
        put(connection, day("2026-03-01"))
    short = engines.open_engine(str(engine.url.update_query_dict({"options": "-c statement_timeout=300"})))
    with engine.connect() as reader:
        reader.execute(select(func.count()).select_from(tables.entry))
        assert partitions.drop_old(short, NOW - HALF_YEAR) == ()
    with engines.reading(engine) as connection:
        assert [one.pending for one in partitions.listed(connection)] == [True]
    assert partitions.drop_old(engine, NOW - HALF_YEAR) == ("entry_2026_03",)
    short.dispose()


@pytest.mark.postgres
def test_what_was_detached_by_one_who_was_killed_is_dropped_by_the_next_call(engine: Engine) -> None:
    with engine.begin() as connection:
        put(connection, day("2026-03-01"))
        put(connection, NOW)
        connection.execute(text("alter table entry detach partition entry_2026_03"))
    assert partitions.drop_old(engine, NOW - HALF_YEAR) == ("entry_2026_03",)
    with engines.reading(engine) as connection:
        names = connection.execute(
            text("select relname from pg_class where relname like 'entry_2026%' and relkind = 'r'")
        )
        assert list(names.scalars()) == ["entry_2026_11"]


@pytest.mark.postgres
def test_two_that_drop_at_once_do_not_fail(engine: Engine) -> None:
    with engine.begin() as connection:
        for month in range(1, 6):
            put(connection, day(f"2026-0{month}-01"), month)
    gone: list[tuple[str, ...]] = []
    both = [
        threading.Thread(target=lambda: gone.append(partitions.drop_old(engine, NOW - 150 * DAY))) for _ in range(2)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join(30)
    left = partitions.drop_old(engine, NOW - 150 * DAY)
    assert sorted([name for names in (*gone, left) for name in names]) == [f"entry_2026_0{n}" for n in range(1, 6)]
