"""What is done again and again beside polling: sending, pages, coverage, pruning, search, the dead man's switch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import Connection, Engine

from monitor import supervisor
from monitor.config import secrets
from monitor.daemon.running import Role, Running
from monitor.engines import tick
from monitor.errors import LeaseLost, StoreError, StoreNotWritable
from monitor.fetch import limits
from monitor.jobs import coverage, upkeep
from monitor.store import engine as engines
from monitor.store import search
from monitor.values import FetchFailed

log = structlog.get_logger(__name__)
_SEND_EVERY = timedelta(seconds=5)
_PAGES_EVERY = timedelta(seconds=15)
_COVERAGE_EVERY = timedelta(seconds=60)
_CHANNELS = 8
_PING_EVERY = timedelta(seconds=60)
_PRUNE_EVERY = timedelta(hours=1)
_INDEX_EVERY = timedelta(seconds=30)
_CANARY_EVERY = timedelta(seconds=30)
_CLOCK_EVERY = timedelta(seconds=30)
_LOOK_EVERY = timedelta(seconds=5)


def jobs(running: Running) -> dict[str, tick.Job]:
    """What is done by the clock; some of it by the process that leads only."""
    channels = len(running.config.alerts_raw.get("channels") or {})
    # What a reload may add is reckoned with: at most so many channels are sent over at once.
    return {
        "tick": tick.Job(partial(poll_due, running), running.config.engine.tick),
        # A slow channel keeps its run open; the others are served by a run beside it.
        "send": tick.Job(running.work_alerts, _SEND_EVERY, at_once=max(channels, _CHANNELS) + 1),
        "pages": tick.Job(partial(_read_pages, running), _PAGES_EVERY),
        "coverage": tick.Job(_led(running, _watch_the_watching), _COVERAGE_EVERY),
        "prune": tick.Job(_led(running, _prune), _PRUNE_EVERY),
        "ping": tick.Job(_led(running, _ping), _PING_EVERY),
        "search": tick.Job(_led(running, _index), _INDEX_EVERY),
        "canary": tick.Job(_led(running, _keep_canary), _CANARY_EVERY),
        "clock": tick.Job(partial(asyncio.to_thread, running.compare_clocks), _CLOCK_EVERY),
        "database": tick.Job(_Lookout(running.engine).look, _LOOK_EVERY),
    }


class _Lookout:
    """Looks whether the database is there and takes changes, and says once when it does not and once when it does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._is_lost = False

    async def look(self) -> None:
        """Look once."""
        try:
            await asyncio.to_thread(engines.check_writable, self._engine)
        except StoreError as exc:
            if not self._is_lost:
                hint = "nothing is polled or sent meanwhile; that goes on by itself"
                log.error("database_lost", message=str(exc), hint=hint)
            self._is_lost = True
        else:
            if self._is_lost:
                log.info("database_back")
            self._is_lost = False


def why_not_ready(running: Running, is_late: Callable[[], bool]) -> str | None:
    """Name what keeps the daemon from working, None when nothing does. Asks the database."""
    if running.stopping.is_set():
        return "stopping"
    try:
        engines.check_writable(running.engine)
    except StoreNotWritable:
        return "database_not_writable"
    except StoreError:
        return "database_unreachable"
    if not running.dispatcher.is_ready:
        return "engine_lost"
    if running.leader.is_missing:
        return "no_leader"
    return "tick_late" if is_late() else None


async def poll_due(running: Running) -> None:
    """Ask what is due and have it polled: by whichever process is free, on behalf of the one that leads."""
    if running.stopping.is_set():
        return
    if running.poller.is_cut_off:
        await running.poller.tick()  # one host a minute, until one answers
    else:
        if running.must_spread and running.leader.is_leader:
            await _spread(running)
        await offer_due(running)


async def offer_due(running: Running) -> bool:
    """Offer what is due to the engine; whether there was anything."""
    return running.leader.is_leader and await running.dispatcher.offer(await running.shards.due()) > 0


async def _spread(running: Running) -> None:
    """Ask later, and not at once, for what fell due while the machine slept or seems to have by its clock."""
    running.must_spread = False
    await asyncio.to_thread(running.compare_clocks)
    log.info("spread_overdue", feeds=await running.poller.spread_overdue())


async def _read_pages(running: Running) -> None:
    if not running.stopping.is_set() and running.role is not Role.WEB:
        await running.pages.work()


async def _ping(running: Running) -> None:
    """Tell a dead man's switch that all is well: it raises the alarm when this stops."""
    if running.config.canary.ping is None or why_not_ready(running, lambda: False) is not None:
        return
    address = secrets.reveal(running.config.canary.ping, running.environ)
    outcome = await running.client.fetch(limits.Request(address), running.now)
    if isinstance(outcome, FetchFailed):
        log.warning("ping_failed", reason=outcome.reason)  # the address may be a secret


def _led(running: Running, work: Callable[[Running], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Do something only while this process leads; one that does no more finds it out at its next statement."""

    async def when_leading() -> None:
        if not running.leader.is_leader or running.stopping.is_set():
            return
        try:
            await work(running)
        except LeaseLost as lost:
            log.warning("leads_no_more", message=str(lost))

    return when_leading


async def _watch_the_watching(running: Running) -> None:
    """Say so when a watch sees too few of its feeds."""

    def work() -> None:
        with running.engine.begin() as connection:
            running.leader.check(connection)
            coverage.check(connection, running.config, running.context.knowledge.plan, running.now())

    await asyncio.get_running_loop().run_in_executor(running.writer, work)


async def _keep_canary(running: Running) -> None:
    await running.keeper.work(running.config)


def pulse(told: supervisor.Supervisor) -> dict[str, tick.Job]:
    """Feed the supervisor's watchdog from where everything else is started: when that stands still, so does this."""

    async def beat() -> None:
        told.alive()

    return {} if told.pulse_s is None else {"pulse": tick.Job(beat, timedelta(seconds=told.pulse_s))}


async def _prune(running: Running) -> None:
    keep, loop = running.config.storage.keep, asyncio.get_running_loop()
    pruning = await loop.run_in_executor(running.writer, partial(upkeep.begin, running.engine, running.now(), keep))
    more = True
    while more and not running.stopping.is_set():
        more = await loop.run_in_executor(running.writer, pruning.step)
        await asyncio.sleep(0.1)
    tidy = getattr(running.dispatcher, "tidy", None)  # the queue's own log, where there is a queue
    if tidy is not None:
        await tidy()


async def _index(running: Running) -> None:
    """Let the page's search find what is new and what was revised."""

    def work(step: Callable[[Connection], int]) -> int:
        with running.engine.begin() as connection:
            return step(connection)

    loop = asyncio.get_running_loop()
    more = 1
    while more and not running.stopping.is_set():
        more = await loop.run_in_executor(running.writer, work, search.catch_up)
        await asyncio.sleep(0.1)
    await loop.run_in_executor(running.writer, work, partial(search.refresh, now=running.now()))
