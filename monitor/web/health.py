"""Signs of life for machines: /live, /ready, /health; /metrics there or at an address of its own."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp

import monitor
from monitor import status
from monitor.web import sessions
from monitor.web.sources import Sources


def router(sources: Sources, desk: sessions.Desk) -> APIRouter:
    """The routes."""
    signs = _Signs(sources, desk)
    routes = APIRouter(include_in_schema=False)
    routes.get("/live")(signs.live)
    routes.get("/ready")(signs.ready)
    routes.get("/health")(signs.health)
    if not sources.metrics_apart:
        routes.get("/metrics")(metrics)
    return routes


def measures() -> ASGIApp:
    """The application of `web.metrics`: /metrics and nothing else."""
    app = FastAPI(title="storywatch", version=monitor.__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.get("/metrics")(metrics)
    return app


def metrics() -> Response:
    """Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


class _Signs:
    def __init__(self, sources: Sources, desk: sessions.Desk) -> None:
        self._sources = sources
        self._desk = desk

    async def live(self) -> dict[str, str]:
        """The loop turns."""
        return {"state": "live"}

    def ready(self) -> JSONResponse:
        """May it get work?"""
        why = self._sources.ready()
        state, code = ("ready", 200) if why is None else ("not ready", 503)
        return JSONResponse({"state": state, "reason": why}, code)

    def health(self, request: Request) -> dict[str, Any]:
        """Everything, for people and for `storywatch health`; where a login is wanted, strangers hear no addresses."""
        why = self._sources.ready()
        if why in ("database_unreachable", "database_not_writable"):
            return {"version": monitor.__version__, "state": "red", "message": why}
        with self._sources.reading() as connection:
            standing = status.read(connection, self._sources.now(), self._sources.insecure).as_dict()
        said = why or f"{standing['feeds']['green']} of {sum(standing['feeds'].values())} feeds healthy"
        told = standing if self._desk.is_inside(request) else {"state": standing["state"]}
        return {"version": monitor.__version__, "message": said, **told}
