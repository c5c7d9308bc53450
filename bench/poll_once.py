"""One poll of every feed of a list, by the real parts, for programs that compare pollers from outside.

    python bench/poll_once.py [--prepare | --count] WORK [FEEDS_FILE]

WORK keeps the database; FEEDS_FILE holds one address a line. Everything is wired as the daemon wires it, the shipped
watches included. The only differences: no schedule, no spacing of hosts, the addresses of the list may be private, and
100 feeds at once. `--prepare` makes the database and its feeds, `--count` prints how many entries are stored.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from monitor.cli import service

with service.plainly():
    from monitor import daemon, logs
from monitor.config import api
from monitor.config.values import Config, FeedConfig
from monitor.store import engine as engines
from monitor.store import entries, feeds, migrate

AT_ONCE = 100
_SHIPPED = Path(__file__).resolve().parent.parent / "config.yaml"


def main() -> None:
    """Do what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prepare", action="store_true")
    parser.add_argument("--count", action="store_true")
    parser.add_argument("work", type=Path)
    parser.add_argument("feeds_file", type=Path, nargs="?")
    asked = parser.parse_args()
    url = f"sqlite:///{asked.work / 'storywatch.db'}"
    if asked.count:
        print(count(url))
        return
    logs.configure(sys.stderr, quiet=True)
    urls = asked.feeds_file.read_text(encoding="utf-8").split()
    if asked.prepare:
        prepare(url, urls)
    else:
        daemon.use_uvloop()
        asyncio.run(_poll(config_of(urls), url))


def config_of(urls: list[str]) -> Config:
    """The shipped configuration with these feeds, asked all at once."""
    shipped = api.load(_SHIPPED, os.environ, with_secrets=False)
    hosts = frozenset(urlsplit(url).hostname or "" for url in urls)
    limits = replace(shipped.limits, allow_hosts=hosts, host_gap=timedelta(), per_host=AT_ONCE)
    return replace(
        shipped,
        feeds=tuple(FeedConfig(url) for url in urls),
        limits=limits,
        engine=replace(shipped.engine, fetches=AT_ONCE),
    )


def prepare(url: str, urls: list[str]) -> None:
    """Make a database that knows these feeds."""
    engine = engines.open_engine(url)
    migrate.ensure(engine)
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed(one, urlsplit(one).hostname or one) for one in urls], datetime.now(UTC))


async def _poll(config: Config, url: str) -> None:
    async with daemon.assembled(
        config, os.environ, url=url, now=daemon.utc_now, who="bench", text="bench", seed=1
    ) as running:
        daemon.settle()
        await running.working.parsers.ready()  # they start beside the first polls otherwise; without feeds none would
        with running.engine.begin() as connection:
            feeds.make_due(connection, daemon.utc_now())
        await running.poller.run_round(force=True)


def count(url: str) -> int:
    """How many entries are stored."""
    engine = engines.open_engine(url)
    with engines.reading(engine) as connection:
        return entries.count(connection)


if __name__ == "__main__":
    main()
