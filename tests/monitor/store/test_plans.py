"""Hot statements stay on their indexes, also when they are prepared and their plan knows no values.

On Postgres every one runs a dozen times on one connection: psycopg prepares it at the fifth, Postgres may turn to a
generic plan at the tenth. Then the server itself says how many rows it read without an index. SQLite plans each before
it knows a value and without statistics, and is asked for its plan.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from alerts.outbox import deliveries, groups, slot_rows
from monitor.store import (
    articles,
    claims,
    entries,
    feeds,
    fetch_log,
    listed,
    live_mentions,
    partitions,
    past,
    results,
    shards,
)
from monitor.store import engine as engines
from monitor.values import Claim, Domain, EntryId, FeedId, KeyedEntry, ParsedEntry, Shard
from tests import postgres

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEED = FeedId(7)
FILLED = """
insert into feed (shard, url, host, next_at, next_reason, schedule)
  select n % 512, 'https://h' || n % 5000 || '.example/' || n, 'h' || n % 5000 || '.example',
         :now + (n - 20) * interval '1 second', 'adaptive', '{}' from generate_series(1, 20000) n;
insert into entry (feed_id, entry_key, url, url_key, outlet, title, summary, content, first_seen_at, gen, text_sha256)
  select n % 2000 + 1, 'k' || n, 'https://a.example/' || n, 'a.example/' || n, 'a.example', 't', '', '',
         :now - n * interval '4 minutes', 1, '' from generate_series(1, 40000) n;
insert into seen select n % 20000 + 1, decode(md5(n || ''), 'hex'), 'entry', 1 from generate_series(1, 60000) n;
insert into story (key, first_at, last_at, title, size, state, algo)
  select 'st_' || n, :now, :now, 's', 1, 'open', 1 from generate_series(1, 5000) n;
insert into mention (entry_id, story_id, outlet, seen_at, title, lead, role, score, threshold, runner_up_score,
                     containment, shared, reason, algo)
  select id, id % 5000 + 1, outlet, first_seen_at, 't', '', 'report', 0, 0, 0, 0, '[]', '', 1
    from entry where id <= 10000;
insert into article (entry_id, url, url_key, host, state, next_at)
  select id, 'u', url_key, 'a.example', case when id < 10 then 'wanted' else 'read' end,
         case when id < 10 then :now end from entry where id <= 10000;
insert into fetch_log (feed_id, at, outcome)
  select n % 20000 + 1, :now - n * interval '1 second', 'changed' from generate_series(1, 60000) n;
insert into fetch_log_before (feed_id, at, outcome)
  select n % 20000 + 1, :now - n * interval '1 second', 'not_modified' from generate_series(1, 60000) n;
insert into outbox (delivery_id, kind, event_keys, channel, recipient, story_id, order_key, subject, form, urgent,
                    config_rev, template_rev, headers, body, body_sha256, compacted, state, attempt, tries, lookups,
                    doubt, next_at, created_at, expires_at)
  select 'dlv_' || n, 'flat', '[]', 'c' || n % 10, 'r', 's', 'o' || n, '', '', false, 0, 0, '[]', '', '', false,
         case when n < 60 then 'ready' else 'sent' end, 0, 0, 0, '', :now, :now, :now from generate_series(1, 20000) n;
insert into item (event_id, recipient, group_key, state, due_at, max_age_s, returned)
  select n, 'c/r' || n % 50, 'g' || n, case when n < 20 then 'pending' else 'closed' end, :now, 60, 0
    from generate_series(1, 20000) n
"""
FILLED_SQLITE = """
insert into feed (shard, url, host, next_at, next_reason, schedule)
  with recursive n(n) as (select 1 union all select n + 1 from n where n < 600)
  select n % 512, 'https://h.example/' || n, 'h' || n, 0, 'adaptive', '{}' from n;
insert into outbox (delivery_id, kind, event_keys, channel, recipient, story_id, order_key, subject, form, urgent,
                    config_rev, template_rev, headers, body, body_sha256, compacted, state, attempt, tries, lookups,
                    doubt, next_at, created_at, expires_at)
  select 'dlv_' || id, 'flat', '[]', 'c' || (id % 10), 'r', 's', 'o' || id, '', '', 0, 0, 0, '[]', '', '', 0, 'ready',
         0, 0, 0, '', 0, 0, 4000000000000000 from feed where id < 60
"""
LARGE = "relname ~ '^(feed|entry.*|seen|mention|article|fetch_log.*|outbox|item|story)$'"


@pytest.fixture(scope="module")
def large(postgres_server: postgres.Server, postgres_template: str) -> Iterator[Engine]:
    """A database in which reading a whole table would show."""
    name = postgres_server.create_database("plans", template=postgres_template)
    engine = engines.open_engine(postgres_server.url(name), pool=3)
    with engine.begin() as connection:
        at = NOW - 125 * DAY
        while at < NOW + 40 * DAY:
            partitions.make_room(connection, at)
            at += 28 * DAY
        partitions.make_next(connection, NOW - 7 * DAY, partitions.FETCH_LOG)
        shards.prepare(connection)
        for statement in FILLED.split(";\n"):
            connection.execute(text(statement), {"now": NOW})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    yield engine
    engine.dispose()
    postgres_server.drop_database(name)


def item(n: int) -> KeyedEntry:
    return KeyedEntry(ParsedEntry(f"n{n}", f"https://a.example/n{n}", "t"), f"n{n}", f"a.example/n{n}")


def settle(connection: Connection, n: int) -> None:
    held = claims.seize(connection, FeedId(n + 100), NOW, HOUR)
    assert held is not None
    claims.fence(connection, held)
    results.settle(connection, held, results.Settlement(NOW + HOUR, "adaptive", {}, NOW, True, line=bytes(26)))


def settle_some(connection: Connection, n: int) -> None:
    held = [claims.seize(connection, FeedId(10 * n + k + 500), NOW, HOUR) for k in range(5)]
    done = results.Settlement(NOW + HOUR, "adaptive", {}, NOW, True, line=bytes(26))
    assert len(results.settle_plain(connection, [(claim, done) for claim in held if claim])) == 5


def run_of_a_shard(connection: Connection, n: int) -> None:
    shard = Shard(n + 1)
    shards.claim(connection, shard, shards.open_run(connection, shard), NOW, lease=HOUR, limit=10)


def add(connection: Connection, n: int) -> None:
    arrivals = [entries.Arrival(item(10 * n + k), "en", Domain("a.example")) for k in range(3)]
    entries.add(connection, FEED, arrivals, gen=2, now=NOW)


def send(connection: Connection, n: int) -> None:
    assert deliveries.claim(connection, f"c{n % 10}", "me", HOUR, NOW) is not None


HOT: dict[str, Callable[[Connection, int], object]] = {
    "take due feeds": lambda c, n: claims.claim(c, NOW, lease=HOUR, limit=1),
    "shards with something due": lambda c, n: shards.due(c, NOW),
    "take due feeds of a shard": run_of_a_shard,
    "settle some feeds at once": settle_some,
    "count due feeds": lambda c, n: claims.due_count(c, NOW),
    "take one feed": lambda c, n: claims.claim(c, NOW, lease=HOUR, only=FeedId(n + 1)),
    "fence and settle a feed": settle,
    "give a claim back": lambda c, n: claims.release(c, [Claim(FeedId(n + 1), 0, NOW)]),
    "which keys are known": lambda c, n: entries.recall(c, FEED, entries.hashed([item(n), item(n + 1)])),
    "remember keys": lambda c, n: entries.mark_seen(c, FEED, entries.hashed([item(n), item(n + 1)]), 2),
    "store entries": add,
    "revise entries": lambda c, n: entries.revise(c, FEED, [item(n)], [item(n + 500)], NOW),
    "entries a feed may take back": lambda c, n: entries.followed(c, FEED, NOW - 6 * HOUR),
    "one entry": lambda c, n: entries.by_id(c, EntryId(n + 1)),
    "an address": lambda c, n: entries.by_url(c, f"https://a.example/{n}", f"a.example/{n}"),
    "what a feed brought last": lambda c, n: entries.newest(c, FEED, 20),
    "a page of older entries": lambda c, n: past.entries_between(c, NOW - DAY, NOW, EntryId(0), 100),
    "the live window": lambda c, n: list(live_mentions.since(c, NOW - HOUR)),
    "pages that are due": lambda c, n: articles.take(c, NOW - DAY, HOUR, 4),
    "a line of the fetch log": lambda c, n: fetch_log.write(c, FEED, fetch_log.FetchRecord(NOW + n * HOUR, "changed")),
    "the last fetches of a feed": lambda c, n: fetch_log.newest(c, FEED),
    "feeds of a list that are there": lambda c, n: listed.find(c, [f"https://h{n}.example/{k}" for k in range(600)]),
    "a start": lambda c, n: feeds.sync(c, [feeds.Seed(f"https://h{k}.example/{k}", "h") for k in (1, 2, 3)], NOW),
    "the feeds of some entries": lambda c, n: listed.by_id(c, [n + 1, n + 2]),
    "when something falls due": lambda c, _: groups.next_due(c),
    "digests that are due": lambda c, _: slot_rows.due_slots(c, NOW),
    "when to send next": lambda c, _: deliveries.next_send(c),
    "recipients with something due": lambda c, n: groups.recipients_due(c, NOW),
    "the next delivery of a channel": send,
}


def rows_read_whole(connection: Connection) -> Counter[str]:
    """Rows that this session has read without an index, by table."""
    query = text(f"select relname, seq_tup_read from pg_stat_xact_user_tables where {LARGE} and seq_tup_read > 0")
    return Counter({row.relname: row.seq_tup_read for row in connection.execute(query)})


@pytest.fixture(scope="module")
def small(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A SQLite database with something to do for each statement."""
    file = tmp_path_factory.mktemp("plans") / "storywatch.db"
    shutil.copyfile(sqlite_template, file)
    engine = engines.open_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        shards.prepare(connection)
        for statement in FILLED_SQLITE.split(";\n"):
            connection.execute(text(statement))
    yield engine
    engine.dispose()


def read_whole(connection: Connection, statements: list[tuple[str, tuple[Any, ...]]]) -> set[str]:
    """The steps in which SQLite reads a table from one end to the other for these statements, by index or without."""
    plans = [connection.exec_driver_sql(f"explain query plan {sql}", given).all() for sql, given in statements]
    tables = {row.name for row in connection.execute(text("select name from sqlite_master where type = 'table'"))}
    steps = [row.detail.split() for plan in plans for row in plan]
    return {" ".join(step) for step in steps if step[0] == "SCAN" and step[1] in tables - {"shard", "configured"}}


@pytest.mark.parametrize("run", HOT.values(), ids=HOT.keys())
def test_a_hot_statement_reads_no_table_whole_on_sqlite(
    small: Engine, run: Callable[[Connection, int], object]
) -> None:
    asked: list[tuple[str, tuple[Any, ...]]] = []

    def note(_: Any, __: Any, sql: str, given: Any, ___: Any, many: bool) -> None:
        if sql.split()[0].lower() in ("select", "insert", "update", "delete"):
            asked.append((sql, tuple(given[0] if many else given)))

    with small.connect() as connection:
        event.listen(connection, "before_cursor_execute", note)
        run(connection, 1)
        event.remove(connection, "before_cursor_execute", note)
        assert asked
        assert read_whole(connection, asked) == set()
        connection.rollback()


@pytest.mark.postgres
@pytest.mark.parametrize("run", HOT.values(), ids=HOT.keys())
def test_a_hot_statement_reads_no_large_table_whole(large: Engine, run: Callable[[Connection, int], object]) -> None:
    with large.connect() as connection:
        before = rows_read_whole(connection)
        for n in range(12):
            run(connection, n)
        assert rows_read_whole(connection) - before == {}
        prepared = text("select max(generic_plans + custom_plans) from pg_prepared_statements")
        assert connection.execute(prepared).scalar_one() >= 7
        connection.rollback()


def test_reading_a_table_whole_would_be_noticed(large: Engine) -> None:
    with large.connect() as connection:
        before = rows_read_whole(connection)
        connection.execute(text("select count(*) from feed where fail_message = 'x'")).scalar_one()
        assert rows_read_whole(connection) - before == {"feed": 20000}
