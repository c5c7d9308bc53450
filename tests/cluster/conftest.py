"""A database that several processes may share, and its questions."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests import pgbouncer, postgres
from tests.cluster.house import Database


@pytest.fixture(scope="session", autouse=True)
def _through_a_pooler(request: pytest.FixtureRequest) -> Iterator[None]:
    """With STORYWATCH_TEST_POOLER=1 a real PgBouncer stands between every daemon and the suite's server."""
    if os.environ.get("STORYWATCH_TEST_POOLER") != "1":
        yield
        return
    server: postgres.Server = request.getfixturevalue("postgres_server")
    if pgbouncer.program() is None or server.folder is None:
        pytest.fail("STORYWATCH_TEST_POOLER=1 wants PgBouncer and a server of the suite's own", pytrace=False)
    with pgbouncer.before_all(server):
        yield


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    """A fresh, migrated database."""
    with Database(postgres_url) as opened:
        yield opened
