"""The daemon as a process: it polls real HTTP, answers for its health, stops when asked, and refuses to run twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests import commands
from tests.fakes.feed_server import FeedServer, Step

WATCH = """\
watches:
  - name: flights
    query: |
      deport* AND Serbia
    alert: {group_wait: {new_story: 0s}}
"""


def rss(*titles: str, minutes_ago: int = 5) -> bytes:
    at = format_datetime(datetime.now(UTC) - timedelta(minutes=minutes_ago))
    items = "".join(
        f"<item><guid>{title}</guid><title>{title}</title><pubDate>{at}</pubDate>"
        f"<link>https://outlet.example/{title.replace(' ', '-')}</link></item>"
        for title in titles
    )
    return f"<rss version='2.0'><channel><title>T</title><link>https://outlet.example/</link>{items}</channel></rss>".encode()


def write_config(folder: Path, *urls: str, port: int = 0) -> Path:
    feeds = "\n".join(f"  - {{url: '{url}'}}" for url in urls)
    path = folder / "config.yaml"
    path.write_text(
        f"version: 1\ncontact: https://newsroom.example/storywatch\nweb: {{listen: '127.0.0.1:{port}'}}\n"
        f"storage: {{url: 'sqlite:///{folder}/storywatch.db'}}\n"
        f"limits: {{allow_hosts: [127.0.0.1], host_gap: 0s}}\nfeeds:\n{feeds}\n{WATCH}"
        f"channels:\n  digests: {{type: folder, path: '{folder}/digests'}}\n",
        encoding="utf-8",
    )
    return path


async def storywatch(*words: str, folder: Path, **more: Any) -> tuple[int, str, str]:
    done = await asyncio.to_thread(partial(commands.storywatch, *words, cwd=folder, **more))
    return done.returncode, done.stdout, done.stderr


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    """A daemon and its start line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "monitor",
        "run",
        cwd=folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        while True:
            line = await asyncio.wait_for(process.stderr.readline(), 30)
            assert line, "the daemon ended before it had started"
            told = json.loads(line)
            if told["event"] == "started":
                break
        yield process, told
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def eventually(read: Any, wanted: Any, seconds: float = 20.0) -> Any:
    for _ in range(int(seconds / 0.1)):
        found = await asyncio.to_thread(read)
        if wanted(found):
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"not within {seconds} s; last seen: {found}")


def get(address: str, host: str | None = None) -> tuple[int, str]:
    """Ask a page; a machine under load is waited for."""
    request = urllib.request.Request(address, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as exc:
        return exc.code, exc.read().decode()


async def test_poll_once_stores_everything_once_and_a_forced_second_round_stores_nothing(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/a", Step(body=rss("One", "Two")))
        server.script("/b", Step(body=rss("Three")))
        write_config(tmp_path, server.url("/a"), server.url("/b"))
        code, out, err = await storywatch("poll", "--once", "--json", folder=tmp_path)
        assert code == 0, err
        first = json.loads(out)
        _, out, _ = await storywatch("poll", "--once", "--ignore-schedule", "--force", "--json", folder=tmp_path)
        second = json.loads(out)
        _, out, _ = await storywatch("poll", "--once", "--ignore-schedule", "--json", folder=tmp_path)
        guarded = json.loads(out)
    assert (first["polled"], first["new"], first["events"]) == (2, 3, 0)
    assert (second["polled"], second["new"]) == (2, 0)
    assert guarded["polled"] == 0
    assert [left["reason"] for left in guarded["left_out"]] == ["attempt_guard"] * 2


async def test_an_outlet_known_by_a_path_of_a_host_is_that_outlet(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/a", Step(body=rss("One").replace(b"outlet.example/One", b"www.bbc.com/serbian/One")))
        write_config(tmp_path, server.url("/a"))
        _, _, err = await storywatch("poll", folder=tmp_path)
    with closing(sqlite3.connect(tmp_path / "storywatch.db")) as database:
        assert database.execute("select outlet from entry").fetchall() == [("bbc.com/serbian",)], err


async def test_one_round_polls_every_feed_of_a_host_that_has_many(tmp_path: Path) -> None:
    async with FeedServer() as server:
        for n in range(23):
            server.script(f"/{n}", Step(body=rss(f"Title {n}")))
        write_config(tmp_path, *(server.url(f"/{n}") for n in range(23)))
        _, out, _ = await storywatch("poll", "--json", folder=tmp_path)
    assert json.loads(out)["polled"] == 23


async def test_a_broken_feed_is_named_and_costs_nothing_else(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/good", Step(body=rss("One")))
        server.script("/html", Step(body=b"<!doctype html><title>Sorry</title>", headers={"Content-Type": "text/html"}))
        server.script("/gone", Step(404))
        write_config(tmp_path, *(server.url(path) for path in ("/good", "/html", "/gone")))
        _, out, _ = await storywatch("poll", "--json", folder=tmp_path)
        told = json.loads(out)
        _, listed, _ = await storywatch("feed", "list", "--json", folder=tmp_path)
    assert sorted(told["failed"].values()) == ["html", "not_found"]
    assert told["new"] == 1
    assert {feed["fail_reason"] for feed in json.loads(listed)} == {None, "html", "not_found"}


async def test_a_new_entry_after_the_baseline_becomes_a_digest_in_the_folder(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script(
            "/a",
            Step(body=rss("Old news")),
            Step(body=rss("Serbia asked to take deported migrants", "Old news", minutes_ago=1)),
        )
        write_config(tmp_path, server.url("/a"))
        await storywatch("poll", folder=tmp_path)
        _, out, err = await storywatch("poll", "--ignore-schedule", "--force", "--json", folder=tmp_path)
        assert json.loads(out)["events"] == 1, err
    digests = list((tmp_path / "digests").glob("*.txt"))
    assert len(digests) == 1
    assert "Serbia asked to take deported migrants" in digests[0].read_text(encoding="utf-8")
    assert list((tmp_path / "digests").glob("*.html"))
    assert list((tmp_path / "digests").glob("*.json"))


async def test_the_daemon_polls_shows_its_page_and_stops_when_asked(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/a", Step(body=rss("Serbia asked to take deported migrants")))
        write_config(tmp_path, server.url("/a"))
        async with running(tmp_path) as (process, started):
            page = started["page"]
            assert started["feeds"] == 1
            assert started["watches"] == ["flights"]
            health = await eventually(lambda: json.loads(get(page + "health")[1]), lambda told: told["entries"] == 1)
            assert health["state"] == "green"
            status, shown = await asyncio.to_thread(get, page)
            assert (status, "Serbia asked to take deported migrants" in shown) == (200, True)
            assert (await asyncio.to_thread(get, page + "ready"))[0] == 200
            assert (await asyncio.to_thread(get, page + "story/st_nothing00"))[0] == 404
            assert (await asyncio.to_thread(get, page, "evil.example"))[0] == 421
            code, _, err = await storywatch("run", folder=tmp_path)
            assert (code, "already running" in err) == (5, True), err
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_a_restart_loses_and_repeats_nothing(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/a", Step(body=rss("One", "Two")))
        write_config(tmp_path, server.url("/a"))
        for _ in range(2):
            async with running(tmp_path) as (process, started):
                await eventually(
                    lambda: json.loads(get(started["page"] + "health")[1]), lambda told: told["entries"] == 2
                )
                process.kill()
                await process.wait()
        assert len(server.of("/a")) == 1


async def test_a_taken_port_is_said_with_what_to_do(tmp_path: Path) -> None:
    async with FeedServer() as server:
        write_config(tmp_path, server.url("/a"), port=server.port)
        code, _, err = await storywatch("run", folder=tmp_path)
    assert code == 1
    assert "try make run PORT=8081" in err


async def test_a_hangup_does_not_end_the_daemon(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/a", Step(body=rss("One")))
        write_config(tmp_path, server.url("/a"))
        async with running(tmp_path) as (process, started):
            process.send_signal(signal.SIGHUP)
            page = started["page"]
            await eventually(lambda: json.loads(get(page + "health")[1]), lambda told: told["entries"] == 1)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_the_last_good_configuration_runs_when_the_file_is_broken(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/a", Step(body=rss("One")))
        config = write_config(tmp_path, server.url("/a"))
        environ = {**os.environ, "STORYWATCH_STORAGE_URL": f"sqlite:///{tmp_path}/storywatch.db"}
        await storywatch("poll", folder=tmp_path, env=environ)
        config.write_text("version: 1\nwatchs: []\n", encoding="utf-8")
        code, out, err = await storywatch(
            "poll", "--ignore-schedule", "--force", "--json", folder=tmp_path, env=environ
        )
    assert code == 0, err
    assert json.loads(out)["polled"] == 1
    assert "watchs" in err


async def test_the_last_good_configuration_runs_also_without_the_feed_that_was_faulty_in_it(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/a", Step(body=rss("One")))
        config = write_config(tmp_path, server.url("/a"), "no address at all")
        environ = {**os.environ, "STORYWATCH_STORAGE_URL": f"sqlite:///{tmp_path}/storywatch.db"}
        code, out, err = await storywatch("poll", "--json", folder=tmp_path, env=environ)
        assert (code, json.loads(out)["polled"]) == (0, 1), err
        config.write_text("version: 1\nwatchs: []\n", encoding="utf-8")
        code, out, err = await storywatch(
            "poll", "--ignore-schedule", "--force", "--json", folder=tmp_path, env=environ
        )
    assert (code, "watchs" in err) == (0, True), err
    assert json.loads(out)["polled"] == 1


@pytest.mark.parametrize("name", ["config.yaml"])
async def test_a_broken_file_without_a_stored_revision_refuses_to_run(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("version: 1\nwatchs: []\n", encoding="utf-8")
    code, _, err = await storywatch("run", folder=tmp_path)
    assert code == 1
    assert f"{name}:2:1" in err
    assert "Traceback" not in err
