"""One thread that writes, and group commit: what waits to be written together is committed together.

A commit waits for the disk; while one does, further statements gather. When one of a group fails, each is tried in a
transaction of its own, so that no statement suffers for another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")
Statement = Callable[[Connection], Any]
LARGEST = 200
"""Statements in one transaction: the rows of so many unchanged polls are written in a few milliseconds."""


class GroupWriter:
    """Use from one event loop; the statements run on the executor's one thread, in the order in which they came."""

    def __init__(self, engine: Engine, executor: Executor) -> None:
        self._engine = engine
        self._executor = executor
        self._waiting: list[tuple[Statement, asyncio.Future[Any]]] = []
        self._draining: asyncio.Task[None] | None = None

    async def write(self, statement: Callable[[Connection], T]) -> T:
        """Do something in a transaction, perhaps with others. It may be run twice if a neighbour fails."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((statement, future))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain(), name="group writer")
        return await future

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
            try:
                outcomes = await loop.run_in_executor(self._executor, self._together, [one for one, _ in group])
            except BaseException as exc:  # the loop or the executor ends: whoever waits must hear of it
                for _, future in group:
                    future.cancel()
                raise exc
            for (_, future), outcome in zip(group, outcomes, strict=True):
                _tell(future, outcome)

    def _together(self, statements: Sequence[Statement]) -> list[Any]:
        """The results of statements, or the exceptions they raised."""
        try:
            with self._engine.begin() as connection:
                return [statement(connection) for statement in statements]
        except Exception as exc:  # noqa: BLE001  handed to whoever waits for it
            return [_Failed(exc)] if len(statements) == 1 else [self._together([one])[0] for one in statements]


class _Failed:
    """An exception on its way to the one whose statement raised it."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def _tell(future: asyncio.Future[Any], outcome: Any) -> None:
    if future.done():
        return
    if isinstance(outcome, _Failed):
        future.set_exception(outcome.error)
    else:
        future.set_result(outcome)
