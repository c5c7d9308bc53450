"""The tick: jobs run again and again, one does not run beside itself, a failing one is counted, clocks may jump."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from monitor.engines import tick

SOON = timedelta(milliseconds=30)


@asynccontextmanager
async def ticking(
    *hopeless: list[str], wall: Callable[[], float] = time.time, **jobs: tick.Job
) -> AsyncIterator[tick.Tick]:
    told = hopeless[0] if hopeless else []
    ticks = tick.Tick(jobs, told.append, wall=wall, watch_every=SOON)
    ticks.start()
    try:
        yield ticks
    finally:
        ticks.stop()
        await asyncio.sleep(0)


async def until(happened: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110  what is waited for knows nothing of us
            await asyncio.sleep(0.01)


def counting(runs: list[float]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        runs.append(time.monotonic())

    return run


async def test_every_job_runs_again_and_again_and_none_at_once() -> None:
    fast: list[float] = []
    slow: list[float] = []
    began = time.monotonic()
    async with ticking(fast=tick.Job(counting(fast), SOON), slow=tick.Job(counting(slow), timedelta(hours=1))):
        await until(lambda: len(fast) >= 3)
    assert fast[0] - began >= 0.02
    assert slow == []


async def test_a_run_that_is_still_going_is_not_started_twice() -> None:
    most, going, ended = 0, 0, 0

    async def run() -> None:
        nonlocal most, going, ended
        going += 1
        most = max(most, going)
        await asyncio.sleep(0.12)
        going -= 1
        ended += 1

    async with ticking(job=tick.Job(run, SOON)) as ticks:
        await until(lambda: ended >= 2)
        ticks.pause()
        assert await ticks.finish(timedelta(seconds=5)) == 0
    assert most == 1


async def test_a_job_that_may_overlap_runs_beside_its_slow_run_up_to_its_number() -> None:
    most, going = 0, 0
    free = asyncio.Event()

    async def run() -> None:
        nonlocal most, going
        going += 1
        most = max(most, going)
        await free.wait()
        going -= 1

    async with ticking(job=tick.Job(run, SOON, at_once=2)) as ticks:
        await until(lambda: most == 2)
        await asyncio.sleep(0.1)
        ticks.pause()
        free.set()
        assert await ticks.finish(timedelta(seconds=5)) == 0
    assert most == 2


async def test_finish_waits_for_what_is_going_and_says_what_did_not_end() -> None:
    began, done = asyncio.Event(), []

    async def run() -> None:
        began.set()
        await asyncio.sleep(0.2)
        done.append(1)

    async with ticking(job=tick.Job(run, SOON)) as ticks:
        await began.wait()
        ticks.pause()
        assert await ticks.finish(timedelta(seconds=0.01)) == 1
        assert await ticks.finish(timedelta(seconds=5)) == 0
    assert done == [1]


async def test_a_job_that_fails_five_times_in_a_minute_is_hopeless_and_stops_no_other() -> None:
    other: list[float] = []
    hopeless: list[str] = []
    failures = 0

    async def fail() -> None:
        nonlocal failures
        failures += 1
        raise ValueError("no luck")

    with capture_logs() as logged:
        async with ticking(hopeless, bad=tick.Job(fail, SOON), good=tick.Job(counting(other), SOON)):
            await until(lambda: bool(hopeless))
            assert failures == 5
            await until(lambda: len(other) >= 5)
    assert set(hopeless) == {"bad"}
    assert logged[0] | {"event": "job_failed", "job": "bad", "error": "no luck"} == logged[0]


async def test_a_success_between_failures_starts_the_count_anew() -> None:
    runs = 0
    hopeless: list[str] = []

    async def sometimes() -> None:
        nonlocal runs
        runs += 1
        if runs % 4:
            raise ValueError("not this time")

    with capture_logs():
        async with ticking(hopeless, job=tick.Job(sometimes, timedelta(milliseconds=10))):
            await until(lambda: runs >= 9)
    assert hopeless == []


async def test_a_job_is_late_after_three_of_its_intervals_without_success() -> None:
    async def fail() -> None:
        raise ValueError("never")

    runs: list[float] = []
    with capture_logs():
        ticks = tick.Tick({"bad": tick.Job(fail, SOON)}, lambda _: None, wall=time.time)
        assert ticks.is_late("bad")
        async with ticking(bad=tick.Job(fail, SOON), good=tick.Job(counting(runs), timedelta(seconds=2))) as ticks:
            assert not ticks.is_late("bad")
            await until(lambda: ticks.is_late("bad"))
            assert not ticks.is_late("good")


async def test_a_jump_of_the_wall_clock_is_said_and_the_jobs_wait_their_interval_from_then() -> None:
    jumps = iter(range(0, 10**9, 3600))
    runs: list[float] = []
    with capture_logs() as logged:
        async with ticking(wall=lambda: time.time() - next(jumps), job=tick.Job(counting(runs), timedelta(seconds=1))):
            await asyncio.sleep(1.3)
    assert {line["event"] for line in logged} == {"clock_jumped"}
    assert logged[0]["seconds"] == -3600
    assert runs == []


async def test_a_steady_clock_reschedules_nothing() -> None:
    runs: list[float] = []
    with capture_logs() as logged:
        async with ticking(job=tick.Job(counting(runs), timedelta(milliseconds=100))):
            await until(lambda: len(runs) >= 2)
    assert logged == []


LOST = {
    "the machine slept for nine hours": (9 * 3600, ["lost", "run"]),
    "its clock was put forward": (3600, ["lost", "run"]),
    "its clock was set back": (-3600, ["run"]),
    "its clock was set right by a second": (1, ["run"]),
}


@pytest.mark.parametrize(("seconds", "heard"), LOST.values(), ids=LOST)
async def test_lost_time_is_heard_of_before_any_job_runs_again(seconds: float, heard: list[str]) -> None:
    told: list[str] = []
    ahead = 0.0

    async def run() -> None:
        told.append("run")

    with capture_logs():
        ticks = tick.Tick(
            {"job": tick.Job(run, SOON)},
            lambda _: None,
            wall=lambda: time.time() + ahead,
            on_lost=lambda: told.append("lost"),
        )
        ticks.start()
        await until(lambda: bool(told))
        told, ahead = [], seconds
        await until(lambda: "run" in told)
        ticks.stop()
        await asyncio.sleep(0)
    assert told[: len(heard)] == heard
    assert told.count("lost") == heard.count("lost")
