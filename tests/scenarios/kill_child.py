"""A poller in a process of its own that ends like a cut wire at a chosen step of a poll.

    python -m tests.scenarios.kill_child STEP DATABASE URL

Steps: a number (before that statement of the transaction that records the document; 1 is its first), `commit` (all of
them are done), `done` (it is committed).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

from sqlalchemy import event

from monitor import pipeline
from tests.scenarios.polls import HOUR, open_house


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def main(step: str, database: str, url: str) -> None:
    """Poll once, as far as `step`."""
    async with open_house(database, f"  - {{url: '{url}'}}") as house:
        record, left = pipeline.process, int(step) if step.isdigit() else 0

        def count(*_: Any) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                die()

        def process(*args: Any) -> Any:
            if step != "done":
                event.listen(house.engine, "before_cursor_execute" if left else "commit", count if left else die)
            return record(*args)

        pipeline.process = process
        await house.feed(url).poll(HOUR)
        die()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
