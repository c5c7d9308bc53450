"""A database that several processes may share, and its questions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.house import Database


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    """A fresh, migrated database."""
    with Database(postgres_url) as opened:
        yield opened
