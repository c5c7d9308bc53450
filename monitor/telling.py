"""The telling half as one job: plan slots, build what is due, send what is ready. Called by `daemon`, `replay`, `demo`.

What is told, to whom and when is decided in `alerts`; here it is only set to work, off the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from datetime import datetime

from sqlalchemy import Engine

from alerts import pipeline, route
from alerts.channels.base import Channel
from alerts.values import Coverage
from monitor import metrics


class Teller:
    """One piece of work on desk and courier.

    `coverage` says what is being watched at the time a digest is made. Digests are made on the `writer`'s thread, so
    that the event loop never waits for its transactions; without one, on the caller's.
    """

    def __init__(
        self,
        desk: pipeline.Desk,
        courier: pipeline.Courier,
        coverage: Callable[[], Coverage | None],
        writer: Executor | None = None,
    ) -> None:
        self._desk = desk
        self._courier = courier
        self._coverage = coverage
        self._writer = writer

    async def work(self, now: datetime) -> int:
        """Do all that is due at `now`; returns how many sendings were attempted."""
        if self._writer is None:
            self._build(now)
        else:
            await asyncio.get_running_loop().run_in_executor(self._writer, self._build, now)
        attempts = await self._courier.send_due(now)
        metrics.deliveries.inc(attempts)
        return attempts

    def _build(self, now: datetime) -> None:
        self._desk.open_slots(now)
        self._desk.build_due(now, self._coverage())

    def replan(self, desk: pipeline.Desk, courier: pipeline.Courier) -> None:
        """Tell by another plan from now on. What is being sent just now ends as it began."""
        self._courier.stop()
        self._desk, self._courier = desk, courier

    def next_due(self) -> datetime | None:
        """When there is something to do next."""
        times = [at for at in (self._desk.next_due(), self._courier.next_due()) if at is not None]
        return min(times, default=None)

    def recover(self, now: datetime) -> int:
        """Take over what a dead process was sending."""
        return self._courier.recover(now)

    def stop(self) -> None:
        """Claim nothing more."""
        self._courier.stop()


def teller(
    engine: Engine,
    plan: route.Plan,
    channels: Mapping[str, Channel],
    coverage: Callable[[], Coverage | None],
    writer: Executor | None = None,
) -> Teller:
    """Make the telling half work on a database, with these channels."""
    return Teller(pipeline.Desk(engine, plan, channels), pipeline.Courier(engine, plan, channels), coverage, writer)
