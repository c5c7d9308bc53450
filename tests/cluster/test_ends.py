"""How a process ends that cannot go on, or is not let end in peace; and one that is cut off goes on without blame."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import time
import urllib.request
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor import swapping
from monitor.config import api
from monitor.store import feeds
from tests.cluster.house import Database, Process, daemon, feeds_of, until, write_config
from tests.commands import storywatch
from tests.fakes.feed_server import FeedServer, Step
from tests.scenarios.test_daemon import rss

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
BROKEN = {
    "the tick cannot ask what is due": ("local", "alter table feed rename column next_at to then_at", "tick"),
    "the queue has lost its tables": ("pgqueuer", "drop schema pgqueuer cascade", "engine"),
}


@pytest.mark.parametrize(
    ("kind", "change", "job"),
    [
        pytest.param(*BROKEN["the tick cannot ask what is due"], id="the tick cannot ask what is due"),
        pytest.param(  # after pauses of 1, 2, 5 and 10 s
            *BROKEN["the queue has lost its tables"], id="the queue has lost its tables", marks=pytest.mark.long
        ),
    ],
)
async def test_a_fault_that_comes_back_ends_the_process_for_its_supervisor_to_see(
    tmp_path: Path, database: Database, kind: str, change: str, job: str
) -> None:
    async with FeedServer(everywhere=True) as server:
        server.script("/0", Step(body=rss("Title one")))
        write_config(tmp_path, database.url, feeds_of(server, 1), kind=kind)
        async with daemon(tmp_path) as alone:
            await until(lambda: alone.count("polled"))
            database.run(change)
            assert await alone.ended() == 70
    assert [line["job"] for line in alone.told if line["event"] == "job_keeps_failing"][:1] == [job]


async def test_a_second_signal_ends_at_once_and_leaves_nothing_half_done(tmp_path: Path, database: Database) -> None:
    async with FeedServer(everywhere=True) as server:
        for n in range(8):
            server.script(f"/{n}", Step(body=rss(f"Title {n} one"), delay_s=60))
        write_config(tmp_path, database.url, feeds_of(server, 8, per_host=1))
        async with daemon(tmp_path) as alone:
            await until(lambda: len(server.requests) == 8)
            alone.signal(signal.SIGTERM)
            await until(lambda: alone.count("stopping"))
            alone.signal(signal.SIGTERM)
            assert await alone.ended(15) == 128 + signal.SIGTERM
    assert database.one("select count(*) from entry") == 0
    assert database.one("select count(*) from feed where last_ok_at is not null or fail_reason is not null") == 0


@pytest.mark.long
async def test_one_that_is_cut_off_blames_no_feed_and_the_others_poll_them(tmp_path: Path, database: Database) -> None:
    """What it tried itself has its ten minutes to wait, as after any attempt."""
    alone, untried = ("unshare", "--net"), "last_ok_at is null and last_attempt_at is null"
    if shutil.which("unshare") is None or await asyncio.to_thread(subprocess.call, [*alone, "true"]):
        pytest.skip("a process without a network cannot be made here (unshare --net wants root)")
    async with FeedServer(everywhere=True) as server:
        urls = feeds_of(server, 40, per_host=1)
        for n in range(40):
            server.script(f"/{n}", Step(body=rss(f"Title {n} one", f"Title {n} two")))
        write_config(tmp_path, database.url, urls)
        async with daemon(tmp_path, "--role", "web"), daemon(tmp_path, "--role", "worker", through=alone) as cut:
            await until(lambda: cut.count("own_network_down"))
            assert server.requests == []
            async with daemon(tmp_path, "--role", "worker"):
                await until(lambda: database.one(f"select count(*) from feed where {untried}") == 0)
            assert cut.code is None
    assert database.one("select count(*) from feed where fail_reason is not null or standing <> 'ok'") == 0
    assert server.requests != []


@pytest.mark.long
async def test_a_writer_that_holds_the_file_for_long_delays_polls_and_loses_none(
    tmp_path: Path, sqlite_url: str
) -> None:
    """Longer than the driver waits; what was fetched meanwhile is polled again or written late, but once."""
    async with FeedServer(everywhere=True) as server:
        for n in range(12):
            server.script(f"/{n}", Step(body=rss(f"Title {n} one", f"Title {n} two"), delay_s=1))
        file = write_config(tmp_path, sqlite_url, feeds_of(server, 12), kind="local")
        with Database(sqlite_url) as database:
            with database.engine.begin() as connection:
                feeds.sync(connection, swapping.seeds(api.load(file, {})), datetime.now(UTC) + timedelta(hours=1))
            async with daemon(tmp_path) as alone:
                await until(lambda: answers(alone))
                database.run(f"update feed set next_at = {int(time.time() * 1_000_000)}")
                await until(lambda: server.requests)
                with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
                    other.execute("begin immediate")
                    await asyncio.sleep(15)
                    status = await asyncio.to_thread(storywatch, "status", cwd=tmp_path)
                    assert "feeds      12" in status.stdout, status.stderr
                    assert answers(alone)
                    other.execute("rollback")
                await until(lambda: database.one("select count(*) from feed where last_ok_at is null") == 0, 240)
                assert database.one("select count(*) from entry") == 24
                assert alone.code is None


def answers(alone: Process) -> bool:
    """Whether its page is there."""
    (started,) = [line for line in alone.told if line["event"] == "started"]
    try:
        with urllib.request.urlopen(f"{started['page']}live", timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
