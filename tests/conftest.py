"""What every test may ask for: both databases, the guard against the network, and where evaluation data would be.

Postgres needs no Docker and runs as root too: `tests/postgres.py` starts a private server on a Unix socket.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from monitor.store import engine as engines
from monitor.store import migrate
from tests import postgres

ROOT = Path(__file__).parent.parent

# Speed is measured in bench/; a busy machine must not fail a property.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")


@pytest.fixture(autouse=True)
def _logs_of_their_own() -> Iterator[None]:
    """A command that ran inside the test process has sent the log to a stream that is closed by now."""
    yield
    structlog.reset_defaults()


def pytest_report_header() -> str:
    """Say at the top which Postgres the run uses."""
    return f"postgres: {postgres.describe()}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """One server per run; skipped with its reason where none can be had, failing where one is required."""
    try:
        server = postgres.start()
    except postgres.NoPostgres as exc:
        if os.environ.get("STORYWATCH_REQUIRE_PG") == "1":
            pytest.fail(str(exc), pytrace=False)
        pytest.skip(str(exc))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: postgres.Server) -> str:
    """A database with the newest schema, copied for each test."""
    name = postgres_server.create_database("tmpl")
    engine = engines.open_engine(postgres_server.url(name))
    migrate.ensure(engine)
    engine.dispose()
    return name


@pytest.fixture
def postgres_url(postgres_server: postgres.Server, postgres_template: str) -> Iterator[str]:
    """The address of a fresh, migrated Postgres database."""
    name = postgres_server.create_database(f"t{secrets.token_hex(6)}", template=postgres_template)
    yield postgres_server.url(name)
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema, copied for each test."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = engines.open_engine(f"sqlite:///{file}")
    migrate.ensure(engine)
    engine.dispose()
    return file


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """The address of a fresh, migrated SQLite file."""
    shutil.copyfile(sqlite_template, tmp_path / "storywatch.db")
    return f"sqlite:///{tmp_path / 'storywatch.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def storage_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of either kind: a test that takes this runs on both."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def engine(storage_url: str) -> Iterator[Engine]:
    """An engine on a migrated database of either kind."""
    opened = engines.open_engine(storage_url)
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of evaluation data, for tests that score; they are skipped where it is not."""
    folder = Path(os.environ.get("STORYWATCH_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip("no evaluation data here")
    return folder


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that opens a connection to anything but this machine fails."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not str(address[0]).startswith(
            ("127.", "::1", "localhost")
        ):
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
