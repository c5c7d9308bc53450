"""Composition root: builds everything from the configuration, starts it, and stops it in the right order.

    config -> store -> knowledge -> transport -> parsers -> poller, courier -> tick -> first poll -> page

Nothing else wires parts together. Only here, in `jobs`, `cli`, `demo` and `web` is a clock asked. Called by `cli`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import platform
import random
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, Engine

import monitor
from alerts.values import Coverage
from monitor import (
    logs,
    metrics,
    observing,
    parser_pool,
    pipeline,
    priming,
    reloading,
    status,
    supervisor,
    telling,
    understanding,
    wiring,
)
from monitor.config import api, locating, redaction, secrets
from monitor.config.values import Config
from monitor.engines import tick
from monitor.errors import ConfigError, Problem, StoreError
from monitor.fetch import client, hosts
from monitor.fetch import limits as fetch_limits
from monitor.jobs import canary, coverage, full_text, host_book, parts, polling, upkeep
from monitor.store import engine as engines
from monitor.store import feeds, filelock, migrate, revisions, search
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
_HEALTH_TIMEOUT_S = 5.0
INTERNAL = 70


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Running:
    """The parts of a running daemon; also what the page and `poll --once` work with.

    What a reload swaps is in `working`; `primes` are the watches that must look through stored entries first.
    """

    working: reloading.Working
    poller: polling.Poller
    pages: full_text.PageReader
    client: client.Client
    primes: Mapping[str, datetime]
    keeper: canary.Keeper
    exit_code: int = 0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    started_at: datetime = field(default_factory=utc_now)

    @property
    def config(self) -> Config:
        """The configuration in use now."""
        return self.working.config

    @property
    def revision(self) -> int:
        """Its number."""
        return self.working.revision

    @property
    def engine(self) -> Engine:
        """The database."""
        return self.working.engine

    @property
    def context(self) -> understanding.Context:
        """Where the pipeline works."""
        return self.working.context

    @property
    def teller(self) -> telling.Teller:
        """The telling half."""
        return self.working.teller

    @property
    def writer(self) -> Executor:
        """The one thread that writes."""
        return self.working.writer

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock."""
        return self.working.now

    @property
    def environ(self) -> Mapping[str, str]:
        """Where secrets may be kept."""
        return self.working.environ

    async def work_alerts(self) -> None:
        """Build what is due and send what is ready."""
        await self.teller.work(self.now())


def run(path: Path, environ: Mapping[str, str], *, port: int | None = None) -> int:
    """Run until SIGTERM or SIGINT; answers the exit code."""
    hidden = logs.Known()
    logs.configure(sys.stderr, known=hidden)
    use_uvloop()
    start = _start_config(path, environ)
    hidden.values = redaction.known_values(start.text, environ)
    if port is not None:
        start = replace(start, config=replace(start.config, web=replace(start.config.web, port=port)))
    _say_problems(start.problems)
    return asyncio.run(_run(start, path, environ, hidden))


def _say_problems(problems: tuple[Problem, ...]) -> None:
    """Errors one by one, warnings as a number: `storywatch check` tells them."""
    for problem in problems:
        if problem.severity == "error":
            log.error("config_problem", problem=str(problem))
    warnings = sum(problem.severity != "error" for problem in problems)
    if warnings:
        log.info("config_warnings", count=warnings, hint="storywatch check shows them")


def use_uvloop() -> None:
    """Let asyncio run on uvloop, where it is installed."""
    try:
        import uvloop
    except ImportError:
        log.info("event_loop", loop="asyncio", hint="uvloop is not installed: polls cost 10-30 % more CPU")
        return
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


@dataclass(frozen=True, slots=True)
class Start:
    """What a start works with: the configuration in use and its text, and the file with what it holds.

    `refused` are the errors that made it fall back on the last good revision.
    """

    config: Config
    problems: tuple[Problem, ...]
    text: str
    who: str
    file: Path
    content: bytes = b""
    refused: tuple[Problem, ...] = ()


_NOT_OF_A_FILE = ("shipped", "demo")


def _start_config(path: Path, environ: Mapping[str, str]) -> Start:
    """Read the file; when it cannot be used, the last good revision that is stored; faulty single feeds are left out.

    A file that is not there any more means the last good revision too, never defaults.

    Errors: ConfigError when there is nothing to run on.
    """
    file, content = locating.config_file(path), b""
    is_shipped = file != path
    try:
        if is_shipped and (stored := _last_good(path, environ)) and stored.who not in _NOT_OF_A_FILE:
            raise ConfigError((Problem("E001", "", "the file is not there", str(path), 1, 1, 2),))
        content = api.read_file(file)
        config, problems = api.load_lenient(file, environ)
    except ConfigError as refused:
        stored = _last_good(path, environ)
        if stored is None:
            raise
        return _fallen_back(stored, refused.problems, path, content, environ)
    who = "shipped" if is_shipped else "start"
    return Start(config, problems, content.decode("utf-8", "replace"), who, file, content)


def _fallen_back(
    stored: revisions.Revision,
    problems: tuple[Problem, ...],
    path: Path,
    content: bytes,
    environ: Mapping[str, str],
) -> Start:
    config, _ = api.parse_lenient(stored.text, environ, file=f"revision {stored.no}")
    in_use = replace(config, sha256=stored.sha256)
    refused = tuple(problem for problem in problems if problem.severity == "error")
    return Start(in_use, problems, stored.text, "start", path, content, refused)


def _last_good(path: Path, environ: Mapping[str, str]) -> revisions.Revision | None:
    """The newest accepted revision, when a database can be found without a usable configuration."""
    url = environ.get("STORYWATCH_STORAGE_URL") or locating.url_in(path, environ) or "sqlite:///data/storywatch.db"
    database = url.removeprefix("sqlite:///")
    if url.startswith("sqlite:///") and not Path(database).exists():
        return None
    try:
        engine = engines.open_engine(url)
    except StoreError:
        return None
    try:
        engines.check_reachable(engine)
        if migrate.current(engine) != migrate.HEAD:
            return None
        with engines.reading(engine) as connection:
            return revisions.newest_good(connection)
    except StoreError:
        return None
    finally:
        engine.dispose()


async def _run(start: Start, path: Path, environ: Mapping[str, str], hidden: logs.Known) -> int:
    url = environ.get("STORYWATCH_STORAGE_URL") or secrets.reveal(start.config.storage.url, environ)
    with filelock.FileLock(url):
        async with assembled(
            start.config, environ, url=url, now=utc_now, who=start.who, text=start.text, hidden=hidden
        ) as running:
            reloader = reloading.Reloader(running.working, start.file)
            await _tell_start(reloader, start)
            await _serve(running, reloader, start.content)
            return running.exit_code


async def _tell_start(reloader: reloading.Reloader, start: Start) -> None:
    """Say whether the file is in use; a start on an earlier revision is one to worry about."""
    if start.refused:
        await reloader.refuse(start.content, start.refused, "start")
    else:
        await reloader.in_order()


@asynccontextmanager
async def assembled(
    config: Config,
    environ: Mapping[str, str],
    *,
    url: str,
    now: Callable[[], datetime],
    who: str,
    text: str,
    seed: int | None = None,
    on_report: Callable[[feeds.FeedRow, pipeline.Report], None] | None = None,
    hidden: logs.Known | None = None,
) -> AsyncIterator[Running]:
    """Build and open every part but the tick and the page; close them in reverse order.

    Errors: StoreUnreachable, SchemaMismatch, StoreError from the database.
    """
    engine = engines.open_engine(url, pool=config.storage.pool)
    engines.check_reachable(engine)
    migrate.ensure(engine)
    offer = revisions.Offer(config.sha256, redaction.storable(text, environ), who, now())
    revision, primes = _prepare_store(engine, config, offer)
    awake = wiring.knowledge(wiring.without(config, primes), config_rev=revision)
    context = wiring.context(engine, awake, config, now=now())
    writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
    own = frozenset(config.limits.allow_hosts)
    spacing = partial(_spacing, own=own, gap=config.limits.host_gap)
    gate = hosts.HostGate(
        spacing=spacing,
        domain_of=host_book.domain_of,
        in_flight=config.limits.per_host,
    )
    agent = fetch_limits.Agent(monitor.__version__, config.contact)
    bounds = fetch_limits.Limits(
        body_bytes=config.limits.body_bytes,
        wire_bytes=config.limits.wire_bytes,
        deadline_s=config.limits.deadline.total_seconds(),
    )
    async with (
        client.Client(bounds, agent, allow_hosts=own) as http,
        parser_pool.ParserPool(config.parse.workers, wiring.host_table(context.knowledge.outlets)) as parsers,
    ):
        built = parts.Parts(
            engine=engine,
            writer=writer,
            client=http,
            gate=gate,
            parsers=parsers,
            context=context,
            feeds={feed.url: feed for feed in config.feeds},
            own_hosts=own,
            now=now,
            random=random.Random(seed),  # noqa: S311  jitter, no secret
            environ=environ,
            at_once=config.engine.fetches,
            spacing=spacing,
        )
        poller = polling.Poller(built, on_report)
        pages = full_text.PageReader(built, len(context.knowledge.rules))
        channels = wiring.channels_of(config)
        teller = telling.teller(
            engine,
            context.knowledge.plan,
            channels,
            partial(_coverage, engine, now),
            writer,
            pages=telling.pages_of(config, environ),
        )
        working = reloading.Working(
            config=config,
            revision=revision,
            engine=engine,
            context=context,
            poller=poller,
            teller=teller,
            channels=channels,
            writer=writer,
            now=now,
            environ=environ,
            hidden=hidden or logs.Known(),
        )
        keeper = canary.Keeper(
            built, poller, partial(client.Client, bounds, agent, allow_hosts=frozenset({"127.0.0.1"}))
        )
        running = Running(working, poller, pages, http, primes, keeper)
        await poller.start()
        teller.recover(now())
        observer = observing.Observer(engine, now, partial(_channel_names, running))
        try:
            with observing.observed(observer):
                yield running
        finally:
            await poller.stop(timedelta())  # none is left after an orderly stop
            writer.shutdown(wait=True)
            engine.dispose()


def _channel_names(running: Running) -> tuple[str, ...]:
    return tuple(sorted(running.config.alerts_raw.get("channels") or {}))


def _prepare_store(engine: Engine, config: Config, offer: revisions.Offer) -> tuple[int, Mapping[str, datetime]]:
    """Write what a start changes: feeds, revision, watches. Answers the revision and the watches to be primed."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":  # the file lock is held: nobody else polls
            feeds.void_claims(connection)
        feeds.sync(connection, reloading.seeds(config), offer.at)
        wanted = priming.wanted(config, revisions.watch_states(connection), None, offer.at)
        revisions.put_watch_states(connection, wanted.states)
        return revisions.accept(connection, offer), wanted.primes


def _spacing(host: str, *, own: frozenset[str], gap: timedelta) -> float:
    return 0.0 if host in own else gap.total_seconds()


def _coverage(engine: Engine, now: Callable[[], datetime]) -> Coverage:
    with engines.reading(engine) as connection:
        return status.coverage(connection, now())


async def _serve(running: Running, reloader: reloading.Reloader, seen: bytes) -> None:
    from monitor.web import binding

    web = running.config.web
    binding.refuse_open(web.host, has_login=web.login is not None)
    bound = binding.bind(web.host, web.port)
    told = supervisor.of(running.environ)
    ticking = tick.Tick(_jobs(running) | _pulse(told), partial(_give_up, running), wall=lambda: utc_now().timestamp())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _asked_to_stop, running, number)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _asked_to_reload, running, reloader, told)
    reloader.start(hashlib.sha256(seen).hexdigest())
    reloader.prime(running.primes)
    metrics.leading.set(1)  # whoever holds the file's lock
    _say_started(running, binding.address(bound))
    await running.poller.spread_overdue()
    await _poll_due(running)
    ticking.start()
    # FastAPI costs a third of a second to import: the first polls do not wait for it.
    from monitor.web import server

    page = server.Page(bound, _sources(running, web.host, partial(ticking.is_late, "tick")))
    page.start()
    told.ready(_summary(running))
    await running.stopping.wait()
    told.stopping()
    log.info("stopping")
    ticking.pause()
    await reloader.stop()
    running.teller.stop()
    within = running.config.engine.stop_within
    cut, sending = await asyncio.gather(running.poller.stop(within), ticking.finish(within))
    ticking.stop()
    await page.stop()
    log.info("stopped", cut=cut, jobs_cut=sending)


def _jobs(running: Running) -> dict[str, tick.Job]:
    channels = len(running.config.alerts_raw.get("channels") or {})
    # What a reload may add is reckoned with: at most so many channels are sent over at once.
    return {
        "tick": tick.Job(partial(_poll_due, running), running.config.engine.tick),
        # A slow channel keeps its run open; the others are served by a run beside it.
        "send": tick.Job(running.work_alerts, _SEND_EVERY, at_once=max(channels, _CHANNELS) + 1),
        "pages": tick.Job(partial(_read_pages, running), _PAGES_EVERY),
        "coverage": tick.Job(partial(_watch_the_watching, running), _COVERAGE_EVERY),
        "prune": tick.Job(partial(_prune, running), _PRUNE_EVERY),
        "ping": tick.Job(partial(_ping, running), _PING_EVERY),
        "search": tick.Job(partial(_index, running), _INDEX_EVERY),
        "canary": tick.Job(partial(_keep_canary, running), _CANARY_EVERY),
    }


def _pulse(told: supervisor.Supervisor) -> dict[str, tick.Job]:
    """Feed the supervisor's watchdog from where everything else is started: when that stands still, so does this."""

    async def beat() -> None:
        told.alive()

    return {} if told.pulse_s is None else {"pulse": tick.Job(beat, timedelta(seconds=told.pulse_s))}


def _summary(running: Running) -> str:
    return f"{len(running.config.feeds)} feeds, {len(running.config.watches)} watches"


def _asked_to_reload(running: Running, reloader: reloading.Reloader, told: supervisor.Supervisor) -> None:
    told.reloading()
    reloader.ask("signal", lambda: told.ready(_summary(running)))


def _sources(running: Running, host: str, is_late: Callable[[], bool]) -> Any:
    from monitor.web import wired

    return wired.sources(
        running.config,
        running.engine,
        running.context,
        host=host,
        now=running.now,
        ready=partial(_why_not_ready, running, is_late),
        environ=running.environ,
    )


def _why_not_ready(running: Running, is_late: Callable[[], bool]) -> str | None:
    """Name what keeps the daemon from working, None when nothing does. Asks the database."""
    if running.stopping.is_set():
        return "stopping"
    try:
        engines.check_reachable(running.engine)
    except StoreError:
        return "database_unreachable"
    return "tick_late" if is_late() else None


async def _poll_due(running: Running) -> None:
    if not running.stopping.is_set():
        await running.poller.tick()


async def _read_pages(running: Running) -> None:
    if not running.stopping.is_set():
        await running.pages.work()


async def _ping(running: Running) -> None:
    """Tell a dead man's switch that all is well: it raises the alarm when this stops."""
    if running.config.canary.ping is None or _why_not_ready(running, lambda: False) is not None:
        return
    address = secrets.reveal(running.config.canary.ping, running.environ)
    outcome = await running.client.fetch(fetch_limits.Request(address), running.now)
    if isinstance(outcome, FetchFailed):
        log.warning("ping_failed", reason=outcome.reason)  # the address may be a secret


async def _watch_the_watching(running: Running) -> None:
    """Say so when a watch sees too few of its feeds."""

    def work() -> None:
        with running.engine.begin() as connection:
            coverage.check(connection, running.config, running.context.knowledge.plan, running.now())

    await asyncio.get_running_loop().run_in_executor(running.writer, work)


async def _keep_canary(running: Running) -> None:
    if not running.stopping.is_set():
        await running.keeper.work(running.config)


async def _prune(running: Running) -> None:
    keep = running.config.storage.keep

    def work() -> int:
        with running.engine.begin() as connection:
            return upkeep.prune(connection, running.now(), log_kept=keep.fetch_log, bytes_kept=keep.bytes)

    loop = asyncio.get_running_loop()
    more = 1
    while more and not running.stopping.is_set():
        more = await loop.run_in_executor(running.writer, work)
        await asyncio.sleep(0.1)


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


def _asked_to_stop(running: Running, number: int) -> None:
    if running.stopping.is_set():
        raise SystemExit(128 + number)
    running.stopping.set()


def _give_up(running: Running, job: str) -> None:
    log.error("job_keeps_failing", job=job, hint="see the errors above; the supervisor should start a new process")
    running.exit_code = INTERNAL
    running.stopping.set()


def _say_started(running: Running, address: str) -> None:
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
        watches=[watch.name for watch in config.watches],
        channels=channels,
        page=address,
    )


@dataclass(frozen=True, slots=True)
class PollReport:
    """What `poll --once` did."""

    round: parts.Round
    pages: int
    sent: int

    def as_json(self) -> str:
        """One JSON object."""
        done = self.round
        left_out = [{"url": out.url, "reason": out.reason, "until": out.until.isoformat()} for out in done.left_out]
        told = {
            "polled": done.polled,
            "changed": done.changed,
            "unchanged": done.unchanged,
            "failed": done.failed,
            "left_out": left_out,
            "entries": done.entries,
            "new": done.new,
            "matched": done.matched,
            "events": done.events,
            "pages": self.pages,
            "sent": self.sent,
        }
        return json.dumps(told, ensure_ascii=False) + "\n"

    def as_text(self) -> str:
        """Lines for a terminal: counts, then every feed that failed or was left out."""
        done = self.round
        lines = [
            f"{done.polled} feeds polled: {done.changed} with a new document, {done.unchanged} unchanged, "
            f"{len(done.failed)} failed",
            f"{done.entries} entries read, {done.new} new, {done.matched} matched, {done.events} events, "
            f"{self.pages} pages read, {self.sent} messages",
        ]
        lines += [f"  failed    {url}  {reason}" for url, reason in sorted(done.failed.items())]
        lines += [f"  left out  {out.url}  {out.reason} until {out.until:%d %b %H:%M} UTC" for out in done.left_out]
        return "\n".join(lines) + "\n"


def poll_once(path: Path, environ: Mapping[str, str], *, ignore_schedule: bool, force: bool) -> PollReport:
    """Do one round of what is due, then deliver what is due by then; groups that still wait are told by the next run.

    Errors: ConfigError, StoreError.
    """
    logs.configure(sys.stderr, quiet=True)
    start = _start_config(path, environ)
    _say_problems(start.problems)
    url = environ.get("STORYWATCH_STORAGE_URL") or secrets.reveal(start.config.storage.url, environ)
    with filelock.FileLock(url):
        return asyncio.run(_poll_once(start, path, environ, url, ignore_schedule, force))


async def _poll_once(
    start: Start, path: Path, environ: Mapping[str, str], url: str, ignore_schedule: bool, force: bool
) -> PollReport:
    who = start.who if start.who == "shipped" else "poll"
    async with assembled(start.config, environ, url=url, now=utc_now, who=who, text=start.text) as running:
        await reloading.Reloader(running.working, path).primed(running.primes)
        if ignore_schedule:
            with running.engine.begin() as connection:
                feeds.make_due(connection, utc_now())
        done = await running.poller.run_round(force=force)
        pages = await running.pages.work_all()
        sent = await running.teller.work(utc_now())
        running.teller.stop()
        return PollReport(done, pages, sent)


def ask_health(path: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """Ask the running daemon's /health; a daemon that does not answer is down."""
    config = api.load(locating.config_file(path), environ, with_secrets=False)
    address = f"http://{config.web.listen}/health"
    try:
        # Never by a proxy that the environment names: the page is on this machine.
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(address, timeout=_HEALTH_TIMEOUT_S) as answer:
            told: dict[str, Any] = json.load(answer)
            return told
    except (OSError, HTTPException, ValueError) as exc:
        return {"state": "down", "message": f"{address}: {exc}"}
