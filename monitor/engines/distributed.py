"""The engine of several processes: PgQueuer, a queue in the Postgres that is there anyway. Its only importer.

A job is a shard's number under the key `shard:<n>`, which is unique over queued and running jobs: offering twice is
harmless. The queue is no fence: a stalled worker's job is started again elsewhere and both may run to their end, so
runs and tokens decide (`monitor.store.shards`). Its tables may be emptied at any time: the next tick offers again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import chain, repeat
from typing import Any

import psycopg
import structlog
from pgqueuer.adapters.drivers.psycopg import PsycopgDriver
from pgqueuer.adapters.persistence import qb, queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain import settings
from pgqueuer.domain.models import Job
from psycopg import conninfo

from monitor import metrics
from monitor.engines.dispatcher import Failures, RunShard, StopReport
from monitor.errors import StoreError, StoreUnreachable
from monitor.store.engine import plain_url
from monitor.values import Shard

log = structlog.get_logger(__name__)
SCHEMA = "pgqueuer"
HEARTBEAT = timedelta(seconds=8)
"""A dead worker's shards run elsewhere within ten seconds; more would be slower, less would start jobs twice."""
_DEQUEUE = timedelta(seconds=2)
_LOG_KEPT = timedelta(hours=1)
_LOG_CHUNK = 10_000
_PAUSES = (1, 2, 5, 10)
_LAST_PAUSE = 30
_STEADY_S = 60.0
_TO_WRITE_S = 3.0
_ENTRYPOINT = "shard"
_LOCK = 8003
_APPLICATION = "storywatch/engine"
_AWAY = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)
"""What passes by itself: no database, or one that takes no changes for now. A new connection may find otherwise."""


class Distributed:
    """Offers jobs to all processes, and runs `slots` of them in this one; a process of 0 slots only offers.

    `url` is an address without a transaction pooler before it: notifications and prepared statements need a session.
    """

    def __init__(
        self,
        url: str,
        slots: int,
        on_hopeless: Callable[[str], None] = lambda _: None,
        counts: Callable[[Exception], bool] = lambda _: True,
        *,
        heartbeat: timedelta = HEARTBEAT,
    ) -> None:
        self._url = url
        self._slots = slots
        self._on_hopeless = on_hopeless
        self._counts = counts
        self._heartbeat = heartbeat
        self._failures = Failures()
        self._manager: QueueManager | None = None
        self._offers: psycopg.AsyncConnection[Any] | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._bodies: set[asyncio.Task[Any]] = set()
        self._stopping = False

    @property
    def is_ready(self) -> bool:
        """Whether jobs that are offered can run here; of a process that only offers, whether it runs at all."""
        return self._supervisor is not None and (self._slots == 0 or self._manager is not None)

    async def start(self, run_shard: RunShard) -> None:
        """Begin to run what is offered, here and elsewhere."""
        self._supervisor = asyncio.create_task(self._supervise(run_shard), name="pgqueuer")

    async def offer(self, shards: Sequence[Shard]) -> int:
        """Queue those that are neither queued nor running anywhere; 0 while the database is away or takes no changes.

        Errors: psycopg.Error when the queue itself is at fault.
        """
        names = list(dict.fromkeys(shards))
        if not names or self._stopping:
            return 0
        try:
            queue = _queries(await self._offering())
            taken = await queue.enqueue(
                [_ENTRYPOINT] * len(names),
                [str(shard).encode() for shard in names],
                [0] * len(names),
                dedupe_key=[f"shard:{shard}" for shard in names],
                on_conflict="skip",
            )
        except _AWAY as exc:
            log.warning("offer_failed", error=_line(exc))
            await self._forget_offers()
            return 0
        return sum(job is not None for job in taken)

    async def stop(self, within: timedelta) -> StopReport:
        """Take nothing new, let running jobs end; what is cut is started elsewhere when its heartbeats have stopped."""
        self._stopping = True
        cut = 0
        if self._supervisor is not None:
            if self._manager is not None:
                self._manager.shutdown.set()
            else:
                self._supervisor.cancel()
            _, late = await asyncio.wait({self._supervisor}, timeout=within.total_seconds())
            if late:
                cut = await self._cut(self._supervisor)
            self._supervisor = None
        await self._forget_offers()
        return StopReport(cut)

    async def _cut(self, supervisor: asyncio.Task[None]) -> int:
        """End the bodies first: the queue's loop waits for them even when it is cancelled itself."""
        bodies = set(self._bodies)
        for body in bodies:
            body.cancel()
        _, late = await asyncio.wait({supervisor}, timeout=_TO_WRITE_S)
        if late:
            supervisor.cancel()
            await asyncio.wait({supervisor}, timeout=_TO_WRITE_S)
        return len(bodies)

    async def tidy(self) -> int:
        """Delete old lines of the queue's log, which never does so itself; a chunk at a time."""
        gone = 0
        table = f"{SCHEMA}.pgqueuer_log"
        while not self._stopping:
            connection = await self._offering()
            done = await connection.execute(
                f"delete from {table} where ctid in "  # noqa: S608  a constant
                f"(select ctid from {table} where created < now() - %s limit {_LOG_CHUNK})",
                (_LOG_KEPT,),
            )
            gone += done.rowcount
            if done.rowcount < _LOG_CHUNK:
                break
            await asyncio.sleep(0.1)
        return gone

    # ------------------------------------------------------------------------------------------------ running

    async def _supervise(self, run_shard: RunShard) -> None:
        """Run the queue's loop again whenever it ends: with its connection it ends, too."""
        if not self._slots:
            return
        loop = asyncio.get_running_loop()
        pauses = chain(_PAUSES, repeat(_LAST_PAUSE))
        while not self._stopping:
            began = loop.time()
            try:
                await self._run(run_shard)
            except (*_AWAY, OSError, StoreError) as exc:
                log.warning("engine_lost", error=_line(exc))
            except Exception as exc:  # a fault of the engine or of its tables: tried again, and counted
                log.exception("engine_failed", error=str(exc))
                if self._failures.note():
                    self._on_hopeless("engine")
            finally:
                self._manager = None
                if not self._stopping:
                    metrics.engine_restarts.inc()
            if loop.time() - began > _STEADY_S:
                pauses = chain(_PAUSES, repeat(_LAST_PAUSE))
            if not self._stopping:
                await asyncio.sleep(next(pauses))

    async def _run(self, run_shard: RunShard) -> None:
        async with await _connect(self._url) as connection, await _connect(self._url) as ears:
            manager = QueueManager(_queries(connection, ears), channel=_settings().channel)
            manager.entrypoint(_ENTRYPOINT, accepts_context=False)(self._body(run_shard))
            self._manager = manager
            batch = max(self._slots // 2, 1)
            await manager.run(
                dequeue_timeout=_DEQUEUE,
                batch_size=batch,
                max_concurrent_tasks=max(self._slots, 2 * batch),
                heartbeat_timeout=self._heartbeat,
                log_aggregation_interval=timedelta(),
            )

    def _body(self, run_shard: RunShard) -> Callable[[Job], Awaitable[None]]:
        async def body(job: Job) -> None:
            shard, task = Shard(int(job.payload or b"0")), asyncio.current_task()
            assert task is not None
            self._bodies.add(task)
            task.add_done_callback(self._bodies.discard)
            try:
                await run_shard(shard)
                self._failures.clear()
            except Exception as exc:  # one job's fault must not stop another; it is offered again by the next tick
                log.exception("shard_failed", shard=shard, error=str(exc))
                if self._counts(exc) and self._failures.note():
                    self._on_hopeless("shard")

        return body

    async def _offering(self) -> psycopg.AsyncConnection[Any]:
        if self._offers is None or self._offers.closed:
            self._offers = await _connect(self._url)
        return self._offers

    async def _forget_offers(self) -> None:
        connection, self._offers = self._offers, None
        if connection is not None:
            with suppress(psycopg.Error):
                await connection.close()


async def install(url: str) -> None:
    """Make or upgrade the queue's tables, one process at a time.

    Errors: StoreError, StoreUnreachable.
    """
    async with await _connect(url) as connection:
        await connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        try:
            queue = _queries(connection)
            if await queue.schema_is_installed():
                await queue.upgrade()
                if await _is_unlogged(connection):
                    await queue.alter_durability()
            else:
                await queue.install()
        except psycopg.Error as exc:
            raise StoreError(f"the tables of the queue could not be made: {_line(exc)}") from exc


async def _is_unlogged(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Whether an earlier version made tables that no replica gets."""
    asked = "select count(*) from pg_class where relnamespace = %s::regnamespace and relpersistence = 'u'"
    found = await (await connection.execute(asked, (SCHEMA,))).fetchone()
    return found is not None and found[0] > 0


async def is_installed(url: str) -> bool:
    """Whether the queue has its tables."""
    async with await _connect(url) as connection:
        return await _queries(connection).schema_is_installed()


async def _connect(url: str) -> psycopg.AsyncConnection[Any]:
    address = conninfo.make_conninfo(plain_url(url), application_name=_APPLICATION, connect_timeout=5)
    try:
        return await psycopg.AsyncConnection.connect(address, autocommit=True)
    except psycopg.OperationalError as exc:
        raise StoreUnreachable(f"the engine's database cannot be reached: {_line(exc)}") from exc


def _settings() -> settings.DBSettings:
    # Whatever the environment says of PgQueuer, these are our tables. Unlogged ones would write less, and a tick fills
    # them again; but on a replica that was made the first server the sequence of their numbers is none any more.
    return settings.DBSettings(db_schema=SCHEMA, durability=settings.Durability.durable)


class _Driver(PsycopgDriver):
    """Listens on a connection of its own: a wait for notices holds its connection, and statements would queue up."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], ears: psycopg.AsyncConnection[Any]) -> None:
        super().__init__(ears)
        self._mouth = PsycopgDriver(connection)

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Rows of a statement."""
        return await self._mouth.fetch(query, *args)

    async def execute(self, query: str, *args: object) -> str:
        """What a statement did."""
        return await self._mouth.execute(query, *args)


def _queries(
    connection: psycopg.AsyncConnection[Any], ears: psycopg.AsyncConnection[Any] | None = None
) -> queries.Queries:
    chosen = _settings()
    return queries.Queries(
        PsycopgDriver(connection) if ears is None else _Driver(connection, ears),
        qbe=qb.QueryBuilderEnvironment(chosen),
        qbq=qb.QueryQueueBuilder(chosen),
        qbs=qb.QuerySchedulerBuilder(chosen),
    )


def _line(exc: BaseException) -> str:
    return " ".join(str(exc).split())
