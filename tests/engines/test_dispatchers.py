"""Every engine keeps the same promises: this process's own, and the queue in Postgres."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from monitor.engines import distributed
from monitor.engines.dispatcher import Dispatcher
from monitor.engines.local import Local
from monitor.store import engine as engines
from monitor.values import Shard, ShardReport

SECOND = timedelta(seconds=1)
ONE, TWO = Shard(1), Shard(2)


class Body:
    """A job under control: it waits for `go`, and fails as often as it is told to."""

    def __init__(self) -> None:
        self.begun: Counter[Shard] = Counter()
        self.ended: Counter[Shard] = Counter()
        self.most = 0
        self.failures = 0
        self.go = asyncio.Event()

    async def __call__(self, shard: Shard) -> ShardReport:
        self.begun[shard] += 1
        self.most = max(self.most, sum((self.begun - self.ended).values()))
        if self.failures:
            self.failures -= 1
            self.ended[shard] += 1
            raise RuntimeError("a fault of one job")
        await self.go.wait()
        self.ended[shard] += 1
        return ShardReport(shard)


async def until(claim: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not claim():  # noqa: ASYNC110  what is waited for is in another process
            await asyncio.sleep(0.02)


@pytest.fixture(params=["local", pytest.param("pgqueuer", marks=pytest.mark.postgres)])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Dispatcher]:
    made: Dispatcher
    if request.param == "local":
        made = Local(4)
    else:
        url = str(request.getfixturevalue("postgres_url"))
        await distributed.install(url)
        made = distributed.Distributed(url, 4)
    yield made
    await made.stop(timedelta())


async def test_what_is_offered_again_while_it_runs_runs_once(engine: Dispatcher) -> None:
    body = Body()
    await engine.start(body)
    assert await engine.offer([ONE, ONE, TWO]) == 2
    await until(lambda: sum(body.begun.values()) == 2)
    assert await engine.offer([ONE, TWO]) == 0
    body.go.set()
    await until(lambda: sum(body.ended.values()) == 2)
    assert body.begun == {ONE: 1, TWO: 1}


async def test_a_job_that_failed_runs_again_when_it_is_offered_again(engine: Dispatcher) -> None:
    body = Body()
    body.failures = 1
    body.go.set()
    await engine.start(body)
    await engine.offer([ONE])
    await until(lambda: body.begun[ONE] == 1)
    async with asyncio.timeout(30):
        while body.begun[ONE] < 2:  # a finished job's key may stand a moment longer
            await engine.offer([ONE])
            await asyncio.sleep(0.05)


async def test_a_stop_waits_for_what_runs(engine: Dispatcher) -> None:
    body = Body()
    await engine.start(body)
    await engine.offer([ONE])
    await until(lambda: body.begun[ONE])
    stopping = asyncio.create_task(engine.stop(30 * SECOND))
    await asyncio.sleep(0)
    body.go.set()
    report = await stopping
    assert (report.cut, body.ended[ONE]) == (0, 1)


async def test_a_stop_cuts_what_does_not_end_in_time_and_says_so(engine: Dispatcher) -> None:
    body = Body()
    await engine.start(body)
    await engine.offer([ONE])
    await until(lambda: body.begun[ONE])
    report = await engine.stop(timedelta(seconds=0.1))
    assert (report.cut, body.ended[ONE]) == (1, 0)


async def test_no_more_jobs_run_at_once_than_there_are_slots(engine: Dispatcher) -> None:
    body = Body()
    await engine.start(body)
    await engine.offer([Shard(n) for n in range(12)])
    await until(lambda: sum(body.begun.values()) >= 4)
    body.go.set()
    await until(lambda: sum(body.ended.values()) == 12)
    assert (body.most, max(body.begun.values())) == (4, 1)


async def test_ten_thousand_offers_are_as_many_jobs_as_there_are_shards(engine: Dispatcher) -> None:
    body = Body()
    everything = [Shard(n) for n in range(500)]
    await engine.start(body)
    taken = [await engine.offer(everything) for _ in range(20)]
    assert (taken[0], sum(taken)) == (500, 500)
    body.go.set()
    await until(lambda: sum(body.ended.values()) == 500)
    assert set(body.begun.values()) == {1}


async def test_a_fault_that_comes_back_five_times_in_a_minute_is_hopeless() -> None:
    told: list[str] = []
    engine, body = Local(4, told.append), Body()
    body.failures = 5
    await engine.start(body)
    for _ in range(5):
        await engine.offer([ONE])
        await until(lambda: not engine._running)
    assert told == ["shard"]


@pytest.mark.postgres
async def test_the_queues_log_is_emptied_of_what_is_old_in_chunks(postgres_url: str) -> None:
    """It never does so itself, and would have ten million lines in a week."""
    await distributed.install(postgres_url)
    made = distributed.Distributed(postgres_url, 4)
    log = "insert into pgqueuer.pgqueuer_log (job_id, status, entrypoint, priority, created)"
    of = "select n, 'successful', 'shard', 0, now() - interval '{}' from generate_series(1, {}) n"
    engine = engines.open_engine(postgres_url, pool=1)
    try:
        with engine.begin() as connection:
            connection.execute(text(f"{log} {of.format('2 hours', 25_000)}"))
            connection.execute(text(f"{log} {of.format('10 minutes', 7)}"))
        assert await made.tidy() == 25_000
        with engines.reading(engine) as connection:
            assert connection.execute(text("select count(*) from pgqueuer.pgqueuer_log")).scalar_one() == 7
    finally:
        engine.dispose()
        await made.stop(timedelta())


@pytest.mark.postgres
async def test_a_queue_that_no_replica_would_get_is_made_one_that_is_copied(postgres_url: str) -> None:
    await distributed.install(postgres_url)
    engine = engines.open_engine(postgres_url, pool=1)
    unlogged = text(
        "select count(*) from pg_class where relnamespace = 'pgqueuer'::regnamespace and relpersistence = 'u'"
    )
    try:
        with engine.begin() as connection:
            assert connection.execute(unlogged).scalar_one() == 0
            connection.execute(text("alter table pgqueuer.pgqueuer set unlogged"))
            assert connection.execute(unlogged).scalar_one() > 0
        await distributed.install(postgres_url)
        with engines.reading(engine) as connection:
            assert connection.execute(unlogged).scalar_one() == 0
    finally:
        engine.dispose()
