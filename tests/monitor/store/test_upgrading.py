"""From the last release's schema to this one's with rows in it, and its workers that go on beside the new ones."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, Engine, MetaData, Table, insert, select, text, update

import alerts.tables
from monitor import resources
from monitor.schedule import politeness
from monitor.store import claims, feeds, fetch_log, fetch_ring, meta, migrate, partitions, results, tables
from monitor.store import engine as engines
from monitor.store.fetch_log import FetchRecord
from monitor.values import Claim, FeedId

FEED = FeedId(1)
HOUR = timedelta(hours=1)
NOW = datetime.now(UTC).replace(microsecond=0)  # a migration makes partitions by the database's clock
LINES = 35


def upgrade(engine: Engine, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(resources.resource_path("migrations")))
    config.attributes["engine"] = engine
    command.upgrade(config, to)


def as_it_was(table: Table) -> Table:
    """A table as the last release knows it."""
    columns = [Column(one.name, one.type, primary_key=one.primary_key) for one in table.c if one.name != "recent"]
    return Table(table.name, MetaData(), *columns)


OLD_FEED, OLD_LOG = as_it_was(tables.feed), as_it_was(tables.fetch_log)


def old_line(at: datetime, outcome: str = "not_modified") -> dict[str, Any]:
    """What a worker of the last release writes of every fetch."""
    known = {"feed_id": FEED, "at": at, "outcome": outcome, "status": 304, "sent": b"eightlet", "given": b"eightlet"}
    return known | {"bytes": 0, "took_ms": 7, "new": 0, "odd_headers": "", "next_at": at + HOUR, "next_reason": "ttl"}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database of the last release, in which a feed was fetched 35 times."""
    server = request.getfixturevalue("postgres_server") if request.param == "postgres" else None
    name = f"u{secrets.token_hex(6)}"
    opened = engines.open_engine(server.url(server.create_database(name)) if server else f"sqlite:///{tmp_path}/a.db")
    upgrade(opened, "0002")
    row = {"id": FEED, "url": "https://a.example/f", "host": "a.example", "shard": 0, "state": "active", "gen": 1}
    row |= {"next_at": NOW, "next_reason": "ttl", "schedule": {}, "last_attempt_at": NOW - HOUR, "lease_token": 3}
    row |= {"identity_policy": "guid", "identity_troubled": 0, "standing": "ok"}
    with opened.begin() as connection:
        connection.execute(insert(OLD_FEED), row)
        connection.execute(insert(OLD_LOG), [old_line(NOW - n * HOUR) for n in range(LINES, 0, -1)])
    yield opened
    opened.dispose()
    if server:
        server.drop_database(name)


def settle(connection: Connection, at: datetime) -> None:
    """A poll by this release, a moment after it was claimed."""
    (row,) = claims.claim(connection, at, lease=HOUR)
    assert row.claim is not None
    record = FetchRecord(at, "not_modified", 304, next_at=at + HOUR, next_reason="ttl", sent=b"eigh", given=b"eigh")
    line = fetch_ring.packed(record, first=row.last_attempt_at is None)
    done = results.Settlement(at + HOUR, "ttl", {}, at, ok=True, line=line)
    assert results.settle_plain(connection, [(row.claim, done)]) == {FEED}


def settle_as_before(connection: Connection, at: datetime) -> None:
    """A poll by the last release: its claim, its update and its line."""
    mine = update(OLD_FEED).where(OLD_FEED.c.id == FEED)
    claimed = mine.values(lease_token=OLD_FEED.c.lease_token + 1, lease_until=at + HOUR).returning(*OLD_FEED.c)
    token = connection.execute(claimed).one().lease_token
    settled = mine.where(OLD_FEED.c.lease_token == token).values(next_at=at + HOUR, lease_until=None)
    assert connection.execute(settled).rowcount == 1
    connection.execute(insert(OLD_LOG), [old_line(at)])


def times(connection: Connection) -> list[int]:
    """How many hours ago the fetches were that are told."""
    return [(NOW - record.at) // HOUR for record in fetch_log.newest(connection, FEED)]


def test_no_line_is_lost_and_workers_of_both_releases_write_side_by_side(engine: Engine) -> None:
    assert migrate.ensure(engine)
    with engine.begin() as connection:
        assert times(connection) == list(range(1, 31))
        settle(connection, NOW)
        settle_as_before(connection, NOW + HOUR)
        settle(connection, NOW + 2 * HOUR)
        assert times(connection) == list(range(-2, 28))
        assert connection.execute(select(tables.fetch_log.c.at)).scalars().all() == [NOW + HOUR]
        held = connection.execute(select(OLD_FEED.c.id, OLD_FEED.c.lease_token)).one()
        claims.release(connection, [Claim(FeedId(held.id), held.lease_token, NOW)])


def test_manners_are_judged_from_where_the_ring_begins(engine: Engine) -> None:
    migrate.ensure(engine)
    with engine.begin() as connection:
        for n in range(3):
            settle(connection, NOW + n * HOUR)
        known, whole_from = fetch_log.history(connection, FEED)
    assert (len(known), whole_from) == (LINES + 3, LINES)
    log = [politeness.Line(one.at, one.outcome, None, one.sent, one.given, next_at=one.next_at) for one in known]
    assert politeness.judge(politeness.Asked("https://a.example/f", log, whole_from)).faults == 0


def test_a_database_with_rows_has_the_schema_of_one_without(engine: Engine) -> None:
    migrate.ensure(engine)
    with engine.connect() as connection:
        weeks = {one.name for one in partitions.listed(connection, partitions.FETCH_LOG)}
        here = {"compare_type": True, "include_name": lambda name, kind, _: kind != "table" or name not in weeks}
        context = MigrationContext.configure(connection, opts=here)
        assert compare_metadata(context, [tables.metadata, alerts.tables.metadata]) == []
        assert bool(weeks) is (engine.dialect.name == "postgresql")
        since = meta.get(connection, fetch_log.BEFORE)
    assert since is not None
    assert abs(datetime.fromisoformat(since) - NOW) < 24 * HOUR


@pytest.mark.postgres
def test_a_row_that_gets_long_keeps_its_ring_and_gives_away_its_memory(postgres_url: str) -> None:
    engine = engines.open_engine(postgres_url)
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed("https://a.example/f", "a.example")], NOW)
        connection.execute(update(tables.feed).values(items=secrets.token_bytes(1500), recent=secrets.token_bytes(782)))
        (beside,) = connection.execute(
            text("select reltoastrelid::regclass::text from pg_class where relname = 'feed'")
        )
        long_values = connection.execute(text(f"select sum(length(chunk_data)) from {beside[0]}"))
        assert long_values.scalar_one() == 1500
    engine.dispose()


def test_a_worker_of_the_last_release_goes_on_with_the_statements_it_prepared(engine: Engine) -> None:
    with engine.connect() as worker:
        for n in range(7):  # psycopg prepares at the fifth
            settle_as_before(worker, NOW + n * timedelta(minutes=1))
            worker.commit()
        migrate.ensure(engine)
        settle_as_before(worker, NOW + HOUR)
        worker.commit()
        assert worker.execute(select(tables.fetch_log.c.at)).scalars().all() == [NOW + HOUR]
        assert len(worker.execute(select(tables.fetch_log_before.c.at)).all()) == LINES + 7
