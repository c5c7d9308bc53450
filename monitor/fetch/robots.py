"""robots.txt: what a site asks machines to leave alone. Asked for article pages; a feed the operator named is not.

Reading the rules is pure (`Rules`); `Robots` fetches them and keeps them for a day. Called by `fetch.article`.
Source: RFC 9309.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, unquote_to_bytes, urlsplit

from monitor.schedule.reasons import FailReason
from monitor.values import Fetched, FetchFailed, FetchOutcome

TOKEN = "storywatch"  # noqa: S105  the product token robots.txt may name
LARGEST = 500 * 1024
"""How much of a robots.txt is read (RFC 9309 section 2.5)."""
KEEP = timedelta(hours=24)
KEEP_FAILURE = timedelta(hours=1)
"""How long a site whose robots.txt cannot be had is left alone before asking again."""
_MOST_SITES = 2000
_LINE = re.compile(r"^[ \t]*([A-Za-z-]+)[ \t]*:[ \t]*([^#\r\n]*)", re.MULTILINE)
_UNAVAILABLE = range(400, 500)

Fetch = Callable[[str], Awaitable[FetchOutcome]]
"""Fetches one URL with the limits of a robots.txt."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one site that are meant for us: (allowed, pattern)."""

    rules: tuple[tuple[bool, str], ...] = ()

    def allow(self, url: str) -> bool:
        """Whether a page may be read: the longest pattern that fits decides, and `Allow` wins a draw."""
        parts = urlsplit(url)
        path = _same_form(parts.path or "/") + (f"?{_same_form(parts.query)}" if parts.query else "")
        if path == "/robots.txt":
            return True
        fitting = [(len(pattern), allowed) for allowed, pattern in self.rules if _fits(pattern, path)]
        return max(fitting, default=(0, True))[1]


NOTHING = Rules(((False, "/"),))
"""What is assumed of a site that does not answer; a site's own rules are never this very value."""
EVERYTHING = Rules()


def parse(text: str) -> Rules:
    """Read a robots.txt: the groups that name us, or else those for everybody. Never fails."""
    groups: dict[str, list[tuple[bool, str]]] = {}
    names: list[str] = []
    in_rules = False
    for key, value in _LINE.findall(text):
        word = key.lower()
        if word == "user-agent":
            names = [value.strip().lower()] if in_rules else [*names, value.strip().lower()]
            in_rules = False
            for name in names:
                groups.setdefault(name, [])
        elif word in ("allow", "disallow"):
            in_rules = True
            if value.strip():
                for name in names:
                    groups[name].append((word == "allow", _same_form(value.strip())))
    ours = [rule for name, rules in groups.items() if re.match(rf"{TOKEN}(?![a-z_-])", name) for rule in rules]
    named = any(re.match(rf"{TOKEN}(?![a-z_-])", name) for name in groups)
    return Rules(tuple(ours if named else groups.get("*", [])))


class Robots:
    """The rules of the sites asked lately. One fetch per site and day, however many pages wait for it."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._sites: OrderedDict[str, tuple[datetime, Rules]] = OrderedDict()
        self._locks: dict[str, asyncio.Lock] = {}

    async def allow(self, url: str, now: datetime) -> bool:
        """Whether a page may be read. A site whose robots.txt fails with 5xx or not at all says no (RFC 9309 2.3.1)."""
        parts = urlsplit(url)
        site = parts.netloc.lower()  # http and https share one answer: a redirect from one to the other asks once
        lock = self._locks.setdefault(site, asyncio.Lock())
        async with lock:
            known = self._sites.get(site)
            if known is None or known[0] <= now:
                known = self._sites[site] = await self._ask(f"{parts.scheme}://{site}", now)
                self._sites.move_to_end(site)
                if len(self._sites) > _MOST_SITES:
                    self._locks.pop(self._sites.popitem(last=False)[0], None)
        return known[1].allow(url)

    def asks_again(self, url: str) -> datetime | None:
        """When a site is asked again whose rules could not be had; None for one that answered."""
        known = self._sites.get(urlsplit(url).netloc.lower())
        return known[0] if known is not None and known[1] is NOTHING else None

    async def _ask(self, site: str, now: datetime) -> tuple[datetime, Rules]:
        match await self._fetch(f"{site}/robots.txt"):
            case Fetched(body=body):
                return now + KEEP, parse(body[:LARGEST].decode("utf-8", "replace").removeprefix("\ufeff"))
            case FetchFailed(status=status) if status in _UNAVAILABLE and status != 429:
                return now + KEEP, EVERYTHING
            case FetchFailed(reason=FailReason.REFUSED_ADDRESS):
                return now + KEEP_FAILURE, EVERYTHING  # the page itself will be refused, with that word
            case _:
                return now + KEEP_FAILURE, NOTHING


def _same_form(text: str) -> str:
    """Write a path or pattern with one kind of percent-encoding, so that both can be compared."""
    return quote(unquote_to_bytes(text.replace("%2F", "%252F").replace("%2f", "%252F")), safe="/*$?&=:@!'(),;+~%")


def _fits(pattern: str, path: str) -> bool:
    """Whether a pattern with `*` and a final `$` begins to describe a path; linear, as patterns come from anywhere."""
    anchored = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    for part in others[:-1] if anchored else others:
        at = path.find(part, at)
        if at < 0:
            return False
        at += len(part)
    if not anchored:
        return True
    return path.endswith(others[-1]) and len(path) - len(others[-1]) >= at if others else at == len(path)
