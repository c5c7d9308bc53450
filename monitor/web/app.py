"""The application: pages, data, feeds, actions and signs of life behind one guard; built from functions that read.

Works without JavaScript and asks no third party for anything. Tests need no daemon. Called by `server`.
"""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

import monitor
from monitor.web import actions, api, exports, guard, health, live, pages, problems, sessions, syndication
from monitor.web.rendering import FOLDER, Pages
from monitor.web.sources import Sources


def build(sources: Sources, pace: guard.Pace | None = None) -> ASGIApp:
    """Make the application."""
    made = Pages(sources)
    sent = guard.headers(made.style_hash)
    desk = sessions.Desk(sources)
    app = FastAPI(title="storywatch", version=monitor.__version__, docs_url=None, redoc_url=None, openapi_url=None)
    handlers = problems.Handlers(made, sent)
    app.add_exception_handler(HTTPException, handlers.failed)
    app.add_exception_handler(RequestValidationError, handlers.unreadable)
    app.add_exception_handler(Exception, handlers.broken)
    app.mount("/static", _Static(directory=FOLDER / "static"), name="static")
    app.include_router(health.router(sources, desk))
    app.include_router(sessions.router(sources, made, desk))
    app.include_router(live.router(sources))
    app.include_router(syndication.router(sources, made))
    app.include_router(exports.router(sources))
    app.include_router(actions.router(sources, made, desk))
    app.include_router(pages.router(sources, made, desk))
    app.include_router(api.router(sources))
    if sources.is_closed:
        app.add_middleware(_Door, desk=desk, made=made)

    def refuse(scope: Scope, code: int, detail: str) -> ASGIApp:
        return problems.answer(made, Request(scope), code, detail)

    return guard.Guard(app, hosts=sources.hosts, sent=sent, refuse=refuse, pace=pace or guard.Pace())


class _Static(StaticFiles):
    """Files whose address changes when they do."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file, to be kept for a day."""
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "public, max-age=86400"
        return answer


class _Door:
    """Sends strangers to the door where a login is wanted; programs are told to bring name and password."""

    def __init__(self, app: ASGIApp, desk: sessions.Desk, made: Pages) -> None:
        self._app = app
        self._desk = desk
        self._made = made

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in who may see."""
        if scope["type"] == "http":
            request = Request(scope)
            if not self._desk.may_see(request):
                await self._turned_away(request)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _turned_away(self, request: Request) -> Response:
        if self._desk.is_by_proxy:
            return problems.answer(self._made, request, 401, sessions.COME_BY_PROXY)
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(f"/session?next={request.url.path}", 303)
        made = problems.answer(self._made, request, 401, "Bring the name and password of web.login.")
        made.headers["WWW-Authenticate"] = 'Basic realm="storywatch", charset="UTF-8"'
        return made
