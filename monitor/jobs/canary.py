"""Lets a canary go, and looks whether it came out: a made-up entry on the way of every other one.

    loopback feed -> fetch -> take (parse, match, story, event, outbox: one transaction) -> desk -> courier -> channel

Only the waiting for a due time is left out: it is let go when its hour has come, and other figures watch the tick.
Desk and courier are those that run anyway. Called by `daemon`, by whichever process leads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from alerts.outbox import ends
from monitor import canary, metrics, pipeline
from monitor.canary import Flights, Standing
from monitor.config.values import Config
from monitor.errors import LeaseLost
from monitor.fetch import client, limits
from monitor.jobs import polling, reports
from monitor.jobs.parts import Parts
from monitor.store import canary as rows
from monitor.store import meta
from monitor.values import Fetched, FetchOutcome

log = structlog.get_logger(__name__)
_LOOPBACK = "127.0.0.1"


class Keeper:
    """Keeps the canary of one installation. `fetcher` makes a client that may ask this machine."""

    def __init__(self, parts: Parts, poller: polling.Poller, fetcher: Callable[[], client.Client]) -> None:
        self._parts = parts
        self._poller = poller
        self._fetcher = fetcher

    async def work(self, config: Config) -> Flights:
        """Do what is due; how the newest canary stands then."""
        every, parts = config.canary.every, self._parts
        if every is None:
            return Flights()
        now = parts.now()
        known = await parts.write(_recall)
        judged = known
        if known.standing is Standing.FLYING:
            sent_at = await parts.write(partial(ends.first_sent, watch=canary.NAME, since=known.at[-1]))
            judged = known.judged(sent_at, now)
        if judged != known:
            await self._land(judged, now)
        elif known.is_due(every, now):
            judged = await self._let_go(known, now)
        metrics.canary_ok.set(judged.standing is not Standing.LATE)
        if judged.took is not None:
            metrics.canary_seconds.set(judged.took.total_seconds())
        return judged

    async def _let_go(self, known: Flights, now: datetime) -> Flights:
        new = await self._parts.write(partial(rows.ensure_feed, url=canary.URL, host=canary.OUTLET, now=now))
        if new:
            known = Flights((now - timedelta(days=1),), 1, Standing.NONE)
            await self._take(known, known.at[-1])
        going = known.let_go(now)
        await self._parts.write(partial(_remember, flights=going))
        log.info("canary_let_go", number=going.count)
        await self._take(going, now)
        return going

    async def _take(self, flights: Flights, at: datetime) -> None:
        """Fetch the canary's feed from this machine and record it; what fails shows by the canary's not coming out."""
        outcome = await self._fetch(canary.document(flights), at)
        if not isinstance(outcome, Fetched):
            log.error("canary_not_fetched", reason=outcome.reason if hasattr(outcome, "reason") else "unchanged")
            return
        try:
            done = await self._poller.take(canary.URL, replace(outcome, url=canary.URL, final_url=canary.URL))
        except LeaseLost as lost:
            log.error("canary_not_taken", message=str(lost))
            return
        for reason in done.failed.values():
            log.error("canary_not_taken", reason=reason)

    async def _fetch(self, body: bytes, at: datetime) -> FetchOutcome:
        async with _served(body) as port, self._fetcher() as asking:
            return await asking.fetch(limits.Request(f"http://{_LOOPBACK}:{port}/"), lambda: at)

    async def _land(self, judged: Flights, now: datetime) -> None:
        """Remember how it ended, put its story aside, and say so when it is late."""
        plan = self._parts.context.knowledge.plan

        def work(connection: Connection) -> None:
            _remember(connection, judged)
            rows.put_aside(connection, canary.OUTLET)
            if judged.standing is Standing.LATE:
                late = reports.canary_late(judged.at[-1], now, plan.config_rev)
                pipeline.tell(connection, (late,), plan)

        await self._parts.write(work)
        took = judged.took.total_seconds() if judged.standing is Standing.OUT and judged.took is not None else None
        say = log.info if judged.standing is Standing.OUT else log.error
        say("canary", standing=str(judged.standing), seconds=took)


def _recall(connection: Connection) -> Flights:
    return canary.load(meta.get(connection, canary.KEY))


def _remember(connection: Connection, flights: Flights) -> None:
    meta.put(connection, canary.KEY, flights.dump())


@asynccontextmanager
async def _served(body: bytes) -> AsyncIterator[int]:
    """Answer every request with a feed, on a port of this machine."""
    lines = (
        "HTTP/1.1 200 OK",
        "Content-Type: application/rss+xml",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    head = "\r\n".join((*lines, "", ""))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, _LOOPBACK, 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])
