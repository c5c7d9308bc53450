"""Builds and opens every part of a daemon from its configuration, and closes them in reverse order.

    database -> knowledge -> transport -> parsers -> poller, page reader, teller

Nothing else wires parts together. Called by `serving`, `once`, `demo`, `feed` and the benches.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Engine

from alerts.values import Coverage
from monitor import (
    logs,
    observing,
    outward,
    parser_pool,
    pipeline,
    priming,
    status,
    swapping,
    telling,
    understanding,
    wiring,
)
from monitor.config import locating
from monitor.config.values import Config
from monitor.daemon import starting
from monitor.daemon.running import Running
from monitor.fetch import client
from monitor.jobs import canary, full_text, parts, polling, sharding, upkeep
from monitor.store import claims, feeds, migrate, revisions, shards
from monitor.store import engine as engines


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
    reach: Callable[[Engine], Awaitable[None]] = starting.reach,
) -> AsyncIterator[Running]:
    """Build and open every part but the tick and the page; close them in reverse order.

    `reach` is what comes before anything is asked of the database; `text` is the configuration's, as it may be stored.
    Errors: StoreUnreachable, SchemaMismatch, StoreError from the database; what `reach` raises.
    """
    pooled = locating.direct_url_of(config, environ) is not None
    engine = engines.open_engine(url, pool=config.storage.pool, role="daemon", pooled=pooled)
    await reach(engine)
    migrate.ready(engine, config.storage.migrate)
    offer = revisions.Offer(config.sha256, text, who, now())
    revision, primes = _prepare_store(engine, config, offer)
    upkeep.prepare(engine, now(), config.storage.keep)
    awake = wiring.knowledge(wiring.without(config, primes), config_rev=revision)
    context = wiring.context(engine, awake, config, now=now())
    writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
    async with (
        outward.client_of(config) as http,
        parser_pool.ParserPool(config.parse.workers, wiring.host_table(context.knowledge.outlets)) as parsers,
    ):
        built = _parts(config, environ, context, writer, http, parsers, now=now, seed=seed)
        poller = polling.Poller(built, on_report)
        pages = full_text.PageReader(built, len(context.knowledge.rules))
        working = _working(config, environ, context, writer, (poller, pages), parsers, now=now, hidden=hidden)
        job = sharding.ShardJob(built, poller, at_once=config.engine.fetches)
        keeper = canary.Keeper(built, poller, partial(outward.client_of, _on_this_machine(config)))
        running = Running(working, poller, pages, http, primes, job, keeper)
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
    return parts.Parts(
        engine=context.engine,
        writer=writer,
        client=http,
        gate=outward.gate_of(config),
        parsers=parsers,
        context=context,
        feeds={feed.url: feed for feed in config.feeds},
        own_hosts=outward.own_hosts(config),
        now=now,
        random=random.Random(seed),  # noqa: S311  jitter, no secret
        environ=environ,
        at_once=config.engine.fetches * (config.engine.shards if config.engine.kind == "pgqueuer" else 1),
        deadline=config.limits.deadline,
        host_gap=config.limits.host_gap,
        spacing=outward.spacing_of(config),
    )


def _working(
    config: Config,
    environ: Mapping[str, str],
    context: understanding.Context,
    writer: Executor,
    pollers: tuple[swapping.Polling, ...],
    parsers: parser_pool.ParserPool,
    *,
    now: Callable[[], datetime],
    hidden: logs.Known | None,
) -> swapping.Working:
    """What a reload swaps, the telling half among it."""
    engine, plan, channels = context.engine, context.knowledge.plan, wiring.channels_of(config)
    coverage, pages = partial(_coverage, engine, now), telling.pages_of(config, engine, environ)
    return swapping.Working(
        config=config,
        revision=context.knowledge.config_rev,
        engine=engine,
        context=context,
        pollers=pollers,
        parsers=parsers,
        teller=telling.teller(engine, plan, channels, coverage, writer, pages=pages),
        channels=channels,
        writer=writer,
        now=now,
        environ=environ,
        hidden=hidden or logs.Known(),
    )


def _on_this_machine(config: Config) -> Config:
    """For what is fetched from ourselves, and from nowhere else inside."""
    return replace(config, limits=replace(config.limits, allow_hosts=frozenset({"127.0.0.1"})))


def _channel_names(running: Running) -> tuple[str, ...]:
    return tuple(sorted(running.config.alerts_raw.get("channels") or {}))


def _prepare_store(engine: Engine, config: Config, offer: revisions.Offer) -> tuple[int, Mapping[str, datetime]]:
    """Write what a start changes: feeds, revision, watches. Answers the revision and the watches to be primed."""
    with engine.begin() as connection:
        engines.lock_starting(connection)
        shards.prepare(connection)
        if engine.dialect.name == "sqlite":  # the file lock is held: nobody else polls
            claims.void_claims(connection)
        feeds.sync(connection, swapping.seeds(config), offer.at)
        wanted = priming.wanted(config, revisions.watch_states(connection), None, offer.at)
        revisions.put_watch_states(connection, wanted.states)
        return revisions.accept(connection, offer), wanted.primes


def _coverage(engine: Engine, now: Callable[[], datetime]) -> Coverage:
    with engines.reading(engine) as connection:
        return status.coverage(connection, now())
