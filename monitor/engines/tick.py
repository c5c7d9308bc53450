"""The only importer of APScheduler: a few interval jobs in memory that ask "what is due?".

Due times are rows in the database, never jobs here: one scheduler job per feed costs a minute to add ten thousand and
stalls the event loop for seconds. Called by `daemon`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

log = structlog.get_logger(__name__)
_WATCH_EVERY_S = 10.0
_JUMP_S = 30.0
_TOO_MANY_FAILURES = 5
_FAILURE_WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class Job:
    """Something to call again and again; a run that is still going is never started twice."""

    run: Callable[[], Awaitable[None]]
    every: timedelta


class Tick:
    """Interval jobs that survive late runs and jumps of the wall clock.

    APScheduler counts in wall-clock time: a clock set back an hour stops its jobs for an hour. A watchdog on the
    event loop's monotonic clock compares both and reschedules every job after a jump of more than 30 s.
    """

    def __init__(
        self, jobs: Mapping[str, Job], on_hopeless: Callable[[str], None], *, wall: Callable[[], float]
    ) -> None:
        self._jobs = jobs
        self._on_hopeless = on_hopeless
        self._wall = wall
        self._failures: dict[str, list[float]] = {name: [] for name in jobs}
        self._scheduler = AsyncIOScheduler(
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._watch: asyncio.TimerHandle | None = None
        self._last = (0.0, 0.0)
        self.last_run = 0.0

    def start(self) -> None:
        """Begin ticking; the first run of each job follows after its interval."""
        for name, job in self._jobs.items():
            self._scheduler.add_job(self._run, IntervalTrigger(seconds=job.every.total_seconds()), args=[name], id=name)
        self._scheduler.start()
        self._last = (self._wall(), time.monotonic())
        self._watch = asyncio.get_running_loop().call_later(_WATCH_EVERY_S, self._check_clock)

    def pause(self) -> None:
        """Start no new run; running ones go on."""
        self._scheduler.pause()

    def stop(self) -> None:
        """End the scheduler. Call it only when the runs have ended: it cancels what is still going."""
        if self._watch is not None:
            self._watch.cancel()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def _run(self, name: str) -> None:
        try:
            await self._jobs[name].run()
            self._failures[name].clear()
            self.last_run = time.monotonic()
        except Exception as exc:  # one job's fault must not end the tick; it is logged and counted
            log.exception("job_failed", job=name, error=str(exc))
            self._count_failure(name)

    def _count_failure(self, name: str) -> None:
        now = time.monotonic()
        recent = [at for at in self._failures[name] if now - at < _FAILURE_WINDOW_S] + [now]
        self._failures[name] = recent
        if len(recent) >= _TOO_MANY_FAILURES:
            self._on_hopeless(name)

    def _check_clock(self) -> None:
        wall, monotonic = self._wall(), time.monotonic()
        jumped = (wall - self._last[0]) - (monotonic - self._last[1])
        if abs(jumped) > _JUMP_S:
            log.warning("clock_jumped", seconds=round(jumped))
            for name, job in self._jobs.items():
                self._scheduler.reschedule_job(name, trigger=IntervalTrigger(seconds=job.every.total_seconds()))
        self._last = (wall, monotonic)
        self._watch = asyncio.get_running_loop().call_later(_WATCH_EVERY_S, self._check_clock)


def describe(jobs: Mapping[str, Job]) -> dict[str, Any]:
    """The jobs and their intervals in seconds, for the start line."""
    return {name: job.every.total_seconds() for name, job in jobs.items()}
