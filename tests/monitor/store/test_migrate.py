"""The schema: the same from migrations and from the tables, safe under concurrent starts, never opened when newer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

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


@pytest.mark.slow
def test_six_starts_at_once_on_an_empty_database_all_succeed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'empty.db'}"
    program = "import sys; from monitor.store import engine, migrate; migrate.ensure(engine.open_engine(sys.argv[1]))"
    started = [subprocess.Popen([sys.executable, "-c", program, url]) for _ in range(6)]
    assert [process.wait(60) for process in started] == [0] * 6
    assert migrate.current(engines.open_engine(url)) == migrate.HEAD


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
