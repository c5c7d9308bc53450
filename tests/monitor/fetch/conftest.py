"""A scripted server, a client that may reach it, and name lookups that never leave the test."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from monitor.fetch.client import Client
from monitor.fetch.limits import Agent, Limits, Request
from monitor.values import FetchOutcome
from tests.fakes.feed_server import FeedServer

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AGENT = Agent("1.0", "https://newsroom.example/storywatch")
PATIENT = Limits(dns_s=0.5)
"""For all that is not about time: a busy machine must not turn an answer into a timeout."""
QUICK = Limits(deadline_s=1.5, between_reads_s=1.0, first_byte_s=1.0, connect_s=1.0, dns_s=0.5)

Get = Callable[..., Awaitable[FetchOutcome]]


class Names:
    """A name server: what each name leads to, or the error it gives; a list is given out one by one."""

    def __init__(self, **hosts: Any) -> None:
        self.hosts: dict[str, Any] = hosts
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        found = self.hosts.get(host, socket.gaierror(socket.EAI_NONAME, "no such name"))
        if isinstance(found, list) and found and isinstance(found[0], tuple):
            found = found.pop(0) if len(found) > 1 else found[0]
        if isinstance(found, Exception):
            raise found
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in found
        ]


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with FeedServer() as running:
        yield running


@contextlib.asynccontextmanager
async def getting(server: FeedServer, limits: Limits) -> AsyncIterator[Get]:
    """Fetch a path of the server, or a URL, with a client that may reach 127.0.0.1."""
    async with Client(limits, AGENT, allow_hosts=frozenset({"127.0.0.1"})) as client:

        async def fetch(path: str, **fields: Any) -> FetchOutcome:
            url = server.url(path) if path.startswith("/") else path
            return await client.fetch(Request(url, **fields), lambda: NOW)

        yield fetch


@pytest.fixture
async def get(server: FeedServer) -> AsyncIterator[Get]:
    async with getting(server, PATIENT) as fetch:
        yield fetch


@pytest.fixture
async def hurried(server: FeedServer) -> AsyncIterator[Get]:
    """`get` with little time."""
    async with getting(server, QUICK) as fetch:
        yield fetch
