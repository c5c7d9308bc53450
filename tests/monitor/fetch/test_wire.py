"""What stands on the wire, byte for byte, and which connections are kept."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from monitor.fetch.client import Client
from monitor.fetch.limits import Limits, Request
from monitor.values import Fetched, FetchFailed, FetchOutcome, NotModified, Validators
from tests.monitor.fetch.conftest import AGENT, NOW, PATIENT

UNCHANGED = b"HTTP/1.1 304 Not Modified\r\n\r\n"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@dataclass
class Bare:
    """A server that says what it was told to, answer by answer, and remembers what it heard on which connection."""

    answers: list[bytes]
    heard: list[tuple[int, bytes]] = field(default_factory=list)
    port: int = 0
    connections: int = 0
    talks: list[asyncio.Task[None]] = field(default_factory=list)

    def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.talks.append(asyncio.create_task(self.talk(reader, writer)))

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.heard.append((number, await reader.readuntil(b"\r\n\r\n")))
                answer = self.answers.pop(0)
                writer.write(answer)
                await writer.drain()
                if not answer:
                    break
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def get(self, client: Client, path: str = "/feed", **fields: object) -> FetchOutcome:
        return await client.fetch(Request(f"http://127.0.0.1:{self.port}{path}", **fields), lambda: NOW)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def bare(*answers: bytes, limits: Limits = PATIENT) -> AsyncIterator[tuple[Bare, Client]]:
    said = Bare(list(answers))
    server = await asyncio.start_server(said.meet, "127.0.0.1", 0)
    said.port = server.sockets[0].getsockname()[1]
    async with server, Client(limits, AGENT, allow_hosts=frozenset({"127.0.0.1"})) as client:
        yield said, client
    await asyncio.gather(*said.talks)


async def test_a_request_says_what_it_must_and_nothing_else() -> None:
    async with bare(UNCHANGED) as (server, client):
        outcome = await server.get(client, "/feed%2Crss?q=a%2Cb", validators=Validators(b'"caf\xc3\xa9"', b"Mon"))
    assert isinstance(outcome, NotModified)
    line, *headers = server.heard[0][1].decode().rstrip().split("\r\n")
    assert line == "GET /feed%2Crss?q=a%2Cb HTTP/1.1"
    assert headers[0] == f"Host: 127.0.0.1:{server.port}"
    assert dict(header.split(": ", 1) for header in headers[2:]).keys() == {
        "Accept",
        "Accept-Encoding",
        "If-None-Match",
        "If-Modified-Since",
    }
    assert 'If-None-Match: "café"' in headers


@pytest.mark.parametrize(
    ("path", "target"),
    {
        "no path": ("", "/"),
        "only a query": ("?a=1", "/?a=1"),
        "another address in it": ("/?u=http://x/y", None),
    }.values(),
)
async def test_whatever_follows_the_host_is_asked_for(path: str, target: str | None) -> None:
    async with bare(EMPTY) as (server, client):
        await server.get(client, path)
    assert server.heard[0][1].split(b" ")[1].decode() == (target or path)


async def test_a_connection_is_kept_for_the_next_request_when_its_answer_was_read() -> None:
    async with bare(UNCHANGED, EMPTY, UNCHANGED) as (server, client):
        for _ in range(3):
            await server.get(client, validators=Validators(b'"a"'))
    assert [number for number, _ in server.heard] == [1, 1, 1]


async def test_a_connection_with_an_unread_body_is_given_up() -> None:
    refusal = b"HTTP/1.1 404 Not Found\r\nContent-Length: 100000\r\n\r\nsorry"
    async with bare(refusal, EMPTY) as (server, client):
        first, second = await server.get(client), await server.get(client)
    assert [type(one) for one in (first, second)] == [FetchFailed, Fetched]
    assert [number for number, _ in server.heard] == [1, 2]


async def test_a_request_that_meets_a_closing_connection_is_sent_once_more() -> None:
    async with bare(EMPTY, b"", EMPTY) as (server, client):
        outcomes = [await server.get(client) for _ in range(2)]
    assert [type(one) for one in outcomes] == [Fetched, Fetched]
    assert [number for number, _ in server.heard] == [1, 1, 2]


async def test_a_server_that_only_hangs_up_is_asked_twice_and_no_more() -> None:
    async with bare(b"", b"", EMPTY) as (server, client):
        outcome = await server.get(client)
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == "connect"
    assert len(server.heard) == 2


async def test_hints_before_the_answer_are_passed_over() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    async with bare(hints + hints + EMPTY) as (server, client):
        assert isinstance(await server.get(client), Fetched)


async def test_hints_without_end_end() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n" * 40_000
    async with bare(hints) as (server, client):
        outcome = await server.get(client)
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == "too_large"


@pytest.mark.parametrize("odd", ["a\r\nX-Other: 1", "a\nb", "a\x00b"])
async def test_a_header_cannot_make_another_one(odd: str) -> None:
    async with bare(EMPTY) as (server, client):
        outcome = await server.get(client, headers=(("X-Key", odd),))
    assert isinstance(outcome, FetchFailed)
    assert server.heard == []
