"""The same pages on Postgres: every one is made, and none of its queries has to read a large table from end to end.

A planner reads small tables whole whatever indexes there are; told to avoid that, it still does so where none fits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from monitor.store import engine as engines
from tests.monitor.web import crowd
from tests.monitor.web.site import HTML, client, sources
from tests.monitor.web.test_plans import COUNTED, PATHS, SMALL, listen

pytestmark = pytest.mark.postgres


@pytest.fixture
def crowded(postgres_url: str) -> Iterator[Engine]:
    engine = engines.open_engine(postgres_url)
    crowd.fill(engine, stories=60, entries=600, told=600)
    yield engine
    engine.dispose()


async def test_every_page_is_made_on_postgres_too(crowded: Engine) -> None:
    async with client(sources(crowded, syndicated=True)) as pages:
        for path in (*PATHS, "/health", "/api/v1/stories?q=kara&language=en", "/api/v1/stories/st_0000000007"):
            answer = await pages.get(path, headers=HTML)
            assert answer.status_code == 200, (path, answer.text[:300])


async def test_what_no_page_asks_for_is_refused_on_postgres_too(crowded: Engine) -> None:
    async with client(sources(crowded)) as pages:
        for path in ("/?q=%27%27%20%26%20%21%20%3A%2A%20%28", "/?watch=x'--", "/story/st_'", "/outlet/x'%22"):
            assert (await pages.get(path, headers=HTML)).status_code in (200, 404), path


def scans(connection: Connection, statement: str, values: Any) -> set[str]:
    """The tables that Postgres would read from end to end for a statement."""
    connection.exec_driver_sql("set local enable_seqscan = off")
    told = connection.exec_driver_sql(f"explain (format json) {statement}", values).scalar_one()
    return set(_scanned((told if isinstance(told, list) else json.loads(told))[0]["Plan"]))


def _scanned(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for below in node.get("Plans", ()):
        yield from _scanned(below)


async def test_no_page_reads_a_large_table_from_end_to_end_on_postgres_too(crowded: Engine) -> None:
    heard = listen(crowded)
    async with client(sources(crowded, syndicated=True)) as pages:
        for path in PATHS:
            await pages.get(path, headers=HTML)
    assert len(heard) > len(PATHS)
    with crowded.connect() as connection:
        wrong = {
            statement: found
            for statement, values in list(heard)
            if (found := scans(connection, statement, values) - SMALL - COUNTED)
        }
    assert not wrong


def test_a_query_without_an_index_would_be_noticed_on_postgres_too(crowded: Engine) -> None:
    with crowded.connect() as connection:
        assert scans(connection, "select * from mention where title = %s", ("x",)) == {"mention"}
        assert scans(connection, "select * from mention where outlet = %s", ("x",)) == set()
