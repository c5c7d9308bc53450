"""Compressed bodies that want to be large, and a small program that measures what refusing them costs.

`python -m tests.monitor.fetch.bombs FILE...` prints per file: the word, and the peak of memory in KiB above the start.
A process of its own, because a peak never goes down again.
"""

from __future__ import annotations

import gzip
import resource
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import brotli
import zstandard

from monitor.fetch.decode import Body, BodyRefused
from monitor.fetch.limits import Limits

MIB = 1024 * 1024


def zeros(mib: int) -> Iterator[bytes]:
    block = bytes(MIB)
    return (block for _ in range(mib))


def make(name: str, mib: int = 200) -> tuple[str, bytes]:
    """Return (Content-Encoding, body) of a bomb that inflates to `mib` MiB."""
    if name == "br":
        compressor = brotli.Compressor(quality=1)
        return "br", b"".join([compressor.process(block) for block in zeros(mib)] + [compressor.finish()])
    if name == "zstd":
        return "zstd", zstandard.ZstdCompressor(level=1).compress(bytes(mib * MIB))
    stream = zlib.compressobj(1, zlib.DEFLATED, 31)
    body = b"".join([stream.compress(block) for block in zeros(mib)] + [stream.flush()])
    return ("gzip", body) if name == "gzip" else ("gzip, gzip", gzip.compress(body))


def refuse(encoding: str, wire: bytes) -> str:
    """Receive a body in pieces as they come from a socket; return the word it is refused with."""
    body = Body(encoding, Limits())
    try:
        for start in range(0, len(wire), 16384):
            body.write(wire[start : start + 16384])
        body.finish()
    except BodyRefused as refused:
        return refused.reason.value
    return f"accepted {len(body.read())}"


if __name__ == "__main__":
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path in map(Path, sys.argv[1:]):
        word = refuse(path.suffix[1:].replace("+", ", "), path.read_bytes())
        print(path.name, word, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start)
