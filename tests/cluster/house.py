"""A cluster of real processes on one Postgres, beside a feed server that answers at many addresses."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from monitor.store import engine as engines
from tests import pgbouncer
from tests.fakes.feed_server import FeedServer

WATCHES = """\
watches:
  - name: flights
    query: |
      deport* AND Serbia
    alert: {group_wait: {new_story: 0s}}
    full_text: false
"""


def hosts(count: int) -> list[str]:
    """Addresses of this machine, each a host of its own."""
    return [f"127.0.{1 + n // 200}.{1 + n % 200}" for n in range(count)]


def write_config(
    folder: Path, url: str, feeds: Sequence[str], *, kind: str = "pgqueuer", storage: str = "", more: str = ""
) -> Path:
    """A configuration for small tests: a tick a second, few slots, feeds of hosts that are ours.

    With STORYWATCH_TEST_POOLER=1 the daemon reaches the suite's Postgres through PgBouncer (see `conftest`).
    """
    allowed = sorted({feed.split("/")[2].split(":")[0] for feed in feeds}) or ["127.0.0.1"]
    listed = "\n".join(f"  - {{url: '{feed}'}}" for feed in feeds) or "  []"
    pooled = pgbouncer.address(url)
    if pooled is not None and "direct_url" not in storage:
        url, storage = pooled, f", direct_url: '{url}'{storage}"
    path = folder / "config.yaml"
    path.write_text(
        "version: 1\ncontact: https://newsroom.example/storywatch\nweb: {listen: '127.0.0.1:0'}\n"
        f"storage: {{url: '{url}'{storage}}}\n"
        f"engine: {{kind: {kind}, tick: 1s, shards: 8, fetches: 8}}\nparse: {{workers: 0}}\n"
        f"limits: {{allow_hosts: {json.dumps(allowed)}, host_gap: 0s}}\nfeeds:\n{listed}\n{WATCHES}"
        f"channels:\n  digests: {{type: folder, path: '{folder}/digests'}}\n{more}",
        encoding="utf-8",
    )
    return path


class Process:
    """A daemon that runs; `told` are the lines it has written."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.told: list[dict[str, Any]] = []
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stderr is not None
        while line := await self._process.stderr.readline():
            try:
                self.told.append(json.loads(line))
            except ValueError:
                self.told.append({"event": "text", "text": line.decode(errors="replace")})

    def count(self, event: str) -> int:
        """How often it has told of something."""
        return Counter(line["event"] for line in self.told)[event]

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.returncode

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def ended(self, seconds: float = 120) -> int:
        """Wait for its end."""
        code = await asyncio.wait_for(self._process.wait(), seconds)
        await self._reader
        return code

    async def close(self) -> None:
        """Make sure that nothing of it is left."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reader


@asynccontextmanager
async def launched(folder: Path, *words: str, through: Sequence[str] = ()) -> AsyncIterator[Process]:
    """A daemon that is starting; `through` is a program that runs it."""
    process = Process(
        await asyncio.create_subprocess_exec(
            *through,
            sys.executable,
            "-m",
            "monitor",
            "run",
            *words,
            cwd=folder,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
    )
    try:
        yield process
    finally:
        await process.close()


@asynccontextmanager
async def daemon(folder: Path, *words: str, through: Sequence[str] = ()) -> AsyncIterator[Process]:
    """A daemon that has started."""
    async with launched(folder, *words, through=through) as process:
        await until(lambda: process.count("started") or process.code is not None)
        assert process.code is None, process.told[-20:]
        yield process


async def until(claim: Callable[[], Any], seconds: float = 120) -> Any:
    """Wait for something that another process does."""
    async with asyncio.timeout(seconds):
        while not (found := claim()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        return found


class Database:
    """What the processes have written."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = engines.open_engine(url, pool=3)

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()

    def all(self, statement: str) -> list[Any]:
        """Rows of a question in SQL."""
        with engines.reading(self.engine) as connection:
            return [tuple(row) for row in connection.execute(sa.text(statement))]

    def one(self, statement: str) -> Any:
        """The only value of a question in SQL."""
        return self.all(statement)[0][0]

    def run(self, statement: str) -> None:
        """Change something behind the processes' backs."""
        with self.engine.begin() as connection:
            connection.execute(sa.text(statement))


def feeds_of(server: FeedServer, count: int, per_host: int = 4) -> list[str]:
    """Addresses of feeds, a few to a host."""
    names = hosts(-(-count // per_host))
    return [server.url(f"/{n}", names[n // per_host]) for n in range(count)]
