"""Composition root: builds everything from the configuration, starts it, and stops it in the right order.

    config -> store -> knowledge -> transport -> parsers -> poller, courier -> tick -> first poll -> page

Nothing else wires parts together. Only here, in `jobs`, `cli`, `demo` and `web` is a clock asked. Called by `cli`.
"""

from __future__ import annotations

import asyncio
import json
import platform
import random
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
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
from monitor import logs, parser_pool, pipeline, resources, status, telling, understanding, wiring
from monitor.config import api, secrets
from monitor.config.values import Config
from monitor.engines import tick
from monitor.errors import ConfigError, Problem, StoreError
from monitor.fetch import client, hosts
from monitor.fetch import limits as fetch_limits
from monitor.jobs import coverage, full_text, host_book, parts, polling, upkeep
from monitor.parse import links
from monitor.store import engine as engines
from monitor.store import feeds, filelock, migrate, revisions, search
from monitor.values import FetchFailed

log = structlog.get_logger(__name__)
_SEND_EVERY = timedelta(seconds=5)
_PAGES_EVERY = timedelta(seconds=15)
_COVERAGE_EVERY = timedelta(seconds=60)
_PING_EVERY = timedelta(seconds=60)
_PRUNE_EVERY = timedelta(hours=1)
_INDEX_EVERY = timedelta(seconds=30)
_HEALTH_TIMEOUT_S = 5.0
_DEFAULT_FILE = Path("config.yaml")
INTERNAL = 70


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Running:
    """The parts of a running daemon; also what the page and `poll --once` work with."""

    config: Config
    engine: Engine
    context: understanding.Context
    poller: polling.Poller
    pages: full_text.PageReader
    client: client.Client
    teller: telling.Teller
    writer: ThreadPoolExecutor
    now: Callable[[], datetime]
    revision: int
    environ: Mapping[str, str]
    exit_code: int = 0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    started_at: datetime = field(default_factory=utc_now)

    async def work_alerts(self) -> None:
        """Build what is due and send what is ready."""
        await self.teller.work(self.now())


def load_config(path: Path) -> Path:
    """The file to read: the one named; the shipped one when none was named and none lies here."""
    return path if path.exists() or path != _DEFAULT_FILE else resources.resource_path(_DEFAULT_FILE.name)


def storage_url(path: Path, environ: Mapping[str, str]) -> str:
    """The database address: STORYWATCH_STORAGE_URL, else the configuration's.

    Errors: ConfigError when the file cannot be used.
    """
    given = environ.get("STORYWATCH_STORAGE_URL")
    if given:
        return given
    config = api.load(load_config(path), environ, with_secrets=False)
    return secrets.reveal(config.storage.url, environ)


def run(path: Path, environ: Mapping[str, str], *, port: int | None = None) -> int:
    """Run until SIGTERM or SIGINT; answers the exit code."""
    logs.configure(sys.stderr)
    _use_uvloop()
    config, problems = _start_config(path, environ)
    if port is not None:
        config = replace(config, web=replace(config.web, port=port))
    _say_problems(problems)
    return asyncio.run(_run(config, path, environ))


def _say_problems(problems: tuple[Problem, ...]) -> None:
    """Errors one by one, warnings as a number: `storywatch check` tells them."""
    for problem in problems:
        if problem.severity == "error":
            log.error("config_problem", problem=str(problem))
    warnings = sum(problem.severity != "error" for problem in problems)
    if warnings:
        log.info("config_warnings", count=warnings, hint="storywatch check shows them")


def _use_uvloop() -> None:
    try:
        import uvloop
    except ImportError:
        log.info("event_loop", loop="asyncio", hint="uvloop is not installed: polls cost 10-30 % more CPU")
        return
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


def _start_config(path: Path, environ: Mapping[str, str]) -> tuple[Config, tuple[Problem, ...]]:
    """Read the file; when it cannot be used, the last good revision that is stored; faulty single feeds are left out.

    Errors: ConfigError when there is nothing to run on.
    """
    try:
        return api.load_lenient(load_config(path), environ)
    except ConfigError as refused:
        stored = _last_good(environ)
        if stored is None:
            raise
        config, _ = api.parse_lenient(stored.text, environ, file=f"revision {stored.no}")
        return config, refused.problems


def _last_good(environ: Mapping[str, str]) -> revisions.Revision | None:
    """The newest accepted revision, when a database can be found without a configuration."""
    url = environ.get("STORYWATCH_STORAGE_URL", "sqlite:///data/storywatch.db")
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


async def _run(config: Config, path: Path, environ: Mapping[str, str]) -> int:
    url = environ.get("STORYWATCH_STORAGE_URL") or secrets.reveal(config.storage.url, environ)
    with filelock.FileLock(url):
        async with assembled(config, environ, url=url, now=utc_now, who="start", text=_text_of(path)) as running:
            await _serve(running)
            return running.exit_code


def _text_of(path: Path) -> str:
    file = load_config(path)
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


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
) -> AsyncIterator[Running]:
    """Build and open every part but the tick and the page; close them in reverse order.

    Errors: StoreUnreachable, SchemaMismatch, StoreError from the database.
    """
    engine = engines.open_engine(url, pool=config.storage.pool)
    engines.check_reachable(engine)
    migrate.ensure(engine)
    revision = _prepare_store(engine, config, text, who, now())
    context = wiring.context(engine, wiring.knowledge(config, config_rev=revision), config, now=now())
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
        teller = telling.teller(engine, context.knowledge.plan, channels, partial(_coverage, engine, now), writer)
        running = Running(config, engine, context, poller, pages, http, teller, writer, now, revision, environ)
        await poller.start()
        teller.recover(now())
        try:
            yield running
        finally:
            await poller.stop(timedelta())  # none is left after an orderly stop
            writer.shutdown(wait=True)
            engine.dispose()


def _prepare_store(engine: Engine, config: Config, text: str, who: str, now: datetime) -> int:
    seeds = [feeds.Seed(feed.url, links.host_of(feed.url) or feed.url, feed.paused) for feed in config.feeds]
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":  # the file lock is held: nobody else polls
            feeds.void_claims(connection)
        feeds.sync(connection, seeds, now)
        return revisions.accept(connection, config.sha256, text, who, now)


def _spacing(host: str, *, own: frozenset[str], gap: timedelta) -> float:
    return 0.0 if host in own else gap.total_seconds()


def _coverage(engine: Engine, now: Callable[[], datetime]) -> Coverage:
    with engines.reading(engine) as connection:
        return status.coverage(connection, now())


async def _serve(running: Running) -> None:
    from monitor.web import binding

    web = running.config.web
    binding.refuse_open(web.host, has_login=web.login is not None)
    bound = binding.bind(web.host, web.port)
    ticking = tick.Tick(_jobs(running), partial(_give_up, running), wall=lambda: utc_now().timestamp())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _asked_to_stop, running, number)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _asked_to_reload)
    _say_started(running, binding.address(bound))
    await running.poller.spread_overdue()
    await _poll_due(running)
    ticking.start()
    # FastAPI costs a third of a second to import: the first polls do not wait for it.
    from monitor.web import server

    page = server.Page(bound, _sources(running, web.host, partial(ticking.is_late, "tick")))
    page.start()
    await running.stopping.wait()
    log.info("stopping")
    ticking.pause()
    running.teller.stop()
    within = running.config.engine.stop_within
    cut, sending = await asyncio.gather(running.poller.stop(within), ticking.finish(within))
    ticking.stop()
    await page.stop()
    log.info("stopped", cut=cut, jobs_cut=sending)


def _jobs(running: Running) -> dict[str, tick.Job]:
    channels = len(running.config.alerts_raw.get("channels") or {})
    return {
        "tick": tick.Job(partial(_poll_due, running), running.config.engine.tick),
        # A slow channel keeps its run open; the others are served by a run beside it.
        "send": tick.Job(running.work_alerts, _SEND_EVERY, at_once=channels + 1),
        "pages": tick.Job(partial(_read_pages, running), _PAGES_EVERY),
        "coverage": tick.Job(partial(_watch_the_watching, running), _COVERAGE_EVERY),
        "prune": tick.Job(partial(_prune, running), _PRUNE_EVERY),
        "search": tick.Job(partial(_index, running), _INDEX_EVERY),
    } | ({"ping": tick.Job(partial(_ping, running), _PING_EVERY)} if running.config.canary.ping else {})


def _sources(running: Running, host: str, is_late: Callable[[], bool]) -> Any:
    from monitor.web import wired

    return wired.sources(
        running.config,
        running.engine,
        running.context.knowledge,
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


def _asked_to_reload() -> None:
    log.warning("no_reload", hint="a changed configuration is taken at the next start: restart the daemon")


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
    config, problems = _start_config(path, environ)
    _say_problems(problems)
    url = environ.get("STORYWATCH_STORAGE_URL") or secrets.reveal(config.storage.url, environ)
    with filelock.FileLock(url):
        return asyncio.run(_poll_once(config, path, environ, url, ignore_schedule, force))


async def _poll_once(
    config: Config, path: Path, environ: Mapping[str, str], url: str, ignore_schedule: bool, force: bool
) -> PollReport:
    async with assembled(config, environ, url=url, now=utc_now, who="poll", text=_text_of(path)) as running:
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
    config = api.load(load_config(path), environ, with_secrets=False)
    address = f"http://{config.web.listen}/health"
    try:
        # Never by a proxy that the environment names: the page is on this machine.
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(address, timeout=_HEALTH_TIMEOUT_S) as answer:
            told: dict[str, Any] = json.load(answer)
            return told
    except (OSError, HTTPException, ValueError) as exc:
        return {"state": "down", "message": f"{address}: {exc}"}
