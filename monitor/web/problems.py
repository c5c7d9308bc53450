"""Says what was wrong: a page for people, a problem document for programs. Source: RFC 9457."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request

from monitor.views.safe import plain
from monitor.web.rendering import Pages

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    401: "Sign in first",
    403: "This may not be done",
    404: "Not here",
    405: "Not that way",
    410: "This link no longer works",
    413: "Too large",
    421: "Unknown host",
    422: "This cannot be read",
    429: "Too many requests",
    500: "Something went wrong here",
    503: "Not now",
}
_LONGEST = 300
_IN_WORDS = {"string_pattern_mismatch": "is not written in the form that is understood here"}


class Problem(BaseModel):
    """What was wrong with a request. `errors` says which part of it, one sentence each."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[str] = []


def title_of(code: int) -> str:
    """What a status means, in words."""
    return _TITLES.get(code) or HTTPStatus(code).phrase


def answer(pages: Pages, request: Request, code: int, detail: str, errors: Sequence[str] = ()) -> Response:
    """Make the answer that fits who asks."""
    if not _is_program(request):
        values = {"here": "", "session": None, "status": code, "detail": detail, "problems": list(errors)}
        return HTMLResponse(pages.make("error.html", {"title": title_of(code), **values}), code, _headers(code))
    told = Problem(title=title_of(code), status=code, detail=plain(detail), errors=list(errors))
    return JSONResponse(told.model_dump(), code, _headers(code), media_type=MEDIA_TYPE)


def _is_program(request: Request) -> bool:
    return request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", "")


def _headers(code: int) -> dict[str, str]:
    return {"Retry-After": "5", "Cache-Control": "no-store"} if code == 429 else {"Cache-Control": "no-store"}


class Handlers:
    """Turns what the handlers raise into answers."""

    def __init__(self, pages: Pages, headers: dict[str, str]) -> None:
        self._pages = pages
        self._headers = headers

    async def failed(self, request: Request, error: Exception) -> Response:
        """A refusal of ours or of the router."""
        assert isinstance(error, HTTPException)
        detail = str(error.detail)
        if detail == HTTPStatus(error.status_code).phrase:
            detail = f"Nothing stands at {request.url.path[:100]}." if error.status_code == 404 else detail
        made = answer(self._pages, request, error.status_code, detail)
        made.headers.update(error.headers or {})
        return made

    async def unreadable(self, request: Request, error: Exception) -> Response:
        """A parameter that is none."""
        assert isinstance(error, RequestValidationError)
        said = [_said(one) for one in error.errors()[:20]]
        return answer(self._pages, request, 422, "A part of the address or form cannot be read.", said)

    async def broken(self, request: Request, error: Exception) -> Response:
        """A fault of ours. Its traceback goes to the log; this answer is made outside the guard."""
        made = answer(self._pages, request, 500, "The log of the daemon says what. Try again, or tell who runs it.")
        made.headers.update(self._headers)
        return made


def _said(error: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"][1:]) or str(error["loc"][0])
    return f"{where}: {_IN_WORDS.get(error['type'], error['msg'])}"[:_LONGEST]
