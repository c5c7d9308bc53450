"""The limits of one request, and the request itself: plain values. Wired from configuration by `daemon`."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.values import FeedId, Hop, Validators

_MIB = 1024 * 1024

ACCEPT_FEED = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.8"
ACCEPT_PAGE = "text/html, application/xhtml+xml, */*;q=0.8"
LONGEST_VALIDATOR = 8 * 1024
"""A longer ETag or Last-Modified is not kept."""
_NO_VALIDATORS = Validators()


@dataclass(frozen=True, slots=True)
class Limits:
    """What one fetch may cost. `_s` are seconds, `_bytes` bytes; `wire` is before decompression, `body` after.

    A compressed body is a bomb when it holds more than `bomb_ratio` times its wire size, once past `bomb_from_bytes`.
    """

    body_bytes: int = 10 * _MIB
    wire_bytes: int = 5 * _MIB
    deadline_s: float = 45.0
    dns_s: float = 5.0
    connect_s: float = 5.0
    tls_s: float = 5.0
    first_byte_s: float = 15.0
    between_reads_s: float = 10.0
    headers_bytes: int = 256 * 1024
    header_bytes: int = 64 * 1024
    headers_count: int = 2000
    url_chars: int = 2048
    redirects: int = 5
    bomb_ratio: int = 200
    bomb_from_bytes: int = _MIB
    lookups: int = 32
    keep_alive_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Agent:
    """Who we say we are. `contact` is an https page or a mail address, `home` the program's own page."""

    version: str
    contact: str
    home: str | None = None

    def header(self, feed: int | None, watches: int) -> str:
        """Write the User-Agent: `storywatch/1.0 feed:7 (+https://newsroom.example; 3 watches)`."""
        who = [f"+{part}" if part.startswith("http") else part for part in (self.home, self.contact) if part]
        name = f"storywatch/{self.version}" + (f" feed:{feed}" if feed is not None else "")
        return f"{name} ({'; '.join([*who, f'{watches} watch' + ('' if watches == 1 else 'es')])})"


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to fetch. `headers`, `auth` and `cookie` go to the origin of `url` only, never behind a redirect.

    `hops` are redirects a document asked for before (`<redirect><newLocation>`): they are counted and reported.
    """

    url: str
    validators: Validators = _NO_VALIDATORS
    feed: FeedId | None = None
    watches: int = 0
    accept: str = ACCEPT_FEED
    headers: tuple[tuple[str, str], ...] = ()
    auth: tuple[str, str] | None = None
    cookie: str | None = None
    user_agent: str | None = None
    insecure_tls: bool = False
    proxy: str | None = None
    body_bytes: int | None = None
    hops: tuple[Hop, ...] = ()
