"""Two workers, dead workers, late workers: nothing lost, nothing twice, validators never ahead of entries."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import timedelta

import pytest

from monitor.errors import LeaseLost
from monitor.fetch import limits
from monitor.jobs import parts
from monitor.store import claims
from tests.fakes.feed_server import FeedServer, Seen, Step
from tests.scenarios.polls import FIRST, HOUR, MINUTE, NEWS, NOW, SECOND, item, old, open_house, rss

V1 = rss(*old(1, 2, 3))
V2 = rss(item(FIRST, NOW, text=NEWS), *old(1, 2, 3))


@pytest.mark.parametrize("step", ["1", "6", "commit", "done"])
async def test_a_worker_killed_at_any_step_of_a_poll_loses_and_repeats_nothing(database: str, step: str) -> None:
    async with FeedServer() as server:

        def answer(request: Seen, n: int) -> Step:
            body, etag = (V1, '"1"') if n == 1 else (V2, '"2"')
            return Step(304) if request.header("if-none-match") == etag.encode() else Step(200, {"ETag": etag}, body)

        server.script("/a", answer)
        async with open_house(database, "/a", server=server) as house:
            feed = house.feed("/a")
            await feed.poll()
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.scenarios.kill_child", step, database, feed.url
            )
            assert await asyncio.wait_for(child.wait(), 60) == -signal.SIGKILL
            assert len(feed.asked) == 2
            is_recorded = step == "done"
            assert (FIRST in feed.titles, feed.row.validators.etag) == (is_recorded, b'"2"' if is_recorded else b'"1"')
            with house.engine.begin() as connection:
                claims.void_claims(connection)  # as the next start does
            await house.restart()
            await feed.poll(3 * HOUR)
            assert (house.told(), feed.titles.count(FIRST)) == (["new_story"], 1)
            assert feed.row.validators.etag == b'"2"'


async def test_a_killed_workers_feed_is_taken_over_when_its_lease_ends(database: str) -> None:
    async with open_house(database, "/a") as house:
        house.script("/a", Step(body=V1))
        with house.engine.begin() as connection:
            claims.claim(connection, NOW, lease=parts.LEASE)
        await house.round(30 * SECOND)
        assert house.feed("/a").asked == []
        await house.round(2 * MINUTE)
        assert len(house.feed("/a").titles) == 3


async def test_two_workers_poll_one_feed_once_and_a_late_one_writes_nothing(storage_url: str) -> None:
    bounds = limits.Limits(deadline_s=20.0, first_byte_s=15.0)
    async with FeedServer() as server:
        arrived = asyncio.Event()

        def stall(*_: object) -> Step:
            arrived.set()
            return Step(200, {"ETag": '"late"'}, V2, delay_s=1.5)

        server.script("/a", stall, Step(200, {"ETag": '"first"'}, V2))
        async with (
            open_house(storage_url, "/a", server=server, bounds=bounds) as one,
            open_house(storage_url, "  - {url: '@/a'}", server=server, bounds=bounds) as two,
        ):
            stalled = asyncio.create_task(one.poller.run_round())
            await arrived.wait()
            assert (await two.poller.run_round()).polled == 0  # it is claimed
            two.clock.now += 2 * MINUTE  # longer than the lease
            assert (await two.poller.run_round()).changed == 1
            await stalled
            feed = two.feed("/a")
            assert (len(feed.titles), feed.row.validators.etag) == (4, b'"first"')
            assert len([line for line in feed.log if line.outcome == "changed"]) == 1


async def test_a_feed_just_added_takes_the_answer_it_was_checked_with_as_its_first_poll(database: str) -> None:
    async with open_house(database, "/a") as house:
        house.script("/a", Step(200, {"ETag": '"a"'}, V1), Step(304))
        feed = house.feed("/a")
        fetched = await house.parts.client.fetch(limits.Request(feed.url), house.clock)
        report = await house.poller.take(feed.url, fetched)  # type: ignore[arg-type]  # a 200 is one
        assert (report.new, len(feed.asked), feed.row.baseline_at) == (3, 1, NOW)
        await house.round(MINUTE)
        assert len(feed.asked) == 1
        await feed.poll()
        assert feed.sent("if-none-match") == [None, b'"a"']


async def test_a_feed_that_is_being_polled_takes_no_other_answer(database: str) -> None:
    async with open_house(database, "/a") as house:
        house.script("/a", Step(body=V1))
        feed = house.feed("/a")
        fetched = await house.parts.client.fetch(limits.Request(feed.url), house.clock)
        with house.engine.begin() as connection:
            claims.claim(connection, NOW, lease=parts.LEASE)
        with pytest.raises(LeaseLost):
            await house.poller.take(feed.url, fetched)  # type: ignore[arg-type]


async def test_a_poll_that_is_cut_off_gives_its_feed_back(database: str) -> None:
    async with open_house(database, "/a", bounds=limits.Limits()) as house:
        arrived = asyncio.Event()

        def stall(*_: object) -> Step:
            arrived.set()
            return Step(body=V1, delay_s=20)

        house.script("/a", stall)
        await house.poller.tick()
        await arrived.wait()
        assert await house.poller.stop(timedelta()) == 1
        await house.restart()
        with house.engine.begin() as connection:
            assert len(claims.claim(connection, NOW, lease=SECOND)) == 1
