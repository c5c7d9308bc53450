"""What the daemon costs by itself: from its start to its first request, and while it waits.

    python -m bench.daemon start [--feeds 1000] [--rounds 9]
    python -m bench.daemon idle [--feeds 1000] [--seconds 120]
    python -m bench.daemon steady [--feeds 1000] [--seconds 600]

`start`: seconds from exec to the first request on the wire, by the server's clock, with the feeds in the store; beside
them a bare interpreter that imports aiohttp, sqlalchemy, httpx_aiohttp and feedparser. Goal: twice that at most.
`idle`: CPU of the process tree per second with nothing due (goal: .3 % of a core). `steady`: the same, and the tree's
memory, with known feeds that fall due evenly over 15 minutes and then by their own schedule; of the answers 15 % bring
three new entries, 25 % the same body, the rest are 304 (goals: 1 % of a core, memory grows by less than 5 % in an
hour). Memory is told as it is after the start, when each feed was asked once, by which time the caches of hosts and
words are filled, and at the end; PSS, and beside it what is the processes' own. Real processes, `storywatch run` with
its page.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import update

from bench.peers import served, tree
from monitor.config import api
from monitor.store import engine as engines
from monitor.store import feeds, migrate, tables

_BARE = "import aiohttp, sqlalchemy, httpx_aiohttp, feedparser"
_SHIPPED = Path(__file__).resolve().parent.parent / "config.yaml"
_SETTLED_S = 30.0
_ASKED_ONCE = timedelta(minutes=15)
_PATIENCE_S = 60.0


def main() -> None:
    """Do what was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("start", "idle", "steady"), nargs="?", default="start")
    parser.add_argument("--feeds", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=120)
    asked = parser.parse_args()
    with served.Server() as server, tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), server, asked.feeds)
        if asked.what == "start":
            _start(home, asked.rounds)
        elif asked.what == "idle":
            home.due(None)
            _wait(home, asked.seconds)
        else:
            _meet(home, asked.feeds)
            home.due(_ASKED_ONCE)
            server.mix()
            _wait(home, asked.seconds)


class Home:
    """A configuration with so many feeds, each on a host of its own, and its database."""

    def __init__(self, folder: Path, server: served.Server, count: int) -> None:
        self.server = server
        self.folder = folder
        self.config = folder / "config.yaml"
        self._url = f"sqlite:///{folder / 'storywatch.db'}"
        urls = server.urls(count, many_hosts=True)
        self.config.write_text(_config(urls, self._url), encoding="utf-8")
        engine = engines.open_engine(self._url)
        migrate.ensure(engine)
        loaded = api.load(self.config, os.environ)
        seeds = [feeds.Seed(one.url, one.url.split("/")[2].partition(":")[0]) for one in loaded.feeds]
        with engine.begin() as tx:
            feeds.sync(tx, seeds, datetime.now(UTC))
        engine.dispose()

    def due(self, within: timedelta | None) -> None:
        """Make the feeds due evenly over a time from now on, or not before a day has passed."""
        now = datetime.now(UTC)
        engine = engines.open_engine(self._url)
        with engine.begin() as tx:
            rows = feeds.all_rows(tx)
            for place, row in enumerate(rows):
                at = now + (timedelta(days=1) if within is None else within * (place / len(rows)))
                known = {name: value for name, value in row.schedule.items() if name != "last_attempt_at"}  # no guard
                values = {"next_at": at, "lease_until": None, "schedule": known}
                tx.execute(update(tables.feed).where(tables.feed.c.id == row.id).values(values))
        engine.dispose()

    def daemon(self) -> subprocess.Popen[bytes]:
        """Start the daemon, in a session of its own."""
        command = [sys.executable, "-m", "monitor", "run", "--config", str(self.config), "--port", str(_free_port())]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def _config(urls: list[str], database: str) -> str:
    watches = _SHIPPED.read_text(encoding="utf-8").partition("watches:")[2].partition("\nchannels:")[0]
    hosts = ", ".join(sorted({url.split("/")[2].partition(":")[0] for url in urls}))
    listed = "".join(f"  - url: {url}\n" for url in urls)
    lines = (
        "version: 1",
        "contact: https://newsroom.example/storywatch",
        f"storage: {{url: '{database}'}}",
        f"limits: {{allow_hosts: [{hosts}]}}",
        f"watches:{watches}",
        "channels: {console: {type: stdout}}",
        f"feeds:\n{listed}",
    )
    return "\n".join(lines)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(home: Home, rounds: int) -> None:
    ours, bare = [], []
    for _ in range(rounds):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", _BARE], check=True)
        bare.append(time.perf_counter() - begun)
        ours.append(_first_request(home))
    one, other = statistics.median(ours), statistics.median(bare)
    print("| to the first request, s | bare imports, s | ratio |\n|---|---|---|")
    print(f"| {one:.2f} | {other:.2f} | {one / other:.1f}x |")


def _first_request(home: Home) -> float:
    home.due(timedelta())
    home.server.turn(0, validators=True)
    begun = time.monotonic()
    process = home.daemon()
    try:
        while (at := home.server.asked().first_at) is None:
            if process.poll() is not None or time.monotonic() - begun > _PATIENCE_S:
                raise RuntimeError(f"no request came: {(home.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)
    finally:
        _stop(process)
    return at - begun


def _meet(home: Home, feeds: int) -> None:
    """Poll each feed for the first time."""
    home.due(timedelta())
    process = home.daemon()
    try:
        while home.server.asked().whole < feeds:
            time.sleep(1)
        time.sleep(_SETTLED_S)  # what was asked last is being recorded
    finally:
        _stop(process)


def _wait(home: Home, seconds: float) -> None:
    """Let the daemon run; say what it took."""
    process = home.daemon()
    try:
        time.sleep(_SETTLED_S)
        before, begun = tree.cpu_s(process.pid), time.monotonic()
        warm = min(_ASKED_ONCE.total_seconds(), seconds / 2)
        sizes = [_memory(process)]
        for part in (warm, seconds - warm):
            time.sleep(part)
            sizes.append(_memory(process))
        spent, took = tree.cpu_s(process.pid) - before, time.monotonic() - begun
    finally:
        _stop(process)
    asked = home.server.asked()
    print("| CPU, of a core | seconds | requests | of them 304 | PSS, MiB (own) at first | in between | at last |")
    print(f"|---|---|---|---|---|---|---|\n| {spent / took:.2%} | {took:.0f} | ", end="")
    print(f"{asked.whole + asked.unchanged} | {asked.unchanged} | {' | '.join(sizes)} |")


def _memory(process: subprocess.Popen[bytes]) -> str:
    return f"{tree.pss_mib(process.pid):.0f} ({tree.own_mib(process.pid):.0f})"


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
