"""The database dies, and a replica that misses the last moments takes its place.

What was polled in the lost moments is polled again; what was decided in them is decided again, under the same keys.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor import swapping
from monitor.config import api
from monitor.store import engine as engines
from monitor.store import feeds, migrate
from tests import postgres
from tests.cluster.house import Database, daemon, feeds_of, until, write_config
from tests.commands import storywatch
from tests.fakes.feed_server import FeedServer, Step
from tests.scenarios.test_daemon import rss

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.long]
FEEDS = 30
NEWS = "US asks Serbia to take deported migrants"


@dataclass(frozen=True)
class Pair:
    """A server and its replica. `url` finds whichever of them takes writes."""

    first: postgres.Server
    second: postgres.Server
    database: str

    @property
    def url(self) -> str:
        return f"{self.first.url(self.database)},{self.second.folder}&target_session_attrs=read-write"

    def cut(self) -> None:
        """Let the replica take what is written so far, and nothing more."""
        written = self.first.ask("select pg_current_wal_insert_lsn()")
        _wait(self.second, f"select pg_last_wal_replay_lsn() >= '{written}'")
        self.second.ask("alter system set primary_conninfo = ''")
        self.second.ask("select pg_reload_conf()")
        _wait(self.second, "select not exists (select from pg_stat_wal_receiver)")

    def fail_over(self) -> None:
        """Let the first server die and the replica take its place."""
        self.first.halt("immediate")
        self.second.promote()


def _wait(server: postgres.Server, claim: str) -> None:
    until = time.monotonic() + 60
    while not server.ask(claim):
        assert time.monotonic() < until, claim
        time.sleep(0.02)


@pytest.fixture
def pair(postgres_server: postgres.Server) -> Iterator[Pair]:
    if postgres_server.folder is None:
        pytest.skip("a server of somebody else's has no replica of ours")
    first = postgres.start()
    name = first.create_database(secrets.token_hex(4))
    engine = engines.open_engine(first.url(name))
    migrate.ensure(engine)
    engine.dispose()
    second = postgres.replica_of(first)
    try:
        yield Pair(first, second, name)
    finally:
        second.stop()
        first.stop()


async def test_polls_of_the_lost_moments_are_polled_again_and_no_process_ends(tmp_path: Path, pair: Pair) -> None:
    """Half of the feeds fall due in the lost moments; the replica has them due later, and polls them then."""
    due_now = "update feed set next_at = now() where last_ok_at is null"
    async with FeedServer(everywhere=True) as server:
        for n in range(FEEDS):
            server.script(f"/{n}", Step(body=rss(f"Title {n} one", f"Title {n} two")))
        file = write_config(tmp_path, pair.url, feeds_of(server, FEEDS))
        with Database(pair.first.url(pair.database)) as database:
            with database.engine.begin() as connection:
                feeds.sync(connection, swapping.seeds(api.load(file, {})), datetime.now(UTC) + timedelta(hours=1))
            database.run("update feed set next_at = now() where id % 2 = 0")
            async with daemon(tmp_path) as alone:
                await until(lambda: alone.count("polled") == FEEDS // 2)
                await asyncio.to_thread(pair.cut)
                database.run(due_now)
                await until(lambda: alone.count("polled") == FEEDS)
                await asyncio.to_thread(pair.fail_over)
                with Database(pair.second.url(pair.database)) as survivor:
                    assert survivor.one("select count(*) from feed where last_ok_at is null") == FEEDS // 2
                    survivor.run(due_now)
                    await until(lambda: survivor.one("select count(*) from feed where last_ok_at is null") == 0)
                    assert survivor.one("select count(*) from entry") == 2 * FEEDS
                    assert survivor.one("select count(*) from fetch_log where outcome = 'changed'") == FEEDS
                assert alone.code is None
        asked = Counter(request.path for request in server.requests)
    assert Counter(asked.values()) == {1: FEEDS // 2, 2: FEEDS // 2}


async def test_events_of_the_lost_moments_are_decided_again_under_the_same_keys(tmp_path: Path, pair: Pair) -> None:
    async def poll() -> dict[str, int]:
        words = ("poll", "--once", "--ignore-schedule", "--force", "--json")
        done = await asyncio.to_thread(storywatch, *words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        report: dict[str, int] = json.loads(done.stdout)
        return report

    async with FeedServer(everywhere=True) as server:
        urls = feeds_of(server, 3)
        for n in range(3):
            server.script(
                f"/{n}", Step(body=rss(f"Old {n}")), Step(body=rss(NEWS if n == 1 else f"New {n}", f"Old {n}"))
            )
        write_config(tmp_path, pair.url, urls, kind="local")
        assert (await poll())["events"] == 0  # the baseline
        await asyncio.to_thread(pair.cut)
        decided = await poll()
        with Database(pair.first.url(pair.database)) as database:
            keys = database.all("select event_key from event order by 1")
        await asyncio.to_thread(pair.fail_over)
        with Database(pair.second.url(pair.database)) as database:
            assert (keys != [], database.all("select event_key from event")) == (True, [])
            again = await poll()
            assert database.all("select event_key from event order by 1") == keys
            assert database.one("select count(*) from entry where gen > 1") == 3
        assert (again["new"], again["events"]) == (decided["new"], decided["events"])
