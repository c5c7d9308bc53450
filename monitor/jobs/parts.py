"""What the jobs work with, put together by `daemon`, `demo` and the benches in the same way; and what a round did."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection, Engine

from monitor import parser_pool, understanding
from monitor.config.values import FeedConfig
from monitor.fetch import client, hosts
from monitor.jobs.writing import GroupWriter

T = TypeVar("T")
LEASE = timedelta(seconds=90)
"""Twice the total deadline of a fetch: after it another worker may take the feed."""


def _already() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of polling. Everything that writes runs on `writer`, one thread; the rest on the event loop.

    `at_once` fetches are open at most, none begins with less than `deadline` left of its claim. What is asked is not
    read before the context is `understood`: a start asks first and learns meanwhile.
    """

    engine: Engine
    writer: Executor
    client: client.Client
    gate: hosts.HostGate
    parsers: parser_pool.ParserPool
    context: understanding.Context
    feeds: Mapping[str, FeedConfig]
    own_hosts: frozenset[str]
    now: Callable[[], datetime]
    random: random.Random
    environ: Mapping[str, str]
    at_once: int = 32
    deadline: timedelta = timedelta(seconds=45)
    spacing: Callable[[str], float] = lambda _: hosts.SPACING_S
    host_gap: timedelta = timedelta(seconds=hosts.SPACING_S)
    understood: asyncio.Event = field(default_factory=_already)
    _group: GroupWriter = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_group", GroupWriter(self.engine, self.writer))  # frozen, and made of its own fields

    @property
    def most_of_host(self) -> int:
        """How many feeds of one host are claimed together: as many as begin in turn before the claim gets short."""
        return max(1, int((LEASE - self.deadline) / self.host_gap)) if self.host_gap else self.at_once

    async def run(self, work: Callable[[], T]) -> T:
        """Do something on the writer's thread."""
        return await asyncio.get_running_loop().run_in_executor(self.writer, work)

    async def write(self, statement: Callable[[Connection], T]) -> T:
        """Do something in a transaction on the writer's thread, together with whatever else waits for it."""
        return await self._group.write(statement)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A due feed that was not asked, why, and from when it may be."""

    url: str
    reason: str
    until: datetime


@dataclass(slots=True)
class Round:
    """What one round of polls did; filled while it runs."""

    changed: int = 0
    unchanged: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    entries: int = 0
    new: int = 0
    matched: int = 0
    events: int = 0

    @property
    def polled(self) -> int:
        """Feeds that were asked."""
        return self.changed + self.unchanged + len(self.failed)
