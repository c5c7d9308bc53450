"""What `db check` finds wrong, on both databases, and what `db stats` measures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, text

from monitor.store import checking, feeds, partitions, sizes, tables
from monitor.store import engine as engines

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


def states(engine: Engine, *, quick: bool = False) -> dict[str, str]:
    return {finding.what: finding.state for finding in checking.check(engine, NOW, quick=quick)}


def entry(engine: Engine, feed: int) -> None:
    with engine.begin() as connection:
        partitions.make_ahead(connection, NOW, timedelta(days=180))
        words = {"title": "t", "summary": "", "content": "", "text_sha256": bytes(32), "gen": 1}
        connection.execute(insert(tables.entry).values(feed_id=feed, entry_key="k", first_seen_at=NOW, **words))


@pytest.mark.parametrize("quick", [False, True], ids=["whole", "quick"])
def test_a_sound_database_has_nothing_wrong(engine: Engine, quick: bool) -> None:
    with engine.begin() as connection:
        partitions.make_ahead(connection, NOW, timedelta(days=180))
    assert set(states(engine, quick=quick).values()) == {"ok"}


def test_rows_that_lead_nowhere_are_found(engine: Engine) -> None:
    entry(engine, feed=77)
    assert {what for what, state in states(engine).items() if state == "bad"} == {"entries of no feed"}


def test_another_schema_is_bad(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '0000'"))
    assert states(engine)["schema"] == "bad"


def test_an_empty_database_has_no_schema_and_nothing_else_to_look_at(tmp_path: Path) -> None:
    engine = engines.open_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    assert states(engine) == {"schema": "bad"}
    engine.dispose()


@pytest.mark.postgres
def test_too_few_partitions_want_attention_and_a_broken_index_is_bad(postgres_url: str) -> None:
    engine = engines.open_engine(postgres_url)
    assert states(engine)["partitions"] == "amber"
    with engine.begin() as connection:
        connection.execute(text("update pg_index set indisvalid = false where indexrelid = 'ix_feed_host'::regclass"))
    assert states(engine)["indexes"] == "bad"
    engine.dispose()


def test_every_table_is_measured(engine: Engine) -> None:
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed("https://a.example/rss", "a.example")], NOW)
    entry(engine, feed=1)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("analyze"))
    found = sizes.read(engine)
    assert {"entry", "feed", "outbox", "mention"} <= {one.name for one in found.tables}
    assert not any(one.name.startswith("entry_20") for one in found.tables)
    assert all(one.bytes for one in found.tables)
    assert found.oldest_entry == found.newest_entry == NOW
    assert found.total > 100_000
    if found.exact:
        assert {one.name: one.rows for one in found.tables}["entry"] == 1
