"""What a server's headers say about time: how long to wait and how long an answer stays fresh.

Pure reading, no policy beyond the ceilings a value needs to be usable. Called by `schedule.decide`.
Source: RFC 9110 section 10.2.3 (Retry-After), RFC 9111 sections 4.2 and 5 (freshness).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

Headers = tuple[tuple[str, bytes], ...]
"""Lower-case names with the bytes of their values, in the order of the wire."""

LONGEST_WAIT = timedelta(days=31)
"""A Retry-After is believed up to here (lemon24/reader's ceiling)."""
LONGEST_FRESHNESS = timedelta(hours=24)
_SECONDS = re.compile(r"\d{1,20}(?:\.\d{1,9})?(?:[eE]\+?\d{1,2})?")
_DIRECTIVE = re.compile(r'([a-zA-Z0-9_-]+)\s*(?:=\s*("[^"]*"|[^,\s]*))?')


def values(headers: Headers, name: str) -> list[str]:
    """Return all values of one header (`name` in lower case) as text, never failing on odd bytes."""
    return [value.decode("latin-1").strip() for key, value in headers if key == name]


def last(headers: Headers, name: str) -> str | None:
    """Return the last value of a header, or None."""
    found = values(headers, name)
    return found[-1] if found else None


def http_date(text: str | None) -> datetime | None:
    """Read a date of HTTP in any of its three forms; a date without a zone is UTC; None if unreadable."""
    if not text:
        return None
    try:
        when = parsedate_to_datetime(text)
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def retry_after(value: str | None, date: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header: seconds, or a date taken relative to the server's own `date`.

    None for absent, negative, past or unreadable values; at most 31 days.

    >>> retry_after("120", None, datetime(2026, 1, 1, tzinfo=UTC))
    datetime.timedelta(seconds=120)
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=min(float(text), LONGEST_WAIT.total_seconds()))
    until = http_date(text)
    if until is None:
        return None
    wait = until - (http_date(date) or now)
    return min(wait, LONGEST_WAIT) if wait > timedelta(0) else None


def asked_to_wait(headers: Headers, now: datetime) -> timedelta | None:
    """Read the Retry-After of an answer relative to its Date."""
    asked = last(headers, "retry-after")
    return None if asked is None else retry_after(asked, last(headers, "date"), now)


def freshness(headers: Headers, now: datetime) -> timedelta | None:
    """How long the answer may be taken as current, at most 24 h.

    None when no header says anything; zero when a header says "not at all" (no-cache, Expires: 0). `s-maxage` goes
    before `max-age`, that before `Expires`; of two equal directives the smaller counts; `Age` is taken off.
    """
    directives = _directives(headers)
    if "no-cache" in directives or "no-store" in directives:
        return timedelta(0)
    for name in ("s-maxage", "max-age"):
        ages = [int(text) for text in directives.get(name, ()) if text.isascii() and text.isdigit() and len(text) < 19]
        if ages:
            return _left(timedelta(seconds=min(*ages, int(LONGEST_WAIT.total_seconds()))), headers)
    expires = last(headers, "expires")
    if expires is None:
        return None
    until = http_date(expires)
    return timedelta(0) if until is None else _left(until - (http_date(last(headers, "date")) or now), headers)


def _left(lifetime: timedelta, headers: Headers) -> timedelta:
    age = last(headers, "age") or ""
    spent = timedelta(seconds=min(int(age), 10**9)) if age.isascii() and age.isdigit() else timedelta(0)
    return max(timedelta(0), min(lifetime - spent, LONGEST_FRESHNESS))


def _directives(headers: Headers) -> dict[str, list[str]]:
    """Read Cache-Control. A `no-cache` that names fields binds caches of those fields only, so it is left out."""
    found: dict[str, list[str]] = {}
    for name, value in _DIRECTIVE.findall(",".join(values(headers, "cache-control"))):
        word, text = name.lower(), value.strip('"').strip()
        if not (word == "no-cache" and text):
            found.setdefault(word, []).append(text)
    return found
