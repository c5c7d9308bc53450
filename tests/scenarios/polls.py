"""The whole of polling against a scripted server under a driven clock: what the server sees, what is stored and told.

    house = await stack.enter_async_context(open_house(url, "/feed"))
    house.script("/feed", Step(body=rss(item("One"))), Step(304))
    await feed.poll()                    # when it is due
    await feed.poll(after=30 * MINUTE)   # due or not
    assert feed.sent("if-none-match") == [None, b'"a"']

Poller, client, parser, pipeline and store are the real ones; every host name leads to 127.0.0.1. The clock moves only
when a test says so, and by a second with each request's turn.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Engine, select

from alerts import tables as alert_tables
from monitor import outward, parser_pool, schedule, status, wiring
from monitor.config import api
from monitor.config.values import Config
from monitor.fetch import client, hosts, limits
from monitor.jobs import coverage, full_text, parts, polling
from monitor.jobs.parts import Round
from monitor.store import engine as engines
from monitor.store import feeds, fetch_log, tables
from tests.fakes.feed_server import FeedServer, Script, Seen

NOW = datetime(2025, 6, 5, 8, 0, tzinfo=UTC)  # a Thursday
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WIRE, PRESS, MINISTRY = "wire.example", "press.example", "ministry.example"
CONFIG = """\
version: 1
contact: https://newsroom.example/storywatch
governments: {{watch: [US, RS, XK]}}
outlets:
  wire.example: {{name: Harbour Wire, country: US, kind: wire}}
  press.example: {{name: Northern Press, country: GB, kind: wire}}
  glas.example: {{name: Jutarnji glas, country: RS, full_text: {full_text}}}
  gathered.example: {{name: Gathered, kind: aggregator}}
channels:
  console: {{type: stdout}}
feeds:
{feeds}
watches:
{watches}
"""
WATCH = '  - {name: flights, query: "deport* AND Serbia"}'
WITHOUT_PAGES = '  - {name: flights, query: "deport* AND Serbia", full_text: false}'
_PLACE = re.compile(r"@([a-z0-9.-]*)(/[^'\s,}]*)")
QUICK = limits.Limits(deadline_s=2.0, between_reads_s=1.0, first_byte_s=1.0, connect_s=1.0, dns_s=0.5)
ENVIRON = {"PASSWORD": "secret"}
AGENT = limits.Agent("1.0", "https://newsroom.example/storywatch")

# ------------------------------------------------------------------------------------------------- documents

FIRST = "Washington asks Serbia to take deported migrants"
NEWS = (
    "The United States has asked Serbia to accept migrants deported from its soil, three officials said on Thursday. "
    "The talks began in spring and concern a few hundred people."
)
OWN_WORDS = (
    "Serbia is being pressed by Washington to take in deported migrants, diplomats in three capitals say. "
    "A first group might arrive before winter."
)
DENIED = "Serbia's Foreign Ministry denied on Thursday that it would accept deported migrants from the United States."


def item(
    title: str,
    at: datetime | None = None,
    *,
    text: str = "",
    guid: str | None = None,
    link: str | None = None,
    host: str = WIRE,
    more: str = "",
) -> str:
    """One item; id and address follow from the title unless given, "" leaves either out."""
    name = "-".join(title.lower().split())[:60]
    guid = name if guid is None else guid
    link = f"https://{host}/{name}" if link is None else link
    parts_ = [
        f"<title>{title}</title>",
        f"<description>{text}</description>" if text else "",
        f'<guid isPermaLink="false">{guid}</guid>' if guid else "",
        f"<link>{link}</link>" if link else "",
        f"<pubDate>{format_datetime(at)}</pubDate>" if at else "",
    ]
    return f"<item>{''.join(parts_)}{more}</item>"


def rss(*items: str, title: str = "A feed", channel: str = "") -> bytes:
    """A document of these items."""
    return (
        f'<rss version="2.0"><channel><title>{title}</title><link>https://{WIRE}/</link>{channel}{"".join(items)}'
        "</channel></rss>"
    ).encode()


def old(*numbers: int, at: datetime = NOW - 3 * HOUR) -> list[str]:
    """Items of no interest, each a little older than the one before."""
    return [item(f"Item number {n}", at - n * MINUTE, text=f"Nothing happened for the {n}. time.") for n in numbers]


# ------------------------------------------------------------------------------------------------- the house


class Clock:
    """The time of everything but the network. Asking for it takes no time; `sleep` is over at once."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.now += timedelta(seconds=seconds)


@dataclass(slots=True)
class Names:
    """Every name leads to this machine, but for `failing` ones."""

    failing: set[str] = field(default_factory=set)

    def __call__(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        if host in self.failing:
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


class WatchedGate(hosts.HostGate):
    """The gate, which also notes by the clock when each request of a host began."""

    def __init__(self, clock: Clock, spacing: float) -> None:
        super().__init__(
            spacing=lambda _: spacing, domain_of=outward.domain_of, clock=clock.monotonic, sleep=clock.sleep
        )
        self.starts: dict[str, list[datetime]] = {}

    @asynccontextmanager
    async def turn(self, host: str, now: Callable[[], datetime]) -> AsyncIterator[schedule.Hold | None]:
        async with super().turn(host, now) as held:
            if held is None:
                self.starts.setdefault(host, []).append(now())
            yield held


class Feed:
    """One feed of the house, as its server sees it and as it is stored."""

    def __init__(self, house: House, url: str) -> None:
        self.house = house
        self.url = url

    @property
    def row(self) -> feeds.FeedRow:
        with engines.reading(self.house.engine) as connection:
            row = feeds.by_url(connection, self.url)
        assert row is not None
        return row

    @property
    def state(self) -> schedule.FeedState:
        return schedule.from_json(self.row.schedule, self.row.validators)

    @property
    def waits(self) -> timedelta:
        """How long until the next poll."""
        return self.row.next_at - self.house.clock.now

    @property
    def asked(self) -> list[Seen]:
        """The requests for this feed's own address."""
        parts_ = urlsplit(self.url)
        return self.house.server.of(parts_.path + (f"?{parts_.query}" if parts_.query else ""))

    @property
    def log(self) -> tuple[fetch_log.FetchRecord, ...]:
        """Its lines in the log, the newest first."""
        with engines.reading(self.house.engine) as connection:
            return fetch_log.newest(connection, self.row.id)

    @property
    def titles(self) -> list[str]:
        """The titles of its stored entries, in the order in which they came."""
        return [entry.title for entry in self.house.entries() if entry.feed_id == self.row.id]

    def sent(self, name: str) -> list[bytes | None]:
        """One header of every request."""
        return [request.header(name) for request in self.asked]

    async def poll(self, after: timedelta | None = None, *, force: bool = False) -> Round:
        """Poll when it is due, or some time from now whatever its schedule says; others that are due, too."""
        if after is None:
            self.house.clock.now = max(self.house.clock.now, self.row.next_at)
        else:
            self.house.clock.now += after
            with self.house.engine.begin() as connection:
                feeds.ask_now(connection, self.row.id, self.house.clock.now)
        report = await self.house.poller.run_round(force=force)
        self.house.clock.now += SECOND
        return report

    async def polls(self, times: int, after: timedelta | None = None) -> None:
        for _ in range(times):
            await self.poll(after)


class House:
    """Everything a poll needs. Its poller may be replaced by one that has just started, as after a restart."""

    def __init__(self, server: FeedServer, engine: Engine, config: Config, clock: Clock, names: Names) -> None:
        self.server = server
        self.engine = engine
        self.config = config
        self.clock = clock
        self.names = names
        self.parts: parts.Parts
        self.gate: WatchedGate
        self.poller: polling.Poller
        self.pages: full_text.PageReader

    def script(self, path: str, *steps: Script) -> None:
        self.server.script(path, *steps)

    def feed(self, path: str, host: str = WIRE) -> Feed:
        return Feed(self, path if "://" in path else self.server.url(path, host))

    @property
    def feeds(self) -> list[Feed]:
        return [Feed(self, feed.url) for feed in self.config.feeds]

    async def round(self, after: timedelta = timedelta()) -> Round:
        """What the daemon does at a tick, until nothing is due."""
        self.clock.now += after
        report = await self.poller.run_round()
        self.clock.now += SECOND
        return report

    async def run(self, span: timedelta, tick: timedelta = MINUTE) -> None:
        """Let time pass, tick by tick."""
        end = self.clock.now + span
        while self.clock.now < end:
            await self.poller.run_round()
            self.clock.now += tick

    async def restart(self) -> None:
        """A new process on the same database."""
        context = wiring.context(self.engine, self.parts.context.knowledge, self.config, now=self.clock.now)
        self.parts = replace(self.parts, context=context)
        await self.assemble()

    async def assemble(self) -> None:
        self.poller = polling.Poller(self.parts)
        self.pages = full_text.PageReader(self.parts, len(self.parts.context.knowledge.rules))
        await self.poller.start()

    async def read_pages(self, after: timedelta = timedelta()) -> int:
        self.clock.now += after
        return await self.pages.work_all()

    def watch_the_watching(self, after: timedelta = timedelta()) -> None:
        """What the daemon does once a minute."""
        self.clock.now += after
        with self.engine.begin() as connection:
            coverage.check(connection, self.config, self.parts.context.knowledge.plan, self.clock.now)

    def entries(self) -> Sequence[Any]:
        with engines.reading(self.engine) as connection:
            return connection.execute(select(tables.entry).order_by(tables.entry.c.id)).all()

    def events(self, *kinds: str, state: str | None = None) -> list[dict[str, Any]]:
        """The stored events of these kinds (or all), the oldest first: payloads with their state."""
        event = alert_tables.event.c
        with engines.reading(self.engine) as connection:
            rows = connection.execute(select(alert_tables.event).order_by(event.id)).all()
        return [
            {**json.loads(row.payload), "kind": row.kind, "state": row.state, "key": row.event_key}
            for row in rows
            if (not kinds or row.kind in kinds) and (state is None or row.state == state)
        ]

    def told(self) -> list[str]:
        """The kinds of what was told to a watch, in order."""
        return [event["kind"] for event in self.events(state="open") if event["watch"]]

    def standings(self, feed: Feed | None = None) -> list[str]:
        """The standings told of feeds, in order."""
        told = [dict(map(tuple, event["facts"])) for event in self.events("feed_state")]
        return [facts["state"] for facts in told if feed is None or facts["feed"] == feed.url]

    def seen_keys(self) -> set[tuple[int, bytes]]:
        with engines.reading(self.engine) as connection:
            rows = connection.execute(select(tables.seen.c.feed_id, tables.seen.c.key_hash))
            return {(row[0], row[1]) for row in rows}

    def status_of(self, feed: Feed) -> status.FeedLine:
        with engines.reading(self.engine) as connection:
            lines = status.feeds(connection, self.clock.now)
        return next(line for line in lines if line.url == feed.url)


@lru_cache(maxsize=16)
def knowledge_of(text: str) -> Any:
    """Reading the lexicons takes a quarter of a second: once for each configuration."""
    return wiring.knowledge(api.parse_text(text, ENVIRON), config_rev=1)


def config_text(addresses: Iterable[str], watches: str, *, full_text: bool) -> str:
    rows = "\n".join(row if row.startswith("  -") else f"  - {{url: '{row}'}}" for row in addresses)
    return CONFIG.format(feeds=rows, watches=watches, full_text=str(full_text).lower())


@asynccontextmanager
async def open_house(
    database: str,
    *paths: str,
    watches: str = WITHOUT_PAGES,
    own: bool = True,
    spacing: float = 0.0,
    bounds: limits.Limits = QUICK,
    full_text: bool = True,
    more_hosts: Sequence[str] = (),
    clock: Clock | None = None,
    server: FeedServer | None = None,
    pool: parser_pool.ParserPool | None = None,
) -> AsyncIterator[House]:
    """Open a house whose feeds are `paths`: a path at wire.example, `host/path` elsewhere, or a whole row of config.

    In a row the address is written `@host/path`. `own` hosts are never held as a whole; `spacing` is in seconds.
    """
    async with FeedServer() as started:
        serving = server or started
        clock = clock or Clock()
        names = Names()
        rows = [_row(serving, path) for path in paths]
        text = config_text(rows, watches, full_text=full_text)
        config = api.parse_text(text, ENVIRON)
        known = frozenset({urlsplit(feed.url).hostname or "" for feed in config.feeds} | set(more_hosts))
        engine = engines.open_engine(database)
        with engine.begin() as connection:
            seeds = [feeds.Seed(feed.url, urlsplit(feed.url).hostname or "", feed.paused) for feed in config.feeds]
            feeds.sync(connection, seeds, clock.now)
        house = House(serving, engine, config, clock, names)
        context = wiring.context(engine, knowledge_of(text), config, now=clock.now)
        house.gate = WatchedGate(clock, spacing)
        writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
        allowed = known | {WIRE, PRESS, MINISTRY, "127.0.0.1"}
        table = wiring.host_table(context.knowledge.outlets)
        async with (
            client.Client(bounds, AGENT, allow_hosts=allowed, lookup=names) as http,
            parser_pool.ParserPool(0, table) as threads,
        ):
            house.parts = parts.Parts(
                engine=engine,
                writer=writer,
                client=http,
                gate=house.gate,
                parsers=pool or threads,
                context=context,
                feeds={feed.url: feed for feed in config.feeds},
                own_hosts=known if own else frozenset(),
                now=clock,
                random=random.Random(1),
                environ=ENVIRON,
                spacing=lambda _: spacing,
            )
            await house.assemble()
            try:
                yield house
            finally:
                await house.poller.stop(timedelta())
                writer.shutdown(wait=True)
                engine.dispose()


def _row(server: FeedServer, path: str) -> str:
    return _PLACE.sub(
        lambda found: server.url(found[2], found[1] or WIRE), path if path.startswith("  -") else f"@{path}"
    )
