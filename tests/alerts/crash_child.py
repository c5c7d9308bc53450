"""A process that tells one event over several channels and kills itself at a named point. Run by test_crash.

The points lie in the database driver's events and around the channels' calls; the product knows nothing of them.
"""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from alerts.channels.base import Channel
from alerts.values import Delivery, Kind, Receipt
from monitor.store import engine as engines
from tests.alerts.house import House, at, event

BEGAN = at("10:00")


def die() -> None:
    """End at once, as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


class Dying:
    """A channel that ends the process after the far side took the delivery."""

    def __init__(self, inner: Channel) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def send(self, delivery: Delivery, now: Any) -> Receipt:
        """Send and die."""
        await self._inner.send(delivery, now)
        die()
        raise AssertionError("dead processes do not go on")

    async def find(self, delivery: Delivery, now: Any) -> Receipt | None:
        """Ask and die."""
        await self._inner.find(delivery, now)
        die()
        raise AssertionError("dead processes do not go on")


def run(url: str, raw: dict[str, Any], point: str) -> None:
    """Tell one event; `point` is ``statement:N:WORDS``, ``commit:N``, ``before-commit:N`` or ``taken:CHANNEL``."""
    engine = engines.open_engine(url)
    kind, _, rest = point.partition(":")
    house = House(engine, raw, now=BEGAN)
    if kind == "taken":
        house.channels[rest] = Dying(house.channels[rest])  # type: ignore[assignment] # it passes everything else on
        house.start = lambda: None  # type: ignore[method-assign] # keep the wrapped channels
        house.courier._channels = house.channels
    else:
        arm(engine, kind, rest)
    house.put(event(Kind.NEW_STORY, BEGAN))
    asyncio.run(house.until(BEGAN + timedelta(minutes=3)))


def arm(engine: sa.Engine, kind: str, rest: str) -> None:
    """Kill the process at the N-th statement that holds the words, or around the N-th commit that changed something."""
    number, _, words = rest.partition(":")
    left = [int(number)]
    wrote = [False]

    @sa.event.listens_for(engine, "after_cursor_execute")
    def _statement(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        text = " ".join(statement.lower().split())
        wrote[0] = wrote[0] or text.startswith(("insert", "update"))
        if kind == "statement" and words in text:
            left[0] -= 1
            if not left[0]:
                die()

    @sa.event.listens_for(engine, "commit")
    def _commit(connection: sa.Connection) -> None:
        changed, wrote[0] = wrote[0], False
        if not changed or kind not in ("commit", "before-commit"):
            return
        left[0] -= 1
        if not left[0]:
            if kind == "commit":
                connection.connection.dbapi_connection.commit()  # type: ignore[union-attr] # open, or nothing ran
                _plain_commit(connection)
            die()


def _plain_commit(connection: sa.Connection) -> None:
    """Finish the driver's transaction ourselves: the SQLite engine begins by statement, so it ends by one."""
    raw = connection.connection.dbapi_connection
    if getattr(raw, "in_transaction", False):
        raw.execute("commit")  # type: ignore[union-attr] # as above
