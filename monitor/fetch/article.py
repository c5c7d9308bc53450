"""Article pages of entries that matched: robots.txt obeyed, few per host, and a word for every page not read.

Finding the text in the page is `parse.article`; reading each page only once is the caller's duty. Called by
`pipeline` after a match.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from monitor.fetch import robots
from monitor.fetch.client import Client
from monitor.fetch.hosts import HostGate
from monitor.fetch.limits import ACCEPT_PAGE, Request
from monitor.schedule.reasons import FailReason
from monitor.values import Fetched, FetchFailed, FetchOutcome, NotModified

PAGE_BYTES = 5 * 1024 * 1024
PER_HOST_HOUR = 20
"""Article pages of one host within an hour: feeds have priority."""
_HOUR = timedelta(hours=1)
_MANY_HOSTS = 500
_PAYWALL = re.compile(rb'"isAccessibleForFree"\s*:\s*"?false', re.IGNORECASE)
"""schema.org's mark of a page that is only partly there."""
_PAYMENT_REQUIRED = 402


class PageReason(StrEnum):
    """Why a page was not read, beside the words of `monitor.schedule.reasons`."""

    ROBOTS = "robots"
    BUDGET = "page_budget"
    PAYWALL = "paywall"
    HELD = "host_hold"
    NOT_HTML = "not_html"


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was read. `keep` is false if its publisher asks that no copy be kept."""

    url: str
    final_url: str
    body: bytes
    content_type: str
    keep: bool


@dataclass(frozen=True, slots=True)
class PageRefused:
    """A page that was not read, with the word why.

    `transient` says that another attempt may succeed; `until` is when the page may be asked for, if nothing was asked.
    """

    url: str
    reason: str
    message: str
    transient: bool = False
    until: datetime | None = None


class Articles:
    """Reads article pages politely, through the same gate as the feeds of the host.

    `watches` is how many the servers are told of.
    """

    def __init__(self, client: Client, gate: HostGate, now: Callable[[], datetime], *, watches: int = 0) -> None:
        self._client = client
        self._gate = gate
        self._now = now
        self.watches = watches
        self._robots = robots.Robots(self._robots_txt)
        self._read: dict[str, deque[datetime]] = {}

    async def read(self, url: str) -> Page | PageRefused:
        """Read one page, or say why not."""
        host = (urlsplit(url).hostname or "").lower()
        if not await self._robots.allow(url, self._now()):
            return self._refused_by_robots(url)
        if not self._spend(host):
            until = self._read[host][0] + _HOUR
            message = f"{PER_HOST_HOUR} pages of {host} were read within the hour"
            return PageRefused(url, PageReason.BUDGET, message, transient=True, until=until)
        request = Request(url, accept=ACCEPT_PAGE, watches=self.watches, body_bytes=PAGE_BYTES)
        async with self._gate.turn(host, self._now) as held:
            if held:
                message = f"{host} is left alone until {held.until:%H:%M}: {held.reason}"
                return PageRefused(url, PageReason.HELD, message, transient=True, until=held.until)
            outcome = await self._client.fetch(request, self._now, self._may_visit)
        return _judge(url, outcome)

    def _refused_by_robots(self, url: str) -> PageRefused:
        """For good where the site says so; for a while where its robots.txt could not be read."""
        again = self._robots.asks_again(url)
        message = "robots.txt asks not to" if again is None else "robots.txt could not be read"
        return PageRefused(url, PageReason.ROBOTS, message, transient=again is not None, until=again)

    async def _may_visit(self, url: str) -> str | None:
        return None if await self._robots.allow(url, self._now()) else PageReason.ROBOTS

    async def _robots_txt(self, url: str) -> FetchOutcome:
        request = Request(url, accept="text/plain, */*;q=0.5", watches=self.watches)
        host = (urlsplit(url).hostname or "").lower()
        async with self._gate.turn(host, self._now) as held:
            if held:
                now = self._now()
                return FetchFailed(url, PageReason.HELD, f"{host} is left alone", True, now, timedelta(0))
            return await self._client.fetch(request, self._now)

    def _spend(self, host: str) -> bool:
        """Take one page of the host's hour, if one is left."""
        now = self._now()
        times = self._read.setdefault(host, deque())
        while times and now - times[0] >= _HOUR:
            times.popleft()
        if len(times) >= PER_HOST_HOUR:
            return False
        times.append(now)
        if len(self._read) > _MANY_HOSTS:
            self._read = {name: spent for name, spent in self._read.items() if spent and now - spent[-1] < _HOUR}
        return True


def _judge(url: str, outcome: FetchOutcome) -> Page | PageRefused:
    match outcome:
        case Fetched():
            return _page(url, outcome)
        case FetchFailed(status=status) if status == _PAYMENT_REQUIRED:
            return PageRefused(url, PageReason.PAYWALL, "HTTP 402")
        case FetchFailed():
            return PageRefused(url, outcome.reason, outcome.message, transient=outcome.transient)
        case NotModified():
            return PageRefused(url, FailReason.UNEXPECTED_304, "304 to a request without validators")


def _page(url: str, fetched: Fetched) -> Page | PageRefused:
    fields = dict(fetched.headers)
    kind = fields.get("content-type", b"text/html").decode("latin-1")
    if "html" not in kind.lower() and "xml" not in kind.lower():
        return PageRefused(url, PageReason.NOT_HTML, f"Content-Type {kind[:100]}")
    if _PAYWALL.search(fetched.body):
        return PageRefused(url, PageReason.PAYWALL, "the page says that it is not free to read")
    return Page(url, fetched.final_url, fetched.body, kind, keep=not _wants_no_copy(fields, fetched.body))


_WISHES = re.compile(rb"<meta[^>]{0,200}name\s*=\s*[\"']?robots[\"']?[^>]{0,400}>", re.IGNORECASE)
_NO_COPY = re.compile(rb"\b(?:noarchive|noai|nocache|none)\b", re.IGNORECASE)


def _wants_no_copy(fields: dict[str, bytes], body: bytes) -> bool:
    """Whether the publisher asks, in a header or in the page's head, that the page is not kept."""
    asked = [fields.get("x-robots-tag", b""), *_WISHES.findall(body[: 256 * 1024])]
    return any(_NO_COPY.search(wish) for wish in asked)
