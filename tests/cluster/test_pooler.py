"""Behind PgBouncer: with a direct address beside it everything works, without one a start is refused."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.store import pooler
from tests import pgbouncer, postgres
from tests.cluster.house import Database, daemon, feeds_of, until, write_config
from tests.cluster.test_refusals import ended
from tests.fakes.feed_server import FeedServer, Step
from tests.scenarios.test_daemon import rss

pytestmark = pytest.mark.postgres
FEEDS = 40


@pytest.fixture(autouse=True)
def _only_with_pgbouncer(postgres_server: postgres.Server) -> None:
    if pgbouncer.program() is None:
        pytest.skip("PgBouncer is not installed (apt-get install pgbouncer): nothing was tried behind a pooler")
    if postgres_server.folder is None:
        pytest.skip("the server of STORYWATCH_TEST_PG may be anywhere: no pooler is put before it")


@pytest.fixture
def pooled(postgres_server: postgres.Server, postgres_url: str) -> Iterator[str]:
    """The address of the test's database through a pooler of four sessions."""
    with pgbouncer.before(postgres_server) as base:
        yield base.replace("{database}", name_of(postgres_url))


def name_of(url: str) -> str:
    return url.partition("@/")[2].partition("?")[0]


@pytest.mark.parametrize(
    ("mode", "sessions", "shared"),
    {
        "a pooler of transactions": ("transaction", 4, True),
        "a pooler with a single session": ("transaction", 1, True),
        "a pooler of whole sessions": ("session", 4, False),
    }.values(),
)
def test_a_pooler_that_shares_sessions_is_found_out(
    postgres_server: postgres.Server, postgres_url: str, mode: str, sessions: int, shared: bool
) -> None:
    assert not pooler.stands_before(postgres_url)
    with pgbouncer.before(postgres_server, mode=mode, sessions=sessions) as base:
        assert pooler.stands_before(base.replace("{database}", name_of(postgres_url))) is shared


SAID = "shares sessions between connections; set storage.direct_url to the server itself"
REFUSED = {
    "no direct address": ("", "", "pgqueuer", "storage.url: "),
    "no direct address, one process": ("", "", "local", "storage.url: "),
    "a pooler that lets settings pass": ("", "options", "pgqueuer", "storage.url: "),
    "a direct address that is none": (", direct_url: '{pooled}'", "", "pgqueuer", "storage.direct_url: "),
}


@pytest.mark.parametrize(("storage", "ignored", "kind", "where"), REFUSED.values(), ids=REFUSED)
async def test_a_start_behind_a_pooler_is_refused_without_a_way_round_it(
    tmp_path: Path,
    postgres_server: postgres.Server,
    postgres_url: str,
    storage: str,
    ignored: str,
    kind: str,
    where: str,
) -> None:
    with pgbouncer.before(postgres_server, ignored=ignored) as base, Database(postgres_url) as database:
        url = base.replace("{database}", name_of(postgres_url))
        write_config(tmp_path, url, [], kind=kind, storage=storage.format(pooled=url))
        code, said = await ended(tmp_path, "run")
        assert (code, where in said, SAID in said) == (1, True, True), said
        assert database.one("select count(*) from config_revision") == 0


COMMANDS = (
    ("migrate",),
    ("poll", "--once"),
    ("status",),
    ("db", "prune"),
    ("db", "check"),
    ("silence", "add", "--watch", "flights", "--for", "1h", "--comment", "a test"),
)


async def test_commands_work_through_a_pooler(tmp_path: Path, postgres_url: str, pooled: str) -> None:
    async with FeedServer(everywhere=True) as server:
        server.script("/0", Step(body=rss("Title one", "Title two")))
        write_config(tmp_path, pooled, feeds_of(server, 1), storage=f", direct_url: '{postgres_url}'")
        for words in COMMANDS:
            code, said = await ended(tmp_path, *words)
            assert code == 0, (words, said)
    with Database(postgres_url) as database:
        assert database.one("select count(*) from entry") == 2


@pytest.mark.slow
async def test_several_processes_share_the_work_through_a_pooler(
    tmp_path: Path, postgres_url: str, pooled: str
) -> None:
    async with FeedServer(everywhere=True) as server:
        urls = feeds_of(server, FEEDS)
        for n in range(FEEDS):
            server.script(f"/{n}", Step(body=rss(f"Title {n} one", f"Title {n} two"), delay_s=0.1))
        write_config(tmp_path, pooled, urls, storage=f", direct_url: '{postgres_url}'")
        with Database(postgres_url) as database:
            async with daemon(tmp_path, "--role", "web") as web, daemon(tmp_path, "--role", "worker") as worker:
                await until(lambda: database.one("select count(*) from feed where last_ok_at is null") == 0)
                shared = database.one(
                    "select count(*) from pg_stat_activity where datname = current_database()"
                    " and application_name = 'storywatch/daemon'"
                )
                assert 1 <= shared <= 4
                worker.signal(signal.SIGTERM)
                web.signal(signal.SIGTERM)
                assert (await worker.ended(), await web.ended()) == (0, 0)
            assert web.count("leading") == 1
            assert database.one("select count(*) from entry") == 2 * FEEDS
            assert database.one("select count(*) from fetch_log where outcome = 'changed'") == FEEDS
            told = [line for one in (web, worker) for line in one.told if line.get("level") in ("error", "warning")]
            assert told == []
        assert set(Counter(request.path for request in server.requests).values()) == {1}
