"""What a daemon has loaded when it sends its first request: what comes later must not stand in the way of it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from monitor import daemon
from monitor.config import api
from tests.fakes.feed_server import FeedServer, Step
from tests.scenarios.test_daemon import rss, write_config

LATER = {
    "of the parser processes": "feedparser xml.sax py3langid numpy trafilatura lxml babel monitor.parse.feed",
    "of the page": "fastapi starlette uvicorn jinja2 nh3 monitor.web.app monitor.web.wired",
    "of channels that send": "aiosmtplib apprise alerts.channels.smtp",
    "of a schema that is behind": "alembic mako",
    "of the tick and of a changed file": "apscheduler tzlocal watchfiles",
    "of other databases and engines": "psycopg pgqueuer",
    "of people who watch": "rich pygments",
    "of libraries that something brings along": "requests urllib3",
    "of other commands": "monitor.demo monitor.lab monitor.replay monitor.feed monitor.backtest monitor.evidence",
}
MINUTE = timedelta(minutes=1)
MOST = 1_000
"""Modules of our own and of others; it is some tens fewer when this is written."""
AT_THE_FIRST_CONNECTION = """
import sys

def note(event, given):
    if event == "socket.connect" and given[1][-1] == {port}:
        with open("loaded", "w") as file:
            file.write("\\n".join(sys.modules))
        import os
        os._exit(0)

sys.addaudithook(note)
sys.argv = ["storywatch", "run"]
from monitor.cli import main
main()
"""


async def test_nothing_is_loaded_before_the_first_poll_that_is_needed_later(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/a", Step(body=rss("One")))
        write_config(tmp_path, server.url("/a"))
        migrated = await run(tmp_path, "import sys; sys.argv[1:] = ['migrate']; from monitor.cli import main; main()")
        assert migrated.returncode == 0, migrated.stderr
        port = server.url("/a").split(":")[2].split("/")[0]
        polled = await run(tmp_path, AT_THE_FIRST_CONNECTION.replace("{port}", port))
    assert (tmp_path / "loaded").exists(), polled.stderr
    loaded = set((tmp_path / "loaded").read_text().split())
    early = {why: found for why, names in LATER.items() if (found := loaded.intersection(names.split()))}
    assert early == {}
    assert len(loaded) < MOST, "see `python -X importtime`: what is new, and is it needed before the first poll?"


async def test_an_answer_that_comes_before_anything_is_known_is_read_as_soon_as_it_is(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/a", Step(body=rss("Serbia takes the deported")))
        config = api.load(write_config(tmp_path, server.url("/a")), {})
        async with daemon.assembled(
            replace(config, parse=replace(config.parse, workers=0)),
            {},
            url=f"sqlite:///{tmp_path}/storywatch.db",
            now=daemon.utc_now,
            who="test",
            text="",
            learns_later=True,
        ) as running:
            round_of_polls = asyncio.create_task(running.poller.run_round())
            await running.poller.first_request(MINUTE)
            assert not hasattr(running.context, "knowledge")
            await running.learn()
            assert (await round_of_polls).matched == 1
    assert (server.requests[0].header("user-agent") or b"").endswith(b"1 watch)")


async def run(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    def wait() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False, timeout=60
        )

    return await asyncio.to_thread(wait)
