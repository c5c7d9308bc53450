"""A database that comes up late, or is restarted under load: processes wait, stay, come back, and lose nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.store import engine as engines
from monitor.store import migrate
from tests import postgres
from tests.cluster.house import Database, Process, daemon, feeds_of, launched, until, write_config
from tests.fakes.feed_server import FeedServer, Step
from tests.scenarios.test_daemon import rss

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
FEEDS = 60


MOMENTS: dict[str, Callable[[Process], bool]] = {
    "amid its polls": lambda alone: alone.count("polled") > 5,
    "as it starts": lambda alone: alone.count("started") > 0,
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
async def test_a_database_restarted_under_load_ends_no_process_and_loses_nothing(
    tmp_path: Path, postgres_server: postgres.Server, moment: Callable[[Process], bool]
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
                await until(lambda: moment(alone))
                own.restart()
                with Database(url) as database:
                    unread = "select count(*) from feed where last_ok_at is null"
                    await until(lambda: alone.code is not None or database.one(unread) == 0, 240)
                    assert alone.code is None, alone.told[-1]
                    assert database.one("select count(*) from entry") == 2 * FEEDS
                    assert database.one("select count(*) from fetch_log where outcome = 'changed'") == FEEDS
                await until(lambda: alone.code is not None or alone.count("leading") >= 2)
                assert alone.code is None
    finally:
        own.stop()


async def test_a_start_waits_for_a_database_that_comes_up_late_and_says_so(
    tmp_path: Path, postgres_server: postgres.Server
) -> None:
    if postgres_server.folder is None:
        pytest.skip("a server of somebody else's is not stopped")
    own = postgres.start()
    try:
        url = own.url(own.create_database(secrets.token_hex(4)))
        own.halt()
        write_config(tmp_path, url, [])
        async with launched(tmp_path) as alone:
            await until(lambda: alone.count("database_unreachable"))
            own.resume()
            await until(lambda: alone.count("started") or alone.code is not None)
            assert alone.code is None, alone.told
        events = [line["event"] for line in alone.told]
        assert events.index("database_unreachable") < events.index("database_reached") < events.index("started")
        (first, *_) = (line for line in alone.told if line["event"] == "database_unreachable")
        assert ("cannot be reached" in first["message"], 55 <= first["giving_up_in_s"] <= 60) == (True, True)
    finally:
        own.stop()


async def test_a_start_gives_up_when_its_patience_ends(tmp_path: Path) -> None:
    write_config(tmp_path, f"postgresql+psycopg://nobody@/nothing?host={tmp_path}", [])
    async with launched(tmp_path, "--wait", "2") as alone:
        assert await alone.ended() == 69
    assert 1 <= alone.count("database_unreachable") <= 3
    assert "cannot be reached" in alone.told[-1]["text"]
