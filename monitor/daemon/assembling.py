"""Builds and opens every part of a daemon from its configuration, and closes them in reverse order.

    database -> transport -> poller, page reader, teller -> knowledge -> parsers

Nothing else wires parts together. Called by `serving`, `once`, `demo`, `feed` and the benches.
"""

from __future__ import annotations

import asyncio
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
    learns_later: bool = False,
) -> AsyncIterator[Running]:
    """Build and open every part but the tick and the page; close them in reverse order.

    `reach` is what comes before anything is asked of the database; `text` is the configuration's, as it may be stored.
    Who `learns_later` may poll at once, and has to call `learn` for the answers to be read.
    Errors: StoreUnreachable, SchemaMismatch, StoreError from the database; what `reach` raises.
    """
    pooled = locating.direct_url_of(config, environ) is not None
    engine = engines.open_engine(url, pool=config.storage.pool, role="daemon", pooled=pooled)
    await reach(engine)
    migrate.ready(engine, config.storage.migrate)
    offer = revisions.Offer(config.sha256, text, who, now())
    revision, primes = _prepare_store(engine, config, offer)
    upkeep.prepare(engine, now(), config.storage.keep)
    awake = wiring.without(config, primes)
    context = understanding.Context(engine, wiring.watches_that_look(awake))
    writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
    async with outward.client_of(config) as http, _closed(parser_pool.ParserPool(config.parse.workers)) as parsers:
        built = _parts(config, environ, context, writer, http, parsers, now=now, seed=seed)
        poller = polling.Poller(built, on_report)
        pages = full_text.PageReader(built, context.watches)
        working = _working(config, environ, built, revision, (poller, pages), hidden)
        job = sharding.ShardJob(built, poller, at_once=config.engine.fetches)
        keeper = canary.Keeper(built, poller, partial(outward.client_of, _on_this_machine(config)))
        running = Running(working, poller, pages, http, partial(_learn, built, awake, revision), primes, job, keeper)
        await poller.start()
        running.teller.recover(now())
        if not learns_later:
            await running.learn()
        observer = observing.Observer(engine, now, partial(_channel_names, running))
        try:
            with observing.observed(observer):
                yield running
        finally:
            await poller.stop(timedelta())  # none is left after an orderly stop
            writer.shutdown(wait=True)
            engine.dispose()


@asynccontextmanager
async def _closed(pool: parser_pool.ParserPool) -> AsyncIterator[parser_pool.ParserPool]:
    """Parsers that are started once it is known what they have to know of hosts, and stopped in any case."""
    try:
        yield pool
    finally:
        await pool.close()


async def _learn(built: parts.Parts, awake: Config, revision: int) -> None:
    """Read what is known of languages and outlets, and the live stories, in a thread; from then on answers are read."""
    if built.understood.is_set():
        return

    def read() -> understanding.Context:
        return wiring.context(built.engine, wiring.knowledge(awake, config_rev=revision), awake, now=built.now())

    known = await asyncio.to_thread(read)
    built.context.know(known.knowledge)
    built.context.look_at(known.window, known.changes)
    built.parsers.use(wiring.host_table(known.knowledge.outlets))
    await built.parsers.start()
    built.understood.set()


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
        understood=asyncio.Event(),
    )


def _working(
    config: Config,
    environ: Mapping[str, str],
    built: parts.Parts,
    revision: int,
    pollers: tuple[swapping.Polling, ...],
    hidden: logs.Known | None,
) -> swapping.Working:
    """What a reload swaps, the telling half among it."""
    engine, plan, channels = built.engine, wiring.plan_of(config, revision), wiring.channels_of(config)
    coverage, pages = partial(_coverage, engine, built.now), telling.pages_of(config, engine, environ)
    return swapping.Working(
        config=config,
        revision=revision,
        engine=engine,
        context=built.context,
        pollers=pollers,
        parsers=built.parsers,
        teller=telling.teller(engine, plan, channels, coverage, built.writer, pages=pages),
        channels=channels,
        writer=built.writer,
        now=built.now,
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
