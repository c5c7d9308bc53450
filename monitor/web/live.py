"""Server-sent events for the front page: one word when the list has news. A few at a time, each for ten minutes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from sqlalchemy import func, select
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from monitor.store import tables
from monitor.web.sources import Sources

AT_ONCE = 32
_LASTS_S = 600
_EVERY_S = 5


def router(sources: Sources) -> APIRouter:
    """The route."""
    routes = APIRouter(include_in_schema=False)
    routes.get("/events")(_Live(sources).events)
    return routes


class _Live:
    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._open = 0

    async def events(self) -> StreamingResponse:
        """Say when there is news.

        Errors: 503 when too many listen.
        """
        if self._open >= AT_ONCE:
            raise HTTPException(503, "Too many pages listen; the list can still be loaded again by hand.")
        return StreamingResponse(self._said(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def _said(self) -> AsyncIterator[str]:
        self._open += 1
        try:
            known = await run_in_threadpool(self._newest)
            yield "retry: 15000\n\n"
            for _ in range(_LASTS_S // _EVERY_S):
                await asyncio.sleep(_EVERY_S)
                newest = await run_in_threadpool(self._newest)
                yield ": still here\n\n" if newest == known else f"event: change\ndata: {newest}\n\n"
                known = newest
        finally:
            self._open -= 1

    def _newest(self) -> str:
        """What changes when a story does: the last mention's time; read from the end of an index."""
        with self._sources.reading() as connection:
            return str(connection.execute(select(func.max(tables.story.c.last_at))).scalar_one())
