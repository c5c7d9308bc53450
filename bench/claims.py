"""Claims and reschedules of due feeds by two workers, beside a bare `update … returning` of the same rows.

    python -m bench.claims [--feeds 200000] [--workers 2] [--take 1000] [--rounds 2] [--postgres URL]

Shards are claimed with their runs and tokens and written back fenced, a thousand feeds at a time and without any HTTP;
the bare statement moves `next_at` of as many rows by the same index and returns them. Both in processes of their own,
in turns, so that a busy machine slows both. Prints JSON: feeds a second and the ratio; the ratio decides. Starts a
private Postgres unless one is named.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text

from monitor.store import claims, migrate, results, shards
from monitor.store import engine as engines
from monitor.values import Shard
from tests import postgres

LEASE = timedelta(seconds=90)
SEED = """
insert into feed (url, host, shard, next_at, next_reason, schedule)
select 'http://h' || n / 3 || '.example/' || n, 'h' || n / 3 || '.example', (n / 3) % :shards,
       now() - (n % 900) * interval '1 s', 'adaptive', '{"interval": 900.0, "rate": [0.1, 0.2, 0.3]}'
from generate_series(1, :feeds) n
"""
BARE = text(
    """
update feed set next_at = next_at + interval '1 h', lease_token = lease_token + 1
where id = any(array(
    select id from feed where shard = :shard and state in ('active', 'gone') and next_at <= now()
    order by next_at limit :take for update skip locked))
returning *
"""
)


def shards_for(count: int) -> int:
    """As many shards as leave 2,000 feeds in each, as a million feeds do in 512."""
    return min(max(count // 2000, 2), shards.COUNT)


def fill(engine: Engine, count: int) -> None:
    """So many feeds, all of them due."""
    with engine.begin() as connection:
        shards.prepare(connection)
        connection.execute(text("truncate feed cascade"))
        connection.execute(text(SEED), {"feeds": count, "shards": shards_for(count)})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze feed"))


def ours(connection: Connection, shard: Shard, run: int, take: int) -> int:
    """Claim, and write back what a poll that changed nothing writes."""
    now = datetime.now(UTC)
    found = shards.claim(connection, shard, run, now, lease=LEASE, limit=take)
    rows = claims.claimed_rows(found, now + LEASE)
    connection.commit()
    results.settle_plain(
        connection,
        [
            (row.claim, results.Settlement(now + LEASE * 10, "adaptive", row.schedule, now, ok=True))
            for row in rows
            if row.claim is not None
        ],
    )
    connection.commit()
    return len(rows)


def bare(connection: Connection, shard: Shard, _: int, take: int) -> int:
    """Move as many rows as one statement does."""
    moved = len(connection.execute(BARE, {"shard": shard, "take": take}).all())
    connection.commit()
    return moved


def worker(url: str, kind: str, mine: list[int], take: int, ready: object, go: object, done: object) -> None:
    """Take all that is due in some shards."""
    step: Callable[[Connection, Shard, int, int], int] = ours if kind == "ours" else bare
    engine = engines.open_engine(url, pool=2)
    total = 0
    with engine.connect() as connection:
        connection.execute(text("select 1"))
        connection.commit()
        ready.release()  # type: ignore[attr-defined]
        go.wait()  # type: ignore[attr-defined]
        for n in mine:
            run = shards.open_run(connection, Shard(n)) if kind == "ours" else 0
            while moved := step(connection, Shard(n), run, take):
                total += moved
                if moved < take:
                    break
    done.put(total)  # type: ignore[attr-defined]
    engine.dispose()


def measure(url: str, kind: str, workers: int, take: int, used: int) -> float:
    """Feeds a second."""
    context = multiprocessing.get_context("spawn")
    ready, go, done = context.Semaphore(0), context.Event(), context.Queue()
    parts = [list(range(k, used, workers)) for k in range(workers)]
    children = [context.Process(target=worker, args=(url, kind, part, take, ready, go, done)) for part in parts]
    for child in children:
        child.start()
    for _ in children:
        ready.acquire()
    began = time.perf_counter()
    go.set()
    total = sum(done.get() for _ in children)
    took = time.perf_counter() - began
    for child in children:
        child.join()
    return float(total / took)


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--feeds", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--take", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--postgres")
    wanted = parser.parse_args()
    server = None if wanted.postgres else postgres.start()
    try:
        url = wanted.postgres or server.url(server.create_database("claims"))  # type: ignore[union-attr]
        engine = engines.open_engine(url)
        migrate.ensure(engine)
        found: dict[str, list[float]] = {"ours": [], "bare": []}
        for _ in range(wanted.rounds):
            for kind, rates in found.items():
                fill(engine, wanted.feeds)
                rates.append(measure(url, kind, wanted.workers, wanted.take, shards_for(wanted.feeds)))
        engine.dispose()
    finally:
        if server is not None:
            server.stop()
    middle = {kind: statistics.median(rates) for kind, rates in found.items()}
    ratio = round(middle["ours"] / middle["bare"], 3)
    print(json.dumps({"feeds_a_second": {k: round(v) for k, v in middle.items()}, "ours_to_bare": ratio}))


if __name__ == "__main__":
    main()
