"""The seam to whatever runs jobs: this process's event loop (`local`), or a queue in Postgres (`distributed`).

A job is a shard's number and nothing else. The queue is never the truth: losing all of it costs one tick. Called by
`daemon`; one suite of tests holds for every engine.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from monitor.values import Shard, ShardReport

RunShard = Callable[[Shard], Awaitable[ShardReport]]
TOO_MANY_FAILURES = 5
FAILURE_WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class StopReport:
    """How a stop ended: jobs that were cut because they did not end in time."""

    cut: int = 0


class Dispatcher(Protocol):
    """Runs shard jobs somewhere."""

    async def start(self, run_shard: RunShard) -> None:
        """Begin to run what is offered."""

    async def offer(self, shards: Sequence[Shard]) -> int:
        """Ask for jobs; returns how many were taken. The rest is queued or running already."""

    async def stop(self, within: timedelta) -> StopReport:
        """Take nothing new, let running jobs end, say what was cut."""

    @property
    def is_ready(self) -> bool:
        """Whether offered jobs can run now."""


@dataclass(slots=True)
class Failures:
    """Counts failures of a job that come back: five in a minute are a bad deploy and no bad luck."""

    recent: list[float] = field(default_factory=list)

    def note(self) -> bool:
        """Count one; says whether there is no hope."""
        now = time.monotonic()
        self.recent = [at for at in self.recent if now - at < FAILURE_WINDOW_S] + [now]
        return len(self.recent) >= TOO_MANY_FAILURES

    def clear(self) -> None:
        """A job went well."""
        self.recent = []
