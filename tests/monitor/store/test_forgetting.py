"""What is remembered of entries that left their feed: long enough, and no longer; while they stand there, for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from monitor.config.values import Keep
from monitor.jobs import upkeep
from monitor.parse import identity
from monitor.store import engine as engines
from monitor.store import forgetting, retention, tables
from tests.fakes.feed_server import Step
from tests.scenarios.polls import DAY, HOUR, NOW, House, item, open_house, rss

LONG = timedelta(days=3650)
KEEP = Keep(text=LONG, bytes=14 * DAY, deliveries=LONG, seen=90 * DAY, unmatched=LONG, fetch_log=14 * DAY)
FORTNIGHT = 14 * DAY
LEAVES_WITH = 3
"""The number of the document in which an entry stands no more."""


def prune(house: House) -> int:
    pruning = upkeep.begin(house.engine, house.clock.now, KEEP)
    while pruning.step():
        pass
    return pruning.gone["keys of entries long gone"]


def is_known(house: House, guid: str) -> bool:
    return identity.key_hash(f"entry:{guid}") in {digest for _, digest in house.seen_keys()}


def document(n: int) -> bytes:
    """One entry comes and goes with each document, two stay, one leaves after a while."""
    stay = [item("Stays one", NOW), item("Stays two", NOW)]
    goes = [item("Goes", NOW)] if n < LEAVES_WITH else []
    return rss(item(f"Number {n}", NOW + n * FORTNIGHT), *stay, *goes)


async def test_a_key_goes_after_its_time_and_never_while_its_entry_stands_in_the_document(storage_url: str) -> None:
    async with open_house(storage_url, "/a") as house:
        house.script("/a", lambda _, n: Step(body=document(n)))
        feed = house.feed("/a")
        await feed.poll()
        left = forgotten = house.clock.now
        for n in range(2, 24):
            await feed.poll(FORTNIGHT)
            prune(house)
            left = house.clock.now if n == LEAVES_WITH else left
            forgotten = forgotten if forgotten > left or is_known(house, "goes") else house.clock.now
        assert KEEP.seen <= forgotten - left <= 2 * KEEP.seen + 2 * FORTNIGHT
        assert [is_known(house, f"number-{n}") for n in (1, 4, 18, 22, 23)] == [False, False, True, True, True]
        assert (is_known(house, "stays-one"), is_known(house, "stays-two")) == (True, True)
        assert [feed.titles.count(title) for title in ("Stays one", "Stays two", "Goes")] == [1, 1, 1]


@pytest.mark.parametrize("status", [200, 304], ids=["the same document again", "never a new one"])
async def test_of_a_document_that_does_not_change_nothing_is_forgotten(sqlite_url: str, status: int) -> None:
    async with open_house(sqlite_url, "/a") as house:
        house.script("/a", Step(200, {"ETag": '"a"'}, document(1)), Step(status, {"ETag": '"a"'}, document(1)))
        feed = house.feed("/a")
        await feed.poll()
        known = house.seen_keys()
        for _ in range(12):
            await feed.poll(40 * DAY)
            assert prune(house) == 0
        assert house.seen_keys() == known


async def test_a_feed_that_is_being_polled_is_asked_for_nothing(storage_url: str) -> None:
    async with open_house(storage_url, "/a") as house:
        house.script("/a", Step(body=document(1)))
        await house.feed("/a").poll()
        for until, asked in ((house.clock.now + HOUR, 0), (None, 1)):
            with house.engine.begin() as connection:
                connection.execute(update(tables.feed).values(lease_until=until))
                forgetting.go_round(connection, (0, 10), house.clock.now)
            with engines.reading(house.engine) as connection:
                assert len(connection.execute(select(tables.absence)).all()) == asked


async def test_what_would_go_is_counted(sqlite_url: str) -> None:
    async with open_house(sqlite_url, "/a") as house:
        house.script("/a", Step(body=document(1)))
        await house.feed("/a").poll()
        with house.engine.begin() as connection:
            connection.execute(tables.absence.insert().values(feed_id=1, gen=99, since=house.clock.now - 91 * DAY))
        due = retention.counts(house.engine, KEEP, house.clock.now)["keys of entries long gone"]
        assert due == len(house.seen_keys()) == prune(house) > 0
