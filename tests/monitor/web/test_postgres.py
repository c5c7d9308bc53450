"""The same pages on Postgres: every one is asked for over a crowded database of the other kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from monitor.store import engine as engines
from tests.monitor.web import crowd
from tests.monitor.web.site import HTML, client, sources
from tests.monitor.web.test_plans import PATHS

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
