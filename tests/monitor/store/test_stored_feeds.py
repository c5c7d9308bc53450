"""Feeds that stand in the database, in both databases: starts leave them alone, config.yaml wins, a removal is one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, event, update

from monitor.store import claims, feeds, listed, moves, tables

NOW = datetime(2025, 6, 5, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
A, B = "https://a.example/rss", "https://b.example/rss"
SAID = {"tags": ["wire"], "floor": "20m"}
Step = Callable[[Connection], None]


def seeds(*urls: str, paused: bool = False) -> Step:
    """A start or a reload with a config.yaml that names these."""

    def step(connection: Connection) -> None:
        feeds.sync(connection, [feeds.Seed(url, "a.example", paused) for url in urls], NOW)

    return step


def put(url: str, **said: object) -> Step:
    def step(connection: Connection) -> None:
        row = listed.find(connection, [url]).get(url)
        if row is None:
            listed.add(connection, [listed.New(url, "a.example", said, NOW + HOUR)])
        else:
            listed.restate(connection, [listed.Restated(row.id, said, NOW + HOUR)])

    return step


def remove(url: str) -> Step:
    return lambda connection: listed.remove(connection, listed.find(connection, [url])[url].id)


def learnt(state: str) -> Step:
    return lambda connection: connection.execute(update(tables.feed).values(state=state)) and None


STANDS: dict[str, tuple[list[Step], tuple[str, object, bool]]] = {
    "a feed of the file has no settings": ([seeds(A)], ("active", None, True)),
    "one that leaves the file is paused": ([seeds(A), seeds()], ("paused", None, False)),
    "one that comes back is polled": ([seeds(A), seeds(), seeds(A)], ("active", None, True)),
    "a feed of the database is polled": ([put(A)], ("active", {}, False)),
    "a start leaves it alone": ([put(A, **SAID), seeds(B), seeds(), seeds(B)], ("active", SAID, False)),
    "what a server said of it stays": ([put(A), learnt("gone"), seeds(B)], ("gone", {}, False)),
    "the file may name it, too": ([put(A, **SAID), seeds(A)], ("active", SAID, True)),
    "and pause it: the file wins": ([put(A), seeds(A, paused=True)], ("paused", {}, True)),
    "when the file forgets it, the database's holds": (
        [put(A, **SAID), seeds(A, paused=True), seeds()],
        ("active", SAID, False),
    ),
    "a feed of the file may be put there": ([seeds(A), put(A, **SAID), seeds()], ("active", SAID, False)),
    "but that does not wake what the file pauses": ([seeds(A, paused=True), put(A)], ("paused", {}, True)),
    "one that was removed is paused": ([put(A), remove(A), seeds()], ("paused", None, False)),
    "unless the file names it": ([put(A), seeds(A), remove(A)], ("active", None, True)),
    "and is polled when it is put there again": ([put(A), remove(A), put(A, **SAID)], ("active", SAID, False)),
    "as is one that the file once had": ([seeds(A), seeds(), put(A)], ("active", {}, False)),
}


@pytest.mark.parametrize(("steps", "wanted"), STANDS.values(), ids=STANDS)
def test_a_feed_stands_where_it_was_put(engine: Engine, steps: list[Step], wanted: tuple[str, object, bool]) -> None:
    for step in steps:
        with engine.begin() as connection:
            step(connection)
    with engine.connect() as connection:
        row = feeds.by_url(connection, A)
        assert row is not None
        assert (row.state, row.settings, row.id in feeds.configured(connection)) == wanted


def test_a_removed_feed_that_comes_back_is_asked_at_its_time_and_not_at_once(engine: Engine) -> None:
    for step in (put(A), remove(A), put(A)):
        with engine.begin() as connection:
            step(connection)
            connection.execute(update(tables.feed).where(tables.feed.c.state == "paused").values(next_at=NOW - HOUR))
    with engine.connect() as connection:
        assert claims.due_count(connection, NOW) == 0
        assert claims.due_count(connection, NOW + HOUR) == 1


def test_a_start_reads_no_feed_that_only_stands_in_the_database(engine: Engine) -> None:
    with engine.begin() as connection:
        new = [listed.New(f"https://s{n}.example/rss", f"s{n}.example", {}, NOW) for n in range(40)]
        listed.add(connection, new)
        seeds(A, B)(connection)
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    with engine.begin() as connection:
        seeds(A)(connection)
    ours = [one for one in asked if "feed" in one]
    assert all("configured" in one or one.startswith(("UPDATE feed", "DELETE")) for one in ours), ours
    with engine.connect() as connection:
        assert listed.count(connection) == 40
        assert {feed.url for feed in listed.read(connection)} == {one.url for one in new}


def test_a_claim_brings_the_settings_along(engine: Engine) -> None:
    with engine.begin() as connection:
        put(A, **SAID)(connection)
        seeds(B)(connection)
        taken = claims.claim(connection, NOW + HOUR, lease=HOUR)
    assert {row.url: row.settings for row in taken} == {A: SAID, B: None}


def test_a_merged_feed_goes_on_with_what_it_said(engine: Engine) -> None:
    with engine.begin() as connection:
        put(A, **SAID)(connection)
        connection.execute(update(tables.feed).values(state="merged", moved_to=B))
        assert moves.merged(connection) == {B: (listed.Named(A, SAID),)}
