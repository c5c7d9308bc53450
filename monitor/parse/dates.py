"""Publication dates in the spellings of real feeds, as aware UTC datetimes.

Reads RFC 822, ISO 8601, JavaScript's form, epoch numbers, numeric dates (day first) and month names of twenty-one
languages from CLDR. Relative dates ("two hours ago") and unknown spellings are None: a missing date does no harm, a
wrong one does. Called by `monitor.parse.feed`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache, lru_cache

from monitor.parse import zones
from monitor.parse.months import MONTHS

_ENGLISH = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STANDARD = re.compile(
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?"
    rf"(\d{{1,2}}) ({'|'.join(_ENGLISH)}) (\d{{4}}) (\d\d):(\d\d):(\d\d) (GMT|UTC|Z|[+-]\d{{4}})"
)
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_MAX_AHEAD = timedelta(hours=24)
_MAX_CHARS = 120

_DATETIME_ATTRIBUTE = re.compile(r"""\bdatetime\s*=\s*["']([^"']{4,60})["']""")
_TAG = re.compile(r"<[^<>]*>")
_COMMENT = re.compile(r"\([^()]*\)")
_ISO = re.compile(
    r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?"
    r"(?:[T\s,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?)?\s*(.*)$",
    re.IGNORECASE,
)
_BASIC = re.compile(
    r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?(?:[.,]\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?$", re.IGNORECASE
)
_TIME = re.compile(
    r"(?<![\d.:+-])(\d{1,2})[:h](\d{2})(?::(\d{2})(?:[.,]\d+)?)?(?!\d)(?:\s*([ap])\.?\s?m\b\.?)?", re.IGNORECASE
)
_HALF = re.compile(r"([ap])\.?m\b\.?\s*", re.IGNORECASE)
_DOTTED_TIME = re.compile(r"(?<=[\s,])(\d{1,2})\.(\d{2})(?:\s*h|\s*$)", re.IGNORECASE)
_ZONE = re.compile(r"\s*([A-Z]{1,5}(?![a-z]))?\s*([+-]\s?\d{1,2}(?::?\d{2})?(?!\d))?")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})[./-]\s*(\d{1,2})[./-]\s*(\d{4}|\d{2})(?!\d)")
_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d+")

Clock = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Dated:
    """A date that could be read. `zone_guess`: the text named no zone. `note` says what was unusual."""

    at: datetime | None
    zone_guess: bool = False
    note: str | None = None


def read(raw: str | None, now: datetime, zone: tzinfo = UTC, language: str | None = None) -> Dated:
    """Read a date. `zone` is for spellings that name none, `language` decides month names of two meanings.

    `at` is None for nothing, for what cannot be read or is before 1990, and for more than a day ahead of `now`
    (note "future").

    >>> read("čet, 05. jun 2025. 14:02 GMT+2", datetime(2025, 6, 6, tzinfo=UTC)).at.isoformat()
    '2025-06-05T12:02:00+00:00'
    """
    try:
        if raw and (found := _standard(raw)):
            return _sane(found, now)
        text = _plain(raw)
        if not text or len(text) > _MAX_CHARS:
            return Dated(None)
        dated = (
            _standard(text) or _epoch(text) or _basic(text, zone) or _iso(text, zone) or _spelled(text, zone, language)
        )
    except (ValueError, OverflowError):
        return Dated(None)
    return _sane(dated, now) if dated else Dated(None)


def _plain(raw: str | None) -> str:
    text = unicodedata.normalize("NFC", (raw or "")[:2_000]).strip()
    if "<" in text:
        attribute = _DATETIME_ATTRIBUTE.search(text)
        text = attribute.group(1) if attribute else _TAG.sub(" ", text)
    return " ".join(_COMMENT.sub(" ", text).split())


def _sane(dated: Dated, now: datetime) -> Dated:
    if dated.at is None or dated.at < _EARLIEST:
        return Dated(None, note="too_old" if dated.at else dated.note)
    if dated.at - now > _MAX_AHEAD:
        return Dated(None, note="future")
    return dated


def _standard(text: str) -> Dated | None:
    """The spelling of RFC 5322 and RSS 2.0, in which most feeds write; any other way to write it is left to others."""
    found = _STANDARD.fullmatch(text)
    if found is None:
        return None
    day, month, year, hour, minute, second, zone = found.groups()
    date = (int(year), _ENGLISH.index(month) + 1, int(day))
    return _local(date, (int(hour), int(minute), int(second)), zone, UTC)


def _epoch(text: str) -> Dated | None:
    if not text.isdecimal() or len(text) not in (10, 13):
        return None
    seconds = int(text) / (1000 if len(text) == 13 else 1)
    at = datetime.fromtimestamp(seconds, UTC)
    return Dated(at) if 2000 <= at.year < 2100 else None


def _basic(text: str, zone: tzinfo) -> Dated | None:
    found = _BASIC.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, named = found.groups()
    return _local(
        (int(year), int(month), int(day)), (int(hour or 0), int(minute or 0), int(second or 0)), named or "", zone
    )


def _iso(text: str, zone: tzinfo) -> Dated | None:
    found = _ISO.match(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, rest = found.groups()
    clock = (int(hour or 0), int(minute or 0), int(second or 0))
    if hour and (half := _HALF.match(rest)):
        clock, rest = _on_24(clock, half.group(1).lower()), rest[half.end() :]
    dated = _local((int(year), int(month), int(day or 1)), clock, rest, zone)
    return dated if day else Dated(dated.at, dated.zone_guess, "month_only")


def _spelled(text: str, zone: tzinfo, language: str | None) -> Dated | None:
    """A date of words and numbers in any order with a time somewhere, or none."""
    time = _TIME.search(text)
    clock, before, after, half = _clock(text, time)
    zone_text = _ZONE.match(after)
    named = zone_text.group().strip() if zone_text and time else ""
    if named.isalpha() and named not in zones.ABBREVIATIONS and _month(named, language):
        named = ""
    rest = after[len(named) + (len(after) - len(after.lstrip())) :] if named else after
    found = _numeric(before + " " + rest, half=half is not None) or _worded(before + " " + rest, language)
    if found is None:
        return None
    date, note = found
    dated = _local(date, _on_24(clock, half), named, zone)
    return Dated(dated.at, dated.zone_guess, note)


def _clock(text: str, time: re.Match[str] | None) -> tuple[Clock, str, str, str | None]:
    """The time of day, the text before and after it, and a or p if it counts to twelve."""
    if time is None:
        dotted = _DOTTED_TIME.search(text)
        if dotted and _NUMERIC.search(text[: dotted.start()]):
            return (int(dotted.group(1)), int(dotted.group(2)), 0), text[: dotted.start()], "", None
        return (0, 0, 0), text, "", None
    hour, minute, second, half = time.groups()
    clock = (int(hour), int(minute), int(second or 0))
    return clock, text[: time.start()], text[time.end() :], half.lower() if half else None


def _on_24(clock: Clock, half: str | None) -> Clock:
    hour, minute, second = clock
    if half is None or hour > 12:
        return clock
    return hour % 12 + (12 if half == "p" else 0), minute, second


def _numeric(text: str, *, half: bool) -> tuple[tuple[int, int, int], str | None] | None:
    """05.06.2025: day first; month first only with AM or PM, or where nothing else is a date."""
    found = _NUMERIC.search(text)
    if found is None:
        return None
    first, second, year = int(found.group(1)), int(found.group(2)), _year(found.group(3))
    month_first = (half and first <= 12 and "/" in found.group()) or (second > 12 >= first)
    note = "ambiguous" if half and first <= 12 and second <= 12 else None
    return ((year, first, second) if month_first else (year, second, first)), note


def _worded(text: str, language: str | None) -> tuple[tuple[int, int, int], str | None] | None:
    """A month's name with a day and a year around it; other words (weekdays, "at", "Uhr") say nothing."""
    month = next((number for word in _WORD.findall(text) if (number := _month(word, language))), None)
    if month is None:
        return None
    numbers = _NUMBER.findall(text)
    years = [number for number in numbers if len(number) == 4]
    days = [number for number in numbers if len(number) <= 2]
    if not years and len(days) >= 2:
        years, days = [days[1]], days[:1]
    if not years:
        return None
    if not days:
        return (_year(years[0]), month, 1), "month_only"
    return (_year(years[0]), month, int(days[0])), None


def _year(digits: str) -> int:
    """RFC 2822 section 4.3 for two digits, with the turn at 70."""
    year = int(digits)
    if len(digits) > 2:
        return year
    return year + (2000 if year < 70 else 1900)


def _local(date: tuple[int, int, int], clock: Clock, named: str, zone: tzinfo) -> Dated:
    """A moment from its parts; 24:00:00 is the next day's midnight."""
    if clock[0] == 24 and clock[1:] == (0, 0):
        clock, extra = (0, 0, 0), timedelta(days=1)
    else:
        extra = timedelta()
    hour, minute, second = clock
    offset = _offset(named)
    local = datetime(*date, hour, minute, min(second, 59), tzinfo=offset or zone) + extra
    return Dated(local.astimezone(UTC), zone_guess=offset is None)


@lru_cache(maxsize=512)
def _offset(text: str) -> tzinfo | None:
    """Read a zone: `Z`, `CEST`, `+02:00`, `GMT+2` (plus as written), `UTC+0200`; None for none or an unknown name."""
    found = _ZONE.match(text.strip().upper())
    if found is None:
        return None
    name, shift = found.groups()
    if shift:
        digits = re.sub(r"[^\d]", "", shift)
        hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
        if hours > 15 or minutes > 59:
            return None
        total = (hours * 60 + minutes) * (-1 if shift.startswith("-") else 1)
        return zones.fixed(total)
    return zones.fixed(zones.ABBREVIATIONS[name]) if name in zones.ABBREVIATIONS else None


def _month(word: str, language: str | None) -> int | None:
    """The number of a month's name; a name of two meanings needs the language, else None."""
    meanings = _months().get(_key(word)) or _months().get(_bare(word))
    if not meanings:
        return None
    numbers = set(meanings.values())
    if len(numbers) == 1:
        return next(iter(numbers))
    return meanings.get((language or "").replace("_", "-").split("-")[0].lower())


@cache
def _months() -> Mapping[str, Mapping[str, int]]:
    """Casefolded name, with and without accents -> language -> number of the month."""
    names: dict[str, dict[str, int]] = {}
    for locale, months in MONTHS.items():
        for number, spellings in enumerate(months, start=1):
            for name in spellings.split():
                for word in (name, _bare(name)):
                    names.setdefault(word, {}).setdefault(locale.split("-")[0], number)
    return names


def _key(word: str) -> str:
    return word.casefold().strip(". ")


def _bare(word: str) -> str:
    """Without accents: Greek months are written with and without."""
    return "".join(char for char in unicodedata.normalize("NFD", _key(word)) if not unicodedata.combining(char))
