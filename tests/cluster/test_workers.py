"""Several processes on one Postgres: nothing is lost and nothing doubled, whoever dies or stops."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.cluster.house import Database, daemon, feeds_of, until, write_config
from tests.fakes.feed_server import FeedServer, Step
from tests.scenarios.test_daemon import rss

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
FEEDS = 100


def scripted(server: FeedServer, *, delay_s: float) -> list[str]:
    urls = feeds_of(server, FEEDS)
    for n in range(FEEDS):
        server.script(f"/{n}", Step(body=rss(f"Title {n} one", f"Title {n} two"), delay_s=delay_s))
    return urls


async def test_a_worker_killed_amid_due_feeds_loses_and_doubles_nothing(tmp_path: Path, database: Database) -> None:
    async with FeedServer(everywhere=True) as server:
        write_config(tmp_path, database.url, scripted(server, delay_s=0.4))
        async with (
            daemon(tmp_path, "--role", "worker") as dies,
            daemon(tmp_path, "--role", "worker") as lives,
            daemon(tmp_path, "--role", "web"),
        ):
            await until(lambda: dies.count("polled") > 5 and lives.count("polled") > 5)
            dies.signal(signal.SIGKILL)
            await until(lambda: database.one("select count(*) from feed where last_ok_at is null") == 0)
            assert lives.code is None
        asked = Counter(request.path for request in server.requests)
    assert database.one("select count(*) from entry") == 2 * FEEDS
    assert database.one("select count(*) from fetch_log where outcome = 'changed'") == FEEDS
    assert set(asked.values()) <= {1, 2}  # twice what was open when it died
    assert sum(count == 2 for count in asked.values()) <= 64


async def test_a_worker_asked_to_stop_ends_its_polls_and_gives_its_claims_back(
    tmp_path: Path, database: Database
) -> None:
    async with FeedServer(everywhere=True) as server:
        write_config(tmp_path, database.url, scripted(server, delay_s=0.4))
        async with daemon(tmp_path) as alone:
            await until(lambda: alone.count("polled") > 10)
            alone.signal(signal.SIGTERM)
            assert await alone.ended() == 0
        assert database.one("select count(*) from feed where lease_until is not null") == 0
        done = database.one("select count(*) from feed where last_ok_at is not null")
        assert len(server.requests) == done
        assert database.one("select count(*) from fetch_log") == done < FEEDS
        (ended,) = [line for line in alone.told if line["event"] == "work_ended"]
        assert (ended["polls_cut"], ended["shards_cut"]) == (0, 0)


async def test_an_emptied_queue_costs_one_tick(tmp_path: Path, database: Database) -> None:
    async with FeedServer(everywhere=True) as server:
        write_config(tmp_path, database.url, scripted(server, delay_s=0.2))
        async with daemon(tmp_path) as alone:
            await until(lambda: alone.count("polled") > 10)
            database.run("truncate pgqueuer.pgqueuer")
            await until(lambda: database.one("select count(*) from feed where last_ok_at is null") == 0)
    assert len(server.requests) == FEEDS


@pytest.mark.long
async def test_a_stalled_worker_that_wakes_up_writes_nothing(tmp_path: Path, database: Database) -> None:
    """Stopped past its heartbeat its shards run elsewhere; what it fetched before is void."""
    async with FeedServer(everywhere=True) as server:
        write_config(tmp_path, database.url, scripted(server, delay_s=3.0))
        async with daemon(tmp_path, "--role", "worker") as stalls, daemon(tmp_path):
            await until(lambda: stalls.count("polled") > 3)
            stalls.signal(signal.SIGSTOP)
            await until(lambda: database.one("select count(*) from feed where last_ok_at is null") == 0)
            stalls.signal(signal.SIGCONT)
            await until(lambda: stalls.count("stale_claim"))
    assert database.one("select count(*) from entry") == 2 * FEEDS
    assert database.one("select count(*) from fetch_log where outcome = 'changed'") == FEEDS
