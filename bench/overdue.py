"""What a claim of due feeds takes on SQLite when very many are due, as after an outage.

    python -m bench.overdue [--feeds 1000 50000] [--hosts 300 15000] [--claims 5]

Each claim is of 100 feeds, and the hosts of the claims before it are busy. Prints milliseconds of CPU as JSON: medians,
by the number of feeds that are due.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta

from monitor.jobs.parts import LEASE
from monitor.store import claims, feeds, migrate
from monitor.store import engine as engines

START = datetime(2025, 6, 5, 8, 0, tzinfo=UTC)
AT_ONCE = 100


def main() -> None:
    """Measure each number of feeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, nargs="+", default=[1000, 50_000])
    parser.add_argument("--hosts", type=int, nargs="+", default=[300, 15_000])
    parser.add_argument("--claims", type=int, default=5)
    asked = parser.parse_args()
    sizes = zip(asked.feeds, asked.hosts, strict=True)
    print(json.dumps({"bench": "overdue", "cpu_ms": {n: _claimed(n, of, asked.claims) for n, of in sizes}}, indent=1))


def _claimed(number: int, on_hosts: int, times: int) -> float:
    with tempfile.TemporaryDirectory(prefix="overdue") as folder:
        engine = engines.open_engine(f"sqlite:///{folder}/storywatch.db")
        migrate.ensure(engine)
        names = [f"h{n % on_hosts}.example" for n in range(number)]
        with engine.begin() as connection:
            feeds.sync(connection, [feeds.Seed(f"https://{host}/{n}", host) for n, host in enumerate(names)], START)
        took, busy = [], set[str]()
        for n in range(times):
            now, began = START + timedelta(seconds=n + 1), time.thread_time()
            with engine.begin() as connection:
                rows = claims.claim(connection, now, lease=LEASE, limit=AT_ONCE, busy=tuple(busy))
            took.append((time.thread_time() - began) * 1000)
            busy |= {row.host for row in rows}
        engine.dispose()
    return round(statistics.median(took), 1)


if __name__ == "__main__":
    main()
