"""Gathers what many polls have to say alike, to be written by one statement; each hears whether it was taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
LARGEST = 200


class Gatherer(Generic[T]):
    """While one group is written the next one gathers. `write` returns those that were taken. One event loop."""

    def __init__(self, write: Callable[[Sequence[T]], Awaitable[Collection[int]]]) -> None:
        self._write = write
        self._waiting: list[tuple[T, asyncio.Future[bool]]] = []
        self._draining: asyncio.Task[None] | None = None

    async def put(self, one: T) -> bool:
        """Have something written together with what else there is; whether it was taken.

        Errors: what `write` raises, for all of a group.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((one, future))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain(), name="gatherer")
        return await future

    async def _drain(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
            try:
                taken = await self._write([one for one, _ in group])
            except Exception as exc:  # noqa: BLE001  handed to whoever waits for it
                for _, future in group:
                    if not future.done():
                        future.set_exception(exc)
            else:
                for place, (_, future) in enumerate(group):
                    if not future.done():
                        future.set_result(place in taken)
