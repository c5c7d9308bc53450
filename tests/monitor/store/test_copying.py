"""`storywatch db copy`: everything arrives, interrupted or not, and nothing is overwritten."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Table, insert, inspect, select, text

from alerts import tables as telling
from monitor.errors import StoreError
from monitor.store import copying, entries, fetch_log, fetch_ring, filelock, meta, pgbinary, tables
from monitor.store import engine as engines
from monitor.values import FeedId

pytestmark = pytest.mark.postgres
AT = datetime(2026, 6, 5, 8, 0, 0, 123456, tzinfo=UTC)
ENTRIES = 1000


def fill(url: str) -> None:
    """Rows of every kind of value: scripts, nulls, bytes, JSON, fractions, a story that leads to a later one."""
    engine = engines.open_engine(url)
    with engine.begin() as connection:
        feed = {"url": "https://a.example/f", "host": "a.example", "next_at": AT, "next_reason": "new"}
        feed |= {"recent": fetch_ring.begun([fetch_ring.packed(fetch_log.FetchRecord(AT, "failed", 500, "html"))])}
        connection.execute(insert(tables.feed).values(**feed, schedule={"ž": [1, None]}, etag=b'"\x00\xff"'))
        for days in (30, 12, 0):
            fetch_log.write(
                connection, FeedId(1), fetch_log.FetchRecord(AT - timedelta(days=days), "failed", message="č")
            )
        words = {"title": "Влада\t\\N", "summary": "", "content": "a\0b", "gen": 1, "text_sha256": bytes(32)}
        connection.execute(
            insert(tables.entry),
            [
                {"feed_id": 1, "entry_key": f"k{n}", "first_seen_at": AT + n * timedelta(hours=1), **words}
                for n in range(ENTRIES)
            ],
        )
        story = {"first_at": AT, "last_at": AT, "title": "s", "size": 1, "state": "open", "algo": 1}
        connection.execute(insert(tables.story).values(key="st_1", **story))
        connection.execute(insert(tables.story).values(key="st_2", **story))
        connection.execute(tables.story.update().where(tables.story.c.id == 1).values(merged_into=2, state="merged"))
        scores = {"score": 0.1, "threshold": 1e-7, "runner_up_score": 1e22, "containment": 1.0}
        mention = {"entry_id": 1, "story_id": 1, "seen_at": AT, "title": "t", "lead": "", "role": "report"}
        connection.execute(insert(tables.mention).values(**mention, **scores, shared=[], reason="joined", algo=1))
        for number in range(30):  # keys in an order that languages disagree about
            key = f"{'aBčД'[number % 4]}{number}"
            connection.execute(insert(telling.cursor).values(recipient=key, group_key="-", told_at=AT))
    engine.dispose()


@pytest.fixture
def source(sqlite_url: str) -> str:
    fill(sqlite_url)
    return sqlite_url


@pytest.fixture
def target(postgres_url: str) -> Iterator[Engine]:
    engine = engines.open_engine(postgres_url)
    yield engine
    engine.dispose()


def rows(engine: Engine, table: Table) -> list[tuple[Any, ...]]:
    with engines.reading(engine) as connection:
        found = connection.execute(select(table)).all()
    return sorted((tuple(row) for row in found), key=repr)


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def assert_equal(source: str, target: Engine) -> None:
    origin = engines.open_engine(source)
    for table in copying.all_tables():
        before = [
            tuple(v.replace("\0", "\ufffd") if isinstance(v, str) else v for v in row) for row in rows(origin, table)
        ]
        assert rows(target, table) == sorted(before, key=repr), table.name
    origin.dispose()


def test_every_table_arrives_as_it_was(source: str, target: Engine) -> None:
    told: list[tuple[str, str, int, int]] = []
    done = copying.copy(source, url_of(target), most=300, tell=lambda *said: told.append(said))
    assert done.rows["entry"] == ENTRIES
    assert_equal(source, target)
    assert ("copying", "entry", ENTRIES, ENTRIES) in told
    assert ("comparing", "entry", ENTRIES, ENTRIES) in told


def test_afterwards_new_rows_follow_the_old_ones_and_the_keys_are_back(source: str, target: Engine) -> None:
    before = inspect(target).get_foreign_keys("mention")
    copying.copy(source, url_of(target))
    with target.begin() as connection:
        words = {"title": "", "summary": "", "content": "", "gen": 1, "text_sha256": entries.text_hash("", "", "")}
        new = insert(tables.entry).values(feed_id=1, entry_key="new", first_seen_at=AT, **words)
        assert connection.execute(new.returning(tables.entry.c.id)).scalar_one() == ENTRIES + 1
    assert inspect(target).get_foreign_keys("mention") == before != []
    assert not {"copy_job", "copy_range"} & set(inspect(target).get_table_names())


PROGRAM = """\
import sys
from monitor.store import copying
copying.copy(sys.argv[1], sys.argv[2], most=100, tell=lambda *said: print(*said, flush=True))
"""


@pytest.mark.parametrize("stops_at", ["copying entry 300", "copying entry 1000", "comparing entry 500"])
def test_a_copy_that_was_killed_goes_on_where_it_was(source: str, target: Engine, stops_at: str) -> None:
    copier = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, source, url_of(target)], stdout=subprocess.PIPE, text=True
    )
    with copier:
        assert copier.stdout is not None
        for line in copier.stdout:
            if line.startswith(stops_at):
                break
        copier.kill()
    done = copying.copy(source, url_of(target), most=100)
    assert 0 < done.resumed <= done.ranges
    assert_equal(source, target)


def test_a_target_with_other_data_is_refused_and_keeps_it(source: str, target: Engine) -> None:
    with target.begin() as connection:
        meta.put(connection, "mine", "kept")
    with pytest.raises(StoreError, match=r"holds data already \(meta\)"):
        copying.copy(source, url_of(target))
    with target.begin() as connection:
        assert meta.get(connection, "mine") == "kept"


def test_a_target_of_another_program_is_refused(source: str, postgres_server: Any) -> None:
    name = postgres_server.create_database("foreign")
    engine = engines.open_engine(postgres_server.url(name))
    with engine.begin() as connection:
        connection.execute(text("create table invoices (n int)"))
    with pytest.raises(StoreError, match="tables of something else \\(invoices\\)"):
        copying.copy(source, postgres_server.url(name))
    engine.dispose()
    postgres_server.drop_database(name)


class Stop(Exception):
    """An interruption."""


def begun(source: str, target: Engine) -> None:
    def stop(step: str, table: str, done: int, _of: int) -> None:
        if (step, table) == ("copying", "entry") and done >= 200:
            raise Stop

    with pytest.raises(Stop):
        copying.copy(source, url_of(target), most=100, tell=stop)


def test_a_source_that_changed_meanwhile_begins_again_and_only_if_asked_to(source: str, target: Engine) -> None:
    begun(source, target)
    engine = engines.open_engine(source)
    with engine.begin() as connection:
        meta.put(connection, "new", "fact")
    engine.dispose()
    with pytest.raises(StoreError, match=r"source has changed.*--restart"):
        copying.copy(source, url_of(target))
    assert copying.copy(source, url_of(target), restart=True).resumed == 0
    assert_equal(source, target)


def test_rows_that_were_changed_in_the_target_are_noticed(source: str, target: Engine) -> None:
    begun(source, target)
    with target.begin() as connection:
        connection.execute(text("update entry set title = 'other' where id = 150"))
    with pytest.raises(StoreError, match=r"entry: rows after .* differ"):
        copying.copy(source, url_of(target), most=100)


def test_a_running_daemon_is_not_copied(source: str, target: Engine) -> None:
    with filelock.FileLock(source), pytest.raises(filelock.AlreadyRunning):
        copying.copy(source, url_of(target))


def test_only_postgres_is_a_target(source: str) -> None:
    with pytest.raises(StoreError, match="a Postgres address is wanted"):
        copying.copy(source, "sqlite:///other.db")


def test_a_value_that_is_not_of_its_type_is_named(source: str, target: Engine) -> None:
    engine = engines.open_engine(source)
    with engine.begin() as connection:
        connection.execute(text("update entry set gen = 99999999999 where id = 7"))
    engine.dispose()
    with pytest.raises(StoreError, match="entry 7: a value is not of its column's type"):
        copying.copy(source, url_of(target))


def test_every_column_has_a_binary_form() -> None:
    for table in copying.all_tables():
        assert pgbinary.row_packer(table)
