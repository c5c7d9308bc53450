"""Bounded decompression: everything a server may send is read, and nothing grows beyond its bounds."""

from __future__ import annotations

import contextlib
import gzip
import subprocess
import sys
import time
import zlib
from pathlib import Path

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.fetch.decode import Body, BodyRefused
from monitor.fetch.limits import Limits
from monitor.values import Fetched, FetchFailed
from tests.fakes.feed_server import FeedServer, Step
from tests.monitor.fetch import bombs
from tests.monitor.fetch.conftest import Get

TEXT = b"<rss>" + b"".join(b"<item>%d</item>" % i for i in range(5000)) + b"</rss>"


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


BODIES = {
    "no encoding": ("", TEXT),
    "identity": ("identity", TEXT),
    "gzip": ("gzip", gzip.compress(TEXT)),
    "x-gzip in capitals": ("X-GZIP", gzip.compress(TEXT)),
    "gzip in two members": ("gzip", gzip.compress(TEXT[:999]) + gzip.compress(TEXT[999:])),
    "gzip with rubbish behind": ("gzip", gzip.compress(TEXT) + b"\0\0rubbish"),
    "deflate with its header": ("deflate", zlib.compress(TEXT)),
    "deflate without its header": ("deflate", raw_deflate(TEXT)),
    "brotli": ("br", brotli.compress(TEXT)),
    "zstd": ("zstd", zstandard.ZstdCompressor().compress(TEXT)),
    "gzip twice, declared twice": ("gzip, gzip", gzip.compress(gzip.compress(TEXT))),
    "gzip twice, declared once": ("gzip", gzip.compress(gzip.compress(TEXT))),
    "gzip inside brotli": ("gzip, br", brotli.compress(gzip.compress(TEXT))),
    "a gzip file nobody declared": ("", gzip.compress(TEXT)),
    "declared gzip that is plain text": ("gzip", TEXT),
    "an empty body declared as gzip": ("gzip", b""),
}
PIECES = (1, 7, 16384)


@pytest.mark.parametrize(("encoding", "wire"), BODIES.values(), ids=BODIES)
def test_a_body_is_read_whatever_the_pieces_it_comes_in(encoding: str, wire: bytes) -> None:
    for size in PIECES:
        body = Body(encoding, Limits())
        for start in range(0, len(wire), size):
            body.write(wire[start : start + size])
        body.finish()
        assert body.read() == (TEXT if wire else b"")
        assert body.wire_bytes == len(wire)


CUT = {name: case for name, case in BODIES.items() if case[0] in ("gzip", "deflate", "br") and "plain" not in name}


@pytest.mark.parametrize(("encoding", "wire"), [CUT["gzip"], CUT["brotli"], CUT["deflate with its header"]])
def test_a_compressed_body_that_ends_in_the_middle_is_short(encoding: str, wire: bytes) -> None:
    body = Body(encoding, Limits())
    body.write(wire[: len(wire) // 2])
    with pytest.raises(BodyRefused) as refused:
        body.finish()
    assert refused.value.reason == "short_body"


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, br", "zstd, gzip"]), st.binary(max_size=400))
def test_no_bytes_raise_anything_but_a_refusal(encoding: str, wire: bytes) -> None:
    body = Body(encoding, Limits())
    with contextlib.suppress(BodyRefused):
        body.write(wire)
        body.finish()


def test_more_than_two_encodings_are_refused() -> None:
    with pytest.raises(BodyRefused):
        Body("gzip, br, gzip", Limits())


BOMBS = ("gzip", "br", "zstd", "double")


def test_bombs_are_refused_in_less_than_16_mib_and_a_moment(tmp_path: Path) -> None:
    files = []
    for name in BOMBS:
        encoding, wire = bombs.make(name)
        assert len(wire) < 2_000_000
        files.append(tmp_path / f"{name}.{encoding.replace(', ', '+')}")
        files[-1].write_bytes(wire)
    command = [sys.executable, "-m", "tests.monitor.fetch.bombs", *map(str, files)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert len(lines) == len(BOMBS)
    for line in lines:
        _, word, growth = line.split()
        assert word in ("bomb", "too_large")
        assert int(growth) < 16 * 1024


def test_a_bomb_costs_little_time() -> None:
    encoding, wire = bombs.make("gzip")
    began = time.process_time()
    assert bombs.refuse(encoding, wire) == "bomb"
    assert time.process_time() - began < 2


async def test_20_mib_with_a_length_are_not_even_begun(server: FeedServer, get: Get) -> None:
    server.script("/feed", Step(body=b"x", length=20 * bombs.MIB))
    outcome = await get("/feed")
    assert isinstance(outcome, FetchFailed)
    assert (outcome.reason, outcome.transient, outcome.status) == ("too_large", False, 200)


async def test_20_mib_without_a_length_are_stopped_at_the_cap(server: FeedServer, get: Get) -> None:
    server.script("/feed", Step(chunks=(b"x" * 65536 for _ in range(320))))
    outcome = await get("/feed")
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == "too_large"


async def test_a_bomb_on_the_wire_is_named(server: FeedServer, get: Get) -> None:
    encoding, wire = bombs.make("gzip", 50)
    server.script("/feed", Step(200, {"Content-Encoding": encoding}, wire))
    outcome = await get("/feed")
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == "bomb"


async def test_an_ordinary_large_feed_is_read(server: FeedServer, get: Get) -> None:
    large = TEXT * 60
    server.script("/feed", Step(200, {"Content-Encoding": "gzip"}, gzip.compress(large)))
    outcome = await get("/feed")
    assert isinstance(outcome, Fetched)
    assert outcome.body == large
    assert outcome.wire_bytes < len(large)
