"""What systemd hears: through a real socket, and from a real daemon."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor import supervisor
from tests.fakes.feed_server import FeedServer
from tests.scenarios.test_daemon import write_config


@pytest.fixture
def ear() -> Iterator[tuple[str, socket.socket]]:
    """A socket as systemd has one, and its name, which must be short."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        name = str(Path(folder) / "notify")
        heard.bind(name)
        heard.setblocking(False)
        yield name, heard


def said(heard: socket.socket) -> list[str]:
    lines = []
    while True:
        try:
            lines.append(heard.recv(4096).decode())
        except BlockingIOError:
            return lines


def test_every_message_is_a_datagram_of_lines(ear: tuple[str, socket.socket]) -> None:
    name, heard = ear
    told = supervisor.of({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "60000000"})
    told.ready("2 feeds")
    told.alive()
    told.reloading(lambda: 1.5)
    told.stopping()
    assert said(heard) == [
        "READY=1\nSTATUS=2 feeds",
        "WATCHDOG=1",
        "RELOADING=1\nMONOTONIC_USEC=1500000",
        "STOPPING=1",
    ]
    assert told.pulse_s == 30


@pytest.mark.parametrize(
    ("environ", "watchdog"),
    [
        pytest.param({}, None, id="nobody asked"),
        pytest.param({"WATCHDOG_USEC": "1000000"}, None, id="no socket to feed it by"),
        pytest.param({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "0"}, None, id="switched off"),
        pytest.param({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "soon"}, None, id="no number"),
        pytest.param({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "7"}, 2.0, id="ours"),
        pytest.param({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "2000000", "WATCHDOG_PID": "8"}, None, id="another's"),
    ],
)
def test_the_watchdog_is_fed_only_where_it_is_ours(environ: dict[str, str], watchdog: float | None) -> None:
    assert supervisor.of(environ, pid=7).watchdog_s == watchdog


def test_a_supervisor_that_is_gone_stops_nobody() -> None:
    supervisor.of({"NOTIFY_SOCKET": "/nonexistent/notify"}).stopping()
    supervisor.of({"NOTIFY_SOCKET": "@nobody-listens-here"}).stopping()


async def test_a_daemon_says_ready_feeds_the_watchdog_and_says_stopping(
    tmp_path: Path, ear: tuple[str, socket.socket]
) -> None:
    name, heard = ear
    lines: list[str] = []
    async with FeedServer() as server:
        write_config(tmp_path, server.url("/a"))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "monitor",
            "run",
            cwd=tmp_path,
            env={**os.environ, "NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1000000"},
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            for _ in range(300):
                lines += said(heard)
                if "WATCHDOG=1" in lines:
                    break
                await asyncio.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 30) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    lines += said(heard)
    assert lines[0] == "READY=1\nSTATUS=1 feeds, 1 watches"
    assert "WATCHDOG=1" in lines
    assert lines[-1] == "STOPPING=1"
