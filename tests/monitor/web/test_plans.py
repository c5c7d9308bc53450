"""No query of the pages without an index: SQLite explains every statement that a page sends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event

from monitor.store import engine as engines
from monitor.store import migrate
from tests.monitor.web import crowd
from tests.monitor.web.site import HTML, client, sources

SMALL = frozenset(
    ("feed", "silence", "watch_coverage", "label", "config_revision", "sqlite_master", "channel_state", "meta")
)
"""Tables with a row per thing a person made: reading all of one is no search."""
COUNTED = frozenset(("outbox", "item"))
"""Counted by state over a whole index: deliveries are as many as messages, and pruned."""

PATHS = (
    "/",
    "/?watch=rare",
    "/?language=sq",
    "/?country=RS",
    "/?q=bara",
    "/?q=bara&watch=flights&language=en&since=2025-01-01",
    "/?after=MTczNTY5MjYwMDAwMDAwMC41",
    "/story/st_0000000007",
    "/outlet/o7.example",
    "/outlet/o7.example?before=1735692600000000",
    "/governments",
    "/government/US",
    "/feeds",
    "/deliveries",
    "/deliveries?state=sent",
    "/configuration",
    "/story/st_0000000007/evidence.json",
    "/watch/flights/feed.atom",
)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = engines.open_engine(f"sqlite:///{tmp_path_factory.mktemp('plans') / 'crowd.db'}")
    migrate.ensure(engine)
    crowd.fill(engine, stories=200, entries=4_000, told=3_000)
    yield engine
    engine.dispose()


def listen(engine: Engine) -> list[tuple[str, Any]]:
    """Every statement from now on, with its values."""
    heard: list[tuple[str, Any]] = []

    @event.listens_for(engine, "after_cursor_execute")
    def _hear(_c: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if statement.lstrip().lower().startswith(("select", "with")):
            heard.append((statement, values))

    return heard


def scans(engine: Engine, statement: str, values: Any) -> list[str]:
    """The tables that SQLite would read from end to end for a statement."""
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        rows = driver.execute(f"explain query plan {statement}", values).fetchall()
    found = []
    for *_, detail in rows:
        whole = re.match(r"SCAN (\w+)(?! VIRTUAL)(?! USING (?:COVERING )?INDEX)", detail)
        if whole and "VIRTUAL TABLE" not in detail and "INDEX" not in detail:
            found.append(whole[1])
    return found


@pytest.mark.parametrize("path", PATHS)
async def test_no_page_reads_a_large_table_from_end_to_end(crowded: Engine, path: str) -> None:
    heard = listen(crowded)
    async with client(sources(crowded, syndicated=True)) as pages:
        heard.clear()
        answer = await pages.get(path, headers=HTML)
    assert answer.status_code == 200
    assert heard
    large = re.compile(r"\b(?:FROM|JOIN) (\w+)(?: AS (\w+))?")
    for statement, values in list(heard):
        names = {alias or name: name for name, alias in large.findall(statement)}
        wrong = [names.get(name, name) for name in scans(crowded, statement, values)]
        tables_read = {name for name in wrong if name in TABLES}
        assert not tables_read - SMALL - COUNTED, f"{tables_read} in {statement}"


TABLES = frozenset(
    ("story", "mention", "match", "entry", "response", "attribution", "document", "event", "item", "outbox",
     "entry_revision", "story_alias", "search_doc", "feed", "label", "silence", "fetch_log", "article")
)  # fmt: skip


def test_a_query_without_an_index_would_be_noticed(crowded: Engine) -> None:
    assert scans(crowded, "select * from mention where title = ?", ("x",)) == ["mention"]
    assert scans(crowded, "select * from mention where outlet = ?", ("x",)) == []
