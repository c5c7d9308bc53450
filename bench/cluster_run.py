"""What processes on one Postgres do end to end: polls a second with one worker and with two, and taking over.

    python -m bench.cluster_run [--feeds 2000] [--kill] [--answer-after 0.0]

A feed server in a process of its own answers at many addresses of 127.0.0.0/8; `storywatch run --role worker` and one
`--role web` poll every feed once. Prints JSON: polls a second from the first request to the last, and the ratio of two
workers to one, with the cores that two busy processes get meanwhile: beside that the ratio is to be read. `--kill`
ends one of two workers amid its polls with SIGKILL and prints after how many seconds its feeds were asked again, and
what was lost or doubled.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import signal
import tempfile
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from monitor.store import engine as engines
from monitor.store import migrate
from tests import postgres
from tests.cluster.house import Database, daemon, hosts, until, write_config

_ITEM = (
    "<item><guid>{path}-{n}</guid><title>Invented report {n} of {path}</title>"
    "<link>https://outlet.example{path}/{n}</link><description>An invented text of some length, of which there "
    "is more than one sentence. This is the second one.</description></item>"
)


def serve(ready: Connection, answer_after: float) -> None:
    """Answer every path with a small feed of its own; `ready` gives the port, then (path, time) of all requests."""
    asked: list[tuple[str, float]] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1].decode()
                asked.append((path, time.time()))
                if answer_after:
                    await asyncio.sleep(answer_after)
                body = (
                    b"<rss version='2.0'><channel><title>T</title>%s</channel></rss>"
                    % "".join(_ITEM.format(path=path, n=n) for n in range(10)).encode()
                )
                answer = b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%b'
                writer.write(answer % (len(body), body))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(connected, "0.0.0.0", 0, backlog=2048)
        ready.send(server.sockets[0].getsockname()[1])
        while True:
            await asyncio.sleep(0.1)
            if ready.poll() and ready.recv() == "asked":
                ready.send(asked[:])
                asked.clear()

    asyncio.run(main())


class Farm:
    """The feed server, in a process of its own."""

    def __init__(self, answer_after: float = 0.0) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._child = multiprocessing.Process(target=serve, args=(theirs, answer_after), daemon=True)
        self._child.start()
        self.port: int = self._pipe.recv()

    def feeds(self, count: int) -> list[str]:
        """Addresses of feeds, four to a host."""
        names = hosts(-(-count // 4))
        return [f"http://{names[n // 4]}:{self.port}/{n}" for n in range(count)]

    def asked(self) -> list[tuple[str, float]]:
        """What was asked since the last time."""
        self._pipe.send("asked")
        found: list[tuple[str, float]] = self._pipe.recv()
        return found

    def close(self) -> None:
        """End it."""
        self._child.kill()
        self._child.join()


def database(server: postgres.Server, name: str) -> str:
    """A fresh, migrated database."""
    url = server.url(server.create_database(name))
    engine = engines.open_engine(url)
    migrate.ensure(engine)
    engine.dispose()
    return url


def _config(folder: Path, url: str, feeds: list[str]) -> None:
    path = write_config(folder, url, feeds)
    said = path.read_text(encoding="utf-8")
    path.write_text(
        said.replace("shards: 8, fetches: 8", "shards: 16, fetches: 8").replace("workers: 0", "workers: 1"),
        encoding="utf-8",
    )


async def run(url: str, feeds: list[str], workers: int, farm: Farm) -> dict[str, Any]:
    """Poll every feed once. The workers wait for their first jobs: the leader starts last."""
    with tempfile.TemporaryDirectory() as folder, Database(url) as rows:
        _config(Path(folder), url, feeds)
        async with _several(Path(folder), workers), daemon(Path(folder), "--role", "web"):
            await until(lambda: rows.one("select count(*) from feed where last_attempt_at is null") == 0, 900)
        times = [at for _, at in farm.asked()]
        return {"workers": workers, "polls": len(times), "polls_a_second": len(times) / (max(times) - min(times))}


class _several:  # noqa: N801  reads as what it is
    def __init__(self, folder: Path, workers: int) -> None:
        self._daemons = [daemon(folder, "--role", "worker") for _ in range(workers)]

    async def __aenter__(self) -> list[Any]:
        return await asyncio.gather(*(one.__aenter__() for one in self._daemons))

    async def __aexit__(self, *error: Any) -> None:
        await asyncio.gather(*(one.__aexit__(*error) for one in self._daemons))


async def kill(url: str, feeds: list[str], farm: Farm) -> dict[str, Any]:
    """End one of two workers when a quarter is done."""
    with tempfile.TemporaryDirectory() as folder, Database(url) as rows:
        _config(Path(folder), url, feeds)
        async with _several(Path(folder), 2) as (dies, _), daemon(Path(folder), "--role", "web"):
            await until(
                lambda: rows.one("select count(*) from feed where last_ok_at is not null") > len(feeds) / 4, 900
            )
            await until(lambda: dies.count("polled") > 10, 900)
            dies.signal(signal.SIGKILL)
            at = time.time()
            await until(lambda: rows.one("select count(*) from feed where last_attempt_at is null") == 0, 900)
        asked = farm.asked()
        first: dict[str, float] = {}
        again = [
            when - at for path, when in sorted(asked, key=lambda one: one[1]) if first.setdefault(path, when) != when
        ]
        return {
            "feeds": len(feeds),
            "asked_twice": len(again),
            "taken_over_after_s": [round(min(again), 1), round(max(again), 1)] if again else None,
            "failed_fetches": rows.one("select count(*) from feed where fail_reason is not null"),
            "entries_missing": 10 * rows.one("select count(*) from feed where last_ok_at is not null")
            - rows.one("select count(*) from entry"),
            "polls_recorded": rows.one("select count(*) from fetch_log where outcome = 'changed'"),
            "most_often_asked": max(Counter(path for path, _ in asked).values()),
        }


def _spin(seconds: float, queue: Any) -> None:
    began = time.process_time()
    until_ = time.perf_counter() + seconds
    while time.perf_counter() < until_:
        pass
    queue.put((time.process_time() - began) / seconds)


def cores() -> float:
    """How much of the machine two busy processes get now."""
    queue: Any = multiprocessing.Queue()
    children = [multiprocessing.Process(target=_spin, args=(2.0, queue)) for _ in range(2)]
    for child in children:
        child.start()
    total = sum(queue.get() for _ in children)
    for child in children:
        child.join()
    return round(float(total), 2)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--feeds", type=int, default=2000)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--answer-after", type=float, default=0.0)
    wanted = parser.parse_args()
    server, farm = postgres.start(), Farm(wanted.answer_after)
    try:
        feeds = farm.feeds(wanted.feeds)
        if wanted.kill:
            print(json.dumps(asyncio.run(kill(database(server, "kill"), feeds, farm))))
            return
        found = [asyncio.run(run(database(server, f"run{n}"), feeds, n, farm)) | {"cores": cores()} for n in (1, 2)]
        ratio = found[1]["polls_a_second"] / found[0]["polls_a_second"]
        print(json.dumps({"runs": found, "two_to_one": round(ratio, 2)}))
    finally:
        farm.close()
        server.stop()


if __name__ == "__main__":
    main()
