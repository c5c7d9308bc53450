"""The schema: the same from migrations and from the tables, safe under concurrent starts, never opened when newer."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

import alerts.tables
import monitor.store.tables
from monitor import resources
from monitor.errors import SchemaMismatch, StoreError, StoreUnreachable
from monitor.store import engine as engines
from monitor.store import migrate


def test_migrated_schema_and_tables_do_not_differ(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, [monitor.store.tables.metadata, alerts.tables.metadata])
    assert differences == []


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(resources.resource_path("migrations"))).get_current_head() == migrate.HEAD


def test_a_migrated_database_is_left_alone(engine: Engine) -> None:
    assert migrate.ensure(engine) is False


def test_a_newer_schema_is_refused_and_not_touched(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(SchemaMismatch, match="9999"):
        migrate.ensure(engine)


STARTS_SIX = """\
import sys
from monitor.store import engine, migrate
one = engine.open_engine(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
migrate.ensure(one)
"""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database of either kind that holds nothing."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = server.create_database(f"e{secrets.token_hex(6)}")
    yield server.url(name)
    server.drop_database(name)


@pytest.mark.slow
def test_six_starts_at_once_on_an_empty_database_all_succeed(empty_url: str) -> None:
    pipe = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [subprocess.Popen([sys.executable, "-c", STARTS_SIX, empty_url], **pipe) for _ in range(6)]  # type: ignore[call-overload]
    assert [process.stdout.readline() for process in started] == ["ready\n"] * 6
    for process in started:
        process.stdin.write("go\n")
        process.stdin.close()
    assert [process.wait(60) for process in started] == [0] * 6
    for process in started:
        process.stdout.close()
    engine = engines.open_engine(empty_url)
    assert migrate.current(engine) == migrate.HEAD
    engine.dispose()


def test_a_failed_upgrade_leaves_the_old_schema(empty_url: str) -> None:
    engine = engines.open_engine(empty_url)
    with engine.begin() as connection:
        connection.execute(text("create table outbox (n integer)"))  # in the way of a later step
    with pytest.raises(StoreError, match="could not be brought from nothing to"):
        migrate.ensure(engine)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["outbox"]
    engine.dispose()


def test_a_start_that_only_checks_refuses_and_changes_nothing(empty_url: str) -> None:
    engine = engines.open_engine(empty_url)
    with pytest.raises(SchemaMismatch, match=r"is at nothing.*run storywatch migrate"):
        migrate.ready(engine, "check")
    assert migrate.current(engine) is None
    migrate.ready(engine, "auto")
    migrate.ready(engine, "check")
    engine.dispose()


@pytest.mark.postgres
def test_rows_that_polls_rewrite_have_room_and_a_vacuum_that_keeps_up(postgres_url: str) -> None:
    engine = engines.open_engine(postgres_url)
    with engine.connect() as connection:
        asked = text("select reloptions from pg_class where relname = 'feed'")
        options = connection.execute(asked).scalar_one()
        key = text("select pg_get_constraintdef(oid) from pg_constraint where conname = 'pk_entry'")
        assert connection.execute(key).scalar_one() == "PRIMARY KEY (id, first_seen_at)"
    assert {"fillfactor=80", "autovacuum_vacuum_scale_factor=0.02"} <= set(options)
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "says"),
    {
        "an address that is none": ("not a database", "no database address"),
        "a database nobody supports": ("mysql://u:secret@h/db", "mysql is not supported"),
    }.values(),
)
def test_an_unusable_address_is_a_message_without_the_password(url: str, says: str) -> None:
    with pytest.raises(StoreError, match=says) as caught:
        engines.open_engine(url)
    assert "secret" not in str(caught.value)


def test_a_database_that_does_not_answer_is_a_message(tmp_path: Path) -> None:
    engine = engines.open_engine(f"postgresql://u:secret@/nothing?host={tmp_path}")
    with pytest.raises(StoreUnreachable, match="cannot be reached") as caught:
        engines.check_reachable(engine)
    assert "secret" not in str(caught.value)
