"""Signs of life for machines: /live, /ready, /health, /metrics."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

import monitor
from monitor import status
from monitor.web.sources import Sources


def router(sources: Sources) -> APIRouter:
    """The routes."""
    signs = _Signs(sources)
    routes = APIRouter(include_in_schema=False)
    routes.get("/live")(signs.live)
    routes.get("/ready")(signs.ready)
    routes.get("/health")(signs.health)
    routes.get("/metrics")(signs.metrics)
    return routes


class _Signs:
    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    async def live(self) -> dict[str, str]:
        """The loop turns."""
        return {"state": "live"}

    def ready(self) -> JSONResponse:
        """May it get work?"""
        why = self._sources.ready()
        state, code = ("ready", 200) if why is None else ("not ready", 503)
        return JSONResponse({"state": state, "reason": why}, code)

    def health(self) -> dict[str, Any]:
        """Everything, for people and for `storywatch health`."""
        why = self._sources.ready()
        if why == "database_unreachable":
            return {"version": monitor.__version__, "state": "red", "message": why}
        with self._sources.reading() as connection:
            standing = status.read(connection, self._sources.now(), self._sources.insecure).as_dict()
        said = why or f"{standing['feeds']['green']} of {sum(standing['feeds'].values())} feeds healthy"
        return {"version": monitor.__version__, "message": said, **standing}

    def metrics(self) -> Response:
        """Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
