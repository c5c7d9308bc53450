"""Every way a fetch can fail ends in its own word, within the deadline, and never in an exception."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import ssl
import time
from pathlib import Path

import pytest

from monitor.fetch.client import Client
from monitor.fetch.limits import Limits, Request
from monitor.schedule import reasons
from monitor.values import Fetched, FetchFailed, FetchOutcome
from tests.fakes.feed_server import FeedServer, Step
from tests.monitor.fetch.conftest import AGENT, NOW, PATIENT, Get, Names

TLS = Path(__file__).parents[2] / "data" / "tls"
HTML = {"Content-Type": "text/html; charset=utf-8"}

STATUSES = {
    "401 asks for a password": (Step(401), "unauthorized", False),
    "402 is a bad status": (Step(402), "bad_status", False),
    "403 is a bad status": (Step(403), "bad_status", False),
    "404 may well come back": (Step(404), "not_found", True),
    "410 is gone": (Step(410), "gone", False),
    "429 is a limit of rate": (Step(429, {"Retry-After": "120"}), "rate_limited", True),
    "500 is the server's trouble": (Step(500), "server_error", True),
    "503 is the server's trouble": (Step(503), "server_error", True),
    "206 was not asked for": (Step(206, body=b"<rss"), "bad_status", False),
    "300 is no redirect we follow": (Step(300), "bad_status", False),
    "403 with Cloudflare's mark is a bot wall": (
        Step(403, {"cf-mitigated": "challenge", **HTML}, b"<html></html>"),
        "blocked",
        True,
    ),
    "503 with a challenge page is a bot wall": (
        Step(503, HTML, b"<html><head><title>Just a moment...</title></head></html>"),
        "blocked",
        True,
    ),
    "403 with a mark but no page is a bad status": (Step(403, {"cf-mitigated": "challenge"}), "bad_status", False),
    "404 with an endless page is a 404": (
        Step(404, HTML, chunks=itertools.repeat(b"x" * 1000)),
        "not_found",
        True,
    ),
}


@pytest.mark.parametrize(("step", "reason", "transient"), STATUSES.values(), ids=STATUSES)
async def test_a_status_has_its_word(server: FeedServer, get: Get, step: Step, reason: str, transient: bool) -> None:
    server.script("/feed", step)
    outcome = await get("/feed")
    assert isinstance(outcome, FetchFailed)
    assert (outcome.reason, outcome.transient, outcome.status) == (reason, transient, step.status)
    assert len(server.requests) == 1


async def test_the_headers_of_a_refusal_are_kept_for_whoever_decides_about_waiting(
    server: FeedServer, get: Get
) -> None:
    server.script("/feed", Step(429, {"Retry-After": "120"}))
    outcome = await get("/feed")
    assert isinstance(outcome, FetchFailed)
    assert ("retry-after", b"120") in outcome.headers


BROKEN = {
    "cut in the middle of a declared length": (Step(body=b"<rss>", length=100), "short_body"),
    "cut between two chunks": (Step(chunks=(b"<rss>",), reset=True), "short_body"),
    "no answer at all": (Step(raw=b""), "connect"),
    "an answer that is no HTTP": (Step(raw=b"hello\r\n\r\n"), "server_error"),
    "a header of 70 kB": (Step(200, {"X-Long": "x" * 70_000}), "too_large"),
    "headers of 300 kB": (Step(200, tuple((f"X-{i}", "x" * 30_000) for i in range(10))), "too_large"),
    "3000 headers": (Step(200, tuple((f"X-{i}", "x") for i in range(3000))), "too_large"),
    "gzip with damage inside": (
        Step(200, {"Content-Encoding": "gzip"}, b"\x1f\x8b\x08" + b"\0" * 7 + b"\xff" * 40),
        "undecodable",
    ),
    "an encoding nobody knows": (Step(200, {"Content-Encoding": "lzma"}, b"abc"), "undecodable"),
}


@pytest.mark.parametrize(("step", "reason"), BROKEN.values(), ids=BROKEN)
async def test_a_broken_answer_has_its_word(server: FeedServer, get: Get, step: Step, reason: str) -> None:
    server.script("/feed", step)
    outcome = await get("/feed")
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == reason


async def test_headers_without_end_are_stopped_before_they_fill_the_memory(server: FeedServer, get: Get) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(ConnectionError):
            while written < 100_000_000:
                writer.write(b"X-%d: %b\r\n" % (written, b"y" * 60_000))
                await writer.drain()
                written += 60_000
        writer.close()

    written = 0
    async with await asyncio.start_server(flood, "127.0.0.1", 0) as endless:
        outcome = await get(f"http://127.0.0.1:{endless.sockets[0].getsockname()[1]}/")
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == "too_large"
    assert written < 20_000_000


SLOW = {
    "a body of one byte now and then ends at the deadline": (
        Step(chunks=itertools.repeat(b"x"), pause_s=0.1),
        "deadline",
        1.5,
    ),
    "headers byte by byte end at the deadline": (Step(headers={"X": "y" * 200}, head_pause_s=0.1), "deadline", 1.5),
    "a server that never answers is given up early": (Step(delay_s=30), "read_timeout", 1.0),
    "a body that stops is given up early": (Step(chunks=(b"x", b"y"), pause_s=30), "read_timeout", 1.0),
    "a chain of slow redirects shares one deadline": (
        Step(302, {"Location": "/feed?again"}, delay_s=0.8),
        "deadline",
        1.5,
    ),
}


@pytest.mark.parametrize(("step", "reason", "most_s"), SLOW.values(), ids=SLOW)
async def test_a_slow_server_costs_no_more_than_the_deadline(
    server: FeedServer, hurried: Get, step: Step, reason: str, most_s: float
) -> None:
    server.script("/feed", step)
    server.script("/feed?again", Step(delay_s=0.9))
    began = time.monotonic()
    outcome = await hurried("/feed")
    took = time.monotonic() - began
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == reason
    assert took < most_s + 3


NAMES = {
    "a name nobody knows": (socket.gaierror(socket.EAI_NONAME, "no such name"), "dns_unknown"),
    "a name server that fails": (socket.gaierror(socket.EAI_FAIL, "failed"), "dns_temporary"),
    "a name server that asks to try again": (socket.gaierror(socket.EAI_AGAIN, "again"), "dns_temporary"),
}


@pytest.mark.parametrize(("error", "reason"), NAMES.values(), ids=NAMES)
async def test_a_failed_lookup_has_its_word(error: Exception, reason: str) -> None:
    outcome = await fetch("http://feeds.test/", Names(**{"feeds.test": error}))
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == reason
    assert reasons.FailReason(outcome.reason) in reasons.OWN_NETWORK


async def test_a_lookup_that_hangs_is_given_up_after_its_own_time() -> None:
    def hang(*_: object, **__: object) -> list[tuple[object, ...]]:
        time.sleep(6)
        return []

    began = time.monotonic()
    outcome = await fetch("http://feeds.test/", hang)
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == "dns_temporary"
    assert time.monotonic() - began < 5


async def test_a_closed_port_is_a_connect_failure(server: FeedServer, get: Get) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        outcome = await get(f"http://127.0.0.1:{free.getsockname()[1]}/")
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == "connect"


async def test_a_proxy_that_is_not_there_is_a_proxy_failure() -> None:
    names = Names(**{"feeds.test": ("203.0.114.7",)})
    outcome = await fetch("http://feeds.test/", names, proxy="http://127.0.0.1:1")
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == "proxy"


async def test_a_name_is_checked_before_a_proxy_is_asked_for_it(server: FeedServer) -> None:
    names = Names(**{"inside.test": ("10.0.0.8",)})
    outcome = await fetch("http://inside.test/", names, proxy=server.url(""))
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == "refused_address"
    assert not server.requests


async def test_a_proxy_gets_the_whole_url(server: FeedServer) -> None:
    names = Names(**{"feeds.test": ("203.0.114.7",)})
    server.script("http://feeds.test/rss", Step(body=b"<rss/>"))
    assert isinstance(await fetch("http://feeds.test/rss", names, proxy=server.url("")), Fetched)


CERTIFICATES = {
    "an expired certificate": ("expired", "tls_expired"),
    "a certificate signed by itself": ("self_signed", "tls_self_signed"),
    "a certificate for another host": ("wrong_host", "tls_wrong_host"),
}


@pytest.mark.parametrize(("file", "reason"), CERTIFICATES.values(), ids=CERTIFICATES)
async def test_a_bad_certificate_has_its_word_and_can_be_overridden_per_feed(file: str, reason: str) -> None:
    async with tls_server(file) as server:
        server.script("/feed", Step(body=b"<rss/>"))
        outcome = await fetch(server.url("/feed"), NAMED)
        overridden = await fetch(server.url("/feed"), NAMED, insecure_tls=True)
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == reason
    assert isinstance(overridden, Fetched)


async def test_a_good_certificate_is_accepted() -> None:
    async with tls_server("good") as server:
        server.script("/feed", Step(body=b"<rss/>"))
        assert isinstance(await fetch(server.url("/feed"), NAMED), Fetched)


async def test_plain_http_where_tls_was_expected_is_a_tls_failure() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as plain:
        outcome = await fetch(f"https://feeds.test:{plain.sockets[0].getsockname()[1]}/", NAMED)
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == "tls_other"


async def test_two_kinds_of_feeds_share_one_client(server: FeedServer, get: Get) -> None:
    server.script("/good", Step(body=b"<rss/>"))
    server.script("/bad", Step(500))
    assert isinstance(await get("/good"), Fetched)
    assert isinstance(await get("/bad"), FetchFailed)
    assert isinstance(await get("/good"), Fetched)


async def test_a_client_that_is_not_open_is_a_bug_and_raises() -> None:
    with pytest.raises(RuntimeError, match="not open"):
        await Client(Limits(), AGENT).fetch(Request("http://feeds.test/"), lambda: NOW)


NAMED = Names(**{"feeds.test": ("127.0.0.1",)})


async def fetch(url: str, lookup: object, **fields: object) -> FetchOutcome:
    trusted = ssl.create_default_context(cafile=str(TLS / "authority.pem"))
    allowed = frozenset({"feeds.test"}) if lookup is NAMED else frozenset[str]()
    async with Client(PATIENT, AGENT, allow_hosts=allowed, lookup=lookup, ssl_context=trusted) as client:  # type: ignore[arg-type]
        return await client.fetch(Request(url, **fields), lambda: NOW)  # type: ignore[arg-type]


def tls_server(file: str) -> FeedServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / f"{file}.pem")
    return FeedServer(tls=context, host="feeds.test")
