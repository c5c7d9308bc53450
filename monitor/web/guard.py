"""The door: who is asked for, how much and how often, before any page is made; and the headers of every answer."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LONGEST_QUERY = 2000
_LONGEST_PATH = 1200
_MOST_BODY = 64 * 1024
_MOST_CLIENTS = 10_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one client may ask: `per_s` on average, `burst` at once; posts cost `post` times as much."""

    per_s: float = 20.0
    burst: float = 200.0
    post: float = 10.0


def headers(style_hash: str) -> dict[str, str]:
    """What every answer carries. The style sheet stands in the page, known by its hash; no script does."""
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'self' '{style_hash}'; script-src 'self'; img-src 'self'; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }


Refusal = Callable[[Scope, int, str], ASGIApp]


class Guard:
    """Wraps the application. `refuse` makes the answer for what is not let in."""

    def __init__(
        self, app: ASGIApp, *, hosts: frozenset[str], sent: dict[str, str], refuse: Refusal, pace: Pace
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._sent = sent
        self._refuse = refuse
        self._buckets = _Buckets(pace)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = self._refused(scope)
        app = self._app if refused is None else self._refuse(scope, *refused)
        await app(scope, receive, self._with_headers(scope, send))

    def _refused(self, scope: Scope) -> tuple[int, str] | None:
        head = Headers(scope=scope)
        if name_of(head.get("host") or "") not in self._hosts:
            return 421, "This server does not answer to that name; set web.public_url to the name readers use."
        wait = self._buckets.take(_client(scope), scope["method"], time.monotonic())
        if wait > 0:
            return 429, f"Too many requests; ask again in {max(1, round(wait))} s."
        if len(scope["query_string"]) > _LONGEST_QUERY or len(scope.get("raw_path") or b"") > _LONGEST_PATH:
            return 422, "The address is too long."
        if _has_control(scope.get("raw_path") or b"") or _has_control(scope["query_string"]):
            return 422, "The address holds bytes that are no text."
        if scope["method"] == "POST" and _length(head) > _MOST_BODY:
            return 413, "The form is too large."
        return None

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in self._sent.items():
                    out[name] = value
                out.setdefault("Cache-Control", "no-store")
            await send(message)

        return sending


class _Buckets:
    """One bucket per client; the longest unheard of are forgotten."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, method: str, now: float) -> float:
        """Take a turn; answers how many seconds to wait, 0 when let in."""
        pace = self._pace
        cost = pace.post if method == "POST" else 1.0
        left, at = self._left.pop(client, (pace.burst, now))
        left = min(pace.burst, left + (now - at) * pace.per_s)
        wait = max(0.0, (cost - left) / pace.per_s)
        self._left[client] = (left - cost if wait == 0 else left, now)
        if len(self._left) > _MOST_CLIENTS:
            self._left.popitem(last=False)
        return wait


def name_of(host: str) -> str:
    """The name in a Host header, without its port or brackets.

    >>> name_of("[::1]:8080"), name_of("LocalHost:80")
    ('::1', 'localhost')
    """
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _client(scope: Scope) -> str:
    client: Any = scope.get("client")
    return str(client[0]) if client else "unknown"


def _length(head: Headers) -> int:
    """The length a request gives; one that gives none or nonsense is held to be too long."""
    given = head.get("content-length") or ""
    return int(given) if given.isdecimal() and len(given) < 10 else _MOST_BODY + 1


def _has_control(raw: bytes) -> bool:
    """Whether an address holds what no text holds: control characters, or bytes that are not UTF-8."""
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        return True
    return any(ord(letter) == 127 or (ord(letter) < 32 and letter not in "\t\r\n") for letter in text)
