"""After how long another process leads when the leader is killed, asked to end, or frozen; at the daemon's own times.

    python -m bench.leading

Four processes strive for the lead on a private Postgres. Prints JSON: seconds from the signal to the
next leader's word.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from typing import Any

from monitor.store import engine as engines
from monitor.store import leases, migrate
from tests import postgres

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP)


class Candidate:
    """A process, and since when it leads."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.leads_since: float | None = None
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            if line.startswith(b"{"):
                self.leads_since = time.perf_counter() if json.loads(line)["leads"] else None


async def candidate(url: str) -> Candidate:
    """Start one."""
    words = ("-m", "tests.cluster.candidate", url, str(leases.TTL.total_seconds()))
    return Candidate(await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE))


async def leader(those: list[Candidate], after: float = 0.0) -> Candidate:
    """Whoever leads since a time."""
    while True:
        for one in those:
            if one.leads_since is not None and one.leads_since > after:
                return one
        await asyncio.sleep(0.01)


async def measure(url: str) -> dict[str, float]:
    """One change of the lead by each signal."""
    those = [await candidate(url) for _ in range(4)]
    found: dict[str, float] = {}
    for number in SIGNALS:
        now = await leader(those)
        await asyncio.sleep(2)  # the others have found that it leads
        at = time.perf_counter()
        now.process.send_signal(number)
        those.remove(now)
        following = await leader(those, at)
        assert following.leads_since is not None
        found[number.name] = round(following.leads_since - at, 2)
        await end(now)
    for one in those:
        await end(one)
    return found


async def end(one: Candidate) -> None:
    """Leave nothing behind."""
    if one.process.returncode is None:
        one.process.kill()
    await one.process.wait()
    await one.reading


def main() -> None:
    """Measure and print."""
    server = postgres.start()
    try:
        url = server.url(server.create_database("leading"))
        engine: Any = engines.open_engine(url)
        migrate.ensure(engine)
        engine.dispose()
        print(json.dumps({"next_leader_after_s": asyncio.run(measure(url))}))
    finally:
        server.stop()


if __name__ == "__main__":
    main()
