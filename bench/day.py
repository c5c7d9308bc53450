"""A day of many feeds under a virtual clock, through the real poller, gate, parser and store; only the wire is made up.

    python -m bench.day [--feeds 500] [--hosts 200] [--hours 24] [--seed 1]

Servers answer in memory, with ETags and 304; some ask for freshness, some say 429 or 503 with Retry-After, some send no
validators. Prints requests per host and hour, spacing, holds, share of 304, how late new entries are seen by class of
feed, and wall and CPU time. Exits 1 when a request was impolite: unconditional where validators were given, inside a
hold, within the guard or closer to its neighbour on the host than allowed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, cast

import structlog

from monitor import outward, parser_pool, wiring
from monitor.config import api
from monitor.fetch import client, hosts, limits
from monitor.jobs import parts, polling
from monitor.parse import links
from monitor.store import engine as engines
from monitor.store import feeds, migrate
from monitor.values import Fetched, FetchFailed, FetchOutcome, NotModified, Validators

START = datetime(2025, 6, 5, 0, 0, tzinfo=UTC)
TICK = timedelta(seconds=30)
SPACING_S = 5.0
GUARD = timedelta(minutes=10)
_QUIET_TURNS = 10
"""So many turns of the event loop without any work mean that every open poll waits."""
CLASSES = {"wire": (250, 0.1), "newspaper": (40, 0.5), "ministry": (2, 0.2), "small outlet": (2, 0.2)}
"""Entries a day, and the share of feeds."""
CONFIG = """\
version: 1
contact: https://newsroom.example/storywatch
watches: [{{name: flights, query: "deport* AND Serbia"}}]
channels: {{console: {{type: stdout}}}}
feeds:
{feeds}
"""


class Clock:
    """The virtual time; a sleep of the gate is waited for by the day's loop."""

    def __init__(self) -> None:
        self.now = START
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        return self.now.timestamp()

    async def sleep(self, seconds: float) -> None:
        until, woken = self.monotonic() + seconds, asyncio.Event()
        self._sleepers.append((until, woken))
        await woken.wait()

    def next_wake(self) -> float | None:
        """When the first sleeper wants to go on."""
        return min((until for until, _ in self._sleepers), default=None)

    def wake(self) -> None:
        """Let those go on whose time has come."""
        for until, woken in self._sleepers:
            if until <= self.monotonic() + 1e-6:
                woken.set()
        self._sleepers = [pair for pair in self._sleepers if not pair[1].is_set()]


class Inline(ThreadPoolExecutor):
    """Runs what it is given at once, so that a day needs no waiting for threads."""

    def __init__(self) -> None:
        super().__init__(1)
        self.calls = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.calls += 1
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as exc:  # noqa: BLE001  whoever waits gets it
            future.set_exception(exc)
        return future


@dataclass(slots=True)
class Site:
    """One feed's server: its entries of the day, its manners, and what it saw."""

    url: str
    kind: str
    published: list[datetime]
    manner: str
    asked: list[datetime] = field(default_factory=list)
    given: bool = False
    seen_upto: datetime = START
    hold_until: datetime = START


@dataclass(slots=True)
class Seen:
    """What all servers noticed."""

    statuses: Counter[str] = field(default_factory=Counter)
    impolite: Counter[str] = field(default_factory=Counter)
    by_host: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    delays: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    holds: int = 0


class Servers:
    """Stands in for `fetch.client.Client` and answers from memory."""

    def __init__(self, sites: dict[str, Site], dice: random.Random) -> None:
        self.sites = sites
        self.seen = Seen()
        self._dice = dice
        self._held: dict[str, datetime] = {}

    async def fetch(self, request: limits.Request, now: Any, may_visit: Any = None) -> FetchOutcome:
        """One exchange."""
        site, at = self.sites[request.url], now()
        host = links.host_of(site.url) or ""
        self._judge(site, host, at, request.validators)
        site.asked.append(at)
        self.seen.by_host[host].append(at)
        sent = ("if-none-match",) if request.validators.etag else ()
        refusal = self._refusal(site, host, at)
        if refusal is not None:
            self.seen.statuses[str(refusal.status)] += 1
            return refusal
        upto = [entry for entry in site.published if entry <= at]
        etag = f'"{len(upto)}"'.encode()
        validators = Validators(etag) if site.manner != "no validators" else Validators()
        headers = (("cache-control", b"max-age=1200"),) if site.manner == "fresh" else ()
        took = timedelta(milliseconds=80)
        if request.validators.etag == etag:
            self.seen.statuses["304"] += 1
            return NotModified(request.url, headers, validators, at, took, (), sent)
        self.seen.delays[site.kind] += [(at - entry) / timedelta(minutes=1) for entry in upto if entry > site.seen_upto]
        site.given, site.seen_upto = site.manner != "no validators", at
        self.seen.statuses["200"] += 1
        body = _document(site, upto)
        return Fetched(request.url, request.url, 200, headers, body, validators, at, took, (), len(body), sent)

    def _judge(self, site: Site, host: str, at: datetime, sent: Validators) -> None:
        impolite = self.seen.impolite
        impolite["unconditional"] += site.given and sent.etag is None
        impolite["in a hold"] += at < max(site.hold_until, self._held.get(host, START))
        impolite["within ten minutes"] += bool(site.asked) and at - site.asked[-1] < GUARD
        before = self.seen.by_host[host]
        impolite["too close"] += bool(before) and (at - before[-1]).total_seconds() < SPACING_S - 0.001

    def _refusal(self, site: Site, host: str, at: datetime) -> FetchFailed | None:
        chance = {"limits": 0.02, "fails": 0.05}.get(site.manner, 0.0)
        if self._dice.random() >= chance:
            return None
        status, reason = (429, "rate_limited") if site.manner == "limits" else (503, "server_error")
        wait = self._dice.choice([600, 1800, 7200])
        site.hold_until = at + timedelta(seconds=wait)
        if status == 429:
            self._held[host] = site.hold_until
        self.seen.holds += 1
        headers = (("retry-after", str(wait).encode()),)
        return FetchFailed(site.url, reason, f"HTTP {status}", True, at, timedelta(milliseconds=50), status, headers)


def _document(site: Site, upto: list[datetime]) -> bytes:
    items = "".join(
        f"<item><title>Report {n} of {site.kind}</title><guid>{site.url}#{n}</guid><link>{site.url}/{n}</link>"
        f"<pubDate>{format_datetime(at)}</pubDate><description>What happened at {at:%H:%M}.</description></item>"
        for n, at in list(enumerate(upto))[-40:]
    )
    return f"<rss><channel><title>{site.url}</title>{items}</channel></rss>".encode()


def make_sites(count: int, host_count: int, span: timedelta, dice: random.Random) -> dict[str, Site]:
    """Feeds of four classes on hosts of unequal size, with a history of two days."""
    manners = ["plain"] * 12 + ["fresh"] * 4 + ["no validators"] * 2 + ["limits", "fails"]
    sites = {}
    for n in range(count):
        host = n if n < host_count else min(int(dice.paretovariate(1.2)) - 1, host_count - 1)
        kind = dice.choices(list(CLASSES), [share for _, share in CLASSES.values()])[0]
        url = f"https://h{host}.example/{kind.split()[0]}/{n}"
        sites[url] = Site(url, kind, _entries(CLASSES[kind][0], span, dice), dice.choice(manners))
    return sites


def _entries(per_day: int, span: timedelta, dice: random.Random) -> list[datetime]:
    """A Poisson process: few at night, most in the afternoon."""
    at, found = START - timedelta(days=2), []
    while at < START + span:
        at += timedelta(days=dice.expovariate(per_day * 1.6))
        if dice.random() < (0.25 if at.hour < 6 else 1.0) * 0.75:
            found.append(at)
    return found


async def play(count: int, host_count: int, span: timedelta, seed: int) -> dict[str, Any]:
    """One span of all feeds; returns the figures."""
    dice = random.Random(seed)
    sites = make_sites(count, host_count, span, dice)
    with tempfile.TemporaryDirectory() as folder:
        engine = engines.open_engine(f"sqlite:///{Path(folder) / 'day.db'}")
        migrate.ensure(engine)
        servers = Servers(sites, dice)
        began, cpu = time.perf_counter(), time.process_time()
        await _poll_all(engine, sites, servers, span, seed)
        figures = _figures(servers, span) | {
            "wall_s": round(time.perf_counter() - began, 1),
            "cpu_s": round(time.process_time() - cpu, 1),
        }
        engine.dispose()
    return {"feeds": count, "hosts": host_count, "hours": span / timedelta(hours=1), **figures}


async def _poll_all(engine: Any, sites: dict[str, Site], servers: Servers, span: timedelta, seed: int) -> None:
    tags = {"ministry": ", tags: [government]"}
    rows = "\n".join(f"  - {{url: '{site.url}'{tags.get(site.kind, '')}}}" for site in sites.values())
    config = api.parse_text(CONFIG.format(feeds=rows), {})
    clock = Clock()
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed(url, links.host_of(url) or url) for url in sites], START)
    gate = hosts.HostGate(
        spacing=lambda _: SPACING_S, domain_of=outward.domain_of, clock=clock.monotonic, sleep=clock.sleep
    )
    with Inline() as inline:
        asyncio.get_running_loop().set_default_executor(inline)
        context = wiring.context(engine, wiring.knowledge(config, config_rev=1), config, now=START)
        built = parts.Parts(
            engine=engine,
            writer=inline,
            client=cast(client.Client, servers),
            gate=gate,
            parsers=parser_pool.ParserPool(0),
            context=context,
            feeds={feed.url: feed for feed in config.feeds},
            own_hosts=frozenset(),
            now=clock,
            random=random.Random(seed),
            environ={},
        )
        poller = polling.Poller(built)
        await poller.start()
        while clock.now < START + span:
            await poller.tick()
            await _until_tick(inline, clock, clock.now + TICK)
        await poller.stop(timedelta())


async def _until_tick(inline: Inline, clock: Clock, end: datetime) -> None:
    """Let polls run; when all that are open wait for their turn, move the clock to the first of them."""
    while clock.now < end:
        await _settled(inline)
        wake = clock.next_wake()
        clock.now = end if wake is None else min(end, datetime.fromtimestamp(wake, UTC))
        clock.wake()


async def _settled(inline: Inline) -> None:
    """Wait until nothing goes on any more but waiting."""
    quiet = 0
    while quiet < _QUIET_TURNS:
        before = inline.calls
        await asyncio.sleep(0)
        quiet = quiet + 1 if inline.calls == before else 0


def _figures(servers: Servers, span: timedelta) -> dict[str, Any]:
    seen = servers.seen
    hours = span / timedelta(hours=1)
    per_host = [len(times) / hours for times in seen.by_host.values()]
    busiest = max(max(Counter(at.hour for at in times).values()) for times in seen.by_host.values())
    answered = seen.statuses["200"] + seen.statuses["304"]
    late = {
        kind: {"p50": _at(delays, 0.5), "p95": _at(delays, 0.95), "worst": round(max(delays), 1)}
        for kind, delays in sorted(seen.delays.items())
        if delays
    }
    return {
        "requests": sum(seen.statuses.values()),
        "statuses": dict(seen.statuses),
        "share_304": round(seen.statuses["304"] / answered, 3),
        "per_host_hour": {"p50": round(statistics.median(per_host), 2), "max": round(max(per_host), 2)},
        "busiest_host_hour": busiest,
        "holds": seen.holds,
        "impolite": {name: number for name, number in seen.impolite.items() if number},
        "minutes_late": late,
    }


def _at(values: list[float], share: float) -> float:
    return round(sorted(values)[int(share * (len(values) - 1))], 1)


def main() -> int:
    """Play a day and print its figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--feeds", type=int, default=500)
    parser.add_argument("--hosts", type=int, default=200)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    figures = asyncio.run(play(asked.feeds, asked.hosts, timedelta(hours=asked.hours), asked.seed))
    print(json.dumps({"bench": "day", **figures}, indent=1))
    return 1 if figures["impolite"] else 0


if __name__ == "__main__":
    sys.exit(main())
