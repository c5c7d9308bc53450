"""The parts of a running daemon, as the jobs, the page and `poll --once` see them. Built by `assembling`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import Engine

from monitor import swapping, telling, understanding
from monitor.config.values import Config
from monitor.engines.dispatcher import Dispatcher
from monitor.engines.leader import Alone, Leads
from monitor.engines.local import Local
from monitor.fetch import client
from monitor.jobs import canary, full_text, polling, sharding


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class Role(StrEnum):
    """What a process does of all that there is to do. `web` shows pages and may lead, `worker` polls and sends."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"


@dataclass(slots=True)
class Running:
    """The parts of a running daemon; also what the page and `poll --once` work with.

    What a reload swaps is in `working`; `learn` reads what is known of languages, outlets and stories, and no answer
    is read before it has; `primes` are the watches that must look through stored entries first; `must_spread` says that
    time was lost, and what fell due in it is not to be asked at once.
    """

    working: swapping.Working
    poller: polling.Poller
    pages: full_text.PageReader
    client: client.Client
    learn: Callable[[], Awaitable[None]]
    primes: Mapping[str, datetime]
    shards: sharding.ShardJob
    keeper: canary.Keeper
    role: Role = field(default_factory=lambda: Role.ALL)
    leader: Leads = field(default_factory=Alone)
    dispatcher: Dispatcher = field(default_factory=lambda: Local(1))
    compare_clocks: Callable[[], None] = lambda: None
    must_spread: bool = False
    exit_code: int = 0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def config(self) -> Config:
        """The configuration in use now."""
        return self.working.config

    @property
    def revision(self) -> int:
        """Its number."""
        return self.working.revision

    @property
    def engine(self) -> Engine:
        """The database."""
        return self.working.engine

    @property
    def context(self) -> understanding.Context:
        """Where the pipeline works."""
        return self.working.context

    @property
    def teller(self) -> telling.Teller:
        """The telling half."""
        return self.working.teller

    @property
    def writer(self) -> Executor:
        """The one thread that writes."""
        return self.working.writer

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock."""
        return self.working.now

    @property
    def environ(self) -> Mapping[str, str]:
        """Where secrets may be kept."""
        return self.working.environ

    def note_lost_time(self) -> None:
        """Time has passed in which nobody worked."""
        self.must_spread = True

    async def work_alerts(self) -> None:
        """Build what is due and send what is ready."""
        await self.teller.work(self.now())
