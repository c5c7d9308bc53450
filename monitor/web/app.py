"""Pages and health answers as a FastAPI application; built from functions that read, so tests need no daemon.

Works without JavaScript and asks no third party for anything. Called by `server`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Connection
from starlette.exceptions import HTTPException

import monitor
from monitor import status

_FOLDER = Path(__file__).parent
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}
_LISTED = 100


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the pages read from. `ready` answers None or why the daemon is not ready."""

    reading: Callable[[], AbstractContextManager[Connection]]
    now: Callable[[], datetime]
    ready: Callable[[], str | None]
    outlet_name: Callable[[str], str]
    government_name: Callable[[str], str]
    hosts: frozenset[str]


def build(sources: Sources) -> FastAPI:
    """Make the application."""
    app = FastAPI(title="storywatch", version=monitor.__version__, docs_url=None, redoc_url=None, openapi_url=None)
    pages = _Pages(sources)
    app.mount("/static", StaticFiles(directory=_FOLDER / "static"), name="static")
    app.middleware("http")(_guard(sources.hosts))
    app.add_exception_handler(HTTPException, pages.failed)  # type: ignore[arg-type]  # Starlette types it wider
    app.add_exception_handler(Exception, pages.broken)
    app.get("/", response_class=HTMLResponse)(pages.stories)
    app.get("/story/{key}", response_class=HTMLResponse)(pages.story)
    app.get("/feeds", response_class=HTMLResponse)(pages.feeds)
    app.get("/live")(pages.live)
    app.get("/ready")(pages.ready)
    app.get("/health")(pages.health)
    app.get("/metrics")(pages.metrics)
    return app


def _guard(hosts: frozenset[str]) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    """Refuse names we were not asked under (DNS rebinding) and put the security headers on every answer."""

    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if _name(request.headers.get("host") or "") not in hosts:
            return JSONResponse({"error": "unknown host"}, status_code=421, headers=_HEADERS)
        answer = await call_next(request)
        answer.headers.update(_HEADERS)
        return answer

    return guard


def _name(host: str) -> str:
    """The name in a Host header, without its port or brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


class _Pages:
    """The handlers. FastAPI runs them in threads: they only read."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._templates.filters |= {
            "time": lambda at: at.strftime("%d %b %Y %H:%M") if at else "never",
            "iso": lambda at: at.isoformat() if at else "",
            "words": lambda text: str(text).replace("_", " "),
            "outlet": lambda domain: sources.outlet_name(domain) if domain else "unknown outlet",
            "government": sources.government_name,
            "link": lambda url: url if str(url or "").startswith(("http://", "https://")) else None,
        }

    def stories(self) -> str:
        """The stories with the newest mentions."""
        with self._sources.reading() as connection:
            rows = status.stories_of(connection, _LISTED)
            standing = status.read(connection, self._sources.now())
        return self._page("stories.html", rows=rows, standing=standing)

    def story(self, key: str) -> str:
        """One story."""
        with self._sources.reading() as connection:
            shown = status.story(connection, key)
        if shown is None:
            raise HTTPException(404, f"There is no story {key[:40]}.")
        return self._page("story.html", story=shown)

    def feeds(self) -> str:
        """Every feed with its health."""
        with self._sources.reading() as connection:
            rows = status.feeds(connection, self._sources.now())
            coverage = status.coverage(connection, self._sources.now())
        return self._page("feeds.html", rows=rows, coverage=coverage)

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
            standing = status.read(connection, self._sources.now()).as_dict()
        said = why or f"{standing['feeds']['green']} of {sum(standing['feeds'].values())} feeds healthy"
        return {"version": monitor.__version__, "message": said, **standing}

    def metrics(self) -> Response:
        """Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def failed(self, request: Request, error: HTTPException) -> Response:
        """An error, as a page that says what was wrong."""
        return self._error(request, error.status_code, error.detail)

    async def broken(self, request: Request, error: Exception) -> Response:
        """A fault of ours. Its traceback goes to the log; this answer is made outside the guard."""
        answer = self._error(request, 500, "Something went wrong here; the log says what.")
        answer.headers.update(_HEADERS)
        return answer

    def _error(self, request: Request, status_code: int, detail: str) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse({"error": detail}, status_code)
        return HTMLResponse(self._page("error.html", status=status_code, detail=detail), status_code)

    def _page(self, template: str, **values: Any) -> str:
        return self._templates.get_template(template).render(version=monitor.__version__, **values)
