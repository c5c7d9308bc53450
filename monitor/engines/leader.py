"""Decides which process of several does what only one should: offering shards, pruning, health events.

Leadership saves work and nothing more: what a leader does is harmless when two do it for a moment. A process on
SQLite has the file's lock and leads by that. Called by `daemon`.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from monitor.errors import LeaseLost
from monitor.store import leases
from monitor.store.leases import Leadership

log = structlog.get_logger(__name__)
_TRY_EVERY_S = 1.0
_RENEW_AFTER = 1 / 3
"""Of the lease's time."""
VACANT_FOR = timedelta(seconds=60)
"""So long may nobody lead, as between two leaders, before it is said."""


class Leads(Protocol):
    """Whether this process leads."""

    @property
    def is_leader(self) -> bool:
        """Whether what only a leader does may be begun."""

    @property
    def is_missing(self) -> bool:
        """Whether nobody has led for a minute."""

    def check(self, connection: Connection) -> None:
        """Refuse to go on in a transaction when another process leads by now; its first statement.

        Errors: LeaseLost.
        """

    async def start(self) -> None:
        """Begin to strive for the lead; leads at once if nobody else does."""

    async def stop(self) -> None:
        """Let another one lead."""


class Alone:
    """The only process of its database."""

    is_leader = True
    is_missing = False

    def check(self, connection: Connection) -> None:
        """Nothing to check: the file's lock is held."""

    async def start(self) -> None:
        """Nothing to do."""

    async def stop(self) -> None:
        """Nothing to do."""


class Elected:
    """One of several processes. `engine` makes connections that no pooler stands before.

    A candidate tries every second; one that may not lead only looks whether somebody does. The lock and the lease are
    worked on by one thread, so that a database that does not answer keeps nobody else waiting.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        candidate: bool = True,
        ttl: timedelta = leases.TTL,
        vacant_for: timedelta = VACANT_FOR,
    ) -> None:
        self._engine = engine
        self._ttl = ttl
        self._vacant_for_s = vacant_for.total_seconds()
        self._is_told = False
        self._candidate = candidate
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="leader")
        self._connection: Connection | None = None
        self._locked = False
        self._mine: Leadership | None = None
        self._led_until = 0.0
        self._renewed_at = 0.0
        self._led_at = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_leader(self) -> bool:
        """Whether the lease is ours for certain: it runs out here before it does for others."""
        return self._mine is not None and time.monotonic() < self._led_until

    @property
    def is_missing(self) -> bool:
        """Whether nobody has led for a minute."""
        return time.monotonic() - self._led_at > self._vacant_for_s

    def check(self, connection: Connection) -> None:
        """Refuse to go on when another process leads by now."""
        if self._mine is None:
            raise LeaseLost("this process leads no more")
        leases.check(connection, self._mine)

    async def start(self) -> None:
        """Try once, then every second."""
        await self._in_thread(self._step)
        self._task = asyncio.create_task(self._strive(), name="leader")

    async def stop(self) -> None:
        """Strive no more, give back what is held."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._in_thread(self._resign)
        self._thread.shutdown(wait=True)
        self._engine.dispose()

    async def _strive(self) -> None:
        while True:
            await asyncio.sleep(_TRY_EVERY_S)
            await self._in_thread(self._step)

    async def _in_thread(self, step: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, step)  # type: ignore[arg-type]

    # ------------------------------------------------------------------------------------------ on the thread

    def _step(self) -> None:
        try:
            if self._connection is None:
                self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if not self._candidate:
                self._look(self._connection)
            elif self._mine is None:
                self._try(self._connection)
            else:
                self._hold(self._connection, self._mine)
            self._tell()
        except SQLAlchemyError as exc:
            log.warning("leader_connection_lost", error=str(exc).splitlines()[0])
            self._forget()

    def _tell(self) -> None:
        """Say once that nobody leads, and once that somebody does again. Of a database that is away others tell."""
        if self.is_missing and not self._is_told:
            hint = "nothing is offered to workers; is a process that may lead running, --role web or all?"
            log.warning("no_leader", seconds=round(time.monotonic() - self._led_at), hint=hint)
        elif self._is_told and not self.is_missing:
            log.info("led_again")
        self._is_told = self.is_missing

    def _look(self, connection: Connection) -> None:
        if not leases.is_vacant(connection):
            self._led_at = time.monotonic()

    def _try(self, connection: Connection) -> None:
        began = time.monotonic()
        self._locked = leases.try_lock(connection)
        if self._locked:
            self._mine = leases.take(connection, self._owner, self._ttl)
            if self._mine is None:  # another one leads by its lease: the lock is for that one
                leases.unlock(connection)
                self._locked = False
        else:
            self._mine = leases.take_expired(connection, self._owner, self._ttl)
        if self._mine is not None:
            self._begin(began)
            log.info("leading", token=self._mine.token, locked=self._locked)
        else:
            self._look(connection)

    def _hold(self, connection: Connection, mine: Leadership) -> None:
        began = time.monotonic()
        if not self._locked:
            self._locked = leases.try_lock(connection)
        if self._renewed_at and began - self._renewed_at < self._ttl.total_seconds() * _RENEW_AFTER:
            return
        if leases.renew(connection, mine, self._ttl, locked=self._locked):
            self._begin(began)
            return
        log.warning("deposed", token=mine.token)
        self._mine = None
        if self._locked:  # before the next try, or it would unseat its successor
            leases.unlock(connection)
            self._locked = False

    def _begin(self, began: float) -> None:
        self._renewed_at = self._led_at = began
        self._led_until = began + self._ttl.total_seconds()

    def _resign(self) -> None:
        connection, mine = self._connection, self._mine
        self._mine = None
        try:
            if connection is not None and mine is not None:
                leases.resign(connection, mine)
        except SQLAlchemyError as exc:
            log.warning("not_resigned", error=str(exc).splitlines()[0])
        self._forget()

    def _forget(self) -> None:
        """Drop the connection, and with it the lock; what it was led by is void."""
        connection, self._connection = self._connection, None
        self._mine, self._locked, self._renewed_at = None, False, 0.0
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.invalidate()
                connection.close()
