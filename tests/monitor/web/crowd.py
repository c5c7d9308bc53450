"""A crowded database for tests of speed and of query plans: many stories and entries, written straight to rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert

from monitor.store import partitions, search, tables

START = datetime(2025, 1, 1, tzinfo=UTC)
LANGUAGES = ("en", "sr", "sq", "de", "mk", "hr")
GOVERNMENTS = ("US", "RS", "XK", "AL", "MK", "ME", "BA", "HR")
STANCES = ("confirmed", "denied", "agreed", "declined", "no_reply")
_SYLLABLES = ("ba", "cu", "de", "fo", "gi", "ka", "le", "mo", "nu", "pi", "ra", "se", "to", "vu", "za", "dri")
_CHUNK = 20_000


def fill(engine: Engine, *, stories: int, entries: int, told: int) -> None:
    """Fill a database: `told` of the entries are spread over the stories, the others matched nothing."""
    dice = random.Random(7)
    words = ["".join(dice.choices(_SYLLABLES, k=dice.randint(2, 4))) for _ in range(8000)]
    with engine.begin() as connection:
        connection.execute(
            insert(tables.feed),
            [
                {"id": n, "url": f"https://f{n}.example/rss", "host": f"f{n}.example", "next_at": START,
                 "next_reason": "adaptive", "schedule": {}}
                for n in range(1, 201)
            ],
        )  # fmt: skip
        for day in range(entries // 86_400 + 2):
            partitions.make_room(connection, START + timedelta(days=day))
        connection.execute(insert(tables.story), [_story(n) for n in range(1, stories + 1)])
    for table, rows in (
        (tables.entry, _entries(entries, words, dice)),
        (tables.mention, _mentions(told, stories, words, dice)),
        (tables.match, _matches(told)),
        (tables.attribution, _citations(told)),
        (tables.response, _responses(told, stories)),
    ):
        for chunk in _chunks(rows):
            with engine.begin() as connection:
                connection.execute(insert(table), chunk)
    with engine.begin() as connection:
        while search.catch_up(connection, 5000):
            pass
    with engine.begin() as connection:
        connection.exec_driver_sql("analyze")


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _story(n: int) -> dict[str, Any]:
    at = START + timedelta(minutes=30 * n)
    return {"id": n, "key": f"st_{n:010}", "first_at": at, "last_at": at + timedelta(hours=5), "title": f"Story {n}",
            "lang": "en", "size": 20, "state": "open", "algo": 1}  # fmt: skip


def _entries(number: int, words: list[str], dice: random.Random) -> Iterator[dict[str, Any]]:
    for n in range(1, number + 1):
        yield {"id": n, "feed_id": n % 200 + 1, "entry_key": str(n), "title": " ".join(dice.choices(words, k=8)),
               "summary": " ".join(dice.choices(words, k=24)), "content": "", "gen": 1, "text_sha256": bytes(32),
               "first_seen_at": START + timedelta(seconds=n)}  # fmt: skip


def _mentions(told: int, stories: int, words: list[str], dice: random.Random) -> Iterator[dict[str, Any]]:
    for n in range(1, told + 1):
        outlet = f"o{(n * 7) % 400}.example"
        story = n % stories + 1
        yield {"entry_id": n, "story_id": story, "outlet": outlet, "publisher": outlet, "title": f"Entry {n}",
               "seen_at": START + timedelta(minutes=30 * story, seconds=n), "lang": LANGUAGES[n % 6], "url": None,
               "lead": " ".join(dice.choices(words, k=30)), "role": "copy" if n % 9 == 0 else "report", "score": 0.5,
               "threshold": 0.2, "runner_up_score": 0.0, "containment": 0.0, "shared": [], "reason": "joined",
               "algo": 1}  # fmt: skip


def _matches(told: int) -> Iterator[dict[str, Any]]:
    for n in range(1, told + 1):
        watch = "rare" if n % 5000 == 0 else "flights"
        yield {"entry_id": n, "watch": watch, "spans": [["title", 0, 5, "x"]], "config_rev": 1, "at": START}


def _citations(told: int) -> Iterator[dict[str, Any]]:
    for n in range(2, told + 1, 2):
        yield {"entry_id": n, "n": 0, "source": "Wire", "domain": f"o{n % 40}.example", "kind": "original",
               "field": "text", "start": 0, "end": 4, "background": False}  # fmt: skip


def _responses(told: int, stories: int) -> Iterator[dict[str, Any]]:
    for n in range(1, told + 1, 4):
        yield {"entry_id": n, "n": 0, "story_id": n % stories + 1, "government": GOVERNMENTS[(n // 4) % 8],
               "office": "X", "voice": "government", "body": "government", "stance": STANCES[n % 5],
               "quote": "They said so.",
               "field": "text", "start": 0, "end": 9, "lang": "en", "via": "passage", "hand": "first",
               "certainty": "sure", "partial": False, "background": False, "rule": "r",
               "said_at": START + timedelta(minutes=n)}  # fmt: skip
