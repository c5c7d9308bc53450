"""What storing entries costs: our way, on one writer thread with RETURNING, beside bare drivers.

    python -m bench.store [--rows 6000] [--rounds 5] [--json FILE]

The same rows, 30 or 1,000 a transaction: sqlite3's executemany and our `entries.add` on SQLite (WAL, both with
synchronous=FULL); COPY and ours on Postgres, where one can be started. Goals: at most 3 times sqlite3 and 4.5 times
COPY. Rows a second on the clock, medians of interleaved rounds.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg
from sqlalchemy import delete, make_url

from monitor.parse import identity
from monitor.store import engine as engines
from monitor.store import entries, feeds, migrate, partitions, tables
from monitor.values import Domain, FeedId, ParsedEntry, ParsedFeed
from tests import postgres

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SIZES = (30, 1000)
Store = Callable[[int], None]
"""Stores so many rows in transactions of a size; the rows are made before."""
COLUMNS = (
    "feed_id, entry_key, url, url_key, outlet, title, summary, content, lang, "
    "published_at, first_seen_at, gen, text_sha256"
)


def main() -> None:
    """Run the rounds and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json")
    asked = parser.parse_args()
    found: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        _sqlite(Path(folder), asked.rows, asked.rounds, found)
        try:
            server = postgres.start()
        except postgres.NoPostgres as exc:
            print(f"without Postgres: {exc}", file=sys.stderr)
        else:
            with ExitStack() as stack:
                stack.callback(server.stop)
                _postgres(server, asked.rows, asked.rounds, found)
    print("| database | rows a transaction | bare driver, rows/s | ours, rows/s | our time / bare |")
    print("|---|---|---|---|---|")
    for database in sorted({key.split()[0] for key in found}):
        for size in SIZES:
            bare, ours = (statistics.median(found[f"{database} {who} {size}"]) for who in ("bare", "ours"))
            print(f"| {database} | {size} | {bare:,.0f} | {ours:,.0f} | {bare / ours:.1f}x |")
    if asked.json:
        Path(asked.json).write_text(json.dumps(found, indent=1), encoding="utf-8")


def arrivals(number: int) -> list[entries.Arrival]:
    """So many new entries with a teaser each."""
    made = tuple(
        ParsedEntry(
            id=f"id-{n}",
            url=f"https://paper.example/news/{n}",
            title=f"An invented headline with number {n}",
            summary="A teaser of about the length that feeds have, two sentences long. It says nothing. " * 3,
            content=None,
            published=NOW,
            published_raw=NOW.isoformat(),
            outlet=None,
            language="en",
        )
        for n in range(number)
    )
    keyed = identity.keyed(ParsedFeed(made))
    return [entries.Arrival(one, "en", Domain("paper.example")) for one in keyed]


def _chunks(made: list[entries.Arrival], size: int) -> Iterator[list[entries.Arrival]]:
    return (made[at : at + size] for at in range(0, len(made), size))


def _values(made: list[entries.Arrival], feed: int) -> list[tuple[object, ...]]:
    return [
        (
            feed,
            one.keyed.entry_key,
            one.keyed.entry.url,
            one.keyed.url_key,
            one.outlet,
            one.keyed.entry.title,
            one.keyed.entry.summary,
            "",
            one.language,
            NOW,
            NOW,
            1,
            entries.text_hash(one.keyed.entry.title or "", one.keyed.entry.summary or "", ""),
        )
        for one in made
    ]


def _timed(found: dict[str, list[float]], name: str, rows: int, work: Callable[[], None]) -> None:
    begun = time.perf_counter()
    work()
    found.setdefault(name, []).append(rows / (time.perf_counter() - begun))


def _sqlite(folder: Path, rows: int, rounds: int, found: dict[str, list[float]]) -> None:
    made = arrivals(rows)
    url = f"sqlite:///{folder / 'ours.db'}"
    feed = _prepared(url)
    bare_file = folder / "bare.db"
    _prepared(f"sqlite:///{bare_file}")
    for _ in range(rounds):
        for size in SIZES:
            _timed(found, f"SQLite bare {size}", rows, partial(_bare_sqlite, bare_file, made, size))
            _timed(found, f"SQLite ours {size}", rows, partial(_ours, url, feed, made, size))
            _emptied(url)
            _emptied(f"sqlite:///{bare_file}")


def _postgres(server: postgres.Server, rows: int, rounds: int, found: dict[str, list[float]]) -> None:
    made = arrivals(rows)
    url = server.url(server.create_database("bench"))
    feed = _prepared(url)
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    for _ in range(rounds):
        for size in SIZES:
            _timed(found, f"Postgres bare {size}", rows, partial(_copy, plain, feed, made, size))
            _emptied(url)
            _timed(found, f"Postgres ours {size}", rows, partial(_ours, url, feed, made, size))
            _emptied(url)


def _prepared(url: str) -> FeedId:
    engine = engines.open_engine(url)
    migrate.ensure(engine)
    with engine.begin() as tx:
        partitions.make_room(tx, NOW)  # our own insert makes it, the bare one does not
        feeds.sync(tx, [feeds.Seed("https://paper.example/rss", "paper.example")], NOW)
        (row,) = feeds.all_rows(tx)
    engine.dispose()
    return row.id


def _emptied(url: str) -> None:
    engine = engines.open_engine(url)
    with engine.begin() as tx:
        tx.execute(delete(tables.entry))
    engine.dispose()


def _ours(url: str, feed: FeedId, made: list[entries.Arrival], size: int) -> None:
    engine = engines.open_engine(url)

    def write(chunk: list[entries.Arrival]) -> None:
        with engine.begin() as tx:
            entries.add(tx, feed, chunk, gen=1, now=NOW)

    with ThreadPoolExecutor(1) as writer:
        for chunk in _chunks(made, size):
            writer.submit(write, chunk).result()
    engine.dispose()


def _bare_sqlite(file: Path, made: list[entries.Arrival], size: int) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("pragma journal_mode=wal")
    connection.execute("pragma synchronous=full")
    marks = ", ".join("?" * (COLUMNS.count(",") + 1))
    for chunk in _chunks(made, size):
        rows = [tuple(v.isoformat(" ") if isinstance(v, datetime) else v for v in row) for row in _values(chunk, 1)]
        connection.execute("begin immediate")
        connection.executemany(f"insert into entry ({COLUMNS}) values ({marks})", rows)
        connection.execute("commit")
    connection.close()


def _copy(url: str, feed: FeedId, made: list[entries.Arrival], size: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for chunk in _chunks(made, size):
            with connection.transaction(), connection.cursor().copy(f"copy entry ({COLUMNS}) from stdin") as copy:
                for row in _values(chunk, feed):
                    copy.write_row(row)


if __name__ == "__main__":
    main()
