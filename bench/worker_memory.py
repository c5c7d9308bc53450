"""What a worker of several processes keeps in memory beside a million feeds in the database.

    python -m bench.worker_memory [--feeds 1000000] [--hosts 300000] [--due 500] [--configured 200]

Postgres is filled with so many feeds that stand there; `storywatch run --role web` and `--role worker` start beside
them. Then the rows are made active, some of them due and all others tomorrow, and the worker polls those from a server
in a process of its own. Prints JSON: MiB of the worker's own process and of its tree (PSS: what is shared counts once)
when it has started, at the most and after polling; and of the other process, which leads. `--configured` feeds stand in
config.yaml, which may hold 1 MiB, and every process keeps those in memory. Goal: less than 300 MiB without the story
window, which is empty here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.cluster_run import Farm, database
from bench.peers import tree
from monitor.store import shards
from tests import postgres
from tests.cluster.house import Database, daemon, hosts, until, write_config

_HOSTS = "create table bench_host (n integer primary key, name text not null, shard integer not null)"
_ROWS = (
    "insert into feed (url, host, shard, state, next_at, next_reason, schedule, settings)"
    " select 'http://' || h.name || '\\:{port}/f/' || i, h.name, h.shard, 'paused', now() + interval '1 day',"
    """ 'startup', '{{}}', '{{"tags": ["press"]}}' from generate_series(1, {feeds}) i"""
    " join bench_host h on h.n = i % {hosts}"
)
_WAKE = "set local statement_timeout = 0; update feed set state = 'active' where state = 'paused'"
_DUE = (
    "update feed set next_at = now() where id in"
    " (select id from feed where host like '127.%' and url like '%/f/%' order by id limit {due})"
)
_POLLED = "select count(*) from feed where last_attempt_at is not null"
_NEAR = 200
"""Hosts of this machine: only their feeds are made due, of a million a few hundred."""


def fill(rows: Database, feeds: int, names: int, port: int) -> None:
    """Make paused feeds on so many hosts, the first of which are this machine's."""
    known = [*hosts(_NEAR), *(f"paper{n}.example" for n in range(names - _NEAR))]
    rows.run(_HOSTS)
    for at in range(0, len(known), 5000):
        some = (f"({n}, '{name}', {shards.shard_of(name)})" for n, name in enumerate(known[at : at + 5000], at))
        rows.run(f"insert into bench_host values {', '.join(some)}")
    rows.run("set local statement_timeout = 0; " + _ROWS.format(port=port, feeds=feeds, hosts=len(known)))
    rows.run("drop table bench_host")


def look(process: int) -> tuple[int, int]:
    """MiB of a process, and of it and all that come from it."""
    family = tree.family(process)
    return round(tree.pss_of(process)), round(sum(map(tree.pss_of, family)))


async def measure(url: str, farm: Farm, asked: argparse.Namespace) -> dict[str, Any]:
    """Start, wake, poll, and look."""
    near = hosts(_NEAR)
    configured = [f"http://{near[n % _NEAR]}:{farm.port}/c/{n}" for n in range(asked.configured)]
    with tempfile.TemporaryDirectory() as folder, Database(url) as rows:
        fill(rows, asked.feeds, asked.hosts, farm.port)
        print("filled", file=sys.stderr)
        path = write_config(Path(folder), url, configured)
        path.write_text(path.read_text(encoding="utf-8").replace("workers: 0", "workers: 1"), encoding="utf-8")
        began = time.monotonic()
        async with daemon(Path(folder), "--role", "worker") as worker, daemon(Path(folder), "--role", "web") as web:
            started_s = round(time.monotonic() - began, 1)
            started = most = look(worker.pid)
            leader = look(web.pid)
            await until(lambda: rows.one(_POLLED) == asked.configured, 900)
            print("started", file=sys.stderr)
            rows.run(_WAKE)
            print("awake", file=sys.stderr)
            with rows.engine.begin() as connection:
                due = connection.execute(sa.text(_DUE.format(due=asked.due))).rowcount
            while rows.one(_POLLED) < asked.configured + due:
                most, leader = max(most, look(worker.pid)), max(leader, look(web.pid))
                await asyncio.sleep(0.2)
                assert worker.code is None, worker.told[-5:]
            return {
                "feeds": asked.feeds,
                "configured": asked.configured,
                "both_started_after_s": started_s,
                "polled": due,
                "failed": rows.one("select count(*) from feed where fail_reason is not null"),
                "mib_of_process_and_tree": {"started": started, "most": most, "polled": look(worker.pid)},
                "mib_of_the_leader": leader,
            }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=1_000_000)
    parser.add_argument("--hosts", type=int, default=300_000)
    parser.add_argument("--due", type=int, default=500)
    parser.add_argument("--configured", type=int, default=_NEAR)
    asked = parser.parse_args()
    server, farm = postgres.start(), Farm()
    try:
        print(json.dumps(asyncio.run(measure(database(server, "memory"), farm, asked))))
    finally:
        farm.close()
        server.stop()


if __name__ == "__main__":
    main()
