"""A day of a farm of feeds on Postgres, under a virtual clock: how late, how many rows, how much log, how large.

    python -m bench.farm [--feeds 10000] [--hours 24] [--entries 10] [--url postgresql+psycopg://...]

Claiming, deciding when to ask again, recording and rescheduling are the real functions, in transactions as the daemon
makes them; only HTTP and parsing are left out, whose cost is measured by `bench.client` and `bench.pipeline`. A feed
brings entries at random times; when it has none since the last look, seven of ten servers say 304 and the others send
the same body. One entry in a hundred matches the watch, a document has thirty items to remember, and each feed has a
full ring of fetches, as after a day. Prints figures as JSON, per poll and per feed, and what they make of a million
feeds; the first hour, in which all feeds are new, is played before and not counted.

Postgres is a server of its own in a temporary folder (full page writes on, fsync off: sizes are true, times are those
of memory), or the one of --url, whose database must be empty. Control-C ends the day early, with the figures of what
was played by then.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, text

from monitor import pipeline, schedule, understanding, wiring
from monitor.config import api
from monitor.jobs import parts, settling, upkeep
from monitor.parse import delta
from monitor.store import claims, feeds, fetch_log, fetch_ring, migrate, results
from monitor.store import engine as engines
from monitor.values import Fetched, NotModified, ParsedEntry, ParsedFeed, Validators
from tests import postgres

START = datetime(2025, 6, 5, 0, 0, tzinfo=UTC)
TICK = timedelta(seconds=60)
HOUR = timedelta(hours=1)
CLAIM = 1000
GROUP = 200
"""So many unchanged feeds are written in one transaction, as `jobs.writing` does it."""
SAYS_304 = 0.7
MATCHES = 0.01
FEEDS_A_HOST = 3.3
BODY = 12_000
ITEMS = 30
MILLION = 1_000_000
CONFIG = """\
version: 1
contact: https://newsroom.example/storywatch
watches: [{name: flights, query: "deport* AND Serbia"}]
channels: {console: {type: stdout}}
"""
_BYTES = text(
    "select pg_total_relation_size(cast(:name as regclass)) + coalesce(sum(pg_total_relation_size(relid)), 0)"
    " from pg_partition_tree(cast(:name as regclass)) where level > 0"
)
_FEED_ROW = text(
    "select avg(pg_column_size(feed.*)) as row, pg_relation_size('feed') / count(*) as heap,"
    " pg_indexes_size('feed') / count(*) as indexes, pg_table_size('feed') / count(*) as with_long_values from feed"
)
_TABLES = ("feed", "fetch_log", "document", "seen", "entry", "match", "mention", "story", "event", "item")


@dataclass(slots=True)
class Noted:
    """What the day brought."""

    outcomes: Counter[str] = field(default_factory=Counter)
    lags: list[float] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    cpu: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    wal: Counter[str] = field(default_factory=Counter)
    entries: int = 0
    most_due: int = 0


class Farm:
    """All feeds of one database, asked in turn by one worker."""

    def __init__(self, engine: Engine, count: int, a_day: float, seed: int) -> None:
        self._dice = random.Random(seed)
        self._engine = engine
        self._count = count
        self._every = timedelta(days=1) / a_day
        self._news: dict[int, datetime] = {}
        config = api.parse_text(CONFIG, {})
        upkeep.prepare(engine, START, config.storage.keep)
        self._context = wiring.context(engine, wiring.knowledge(config, config_rev=1), config, now=START)
        self._stopped = False
        self.noted = Noted()

    @property
    def context(self) -> understanding.Context:
        """Where the pipeline works."""
        return self._context

    def make(self) -> None:
        """Write the feeds, their first polls spread over an hour, and rings as long as they are after a day."""
        hosts = max(int(self._count / FEEDS_A_HOST), 1)
        names = [f"h{self._dice.randrange(hosts)}.example" for _ in range(self._count)]
        seeds = [feeds.Seed(f"https://{host}/feed/{n}", host) for n, host in enumerate(names)]
        with self._engine.begin() as connection:
            feeds.sync(connection, seeds, START)
            connection.execute(text("update feed set next_at = next_at + random() * interval '1 hour'"))
            connection.execute(text("update feed set recent = :ring"), {"ring": _full_ring()})

    def stop(self) -> None:
        """Play no further than the minute that is being played."""
        self._stopped = True

    def play(self, now: datetime, until: datetime) -> timedelta:
        """Ask every feed whenever it is due, from now on; returns how much was played."""
        self.noted = Noted()
        began = now
        while now < until and not self._stopped:
            now += TICK
            due = 0
            while taken := self._claim(now):
                due += len(taken)
                self._ask(taken, now)
            self.noted.most_due = max(self.noted.most_due, due)
            if (now - began) % HOUR == timedelta(0):
                polls = sum(self.noted.outcomes.values())
                print(f"{now:%d %H:%M} of {until:%d %H:%M}: {polls:,} polls", file=sys.stderr, flush=True)
        return now - began

    def _claim(self, now: datetime) -> tuple[feeds.FeedRow, ...]:
        with self._timed("claim"), self._engine.begin() as connection:
            rows = claims.claim(connection, now, lease=parts.LEASE, limit=CLAIM)
        self.noted.lags += [(now - row.next_at).total_seconds() for row in rows if row.baseline_at is not None]
        return rows

    def _ask(self, rows: tuple[feeds.FeedRow, ...], now: datetime) -> None:
        waiting = []
        for row in rows:
            news = self._news.setdefault(row.id, START - timedelta(hours=1))
            if news <= now:
                with self._timed("changed"):
                    self._changed(row, now)
                continue
            with self._timed("decide"):
                waiting.append((row, self._unchanged(row, now)))
        for at in range(0, len(waiting), GROUP):
            with self._timed("unchanged"), self._engine.begin() as connection:
                _settle(connection, waiting[at : at + GROUP])

    def _next(self, after: datetime) -> datetime:
        return after + self._dice.expovariate(1.0) * self._every

    def _unchanged(self, row: feeds.FeedRow, now: datetime) -> pipeline.Decision:
        given = self._validators(row)
        outcome: NotModified | Fetched
        if self._dice.random() < SAYS_304:
            outcome = NotModified(row.url, (), given, now, timedelta(milliseconds=200), (), ("if-none-match",))
            self.noted.outcomes["304"] += 1
        else:
            outcome = self._fetched(row, now, b"")
            self.noted.outcomes["same body"] += 1
        state = schedule.from_json(row.schedule, row.validators)
        return settling.unchanged(row, state, outcome, self._around(), now)

    def _changed(self, row: feeds.FeedRow, now: datetime) -> None:
        brought = []
        while self._news[row.id] <= now:
            brought.append(self._entry(row, self._news[row.id]))
            self._news[row.id] = self._next(self._news[row.id])
        words = self._dice.randbytes(BODY // 3).hex().encode()[:BODY]
        fetched = self._fetched(row, now, words)
        total = max(ITEMS, len(brought))
        memory = delta.Memory(
            self._dice.randbytes(delta.CONTEXT), tuple(self._dice.randbytes(delta.ITEM_BYTES) for _ in range(ITEMS))
        )
        found = delta.Delta(ParsedFeed(tuple(brought)), tuple(range(len(brought))), total, memory, None)
        turn = settling.ChangedTurn(
            row=row,
            claim=_claim_of(row),
            state=schedule.from_json(row.schedule, row.validators),
            fetched=fetched,
            document=found,
            before=None,
            now=now,
            surroundings=self._around(),
            outlet=None,
            tags=frozenset(),
        )
        pipeline.process(found, turn.as_pipeline(fetched), self._context, now)
        self.noted.outcomes["changed"] += 1
        self.noted.entries += len(brought)

    def _entry(self, row: feeds.FeedRow, at: datetime) -> ParsedEntry:
        number = self._dice.randrange(10**12)
        subject = "Serbia asked to take deported" if self._dice.random() < MATCHES else "The council met about"
        filler = " ".join(f"w{self._dice.randrange(5000)}" for _ in range(45))
        url = f"https://{row.host}/news/{number}"
        return ParsedEntry(url, url, f"{subject} {number}", filler, published=at, language="en")

    def _fetched(self, row: feeds.FeedRow, now: datetime, body: bytes) -> Fetched:
        took = timedelta(milliseconds=400)
        return Fetched(row.url, row.url, 200, (), body, self._validators(row), now, took, (), len(body), ())

    def _validators(self, row: feeds.FeedRow) -> Validators:
        return Validators(f'"{row.gen}-{self._dice.randrange(10**9)}"'.encode())

    def _around(self) -> settling.Surroundings:
        return settling.Surroundings(
            policy=schedule.Policy(),
            host=schedule.HostFacts(),
            burst=False,
            circuit_open=False,
            jitter=self._dice.random(),
            config_rev=1,
        )

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        wal = _written(self._engine)
        began, cpu = time.perf_counter(), time.process_time()
        yield
        self.noted.seconds[part] += time.perf_counter() - began
        self.noted.cpu[part] += time.process_time() - cpu
        self.noted.wal[part] += _written(self._engine) - wal


def _full_ring() -> bytes:
    lines = [
        fetch_ring.packed(fetch_log.FetchRecord(START - n * HOUR, "not_modified", 304)) for n in range(fetch_log.RING)
    ]
    return fetch_ring.begun(lines)


def _claim_of(row: feeds.FeedRow) -> Any:
    assert row.claim is not None
    return row.claim


def _settle(connection: Connection, polls: Sequence[tuple[feeds.FeedRow, pipeline.Decision]]) -> None:
    """Write unchanged polls as the daemon does: one statement for what is plain, and one for their lines."""
    plain = [(_claim_of(row), decision.settlement) for row, decision in polls if results.is_plain(decision.settlement)]
    results.settle_plain(connection, plain)
    for row, decision in polls:
        if not results.is_plain(decision.settlement):
            results.settle(connection, _claim_of(row), decision.settlement)
    fetch_log.write_many(connection, [(row.id, decision.log) for row, decision in polls if decision.log is not None])


def figures(
    farm: Farm, engine: Engine, before: dict[str, tuple[int, int]], count: int, hours: float, wal: int, wall: float
) -> dict[str, Any]:
    """What the day says, of this farm and of a million feeds."""
    noted = farm.noted
    polls = sum(noted.outcomes.values())
    days = hours / 24
    sizes = dict(_sizes(engine))
    per_poll = {part: round(1e6 * seconds / polls, 1) for part, seconds in noted.cpu.items()}
    cpu_us = sum(per_poll.values())
    a_second = polls / (hours * 3600) / count * MILLION
    return {
        "feeds": count,
        "hours": hours,
        "polls": polls,
        "outcomes": {name: round(number / polls, 3) for name, number in noted.outcomes.items()},
        "mean_interval_min": round(hours * 60 * count / polls, 1),
        "new_entries": noted.entries,
        "lag_s": {"p50": _at(noted.lags, 0.5), "p95": _at(noted.lags, 0.95), "max": round(max(noted.lags), 1)},
        "most_due_in_a_tick": noted.most_due,
        "wall_s": round(wall, 1),
        "polls_per_s": round(polls / wall),
        "cpu_us_per_poll": per_poll | {"sum": round(cpu_us, 1)},
        "clock_us_per_poll": {part: round(1e6 * seconds / polls, 1) for part, seconds in noted.seconds.items()},
        "cpu_ms_per_changed": round(1000 * noted.cpu["changed"] / max(noted.outcomes["changed"], 1), 2),
        "wal_bytes_per_poll": round(wal / polls),
        "wal_bytes_per_claim": round(noted.wal["claim"] / polls),
        "wal_bytes_per_unchanged": round(noted.wal["unchanged"] / max(polls - noted.outcomes["changed"], 1)),
        "feed_row": _feed_row(engine),
        "database_mb": round(sum(size for _, size in sizes.values()) / 1e6, 1),
        "rows": {name: rows for name, (rows, _) in sizes.items()},
        "bytes_per_row": {name: round(size / rows) for name, (rows, size) in sizes.items() if rows},
        "a_million_feeds": {
            "polls_per_s": round(a_second),
            "cores_of_worker_without_http_and_parsing": round(a_second * cpu_us / 1e6, 2),
            "wal_mb_per_s": round(a_second * wal / polls / 1e6, 2),
            "new_entries_per_s": round(noted.entries / (hours * 3600) / count * MILLION, 1),
            "gb_a_day": {
                name: round((rows - before[name][0]) * size / rows / days / count * MILLION / 1e9, 2)
                for name, (rows, size) in sizes.items()
                if name != "feed" and rows
            },
            "gb_of_feed_rows": round(sizes["feed"][1] / count * MILLION / 1e9, 2),
        },
    }


def _sizes(engine: Engine) -> Iterator[tuple[str, tuple[int, int]]]:
    """Rows and bytes, with indexes, of each table; of all its partitions where it has some."""
    with engine.begin() as connection:
        for name in _TABLES:
            rows = connection.execute(text(f'select count(*) from "{name}"')).scalar_one()
            size = connection.execute(_BYTES, {"name": name}).scalar_one()
            yield name, (int(rows), int(size))


def _feed_row(engine: Engine) -> dict[str, float]:
    """Bytes of a feed: its row on the mean, the heap with its room, what is kept beside it, indexes."""
    with engine.connect() as connection:
        return {name: round(float(value)) for name, value in connection.execute(_FEED_ROW).mappings().one().items()}


def _at(values: list[float], share: float) -> float:
    return round(statistics.quantiles(values, n=100)[int(share * 100) - 1], 1)


def _written(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")).scalar_one())


@contextmanager
def _server(url: str | None) -> Iterator[str]:
    """The address of an empty database."""
    if url is not None:
        yield url
        return
    server = postgres.start()
    try:
        yield server.url(server.create_database("farm"))
    finally:
        server.stop()


def main() -> int:
    """Play the day and print its figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--feeds", type=int, default=10_000)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--entries", type=float, default=10.0, help="a feed's entries a day")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with _server(asked.url) as url:
        engine = engines.open_engine(url)
        migrate.ensure(engine)
        if asked.url is None:
            _write_pages(engine)
        farm = Farm(engine, asked.feeds, asked.entries, asked.seed)
        farm.make()
        signal.signal(signal.SIGINT, lambda *_: farm.stop())
        settled = START + timedelta(hours=1)
        farm.play(START, settled)  # the first look at each feed is a baseline, and not what a day consists of
        before, wal, began = dict(_sizes(engine)), _written(engine), time.perf_counter()
        played = farm.play(settled, settled + timedelta(hours=asked.hours))
        if not played:
            raise SystemExit("stopped before the first hour, which is not counted, was over")
        wall = time.perf_counter() - began
        told = figures(farm, engine, before, asked.feeds, played / HOUR, _written(engine) - wal, wall)
        engine.dispose()
    print(json.dumps({"bench": "farm", **told}, indent=1))
    return 0


def _write_pages(engine: Engine) -> None:
    """As servers are that keep what they are told: a page changed for the first time since a checkpoint is logged."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("alter system set full_page_writes = on"))
        connection.execute(text("select pg_reload_conf()"))


if __name__ == "__main__":
    sys.exit(main())
