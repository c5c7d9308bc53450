"""What hostile answers cost: memory and time of bombs on the wire, of entities in a feed, of a server that drips.

    python -m bench.bombs

Each line runs in a process of its own, because a peak of memory never goes down. Prints a table; exits 1 when a bound
is broken: less than 16 MiB of growth and 2 s for a compressed body of 200 MiB, 0.2 s for entities, the deadline and a
second for a drip.
"""

from __future__ import annotations

import asyncio
import gzip
import itertools
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import brotli
import zstandard

from monitor.errors import ParseError
from monitor.fetch.client import Client
from monitor.fetch.decode import Body, BodyRefused
from monitor.fetch.limits import Agent, Limits, Request
from monitor.parse import feed
from monitor.values import FetchFailed

_MIB = 1024 * 1024
_SIZE = 200
_MOST_MIB = 16.0
_DEADLINE_S = 2.0


def _blocks() -> Iterator[bytes]:
    return itertools.repeat(bytes(_MIB), _SIZE)


def _gzip() -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([stream.compress(block) for block in _blocks()] + [stream.flush()])


def _br() -> bytes:
    stream = brotli.Compressor(quality=1)
    return b"".join([stream.process(block) for block in _blocks()] + [stream.finish()])


def _zstd() -> bytes:
    stream = zstandard.ZstdCompressor(level=1).compressobj()
    return b"".join([stream.compress(block) for block in _blocks()] + [stream.flush()])


WIRE: dict[str, tuple[str, Callable[[], bytes]]] = {
    "gzip": ("gzip", _gzip),
    "br": ("br", _br),
    "zstd": ("zstd", _zstd),
    "gzip in gzip": ("gzip, gzip", lambda: gzip.compress(_gzip())),
}
LAUGHS = (
    "<!DOCTYPE rss ["
    + '<!ENTITY a0 "haha">'
    + "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))
    + "]><rss><channel><title>G</title><item><title>&a9;</title></item></channel></rss>"
).encode()


def on_the_wire(encoding: str, wire: bytes) -> tuple[str, str]:
    """Receive a body as a socket gives it."""
    body = Body(encoding, Limits())
    try:
        for at in range(0, len(wire), 16384):
            body.write(wire[at : at + 16384])
        body.finish()
    except BodyRefused as refused:
        return str(refused.reason), f"{len(wire):,} bytes"
    return "accepted", f"{len(wire):,} bytes"


def entities() -> tuple[str, str]:
    """Parse a feed of entities that want to be three gigabytes."""
    try:
        feed.parse(LAUGHS, "https://feeds.example/rss", {}, datetime.now(UTC))
    except ParseError as refused:
        return refused.reason, f"{len(LAUGHS)} bytes"
    return "parsed without them", f"{len(LAUGHS)} bytes"


async def drip(*, head: bool) -> tuple[str, str]:
    """Fetch from a server that sends a byte every fifth of a second for ever."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n" + (b"X-Drip: " if head else b"\r\n"))
        try:
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.2)
        except OSError:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    limits = Limits(deadline_s=_DEADLINE_S)
    async with Client(limits, Agent("1", "https://newsroom.example"), allow_hosts=frozenset({"127.0.0.1"})) as client:
        outcome = await client.fetch(Request(f"http://127.0.0.1:{port}/"), lambda: datetime.now(UTC))
    server.close()
    return outcome.reason if isinstance(outcome, FetchFailed) else "accepted", "for ever"


def measure(name: str, path: str) -> str:
    """One line of the table: what it is, its size, what became of it, growth in MiB, seconds."""
    wire = Path(path).read_bytes()
    feed.parse(b"<rss><channel><title>G</title></channel></rss>", "https://feeds.example/", {}, datetime.now(UTC))
    before, began = _peak_mib(), time.perf_counter()
    if name in WIRE:
        word, size = on_the_wire(WIRE[name][0], wire)
    elif name == "entities":
        word, size = entities()
    else:
        word, size = asyncio.run(drip(head=name == "drip in the headers"))
    return f"{name:20} {size:>15}  {word:22} {_peak_mib() - before:8.1f} MiB {time.perf_counter() - began:7.3f} s"


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


BOUNDS: dict[str, float] = {
    **dict.fromkeys(WIRE, 2.0),
    "entities": 0.2,
    "drip in the body": _DEADLINE_S + 1,
    "drip in the headers": _DEADLINE_S + 1,
}


def main() -> int:
    """Run every bomb in its own process."""
    if len(sys.argv) > 1:
        print(measure(*sys.argv[1:3]))
        return 0
    broken = []
    with tempfile.TemporaryDirectory() as folder:
        for name, most_s in BOUNDS.items():
            path = Path(folder) / "bomb"
            path.write_bytes(WIRE[name][1]() if name in WIRE else b"")
            words = [sys.executable, "-m", "bench.bombs", name, str(path)]
            line = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
            print(line, flush=True)
            *_, mib, _, seconds, _ = line.split()
            if float(mib) >= _MOST_MIB or float(seconds) > most_s or "accepted" in line:
                broken.append(name)
    if broken:
        print(f"beyond their bounds: {', '.join(broken)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
