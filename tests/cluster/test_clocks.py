"""Machines whose clocks differ: times are the database's, and whoever looks after them is warned."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from monitor import daemon
from monitor.config import api
from monitor.daemon import chores, clocks
from monitor.store import engine as engines
from monitor.store import feeds
from tests.cluster.house import Database, feeds_of, write_config
from tests.fakes.feed_server import FeedServer, Step
from tests.scenarios.test_daemon import rss

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
NEAR = 10 * SECOND
"""What a busy machine may take between two looks at its clock."""


def wrong_by(ahead: timedelta) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + ahead


MACHINES = {
    "five minutes ahead": (5 * MINUTE, ["clock_differs"]),
    "five minutes behind": (-5 * MINUTE, ["clock_differs"]),
    "twenty seconds ahead": (20 * SECOND, []),
}


@pytest.mark.postgres
@pytest.mark.parametrize(("ahead", "told"), MACHINES.values(), ids=MACHINES)
def test_a_clock_is_put_right_by_the_databases(database: Database, ahead: timedelta, told: list[str]) -> None:
    clock = clocks.Clock(wrong_by(ahead))
    with capture_logs() as logged:
        clock.compare(database.engine)
        clock.compare(database.engine)
    assert [line["event"] for line in logged] == told  # once
    assert abs(clock() - datetime.now(UTC)) < NEAR
    if told:
        assert abs(logged[0]["seconds"] - ahead.total_seconds()) <= 1


def test_what_machines_with_a_time_server_differ_by_is_left_alone() -> None:
    assert [clocks.correction(n * SECOND / 10) / SECOND for n in (-30, -9, 0, 9, 30)] == [-3, 0, 0, 0, 3]


@pytest.mark.postgres
def test_a_clock_that_is_set_while_we_run_is_followed_and_its_owner_told(database: Database) -> None:
    set_to = [timedelta()]
    clock = clocks.Clock(lambda: datetime.now(UTC) + set_to[0])
    with capture_logs() as logged:
        for set_to[0] in (timedelta(), -HOUR, 24 * HOUR, timedelta()):
            clock.compare(database.engine)
            assert abs(clock() - datetime.now(UTC)) < NEAR
    assert [line["event"] for line in logged] == ["clock_differs", "clock_agrees"]


def test_on_sqlite_there_is_nobody_to_ask(sqlite_url: str) -> None:
    wall = wrong_by(HOUR)
    clock, engine = clocks.Clock(wall), engines.open_engine(sqlite_url)
    clock.compare(engine)
    engine.dispose()
    assert clock() - datetime.now(UTC) > HOUR - NEAR


@pytest.mark.postgres
async def test_what_a_machine_with_a_wrong_clock_stores_bears_the_databases_time(
    tmp_path: Path, database: Database
) -> None:
    clock = clocks.Clock(wrong_by(5 * MINUTE))
    async with FeedServer(everywhere=True) as server:
        urls = feeds_of(server, 2)
        for n in range(2):
            server.script(f"/{n}", Step(body=rss(f"Title {n} one", f"Title {n} two")))
        config = api.load(write_config(tmp_path, database.url, urls), {})

        async def reach(engine: Engine) -> None:
            clock.compare(engine)

        async with daemon.assembled(
            config, {}, url=database.url, now=clock, who="test", text="", reach=reach
        ) as running:
            assert (await running.poller.run_round()).changed == 2
    late = "extract(epoch from now() - {}) between 0 and 60"
    assert database.one(f"select bool_and({late.format('first_seen_at')}) from entry") is True
    assert database.one(f"select bool_and({late.format('last_ok_at')} and lease_until is null) from feed") is True


async def test_what_fell_due_while_the_machine_slept_is_spread_and_asked_once(tmp_path: Path, sqlite_url: str) -> None:
    now = datetime(2025, 6, 5, 8, 0, tzinfo=UTC)
    async with FeedServer(everywhere=True) as server:
        urls = feeds_of(server, 20)
        for n in range(20):
            server.script(f"/{n}", Step(body=rss(f"Title {n} one", f"Title {n} two")))
        config = api.load(write_config(tmp_path, sqlite_url, urls, kind="local"), {})
        async with daemon.assembled(
            config, {}, url=sqlite_url, now=lambda: now, who="test", text="", seed=1
        ) as running:
            await running.poller.run_round()
            now += 9 * HOUR
            running.note_lost_time()
            await running.dispatcher.start(running.shards.run)
            await chores.poll_due(running)
            await running.dispatcher.stop(MINUTE)
            with engines.reading(running.engine) as connection:
                times = sorted(row.next_at for row in feeds.all_rows(connection))
            assert (len(server.requests), running.must_spread) == (20, False)
            assert now <= times[0] < times[-1] <= now + 10 * MINUTE
            assert times[-1] - times[0] > 5 * MINUTE
            now += 10 * MINUTE
            await running.poller.run_round()
            assert len(server.requests) == 40
