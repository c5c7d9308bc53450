"""The clock of a process: its machine's, put right by the database's where several machines share one.

Machines whose clocks differ by minutes would disagree on what is due, what is fresh and what came first. Leases are
measured by the database in any case. Called by `serving` at the start and by `chores` now and then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, Engine, text

from monitor import metrics
from monitor.store import engine as engines

log = structlog.get_logger(__name__)
WARN_FROM = timedelta(seconds=30)
_FELT_FROM = timedelta(seconds=1)
"""Machines that ask a time server differ by less: to follow that would only make times jitter."""
_SLOW = timedelta(seconds=2)
"""An answer that took longer says too little about when it was given."""
_QUESTIONS = 3
_TIME = text("select clock_timestamp()")


class Clock:
    """Tells the time as the database has it. `wall` is the machine's own clock."""

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self._wall = wall
        self._correction = timedelta()
        self._is_told = False

    def __call__(self) -> datetime:
        """The time to go by."""
        return self._wall() + self._correction

    def compare(self, engine: Engine) -> None:
        """Ask the database for the time and go by it from now on. On SQLite there is one machine and nothing to ask.

        Errors: what the database raises; the clock then goes on as before.
        """
        if engine.dialect.name != "postgresql":
            return
        with engines.reading(engine) as connection:
            behind, way = min((self._ask(connection) for _ in range(_QUESTIONS)), key=lambda answer: answer[1])
        if way < _SLOW:
            self._correction = correction(behind)
            metrics.clock_skew.set(-behind.total_seconds())
            self._tell(behind)

    def _ask(self, connection: Connection) -> tuple[timedelta, timedelta]:
        """How far our clock is behind the database's, and how long the answer was under way."""
        ours, began = self._wall(), time.monotonic()
        theirs: datetime = connection.execute(_TIME).scalar_one()
        way = timedelta(seconds=time.monotonic() - began)
        return theirs - (ours + way / 2), way

    def _tell(self, behind: timedelta) -> None:
        differs = abs(behind) >= WARN_FROM
        if differs and not self._is_told:
            seconds = round(-behind.total_seconds())
            hint = "the database's time is used; let this machine and the database's ask a time server"
            log.warning("clock_differs", seconds=seconds, hint=hint)
        elif self._is_told and not differs:
            log.info("clock_agrees")
        self._is_told = differs


def correction(behind: timedelta) -> timedelta:
    """What to add to a clock that is so far behind: all of it, but nothing for the usual few milliseconds.

    >>> correction(timedelta(milliseconds=40))
    datetime.timedelta(0)
    """
    return behind if abs(behind) >= _FELT_FROM else timedelta()
