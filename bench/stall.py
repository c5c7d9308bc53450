"""How long the event loop stands still while feeds are polled for the first time.

    python -m bench.stall [--feeds 1000]

The real parts in this process, as `bench.poll_once` wires them; a probe asks to be woken every 10 ms and notes by how
much it was late. Goals: 50 ms in 99 of 100 cases, 250 ms at most.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from pathlib import Path

from bench import poll_once
from bench.peers import served
from monitor import daemon, logs

_EVERY_S = 0.01


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=1000)
    asked = parser.parse_args()
    logs.configure(sys.stderr, quiet=True)
    daemon.use_uvloop()
    with served.Server() as server, tempfile.TemporaryDirectory() as folder:
        urls = server.urls(asked.feeds, many_hosts=True)
        url = f"sqlite:///{Path(folder) / 'storywatch.db'}"
        poll_once.prepare(url, urls)
        late_ms = [1000 * late for late in asyncio.run(_probed(urls, url))]
        stored = poll_once.count(url)
    at = statistics.quantiles(late_ms, n=100)
    print("| feeds | entries stored | probes | median, ms | p99, ms | longest, ms |\n|---|---|---|---|---|---|")
    print(f"| {asked.feeds} | {stored} | {len(late_ms)} | {at[49]:.1f} | {at[98]:.1f} | {max(late_ms):.1f} |")


async def _probed(urls: list[str], url: str) -> list[float]:
    """By how many seconds each probe was late."""
    config = poll_once.config_of(urls)
    async with daemon.assembled(config, os.environ, url=url, now=daemon.utc_now, who="bench", text="bench") as running:
        daemon.settle()
        late: list[float] = []
        probe = asyncio.create_task(_probe(late))
        await running.poller.run_round(force=True)
        probe.cancel()
    return late


async def _probe(late: list[float]) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        asked = clock()
        await asyncio.sleep(_EVERY_S)
        late.append(clock() - asked - _EVERY_S)


if __name__ == "__main__":
    main()
