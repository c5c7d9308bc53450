"""What a backtest costs: python -m bench.backtest [--entries 100000] [--json].

A made-up history, one entry in about a hundred matching, is written into a database and replayed with two files.
Printed: entries a second over both, the seconds, the peak of memory, and what the same number of entries costs to
match alone with both files, since ratios are what counts.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from bench import match
from monitor import wiring
from monitor.backtest import compare
from monitor.config import api
from monitor.match import matcher
from monitor.store import engine as engines
from monitor.store import entries, feeds, migrate, tables

START = datetime(2026, 5, 1, tzinfo=UTC)
CONFIG = """\
version: 1
contact: https://newsroom.example/storywatch
watches:
  - name: removals
    query: |
      (~deportation OR "protected status") AND (Kosovo OR Serbia OR Albania)
  - name: accord
    query: |
      Vučić AND (~agreement OR ~accept)
channels:
  console: {type: stdout}
"""
SHARE = 1 / 100
A_DAY = 100_000 / 30
"""Entries a day, whatever their number: a longer history is no denser, and the window of stories holds six days."""


def rows(number: int, rng: random.Random) -> Iterator[dict[str, object]]:
    """Entries of about 600 characters, half English, half Serbian Cyrillic."""
    texts = [match.text(600, rng, cyrillic=n % 2 == 1) for n in range(200)]
    dull = [text for text in texts if "Serbia" not in text and "Kosovo" not in text] or texts
    for n in range(number):
        live = rng.random() < SHARE
        name = match.name(rng)
        title = f"{name} {match.name(rng)} {n}"
        text = rng.choice(dull)
        if live:  # words of its own, or all of them would be one story
            title = f"{name} {match.name(rng)}: Serbia and the deportees of {match.name(rng)}"
            text = " ".join(match.name(rng) for _ in range(60))
        at = START + timedelta(days=1) * (n / A_DAY)
        yield {
            "id": n + 1,
            "feed_id": 1,
            "entry_key": f"k{n}",
            "url": f"https://outlet-{n % 50}.example/{n}",
            "url_key": f"outlet-{n % 50}.example/{n}",
            "outlet": f"outlet-{n % 50}.example",
            "title": title,
            "summary": text,
            "content": "",
            "lang": "en" if live or text.isascii() else "sr",
            "published_at": at,
            "first_seen_at": at,
            "gen": 1,
            "text_sha256": entries.text_hash(title, text, ""),
        }


def stored(folder: Path, number: int) -> str:
    """A database with so many entries; its address."""
    url = f"sqlite:///{folder}/bench.db"
    engine = engines.open_engine(url)
    migrate.ensure(engine)
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed("https://outlet.example/rss", "outlet.example")], START)
    made = rows(number, random.Random(1))
    while chunk := [row for _, row in zip(range(5000), made, strict=False)]:
        with engine.begin() as connection:
            connection.execute(insert(tables.entry), chunk)
    engine.dispose()
    return url


def matching(file: compare.File, number: int) -> float:
    """Seconds to match so many such entries, and nothing else."""
    engine = wiring.matcher_of(file.config)
    sample = [
        matcher.Document(str(row["title"]), str(row["summary"]), str(row["lang"]), None, str(row["outlet"]), None)
        for row in rows(2000, random.Random(1))
    ]
    began = time.perf_counter()
    for document in sample:
        engine.match(document)
    return (time.perf_counter() - began) / len(sample) * number


def measure(number: int) -> dict[str, float]:
    """Replay a made-up history of so many entries."""
    with tempfile.TemporaryDirectory() as folder:
        engine = engines.open_engine(stored(Path(folder), number))
        old = compare.File(api.parse_text(CONFIG, {}), CONFIG)
        text = CONFIG.replace(" OR Albania", "")
        new = compare.File(api.parse_text(text, {}), text)
        with engines.reading(engine) as connection:
            span = compare.span_of(connection, timedelta(days=number / A_DAY + 1))
        assert span is not None
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began, cpu = time.perf_counter(), time.process_time()
        found = compare.compare(engine, old, new, span)
        took, spent = time.perf_counter() - began, time.process_time() - cpu
        engine.dispose()
    alone = matching(old, number) + matching(new, number)
    return {
        "entries": number,
        "matched": found.running.matched,
        "seconds": took,
        "cpu_seconds": spent,
        "entries_per_second": number / took,
        "matching_alone_seconds": alone,
        "ratio_to_matching": took / alone,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "peak_mb_before": before / 1024,
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.entries)
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:<26}{value:>14,.1f}")


if __name__ == "__main__":
    main()
