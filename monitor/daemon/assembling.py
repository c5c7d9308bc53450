"""Builds and opens every part of a daemon from its configuration, and closes them in reverse order.

    database -> knowledge -> transport -> parsers -> poller, page reader, teller

Nothing else wires parts together. Called by `serving`, `once`, `demo`, `feed` and the benches.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Engine

import monitor
from alerts.values import Coverage
from monitor import logs, observing, parser_pool, pipeline, priming, reloading, status, telling, understanding, wiring
from monitor.config import redaction
from monitor.config.values import Config
from monitor.daemon.running import Running
from monitor.fetch import client, hosts
from monitor.fetch import limits as fetch_limits
from monitor.jobs import canary, full_text, host_book, parts, polling, upkeep
from monitor.store import engine as engines
from monitor.store import feeds, migrate, revisions


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
    migrate.ready(engine, config.storage.migrate)
    upkeep.prepare(engine, now(), config.storage.keep)
    offer = revisions.Offer(config.sha256, redaction.storable(text, environ), who, now())
    revision, primes = _prepare_store(engine, config, offer)
    awake = wiring.knowledge(wiring.without(config, primes), config_rev=revision)
    context = wiring.context(engine, awake, config, now=now())
    writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
    async with (
        _transport(config) as http,
        parser_pool.ParserPool(config.parse.workers, wiring.host_table(context.knowledge.outlets)) as parsers,
    ):
        built = _parts(config, environ, context, writer, http, parsers, now=now, seed=seed)
        poller = polling.Poller(built, on_report)
        pages = full_text.PageReader(built, len(context.knowledge.rules))
        working = _working(config, environ, context, writer, poller, now=now, hidden=hidden)
        keeper = canary.Keeper(built, poller, partial(_transport, config, frozenset({"127.0.0.1"})))
        running = Running(working, poller, pages, http, primes, keeper)
        await poller.start()
        running.teller.recover(now())
        observer = observing.Observer(engine, now, partial(_channel_names, running))
        try:
            with observing.observed(observer):
                yield running
        finally:
            await poller.stop(timedelta())  # none is left after an orderly stop
            writer.shutdown(wait=True)
            engine.dispose()


def _transport(config: Config, allowed: frozenset[str] | None = None) -> client.Client:
    """What fetches; `allowed` names hosts of this machine instead of the configured ones."""
    agent = fetch_limits.Agent(monitor.__version__, config.contact)
    bounds = fetch_limits.Limits(
        body_bytes=config.limits.body_bytes,
        wire_bytes=config.limits.wire_bytes,
        deadline_s=config.limits.deadline.total_seconds(),
    )
    own = frozenset(config.limits.allow_hosts) if allowed is None else allowed
    return client.Client(bounds, agent, allow_hosts=own)


def _parts(
    config: Config,
    environ: Mapping[str, str],
    context: understanding.Context,
    writer: Executor,
    http: client.Client,
    parsers: parser_pool.ParserPool,
    *,
    now: Callable[[], datetime],
    seed: int | None,
) -> parts.Parts:
    own = frozenset(config.limits.allow_hosts)
    spacing = partial(_spacing, own=own, gap=config.limits.host_gap)
    return parts.Parts(
        engine=context.engine,
        writer=writer,
        client=http,
        gate=hosts.HostGate(spacing=spacing, domain_of=host_book.domain_of, in_flight=config.limits.per_host),
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


def _working(
    config: Config,
    environ: Mapping[str, str],
    context: understanding.Context,
    writer: Executor,
    poller: polling.Poller,
    *,
    now: Callable[[], datetime],
    hidden: logs.Known | None,
) -> reloading.Working:
    """What a reload swaps, the telling half among it."""
    engine, plan, channels = context.engine, context.knowledge.plan, wiring.channels_of(config)
    coverage, pages = partial(_coverage, engine, now), telling.pages_of(config, environ)
    return reloading.Working(
        config=config,
        revision=context.knowledge.config_rev,
        engine=engine,
        context=context,
        poller=poller,
        teller=telling.teller(engine, plan, channels, coverage, writer, pages=pages),
        channels=channels,
        writer=writer,
        now=now,
        environ=environ,
        hidden=hidden or logs.Known(),
    )


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
