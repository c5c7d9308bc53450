"""A process that strives for the lead, and says when it has it and when it has it no more."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import timedelta

from monitor.engines.leader import Elected
from monitor.store import engine as engines


async def main(url: str, ttl_s: float) -> None:
    """Strive until asked to end."""
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    one = Elected(engines.open_engine(url, pool=1), ttl=timedelta(seconds=ttl_s))
    await one.start()
    leads = False
    while not asked.is_set():
        if one.is_leader != leads:
            leads = one.is_leader
            print(f'{{"leads": {str(leads).lower()}}}', flush=True)
        await asyncio.sleep(0.05)
    await one.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
