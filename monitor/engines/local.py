"""The engine inside the process: a task of the event loop for each shard, a bounded number of them at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from monitor.engines.dispatcher import Failures, RunShard, StopReport
from monitor.values import Shard

log = structlog.get_logger(__name__)


class Local:
    """A queue in memory; `slots` jobs run at once. `counts` says whether an error is a fault that may be hopeless."""

    def __init__(
        self,
        slots: int,
        on_hopeless: Callable[[str], None] = lambda _: None,
        counts: Callable[[Exception], bool] = lambda _: True,
    ) -> None:
        self._slots = slots
        self._on_hopeless = on_hopeless
        self._counts = counts
        self._failures = Failures()
        self._run: RunShard | None = None
        self._queued: deque[Shard] = deque()
        self._running: dict[Shard, asyncio.Task[None]] = {}

    @property
    def is_ready(self) -> bool:
        """Whether offered jobs run."""
        return self._run is not None

    async def start(self, run_shard: RunShard) -> None:
        """Begin to run what is offered."""
        self._run = run_shard
        self._fill()

    async def offer(self, shards: Sequence[Shard]) -> int:
        """Queue those that are neither queued nor running."""
        known = {*self._queued, *self._running}
        fresh = [shard for shard in dict.fromkeys(shards) if shard not in known]
        self._queued.extend(fresh)
        self._fill()
        return len(fresh)

    async def stop(self, within: timedelta) -> StopReport:
        """Forget what is queued and wait for what runs; cut the rest."""
        self._run = None
        self._queued.clear()
        running = set(self._running.values())
        if not running:
            return StopReport()
        _, late = await asyncio.wait(running, timeout=within.total_seconds())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return StopReport(len(late))

    def _fill(self) -> None:
        while self._run is not None and self._queued and len(self._running) < self._slots:
            shard = self._queued.popleft()
            self._running[shard] = asyncio.create_task(self._one(self._run, shard), name=f"shard {shard}")

    async def _one(self, run_shard: RunShard, shard: Shard) -> None:
        try:
            await run_shard(shard)
            self._failures.clear()
        except Exception as exc:  # one job's fault must not stop another; it is offered again by the next tick
            log.exception("shard_failed", shard=shard, error=str(exc))
            if self._counts(exc) and self._failures.note():
                self._on_hopeless("shard")
        finally:
            del self._running[shard]
            self._fill()
