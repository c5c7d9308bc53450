"""What an address may ask for: read once for pages, data and feeds, so that all refuse the same nonsense."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Path, Query
from pydantic import BeforeValidator
from starlette.exceptions import HTTPException

from alerts.tables import EPOCH, MICROSECOND
from monitor.views import listing
from monitor.web.sources import Sources

WITHIN = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
_FARTHEST = date(2200, 1, 1)


def _blank(value: object) -> object:
    """A form sends an empty field for no wish."""
    return None if value == "" else value


Blank = BeforeValidator(_blank)
Words = Annotated[str | None, Query(max_length=200, description="Words that an entry's title or text holds."), Blank]
Address = Annotated[str | None, Query(max_length=200, description="A part of a feed's address."), Blank]
AtMost = Annotated[int, Query(ge=1, le=10_000, description="How many at most.")]
Watch = Annotated[str | None, Query(max_length=40, description="Only stories of this watch."), Blank]
Language = Annotated[
    str | None, Query(pattern="^[a-z]{2,3}$", description="Only stories told in this language (ISO 639)."), Blank
]
Country = Annotated[
    str | None, Query(pattern="^[A-Z]{2}$", description="Only stories that an outlet of this country carries."), Blank
]
Within = Annotated[str | None, Query(pattern="^(24h|7d|30d)$", description="Only stories with news since then."), Blank]
Day = Annotated[date | None, Query(description="A day, in UTC."), Blank]
After = Annotated[
    str | None, Query(max_length=80, description="Where the next page begins, as the last one said."), Blank
]
Key = Annotated[str, Path(pattern="^st_[0-9a-z]{4,13}$", description="A story's key.")]
Country2 = Annotated[str, Path(pattern="^[A-Z]{2}$", description="A government, by its ISO code.")]
DomainName = Annotated[
    str, Path(pattern=r"^[^\s?#\x00-\x1f]+$", max_length=253, description="An outlet, by its domain.")
]


@dataclass(frozen=True, slots=True)
class Filters:
    """What a reader asks of the list, as it stands in the address."""

    q: str | None = None
    watch: str | None = None
    language: str | None = None
    country: str | None = None
    within: str | None = None
    since: date | None = None
    until: date | None = None
    after: str | None = None

    @property
    def is_any(self) -> bool:
        """Whether something is asked for at all."""
        return any(getattr(self, name) for name in self.__slots__ if name != "after")

    @property
    def is_narrowed(self) -> bool:
        """Whether something besides words is asked for."""
        return any(getattr(self, name) for name in self.__slots__ if name not in ("q", "after"))

    def query(self, **changed: str | None) -> str:
        """The address' question, with some of it changed; empty for none."""
        now = {name: getattr(self, name) for name in self.__slots__ if name != "after"} | changed
        pairs = [(name, str(value)) for name, value in now.items() if value]
        return f"?{urlencode(pairs)}" if pairs else ""


def filters(
    q: Words = None,
    watch: Watch = None,
    language: Language = None,
    country: Country = None,
    within: Within = None,
    since: Day = None,
    until: Day = None,
    after: After = None,
) -> Filters:
    """Read the filters of a list from the address."""
    return Filters(q, watch, language, country, within, since, until, after)


def wanted(asked: Filters, sources: Sources) -> listing.Wanted:
    """What the reader means.

    Errors: 422 for a day nobody lives to see, or an end before its beginning.
    """
    if any(day is not None and (day.year < 1970 or day > _FARTHEST) for day in (asked.since, asked.until)):
        raise HTTPException(422, "since and until: a day between 1970 and 2200")
    since = _midnight(asked.since) if asked.since else None
    if asked.within is not None:
        soonest = sources.now() - WITHIN[asked.within]
        since = soonest if since is None else max(since, soonest)
    until = _midnight(asked.until) + timedelta(days=1) if asked.until else None
    if since is not None and until is not None and asked.within is None and until <= since:
        raise HTTPException(422, "until: lies before since")
    return listing.Wanted(
        watch=asked.watch,
        language=asked.language,
        outlets=sources.outlets_of(asked.country) if asked.country else None,
        since=since,
        until=until,
        words=asked.q,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def cursor_text(cursor: listing.Cursor | None) -> str | None:
    """A place in the list as it stands in an address."""
    if cursor is None:
        return None
    raw = f"{(cursor.last_at - EPOCH) // MICROSECOND}.{cursor.id}"
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def cursor_of(text: str | None) -> listing.Cursor | None:
    """Read a place in the list.

    Errors: 422 for what we did not write.
    """
    if text is None:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
        micros, _, number = raw.partition(".")
        at = EPOCH + int(micros) * MICROSECOND
        if not 0 <= int(number) < 2**62:
            raise ValueError("no number of a story")
    except (ValueError, OverflowError) as exc:
        raise HTTPException(422, "after: is no place in the list; begin without it") from exc
    return listing.Cursor(at, int(number))


def instant_of(text: str | None) -> datetime | None:
    """Read a place in an outlet's or delivery list: microseconds since 1970.

    Errors: 422 for anything else.
    """
    if text is None:
        return None
    try:
        return EPOCH + int(text) * MICROSECOND
    except (ValueError, OverflowError) as exc:
        raise HTTPException(422, "before: is no place in the list; begin without it") from exc


def micros_of(at: datetime | None) -> str | None:
    """Such a place as it stands in an address."""
    return None if at is None else str((at - EPOCH) // MICROSECOND)
