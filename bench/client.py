"""What one request costs: our client beside bare aiohttp and a stock httpx client, CPU per request, interleaved.

    python -m bench.client [--requests 600] [--rounds 5] [--at-once 50] [--hosts one|many]
                           [--answer 304|same|gzip] [--uvloop]

The server runs in a process of its own, so its CPU is not counted. Prints JSON: microseconds of CPU per request for
each contender and our ratios, by the medians of the rounds and by the best ones (for a machine that is shared).
Goals: at most 1.8 times bare aiohttp and at most a twentieth of httpx's own pool at 304s on one host with 50 at once;
at most 2.2 times bare aiohttp at first contact with many hosts (127.x.y.1, each met once).
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import multiprocessing
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from multiprocessing.connection import Connection

import aiohttp
import httpx
import uvloop

from monitor.fetch.client import Client
from monitor.fetch.limits import Agent, Limits, Request
from monitor.values import Fetched, NotModified, Validators

BODY = b"<rss>" + b"<item><title>An invented title of some length</title></item>" * 300 + b"</rss>"
ANSWERS = {
    "304": b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nCache-Control: max-age=60\r\n\r\n',
    "same": b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n' % len(BODY) + BODY,
}
_PACKED = gzip.compress(BODY)
ANSWERS["gzip"] = (
    b'HTTP/1.1 200 OK\r\nETag: "a"\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n' % len(_PACKED) + _PACKED
)
Run = Callable[[list[str], int], Awaitable[None]]


def serve(answer: bytes, ready: Connection) -> None:
    """Answer every request alike, on all of 127.0.0.0/8, until killed."""

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport
            self.head = b""

        def data_received(self, data: bytes) -> None:
            self.head += data
            while b"\r\n\r\n" in self.head:
                self.head = self.head.partition(b"\r\n\r\n")[2]
                self.transport.write(answer)  # type: ignore[attr-defined]

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(Protocol, "0.0.0.0", 0, backlog=2048)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


async def at_once(urls: list[str], n: int, one: Callable[[str], Awaitable[None]]) -> None:
    """Ask for all URLs, `n` at a time."""
    queue = iter(urls)

    async def worker() -> None:
        for url in queue:
            await one(url)

    await asyncio.gather(*(worker() for _ in range(n)))


async def ours(urls: list[str], n: int) -> None:
    """Our client."""
    hosts = frozenset(url.split("/")[2].split(":")[0] for url in urls)
    validators = Validators(b'"a"', None)

    def now() -> datetime:
        return datetime.now(UTC)

    async with Client(Limits(), Agent("1", "https://newsroom.example"), allow_hosts=hosts) as client:

        async def one(url: str) -> None:
            outcome = await client.fetch(Request(url, validators), now)
            assert isinstance(outcome, Fetched | NotModified), outcome

        await at_once(urls, n, one)


async def bare(urls: list[str], n: int) -> None:
    """aiohttp as it comes."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(url: str) -> None:
            async with session.get(url, headers={"If-None-Match": '"a"'}) as response:
                await response.read()

        await at_once(urls, n, one)


async def stock(urls: list[str], n: int) -> None:
    """httpx with its own pool."""
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=None), timeout=30) as client:

        async def one(url: str) -> None:
            await client.get(url, headers={"If-None-Match": '"a"'})

        await at_once(urls, n, one)


CONTENDERS: dict[str, Run] = {"ours": ours, "aiohttp": bare, "httpx": stock}


def measure(
    run: Run, urls: list[str], n: int, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> float:
    """Microseconds of CPU per request, the start of the client included."""
    began = time.process_time()
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(run(urls, n))  # type: ignore[arg-type]
    return (time.process_time() - began) / len(urls) * 1e6


def main() -> None:
    """Run all contenders in turn, round by round."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--hosts", choices=("one", "many"), default="one")
    parser.add_argument("--answer", choices=tuple(ANSWERS), default="304")
    parser.add_argument("--uvloop", action="store_true")
    asked = parser.parse_args()

    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(
        target=serve, args=(ANSWERS[asked.answer], there), daemon=True
    )
    server.start()
    port = here.recv()
    many = asked.hosts == "many"
    urls = [
        f"http://{f'127.{1 + i // 250}.{i % 250}.1' if many else 'localhost'}:{port}/feed/{i}"
        for i in range(asked.requests)
    ]
    found: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for number in range(asked.rounds + 1):
        names = list(CONTENDERS)
        for name in names[number % 3 :] + names[: number % 3]:
            spent = measure(CONTENDERS[name], urls, asked.at_once, uvloop.new_event_loop if asked.uvloop else None)
            if number:  # the first round warms up
                found[name].append(spent)
    server.kill()
    medians = {name: round(statistics.median(spent), 1) for name, spent in found.items()}
    best = {name: round(min(spent), 1) for name, spent in found.items()}
    print(
        json.dumps(
            {
                "bench": "client",
                **vars(asked),
                "median_us": medians,
                "best_us": best,
                "to_aiohttp": [round(row["ours"] / row["aiohttp"], 2) for row in (medians, best)],
                "httpx_to_ours": [round(row["httpx"] / row["ours"], 1) for row in (medians, best)],
            }
        )
    )


if __name__ == "__main__":
    main()
