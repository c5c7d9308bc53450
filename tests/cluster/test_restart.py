"""A database that is restarted under load: processes stay, come back, and lose nothing."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from monitor.store import engine as engines
from monitor.store import migrate
from tests import postgres
from tests.cluster.house import Database, daemon, feeds_of, until, write_config
from tests.fakes.feed_server import FeedServer, Step
from tests.scenarios.test_daemon import rss

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
FEEDS = 60


async def test_a_database_restarted_under_load_ends_no_process_and_loses_nothing(
    tmp_path: Path, postgres_server: postgres.Server
) -> None:
    if postgres_server.folder is None:
        pytest.skip("a server of somebody else's is not restarted")
    own = postgres.start()  # other tests keep theirs
    try:
        url = own.url(own.create_database(secrets.token_hex(4)))
        engine = engines.open_engine(url)
        migrate.ensure(engine)
        engine.dispose()
        async with FeedServer(everywhere=True) as server:
            urls = feeds_of(server, FEEDS)
            for n in range(FEEDS):
                server.script(f"/{n}", Step(body=rss(f"Title {n} one", f"Title {n} two"), delay_s=0.5))
            write_config(tmp_path, url, urls)
            async with daemon(tmp_path) as alone:
                await until(lambda: alone.count("polled") > 5)
                own.restart()
                with Database(url) as database:
                    await until(lambda: database.one("select count(*) from feed where last_ok_at is null") == 0, 240)
                    assert database.one("select count(*) from entry") == 2 * FEEDS
                    assert database.one("select count(*) from fetch_log where outcome = 'changed'") == FEEDS
                assert alone.code is None
                assert alone.count("leading") >= 2
    finally:
        own.stop()
