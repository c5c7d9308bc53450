"""Runs a daemon until it is asked to stop: start, tick, first polls, page; and the same backwards.

Called by `cli`.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import platform
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

import monitor
from monitor import logs, reloading, supervisor, tracing, understanding
from monitor import metrics as measures
from monitor.config import locating
from monitor.config.values import Config
from monitor.daemon import chores, clocks, crew, starting
from monitor.daemon.assembling import assembled
from monitor.daemon.running import Role, Running, utc_now
from monitor.daemon.starting import Start
from monitor.engines import tick
from monitor.errors import ConfigError, Problem, StoreUnreachable
from monitor.store import engine as engines
from monitor.store import filelock, migrate

log = structlog.get_logger(__name__)
INTERNAL = 70
_FOR_POLLS = 2 / 3
"""Of the time to stop in: the rest is for writing and for giving back."""
_AGAIN_S = 1.0
_FOR_A_REQUEST = timedelta(seconds=1)
"""How long the rest of the start waits for the first request to a feed."""


def run(
    path: Path,
    environ: Mapping[str, str],
    *,
    port: int | None = None,
    role: Role = Role.ALL,
    wait: timedelta = starting.PATIENCE,
) -> int:
    """Run until SIGTERM or SIGINT; answers the exit code. A worker has a page only where it is given a `port`.

    A database that does not answer is waited for. Errors: ConfigError, StoreError.
    """
    gc.disable()  # until `settle`: of what a start makes nearly nothing is garbage
    hidden = logs.Known()
    logs.configure(sys.stderr, known=hidden)
    use_uvloop()
    start = starting.start_config(path, environ)
    hidden.values = start.known
    starting.say_problems(start.problems)
    crew.refuse_odd(start.config, locating.url_of(start.config, environ), role)
    work = Work(role, role is not Role.WORKER or port is not None, port, wait)
    tracing.configure(tracing.of(environ, monitor.__version__))
    try:
        return asyncio.run(_run(start, environ, hidden, work))
    finally:
        tracing.tracer().close()


def settle() -> None:
    """Let what was made by now stay for good: to look for garbage among it holds the event loop for 0.2 s each time."""
    gc.freeze()
    gc.enable()


def use_uvloop() -> None:
    """Let asyncio run on uvloop, where it is installed."""
    try:
        import uvloop
    except ImportError:
        log.info("event_loop", loop="asyncio", hint="uvloop is not installed: polls cost 10-30 % more CPU")
        return
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


@dataclass(frozen=True, slots=True)
class Work:
    """What this process is to do.

    A `port` of the command line is none of the configuration: a reload of the file must not find it changed. `wait` is
    for a database that does not answer yet.
    """

    role: Role = Role.ALL
    has_page: bool = True
    port: int | None = None
    wait: timedelta = timedelta()


async def _run(start: Start, environ: Mapping[str, str], hidden: logs.Known, work: Work) -> int:
    url, clock = locating.url_of(start.config, environ), clocks.Clock(utc_now)

    async def reach(engine: Engine) -> None:
        await _reach(engine, start.config, environ, url, work.wait)
        await asyncio.to_thread(clock.compare, engine)

    with filelock.FileLock(url) as lock:
        async with assembled(
            start.config,
            environ,
            url=url,
            now=clock,
            who=start.who,
            text=start.text,
            hidden=hidden,
            reach=reach,
            learns_later=True,
        ) as running:
            lock.note_database()
            running.compare_clocks = partial(clock.compare, running.engine)
            await crew.hire(running, environ, url, work.role, partial(_give_up, running))
            reloader = reloading.Reloader(running.working, start.file, leads=lambda: running.leader.is_leader)
            await _serve(running, reloader, start, work)
            return running.exit_code


async def _reach(engine: Engine, config: Config, environ: Mapping[str, str], url: str, wait: timedelta) -> None:
    """Wait for the database, and refuse one that only a pooler leads to."""
    try:
        await starting.reach(engine, wait)
    except StoreUnreachable as exc:
        if engines.is_refused_by_pooler(exc):
            raise crew.shared_sessions(config, "storage.url") from exc
        raise
    await asyncio.to_thread(crew.refuse_pooler, config, environ, url)


async def tell_start(reloader: reloading.Reloader, start: Start) -> None:
    """Say whether the file is in use; a start on an earlier revision is one to worry about."""
    if start.refused:
        await reloader.refuse(start.content, start.refused, "start")
    else:
        await reloader.in_order()


async def _serve(running: Running, reloader: reloading.Reloader, start: Start, work: Work) -> None:
    doors = _doors(running, work.port) if work.has_page else None
    told = supervisor.of(running.environ)
    ticking = tick.Tick(
        chores.jobs(running) | chores.pulse(told),
        partial(_give_up, running),
        wall=lambda: utc_now().timestamp(),
        counts=lambda error: not engines.is_outage(error),
        on_lost=running.note_lost_time,
    )
    _listen(running, reloader, told)
    await running.leader.start()
    measures.leading.set_function(lambda: running.leader.is_leader)
    measures.leader_missing.set_function(lambda: running.leader.is_missing)
    await running.dispatcher.start(running.shards.run)
    _say_started(running, doors.page if doors is not None else None)
    page = None
    async with reloader.held():
        await _first_polls(running)
        learnt = await _learn(running, reloader, start)
    if learnt:
        page = await _open(running, reloader, start, doors, ticking)
        told.ready(_summary(running))
        await running.stopping.wait()
    told.stopping()
    await _stop(running, reloader, ticking)
    if page is not None:
        await page.stop()
    log.info("stopped")


async def _open(
    running: Running, reloader: reloading.Reloader, start: Start, doors: Doors | None, ticking: tick.Tick
) -> Any:
    """Open the page, if it is wanted, and let everything begin that goes on by the clock."""
    settle()
    await asyncio.to_thread(_load)
    page = await _page(running, doors, partial(ticking.is_late, "tick")) if doors is not None else None
    # From here to `ready` nothing else runs: the first pulse comes after it, the first request finds the tick going.
    ticking.start()
    reloader.start(hashlib.sha256(start.content).hexdigest())
    reloader.prime(running.primes)
    settle()
    return page


async def _learn(running: Running, reloader: reloading.Reloader, start: Start) -> bool:
    """Learn what answers are read by, and say whether the file is in use; False when asked to stop meanwhile.

    The database may go away now as at any other time: then this is done again.
    """
    while not running.stopping.is_set():
        try:
            await running.learn()
            await tell_start(reloader, start)
            return True
        except (DBAPIError, StoreUnreachable) as exc:
            _note_outage(exc, "learning_put_off")
            await asyncio.sleep(_AGAIN_S)
    return False


async def _first_polls(running: Running) -> None:
    """Poll what is due, and leave the processor to the first request: what comes next would stand in its way.

    While the database is away nothing is: the tick asks again.
    """
    try:
        if running.leader.is_leader:
            await running.poller.spread_overdue()
        if await chores.offer_due(running):
            await running.poller.first_request(_FOR_A_REQUEST)
    except (DBAPIError, StoreUnreachable) as exc:
        _note_outage(exc, "first_polls_put_off")


def _note_outage(error: Exception, event: str) -> None:
    """Note an error that says that the database is away, as it may be for a while; raise any other."""
    if not engines.is_outage(error):
        raise error
    log.warning(event, error=str(error).splitlines()[0])


def _load() -> None:
    """Import what a running daemon needs beyond its first polls. In a thread: the event loop would stand still."""
    import watchfiles  # noqa: F401

    tick.load()


@dataclass(frozen=True, slots=True)
class Doors:
    """The sockets people and Prometheus come by."""

    page: Any
    metrics: Any = None


def _doors(running: Running, port: int | None) -> Doors:
    from monitor.web import binding

    web = running.config.web
    binding.refuse_open(web.host, has_login=web.login is not None or web.proxy is not None)
    metrics = binding.bind(*web.metrics, setting="web.metrics") if web.metrics else None
    return Doors(binding.bind(web.host, web.port if port is None else port), metrics)


def _listen(running: Running, reloader: reloading.Reloader, told: supervisor.Supervisor) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _asked_to_stop, running, number)
    loop.add_signal_handler(signal.SIGHUP, _asked_to_reload, running, reloader, told)


async def _page(running: Running, doors: Doors, is_late: Callable[[], bool]) -> Any:
    """The page, at work; None where the process was asked to stop before the database, that went away, came back."""
    seen_by = partial(_sources, running, running.config.web.host, is_late)
    known = running.context.knowledge
    page = None
    while page is None:
        try:
            page = await asyncio.to_thread(_built, running, doors, seen_by)
        except (DBAPIError, StoreUnreachable) as exc:
            _note_outage(exc, "page_waits_for_database")
            if running.stopping.is_set():
                return None
            await asyncio.sleep(_AGAIN_S)
    running.working.pages = lambda config, known: page.prepare(seen_by(config, known))
    if running.context.knowledge is not known:  # reloaded meanwhile
        running.working.pages(running.config, running.context.knowledge)()
    page.start()
    return page


def _built(running: Running, doors: Doors, seen_by: Callable[..., Any]) -> Any:
    # FastAPI costs a third of a second to import: the first polls do not wait for it.
    from monitor.web import server

    return server.Page(doors.page, seen_by(running.config, running.context.knowledge), doors.metrics)


async def _stop(running: Running, reloader: reloading.Reloader, ticking: tick.Tick) -> None:
    """Begin nothing more, let what runs end, give back what is held; the lead last of all."""
    log.info("stopping")
    ticking.pause()
    await reloader.stop()
    running.teller.stop()
    within = running.config.engine.stop_within
    polls, jobs, sending = await asyncio.gather(
        running.poller.stop(within * _FOR_POLLS), running.dispatcher.stop(within), ticking.finish(within * _FOR_POLLS)
    )
    await running.leader.stop()
    ticking.stop()
    log.info("work_ended", polls_cut=polls, shards_cut=jobs.cut, jobs_cut=sending)


def _sources(
    running: Running, host: str, is_late: Callable[[], bool], config: Config, known: understanding.Knowledge
) -> Any:
    """What the pages read from, in the state of the configuration that runs or is about to.

    Errors: ConfigError for a login that is gone from a page others can reach; SecretMissing.
    """
    from monitor.web import binding, wired

    try:
        return wired.sources(
            config,
            running.engine,
            running.context,
            host=host,
            now=running.now,
            ready=partial(chores.why_not_ready, running, is_late),
            environ=running.environ,
            known=known,
        )
    except binding.OpenToAll as exc:
        raise ConfigError((Problem("E064", "web.login", str(exc), config.file),)) from exc


def _summary(running: Running) -> str:
    return f"{running.poller.feed_count} feeds, {len(running.config.watches)} watches"


def _asked_to_reload(running: Running, reloader: reloading.Reloader, told: supervisor.Supervisor) -> None:
    told.reloading()
    reloader.ask("signal", lambda: told.ready(_summary(running)))


def _asked_to_stop(running: Running, number: int) -> None:
    if running.stopping.is_set():
        raise SystemExit(128 + number)
    running.stopping.set()


def _give_up(running: Running, job: str) -> None:
    log.error("job_keeps_failing", job=job, hint="see the errors above; the supervisor should start a new process")
    running.exit_code = INTERNAL
    running.stopping.set()


def _say_started(running: Running, bound: Any) -> None:
    from monitor.web import binding

    config = running.config
    channels = ", ".join(sorted(config.alerts_raw.get("channels") or {})) or "none"
    log.info(
        "started",
        version=monitor.__version__,
        python=platform.python_version(),
        database=running.engine.url.render_as_string(hide_password=True),
        schema=migrate.HEAD,
        config=config.file,
        revision=running.revision,
        feeds=len(config.feeds),
        polled=running.poller.feed_count,
        watches=[watch.name for watch in config.watches],
        channels=channels,
        page=binding.address(bound) if bound is not None else None,
        role=str(running.role),
        engine=config.engine.kind,
    )
