"""What a new entry costs in the whole pipeline, against feedparser alone, with little and with much history.

    python -m bench.pipeline [--feeds 100] [--polls 5] [--history 10000,1000000] [--postgres] [--json FILE]

Each poll brings three new entries of thirty, delta parsed; the base is feedparser on documents of just those three.
`quiet` uses the shipped watches, which want one entry in fifty; `loud` a watch that takes every entry, so that each
one is clustered and read for responses. Goals: at most 2.5 and 8 times the base, and at most 1.2 times as much with a
million stored entries as with ten thousand. CPU seconds of this process, medians of the polls.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import feedparser
from sqlalchemy import Engine, insert, text

from bench.peers import served
from monitor import pipeline, understanding, wiring
from monitor.config import api
from monitor.parse import delta, unseen
from monitor.store import claims, entries, feeds, migrate, partitions, results, tables
from monitor.store import engine as engines
from monitor.values import FeedId
from tests import postgres

START = datetime(2026, 6, 5, tzinfo=UTC)
_SHIPPED = Path(__file__).resolve().parent.parent / "config.yaml"
_LOUD = f"""\
version: 1
contact: https://newsroom.example/storywatch
watches: [{{name: everything, query: "{" OR ".join(word for word in served.SYLLABLES[::2] if len(word) > 2)}"}}]
channels: {{console: {{type: stdout}}}}
"""
"""Words of one syllable: hardly a text is without any."""
_NEW = timedelta(minutes=15)
_HEADERS = {"content-type": "application/xml"}


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU for a new entry: the whole way, and feedparser alone on the same items."""

    ours: float
    base: float


def main() -> None:
    """Print the table."""
    asked = _asked()
    rows = []
    for history in asked.history:
        for name, config in (("quiet", _SHIPPED.read_text(encoding="utf-8")), ("loud", _LOUD)):
            with _database(f"{name}_{history}", postgres_server=asked.postgres) as url:
                cost = _measured(url, config, asked.feeds, asked.polls, history)
            rows.append({"watches": name, "history": history, "ours_ms": cost.ours * 1e3, "base_ms": cost.base * 1e3})
            print(rows[-1], file=sys.stderr)
    print(_table(rows))
    if asked.json:
        Path(asked.json).write_text(json.dumps(rows, indent=1), encoding="utf-8")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=100)
    parser.add_argument("--polls", type=int, default=5)
    parser.add_argument("--history", type=lambda raw: [int(one) for one in raw.split(",")], default=[10_000, 200_000])
    parser.add_argument("--postgres", action="store_true", help="on a Postgres server of its own instead of SQLite")
    parser.add_argument("--json")
    return parser.parse_args()


@contextmanager
def _database(name: str, *, postgres_server: bool) -> Iterator[str]:
    if not postgres_server:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/bench.db"
        return
    server = postgres.start()
    try:
        yield server.url(server.create_database(name))
    finally:
        server.stop()


def _measured(url: str, config_text: str, count: int, polls: int, history: int) -> Cost:
    config = api.parse_text(config_text, os.environ)
    engine = engines.open_engine(url)
    migrate.ensure(engine)
    addresses = [f"https://paper-{n}.example/rss" for n in range(count)]
    with engine.begin() as tx:
        feeds.sync(tx, [feeds.Seed(one, one.split("/")[2]) for one in addresses], START)
        ids = [row.id for row in feeds.all_rows(tx)]
    _fill(engine, history, ids)
    context = wiring.context(engine, wiring.knowledge(config, config_rev=1), config, now=START)
    memories: dict[FeedId, delta.Memory | None] = {}
    ours, base = [], []
    for poll in range(polls + 1):
        now = START + poll * _NEW
        begun = time.process_time()
        rows = _claimed(context, now)
        spent, alone = time.process_time() - begun, 0.0
        for number, feed in enumerate(ids):
            body = served.document(number, poll)
            begun = time.process_time()
            memories[feed] = _poll(
                context, rows[feed], body, addresses[number], memories.get(feed), now, baseline=poll == 0
            )
            spent += time.process_time() - begun
            alone += _alone(number, poll)
        if poll:
            ours.append(spent / (count * served.NEW))
            base.append(alone / (count * served.NEW))
    engine.dispose()
    return Cost(statistics.median(ours), statistics.median(base))


def _claimed(context: understanding.Context, now: datetime) -> dict[FeedId, feeds.FeedRow]:
    """All feeds, claimed as the daemon claims what is due: many in a transaction."""
    with context.engine.begin() as tx:
        rows = claims.claim(tx, now + timedelta(days=30), lease=timedelta(minutes=5), limit=10_000)
    return {row.id: row for row in rows}


def _poll(
    context: understanding.Context,
    row: feeds.FeedRow,
    body: bytes,
    url: str,
    before: delta.Memory | None,
    now: datetime,
    *,
    baseline: bool,
) -> delta.Memory | None:
    """All of one poll but the fetch."""
    document = unseen.parse(body, url, _HEADERS, now, before=before)
    assert row.claim is not None
    decision = pipeline.Decision(results.Settlement(now, "bench", {}, now, ok=True))
    turn = pipeline.Turn(row.claim, None, row.gen + 1, baseline=baseline, decide=lambda _: decision, before=before)
    pipeline.process(document, turn, context, now)
    return document.memory


def _alone(feed: int, revision: int) -> float:
    """Feedparser on the new items of a document, between its head and its foot."""
    whole = served.document(feed, revision).decode()
    mark = "entry" if feed % 10 == 9 else "item"
    head, *items = whole.split(f"<{mark}>")
    foot = items[-1].partition(f"</{mark}>")[2]
    mini = head + "".join(f"<{mark}>{item}" for item in items[: served.NEW]) + foot
    begun = time.process_time()
    found = feedparser.parse(mini.encode(), response_headers={"content-type": "application/xml"})
    took = time.process_time() - begun
    assert len(found.entries) == served.NEW
    return took


def _fill(engine: Engine, number: int, ids: list[FeedId]) -> None:
    """Write a history: entries and what says that they are known."""
    with engine.begin() as tx:
        for chunk in _chunks(number, ids):
            for at in dict.fromkeys(row["first_seen_at"] for row in chunk):
                partitions.make_room(tx, at)
            tx.execute(insert(tables.entry), chunk)
            seen = [
                {"feed_id": row["feed_id"], "key_hash": row["text_sha256"][:16], "kind": "entry", "gen_last": 0}
                for row in chunk
            ]
            tx.execute(insert(tables.seen), seen)
        tx.execute(text("analyze"))


def _chunks(number: int, ids: list[FeedId], size: int = 5000) -> Iterator[list[dict[str, Any]]]:
    for begin in range(0, number, size):
        yield [_old_row(n, ids[n % len(ids)], number) for n in range(begin, min(begin + size, number))]


def _old_row(number: int, feed: FeedId, total: int) -> dict[str, Any]:
    title = f"An older headline with number {number}"
    at = START - timedelta(days=60) * ((total - number) / total) - timedelta(days=7)
    return {
        "feed_id": feed,
        "entry_key": f"old-{number}",
        "url": f"https://paper.example/old/{number}",
        "url_key": f"paper.example/old/{number}",
        "outlet": f"paper-{number % 50}.example",
        "title": title,
        "summary": "An older text of no interest to any watch, of about the length of a teaser in a feed.",
        "content": "",
        "lang": "en",
        "published_at": at,
        "first_seen_at": at,
        "gen": 0,
        "text_sha256": entries.text_hash(title, str(number), ""),
    }


def _table(rows: list[dict[str, float | str]]) -> str:
    lines = ["| watches | stored entries | ms a new entry | feedparser alone | ratio |", "|---|---|---|---|---|"]
    for row in rows:
        ratio = float(row["ours_ms"]) / float(row["base_ms"])
        lines.append(
            f"| {row['watches']} | {row['history']:,} | {row['ours_ms']:.2f} | {row['base_ms']:.2f} | {ratio:.2f}x |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
