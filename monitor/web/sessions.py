"""Who is at work: a signed cookie, a mark in every form, and the page that opens and ends a session.

Without `web.login` a person only says a name, so that labels have an author; with it nothing is shown to strangers. A
proxy that signs people in (`web.proxy`) says who they are with every request.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from monitor.web import forms, guard, tokens
from monitor.web.rendering import Pages
from monitor.web.sources import Login, Sources

_COOKIE = "storywatch_session"
_OPEN_PATHS = ("/static/", "/session", "/live", "/ready", "/health", "/metrics", "/a/")
"""What strangers may see where a login is wanted: signs of life, the door itself, and links that prove themselves."""
_STRANGER = "stranger"
_LONGEST_NAME = 64
_PROXY_KEY = "x-storywatch-key"
COME_BY_PROXY = "A proxy signs readers in: come by its address."


class Desk:
    """Reads and writes sessions. Without a key among the sources they last as long as the desk."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self.keys = sources.keys or (secrets.token_bytes(32),)
        self._door_keys = tuple(_door_key(key, sources.login) for key in self.keys)

    @property
    def is_by_proxy(self) -> bool:
        """Whether only a proxy lets people in."""
        return self._sources.proxy is not None and self._sources.login is None

    def session(self, request: Request) -> tokens.Session | None:
        """Whose session a request belongs to."""
        now = self._sources.now()
        named = self._named_by_proxy(request)
        if named:
            return tokens.Session(named, f"proxy {named}", now + tokens.SESSION_FOR)
        if self.is_by_proxy:
            return None
        for name in (f"__Host-{_COOKIE}", _COOKIE):
            cookie = request.cookies.get(name)
            if cookie:
                return tokens.read_session(self._door_keys, cookie, now)
        return None

    def _named_by_proxy(self, request: Request) -> str:
        """The reader whom the proxy names, when it is the proxy that asks; empty for none."""
        proxy = self._sources.proxy
        given = request.headers.get(_PROXY_KEY, "").encode("latin-1")
        if proxy is None or not given or not hmac.compare_digest(given, proxy.key.encode()):
            return ""
        name = request.headers.get(proxy.header, "").encode("latin-1").decode("utf-8", "replace").strip()
        return name[:_LONGEST_NAME] if name.isprintable() else ""

    def mark(self, session: tokens.Session | None, owner: str = _STRANGER) -> str:
        """The hidden mark of a form, for this session; for a link or a stranger, their own."""
        owned = session.name if session else owner
        return tokens.form(self.keys, owned, self._sources.now() + tokens.FORM_FOR)

    def check(self, request: Request, mark: str, owner: str = _STRANGER) -> tokens.Session | None:
        """Let a form in.

        Errors: 403 for a form of another site, a foreign mark or an old one.
        """
        session = self.session(request)
        owned = session.name if session and owner == _STRANGER else owner
        if not _is_own(request) or not tokens.is_form(self.keys, mark, owned, self._sources.now()):
            raise HTTPException(
                403, "This form is too old or not from here. Open its page again and send it from there."
            )
        return session

    def may_see(self, request: Request) -> bool:
        """Whether a login is not wanted, or was given: by a session, by name and password, or in a feed's address."""
        if request.url.path.startswith(_OPEN_PATHS) or self.is_inside(request):
            return True
        path, key = request.url.path, request.query_params.get("key", "")
        return path.endswith(("/feed.atom", "/feed.json")) and tokens.is_feed_key(self.keys, key, path)

    def is_inside(self, request: Request) -> bool:
        """Whether a login is not wanted, or was given by a session or by name and password."""
        return not self._sources.is_closed or self.session(request) is not None or self.knows(*_basic(request))

    def feed(self, path: str) -> str:
        """The address of a feed as a feed reader needs it: where a login is wanted, with the key that stands for it."""
        address = quote(path)
        return address if not self._sources.is_closed else f"{address}?key={tokens.feed_key(self.keys, path)}"

    def knows(self, user: str, password: str) -> bool:
        """Whether name and password are those of the configuration; takes as long either way."""
        login = self._sources.login
        if login is None:
            return False
        right = hmac.compare_digest(user.encode(), login.user.encode())
        return hmac.compare_digest(password.encode(), login.password.encode()) and right

    def open(self, request: Request, answer: Response, who: str) -> None:
        """Begin a session."""
        until = self._sources.now() + tokens.SESSION_FOR
        safe = request.url.scheme == "https"
        answer.set_cookie(
            f"__Host-{_COOKIE}" if safe else _COOKIE,
            tokens.session(self._door_keys, who, secrets.token_hex(16), until),
            max_age=int(tokens.SESSION_FOR.total_seconds()),
            httponly=True,
            secure=safe,
            samesite="lax",  # strict would ask everybody who comes from a message to sign in again
            path="/",
        )


def _door_key(key: bytes, login: Login | None) -> bytes:
    """What sessions are signed with: another password ends those that the old one opened."""
    return hmac.digest(key, f"{login.user}\0{login.password}".encode(), "sha256") if login else key


def _is_own(request: Request) -> bool:
    """Whether a form comes from our own page, as far as the browser says."""
    if request.headers.get("sec-fetch-site") not in (None, "same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin in (None, "null"):  # our own Referrer-Policy makes browsers send null
        return True
    return guard.name_of(urlsplit(origin).netloc) == guard.name_of(request.headers.get("host", ""))


def _basic(request: Request) -> tuple[str, str]:
    """Name and password of a program."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(given, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return user, password


def safe_next(path: str | None) -> str:
    """A way back within this site, else the front page.

    >>> safe_next("//evil.example"), safe_next("/story/st_a")
    ('/', '/story/st_a')
    """
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or "\\" in path:
        return "/"
    return path if path.isprintable() and " " not in path else "/"


def router(sources: Sources, pages: Pages, desk: Desk) -> APIRouter:
    """The door."""
    routes = APIRouter(include_in_schema=False)
    door = _Door(sources, pages, desk)
    routes.get("/session")(door.show)
    routes.post("/session")(door.begin)
    routes.post("/session/end")(door.end)
    return routes


Next = Annotated[str | None, Query(max_length=300)]


class _Door:
    def __init__(self, sources: Sources, pages: Pages, desk: Desk) -> None:
        self._sources = sources
        self._pages = pages
        self._desk = desk

    def show(self, request: Request, next: Next = None) -> Response:  # noqa: A002  the address' word
        """The form that opens or ends a session."""
        return self._form(request, safe_next(next), None, 200)

    def _form(self, request: Request, back: str, wrong: str | None, code: int) -> Response:
        session = self._desk.session(request)
        values = {"here": "", "session": session, "next": back, "wrong": wrong, "mark": self._desk.mark(session)}
        return HTMLResponse(self._pages.make("session.html", values), code)

    def begin(self, request: Request, form: forms.Sent) -> Response:
        """Open a session."""
        self._desk.check(request, form.text("mark", 600, ""))
        if self._desk.is_by_proxy:
            raise HTTPException(403, COME_BY_PROXY)
        who, back = form.text("who", _LONGEST_NAME), safe_next(form.text("next", 300, "/"))
        if self._sources.login is not None and not self._desk.knows(who, form.text("password", 300, "")):
            return self._form(request, back, "Name or password is wrong.", 403)
        answer = RedirectResponse(back, 303)
        self._desk.open(request, answer, who)
        return answer

    def end(self, request: Request, form: forms.Sent) -> Response:
        """End it."""
        self._desk.check(request, form.text("mark", 600, ""))
        answer = RedirectResponse("/", 303)
        for name in (f"__Host-{_COOKIE}", _COOKIE):
            answer.delete_cookie(name, path="/", secure=name.startswith("__Host"), httponly=True, samesite="lax")
        return answer
