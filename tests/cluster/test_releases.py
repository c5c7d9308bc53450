"""This release beside a later one whose migration has run: what runs goes on, what starts anew is refused.

There is no later release yet. What its migration may do while processes of this one run is the rule that is played
here: columns that may be empty or have a default, tables and indexes that are new.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import alerts.tables
import monitor.store.tables
from alerts import outbox
from alerts.values import Kind
from monitor import wiring
from monitor.config import api
from monitor.store import migrate
from tests.alerts.house import event
from tests.cluster.house import Database, daemon, feeds_of, until, write_config
from tests.cluster.test_refusals import ended
from tests.fakes.feed_server import FeedServer, Step
from tests.scenarios.test_daemon import rss

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
FEEDS = 40
LATER = "9999"
UNPOLLED = "select count(*) from feed where last_ok_at is null"


def expand(database: Database) -> None:
    """Change every table as a later migration may, and call the schema newer."""
    everything = [*monitor.store.tables.metadata.sorted_tables, *alerts.tables.metadata.sorted_tables]
    for table in everything:
        added = "add column later_note text, add column later_count integer not null default 7"
        database.run(f'alter table "{table.name}" {added}')
        database.run(f'create index "later_{table.name}" on "{table.name}" (later_count)')
    database.run("create table later (id bigint primary key, feed_id bigint references feed (id))")
    database.run(f"update alembic_version set version_num = '{LATER}'")


async def test_processes_of_this_release_go_on_over_a_schema_that_a_later_one_has_added_to(
    tmp_path: Path, database: Database
) -> None:
    async with FeedServer(everywhere=True) as server:
        for n in range(FEEDS):
            server.script(f"/{n}", Step(body=rss(f"Title {n} one", f"Title {n} two"), delay_s=0.3))
        file = write_config(tmp_path, database.url, feeds_of(server, FEEDS))
        async with daemon(tmp_path, "--role", "worker") as worker, daemon(tmp_path, "--role", "web") as web:
            await until(lambda: worker.count("polled") > 3)
            expand(database)
            assert database.one(UNPOLLED) > 0
            with database.engine.begin() as connection:
                news = event(Kind.NEW_STORY, datetime.now(UTC), watch="flights")
                outbox.put(connection, [news], wiring.knowledge(api.load(file, {}), config_rev=1).plan)
            await until(lambda: database.one(UNPOLLED) == 0)
            await until(lambda: list(tmp_path.glob("digests/*")))
            assert (worker.code, web.code) == (None, None)
            anew, said = await ended(tmp_path, "run", "--role", "worker", "--wait", "0")
            looked, _ = await ended(tmp_path, "status")
        told = [line for one in (worker, web) for line in one.told if line.get("level") in ("error", "warning")]
    assert [line for line in told if not line["event"].startswith("Execution of job")] == []  # late, on a busy machine
    assert database.one("select count(*) from entry where later_count = 7") == 2 * FEEDS
    assert (anew, looked) == (3, 3)
    assert f"the database is at {LATER}, this version knows {migrate.HEAD}" in said
