"""A process that tells one event over one channel and kills itself at a named point. Run by test_matrix.

The points lie in the database driver's events and around the channel's calls; the product knows nothing of them.
"""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from alerts.channels.base import Channel
from alerts.values import Delivery, Kind, Receipt
from monitor.store import engine as engines
from tests.alerts.house import House, at, event

BEGAN = at("10:00")
CHANNEL = "desk"


def die() -> None:
    """End at once, as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


class Dying:
    """A channel that ends the process before or after its call; everything else it passes on."""

    def __init__(self, inner: Channel, point: str) -> None:
        self._inner = inner
        self._point = point

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def send(self, delivery: Delivery, now: datetime) -> Receipt:
        """Die before the request leaves, or once the far side has it."""
        if self._point == "before_send":
            die()
        receipt = await self._inner.send(delivery, now)
        if self._point == "after_send":
            die()
        return receipt

    async def find(self, delivery: Delivery, now: datetime) -> Receipt | None:
        """Die with the answer in hand."""
        found = await self._inner.find(delivery, now)
        if self._point == "after_lookup":
            die()
        return found


def run(url: str, raw: dict[str, Any], point: str, began: datetime = BEGAN) -> None:
    """Tell one event until `point`: a call's name, ``statement:N:WORDS``, ``commit:N`` or ``before-commit:N``."""
    engine = engines.open_engine(url)
    house = House(engine, raw, now=began)
    house.channels[CHANNEL] = Dying(house.channels[CHANNEL], point)  # type: ignore[assignment] # it passes all on
    kind, _, rest = point.partition(":")
    if rest:
        arm(engine, kind, rest)
    house.put(event(Kind.NEW_STORY, BEGAN))
    asyncio.run(house.until(began + timedelta(minutes=5)))


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
