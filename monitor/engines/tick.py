"""The only importer of APScheduler: a few interval jobs in memory that ask "what is due?".

Due times are rows in the database, never jobs here: one scheduler job per feed costs a minute to add ten thousand and
stalls the event loop for seconds. Called by `daemon`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from monitor import metrics

if TYPE_CHECKING:
    from apscheduler.triggers.interval import IntervalTrigger

log = structlog.get_logger(__name__)
_JUMP_S = 30.0
_TOO_MANY_FAILURES = 5
_FAILURE_WINDOW_S = 60.0


def load() -> None:
    """Import what `Tick.start` needs, for a caller that does so in a thread: it takes a fifth of a second."""
    import apscheduler.schedulers.asyncio
    import apscheduler.triggers.interval  # noqa: F401


@dataclass(frozen=True, slots=True)
class Job:
    """Something to call again and again, `at_once` runs of it at most: one, unless it may overlap."""

    run: Callable[[], Awaitable[None]]
    every: timedelta
    at_once: int = 1


class Tick:
    """Interval jobs that survive late runs and jumps of the wall clock.

    APScheduler counts in wall-clock time: a clock set back an hour stops its jobs for an hour. A watchdog on the
    event loop's monotonic clock compares both and reschedules every job after a jump of more than 30 s, and after so
    long a stop of the whole process. `on_lost` hears of time in which nobody worked, before any job runs again.
    `counts` says whether an error is a fault that may be hopeless, or one that passes, as a database that is away.
    """

    def __init__(
        self,
        jobs: Mapping[str, Job],
        on_hopeless: Callable[[str], None],
        *,
        wall: Callable[[], float],
        counts: Callable[[Exception], bool] = lambda _: True,
        on_lost: Callable[[], None] = lambda: None,
        watch_every: timedelta = timedelta(seconds=10),
    ) -> None:
        self._jobs = jobs
        self._on_hopeless = on_hopeless
        self._wall = wall
        self._counts = counts
        self._on_lost = on_lost
        self._watch_every_s = watch_every.total_seconds()
        self._going: set[asyncio.Task[Any]] = set()
        self._failures: dict[str, list[float]] = {name: [] for name in jobs}
        self._scheduler: Any = None
        self._watch: asyncio.TimerHandle | None = None
        self._last = (0.0, 0.0)
        self._succeeded: dict[str, float] = {}

    def start(self) -> None:
        """Begin ticking; the first run of each job follows after its interval."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler  # here and below: see `load`

        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None})
        for name, job in self._jobs.items():
            self._scheduler.add_job(self._run, _every(job), args=[name], id=name, max_instances=job.at_once)
        self._scheduler.start()
        self._succeeded = dict.fromkeys(self._jobs, time.monotonic())
        self._last = (self._wall(), time.monotonic())
        self._watch = asyncio.get_running_loop().call_later(self._watch_every_s, self._check_clock)

    def is_late(self, name: str) -> bool:
        """Whether a job has not succeeded for three of its intervals; true before the start."""
        at = self._succeeded.get(name)
        return at is None or time.monotonic() - at > 3 * self._jobs[name].every.total_seconds()

    def pause(self) -> None:
        """Start no new run; running ones go on."""
        if self._scheduler is not None:
            self._scheduler.pause()

    async def finish(self, within: timedelta) -> int:
        """Wait for runs that are going; returns how many did not end in time. Call `pause` first."""
        if not self._going:
            return 0
        _, late = await asyncio.wait(self._going, timeout=within.total_seconds())
        return len(late)

    def stop(self) -> None:
        """End the scheduler. Call it when `finish` has waited for the runs: it cancels what is still going."""
        if self._watch is not None:
            self._watch.cancel()
        if self._scheduler is not None and self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def _run(self, name: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._look_at_clocks()
        self._going.add(task)
        task.add_done_callback(self._going.discard)
        try:
            await self._jobs[name].run()
            self._failures[name].clear()
            self._succeeded[name] = time.monotonic()
            metrics.jobs.labels(name, "done").inc()
        except Exception as exc:  # one job's fault must not end the tick; it is logged and counted
            is_fault = self._counts(exc)
            log.error("job_failed", job=name, error=str(exc), exc_info=is_fault)  # what passes needs no traceback
            metrics.jobs.labels(name, "failed").inc()
            if is_fault:
                self._count_failure(name)

    def _count_failure(self, name: str) -> None:
        now = time.monotonic()
        recent = [at for at in self._failures[name] if now - at < _FAILURE_WINDOW_S] + [now]
        self._failures[name] = recent
        if len(recent) >= _TOO_MANY_FAILURES:
            self._on_hopeless(name)

    def _check_clock(self) -> None:
        self._look_at_clocks()
        self._watch = asyncio.get_running_loop().call_later(self._watch_every_s, self._check_clock)

    def _look_at_clocks(self) -> None:
        """Compare what both clocks say has passed since the last look. Each job looks first: it may be the first."""
        wall, monotonic = self._wall(), time.monotonic()
        passed, lived = wall - self._last[0], monotonic - self._last[1]
        self._last = (wall, monotonic)
        if abs(passed - lived) > _JUMP_S:
            log.warning("clock_jumped", seconds=round(passed - lived))
            metrics.clock_jumps.inc()
        elif lived > self._watch_every_s + _JUMP_S:
            log.warning("stood_still", seconds=round(lived))
        else:
            return
        for name, job in self._jobs.items():
            self._scheduler.reschedule_job(name, trigger=_every(job))
        if passed > 0:
            self._on_lost()


def _every(job: Job) -> IntervalTrigger:
    from apscheduler.triggers.interval import IntervalTrigger

    return IntervalTrigger(seconds=job.every.total_seconds(), timezone=UTC)
