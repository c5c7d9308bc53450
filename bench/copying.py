"""What moving a SQLite database to Postgres costs: python -m bench.copying [--entries 20000] [--interrupt] [--json].

A database with so many made-up entries (and two known keys for each) is copied to a private Postgres server, with
`fsync` as an administrator would have it. Printed: rows a second over the whole, copied and compared; beside it what
reading those rows from SQLite alone takes, since ratios are what counts. `--interrupt` kills the copy with SIGKILL
halfway and goes on.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import insert

from bench import backtest
from monitor.parse import identity
from monitor.store import copying, tables
from monitor.store import engine as engines
from tests import postgres

PROGRAM = """\
import sys
from monitor.store import copying
copying.copy(sys.argv[1], sys.argv[2], tell=lambda *said: print(*said, flush=True))
"""


def filled(folder: Path, number: int) -> str:
    """A database with so many entries, and what is known of them; its address."""
    url = backtest.stored(folder, number)
    engine = engines.open_engine(url)
    for at in range(0, number, 5000):
        keys = [f"{kind}:{n}" for n in range(at, min(at + 5000, number)) for kind in ("entry", "url")]
        with engine.begin() as connection:
            rows = [{"feed_id": 1, "key_hash": identity.key_hash(key), "kind": "url", "gen_last": 1} for key in keys]
            connection.execute(insert(tables.seen), rows)
    engine.dispose()
    return url


def read(url: str) -> float:
    """Seconds to read every row from SQLite, and nothing else."""
    began = time.perf_counter()
    engine = engines.open_engine(url)
    with engines.reading(engine) as connection:
        for table in copying.all_tables():
            cursor = connection.connection.cursor()
            cursor.execute(f'select * from "{table.name}"')
            while cursor.fetchmany(1000):
                pass
    engine.dispose()
    return time.perf_counter() - began


def killed_halfway(url: str, target: str, number: int) -> None:
    """Begin the copy and kill it when half of the entries are there."""
    with subprocess.Popen([sys.executable, "-c", PROGRAM, url, target], stdout=subprocess.PIPE, text=True) as copier:
        assert copier.stdout is not None
        for line in copier.stdout:
            step, table, done, _ = line.split()
            if (step, table) == ("copying", "entry") and int(done) >= number // 2:
                break
        copier.kill()


def main() -> None:
    """Fill, copy, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--interrupt", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    server = postgres.start({"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB", "max_wal_size": "2GB"})
    try:
        with tempfile.TemporaryDirectory() as folder:
            url = filled(Path(folder), asked.entries)
            target = server.url(server.create_database("copied"))
            reading = read(url)
            began = time.perf_counter()
            if asked.interrupt:
                killed_halfway(url, target, asked.entries)
            steps = {"copying": 0.0, "comparing": 0.0}
            last = time.perf_counter()

            def tell(step: str, _table: str, _done: int, _of: int) -> None:
                nonlocal last
                steps[step] += time.perf_counter() - last
                last = time.perf_counter()

            done = copying.copy(url, target, tell=tell)
            took = time.perf_counter() - began
    finally:
        server.stop()
    rows = sum(done.rows.values())
    found = {
        "rows": rows,
        "ranges": done.ranges,
        "resumed": done.resumed,
        "seconds": round(took, 1),
        "rows_per_second": round(rows / took),
        "copying_s": round(steps["copying"], 1),
        "comparing_s": round(steps["comparing"], 1),
        "reading_alone_s": round(reading, 1),
    }
    print(json.dumps(found) if asked.json else "\n".join(f"{name:18} {value:>14,}" for name, value in found.items()))


if __name__ == "__main__":
    main()
