"""The kinds of values config.yaml holds, each with its check, its words for what is wrong, and its JSON Schema.

A check raises `fault(code, message, hint)`; nothing here formats the value of a secret. Used by the shapes only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from alerts import clock
from monitor.config import units, vocabulary, words
from monitor.config.secrets import SecretRef, as_reference

_NAME = re.compile(r"[a-z0-9-]{1,40}")
_MAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_RATE = re.compile(r"(\d{1,4})/((?:\d+[smhd])+)")


def fault(code: str, message: str, hint: str | None = None) -> PydanticCustomError:
    """Build the error a check raises: the code stands as its type."""
    return PydanticCustomError("fault", "{message}", {"code": code, "message": message, "hint": hint or ""})


def kind_of(value: object) -> str:
    """Say what was found where something else is wanted, without its content when it is text."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"the truth value {str(value).lower()}"
        case int() | float():
            return f"the number {value}"
        case date():
            return f"the date {value}"
        case str():
            return "text"
        case list():
            return "a list"
    return "a mapping"


def text(value: object) -> str:
    """Take text; refuse what YAML read as something else."""
    if isinstance(value, str):
        return value
    hint = "put it in quotes" if isinstance(value, (bool, int, float, date)) else None
    raise fault("E013", f"text is wanted, {kind_of(value)} was found", hint)


def _filled(value: object) -> str:
    if not text(value).strip():
        raise fault("E013", "text is wanted, nothing was found")
    return text(value).strip()


def duration(value: object) -> timedelta:
    """Read a duration, or refuse what is none."""
    if isinstance(value, timedelta):
        return value
    shown = value if isinstance(value, str) else kind_of(value)
    try:
        return units.duration(value if isinstance(value, str) else "")
    except ValueError:
        raise fault("E020", f"{shown!r} is not a duration (30s, 5m, 2h, 1d)") from None


def _duration_or_off(value: object) -> timedelta | None:
    return None if value is None or value == "off" or value is False else duration(value)


def _size(value: object) -> int:
    try:
        return units.size(str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else "")
    except ValueError:
        raise fault("E021", f"{value!r} is not a size (500kB, 5MiB)") from None


def _clock(value: object) -> time:
    if isinstance(value, time):
        return value
    try:
        return units.clock(value if isinstance(value, str) else "")
    except ValueError:
        raise fault("E022", f"{value!r} is not a clock time", 'write "HH:MM", from "00:00" to "23:59"') from None


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Name every time zone this machine knows."""
    return frozenset(available_timezones())


def _zone(value: object) -> str:
    name = text(value)
    if not clock.is_zone(name):
        hint = words.suggestion(name, zones()) or "an IANA name, as Europe/Belgrade"
        raise fault("E023", f"{name!r} is not a time zone", hint)
    return name


def _code(value: object, allowed: frozenset[str]) -> str:
    if not isinstance(value, str):
        raise fault("E024", f"a two-letter country code is wanted, {kind_of(value)} was found", "put it in quotes")
    if value in allowed:
        return value
    right = vocabulary.MISTAKEN_COUNTRIES.get(value.upper()) or (value.upper() if value.upper() in allowed else None)
    right = right or country_named(value)
    hint = f"did you mean {right!r}?" if right else words.suggestion(value, allowed)
    if not re.fullmatch(r"[A-Z]{2}", value):
        raise fault("E024", f"{value!r} is not a two-letter country code in capitals", hint)
    raise fault("E033", f"{value!r} is not a country code", hint)


def country_named(name: str) -> str | None:
    """Find the code of a country by its English name; None when it is no country."""
    from babel import Locale  # a tenth of a second that only a mistake needs

    wanted = name.casefold()
    territories = Locale("en").territories.items()
    return next(
        (code for code, said in territories if said.casefold() == wanted and code in vocabulary.COUNTRIES), None
    )


def _country(value: object) -> str:
    return _code(value, vocabulary.COUNTRIES)


def _government(value: object) -> str:
    return _code(value, vocabulary.GOVERNMENTS)


def _language(value: object) -> str:
    code = text(value)
    if code not in vocabulary.LANGUAGES:
        right = vocabulary.MISTAKEN_LANGUAGES.get(code.lower())
        short = re.split("[-_]", code.lower())[0]
        right = right or (short if short in vocabulary.LANGUAGES else None)
        hint = f"did you mean {right!r}?" if right else "an ISO 639-1 code, as sr"
        raise fault("E027", f"{code!r} is not a language", hint)
    return code


def _name(value: object) -> str:
    said = text(value)
    if not _NAME.fullmatch(said):
        proposal = re.sub(r"[^a-z0-9]+", "-", said.lower()).strip("-")[:40]
        hint = f"did you mean {proposal!r}?" if proposal else "a-z, 0-9 and -, at most 40"
        raise fault("E026", f"{said!r} is not a name (a-z, 0-9, -, at most 40)", hint)
    return said


def _web_address(value: object) -> str:
    said = text(value)
    try:
        units.host(units.split_url(said).hostname or "")
    except ValueError:
        raise fault("E025", "an http(s) address is wanted") from None
    return said.strip()


def _feed_url(value: object) -> str:
    said = text(value)
    if units.is_plain_address(said):
        return said
    try:
        parts = units.split_url(said)
    except ValueError:
        raise fault("E040", "a feed's address starts with http:// or https://") from None
    try:
        units.host(parts.hostname or "")
    except ValueError:
        raise fault("E041", f"{parts.hostname or ''!r} is not a valid host name") from None
    return said.strip()


def _contact(value: object) -> str:
    said = _filled(value)
    if _MAIL.fullmatch(said.removeprefix("mailto:")) or said.startswith("https://"):
        return said
    raise fault("E025", "an https page or a mail address is wanted", "every polled server is shown it")


def _domain(value: object) -> str:
    said = text(value)
    try:
        name = units.host(said.strip().rstrip("."))
    except ValueError:
        raise fault("E041", f"{said!r} is not a domain", "without https:// and path, as n1info.rs") from None
    return name


def _listen(value: object) -> str:
    try:
        units.listen(text(value))
    except ValueError:
        raise fault("E025", f"{value!r} is not host:port", "as 127.0.0.1:8080") from None
    return text(value)


def _rate(value: object) -> tuple[int, timedelta]:
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    if not found or int(found[1]) == 0:
        raise fault("E020", f"{value!r} is not a number per duration (1/15m)")
    return int(found[1]), duration(found[2])


def _secret(value: object) -> SecretRef:
    if isinstance(value, SecretRef):
        return value
    if isinstance(value, str):
        raise fault(
            "E071", "a secret must not stand in the file", "write {env: NAME}, {file: PATH} or {credential: NAME}"
        )
    found = as_reference(value)
    if found is None:
        raise fault("E013", "a secret is one of {env: NAME}, {file: PATH}, {credential: NAME}")
    return found


def _secret_or_text(value: object) -> SecretRef | str:
    return _secret(value) if isinstance(value, dict) else text(value)


def _database(value: object) -> SecretRef | str:
    found = _secret_or_text(value)
    if isinstance(found, str) and not re.match(r"(sqlite|postgresql(\+psycopg)?):", found):
        raise fault("E025", "sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME is wanted")
    return found


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    hint = "write true" if value in ("on", "yes") else "write false" if value in ("off", "no") else None
    raise fault("E013", f"true or false is wanted, {kind_of(value)} was found", hint)


def _whole(low: int, high: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise fault("E013", f"a whole number is wanted, {kind_of(value)} was found")
        if not low <= value <= high:
            raise fault("E028", f"{value} is outside {low} to {high}")
        return value

    return check


def _decimal(low: float, high: float) -> Callable[[object], float]:
    def check(value: object) -> float:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise fault("E013", f"a number is wanted, {kind_of(value)} was found")
        if not low <= value <= high:
            raise fault("E028", f"{value} is outside {low} to {high}")
        return float(value)

    return check


def _word(allowed: tuple[str, ...]) -> Callable[[object], str]:
    def check(value: object) -> str:
        said = text(value)
        if said not in allowed:
            hint = words.suggestion(said, allowed)
            raise fault("E027", f"{said!r} is not one of {words.listed(allowed)}", hint)
        return said

    return check


def _day(value: object) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(text(value))
    except ValueError:
        raise fault("E022", f"{value!r} is not a date (2025-06-13)") from None


@dataclass(frozen=True, eq=False)
class Check:
    """How one kind of value is read, and how the schema describes it."""

    read: Callable[[object], Any]
    schema: dict[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read with our own function; the library's notion of the type plays no part."""
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the text of the file, not the value made of it."""
        return dict(self.schema)


def whole(low: int, high: int) -> Check:
    """Check a whole number within bounds."""
    return Check(_whole(low, high), {"type": "integer", "minimum": low, "maximum": high})


def decimal(low: float, high: float) -> Check:
    """Check a number within bounds."""
    return Check(_decimal(low, high), {"type": "number", "minimum": low, "maximum": high})


def word(allowed: Iterable[str]) -> Check:
    """Check one word of a closed set."""
    every = tuple(allowed)
    return Check(_word(every), {"type": "string", "enum": list(every)})


class OneOrMany:
    """Lets a list of one be written without brackets."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read the list, or the one value as a list."""
        return core_schema.no_info_before_validator_function(
            lambda value: value if isinstance(value, list) else [value], handler(source)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe both ways of writing it."""
        described = handler(schema)
        return {"anyOf": [described["items"], described]} if "items" in described else described


ONE_OR_MANY = OneOrMany()


def default(written: object) -> Any:
    """Give a default as the file would write it; the shapes check their defaults, so it is read like any value."""
    return Field(default=written)


def _pattern(pattern: str, *examples: str) -> dict[str, Any]:
    return {"type": "string", "pattern": pattern, "examples": list(examples)}


_SECRET_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "where the secret is kept; never the secret itself",
    "format": "password",
    "writeOnly": True,
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
    "properties": {key: {"type": "string", "minLength": 1} for key in ("env", "file", "credential")},
}
_TEXT_OR_SECRET: dict[str, Any] = {"anyOf": [{"type": "string", "minLength": 1}, _SECRET_SCHEMA]}
_DURATION_SCHEMA = _pattern(r"^(\d+[smhd])+$", "30s", "5m", "1h30m")
_SIZE_SCHEMA = {"type": ["string", "integer"], "pattern": r"^\d+(B|[kMG]i?B)?$", "examples": ["5MiB", "500kB"]}

Text = Annotated[str, Check(_filled, {"type": "string", "minLength": 1})]
Truth = Annotated[bool, Check(_truth, {"type": "boolean"})]
Duration = Annotated[timedelta, Check(duration, _DURATION_SCHEMA)]
DurationOrOff = Annotated[timedelta | None, Check(_duration_or_off, {"anyOf": [{"const": "off"}, _DURATION_SCHEMA]})]
Size = Annotated[int, Check(_size, _SIZE_SCHEMA)]
Clock = Annotated[time, Check(_clock, _pattern(r"^([01]\d|2[0-3]):[0-5]\d$", "08:00"))]
Day = Annotated[date, Check(_day, _pattern(r"^\d{4}-\d\d-\d\d$", "2025-06-13"))]
Zone = Annotated[str, Check(_zone, {"type": "string", "examples": ["Europe/Belgrade"]})]
Country = Annotated[str, Check(_country, _pattern(r"^[A-Z]{2}$", "RS", "XK"))]
Government = Annotated[str, Check(_government, _pattern(r"^[A-Z]{2}$", "RS", "XK", "EU", "UN"))]
Language = Annotated[str, Check(_language, _pattern(r"^[a-z]{2,3}$", "en", "sr"))]
Name = Annotated[str, Check(_name, _pattern(r"^[a-z0-9-]{1,40}$", "balkan-deportees"))]
WebAddress = Annotated[str, Check(_web_address, _pattern("^https?://", "https://watch.example.org"))]
FeedAddress = Annotated[str, Check(_feed_url, _pattern("^https?://", "https://example.org/rss"))]
Contact = Annotated[str, Check(_contact, _pattern("^https://|@", "https://example.org/about-our-reader"))]
DomainName = Annotated[str, Check(_domain, {"type": "string", "examples": ["n1info.rs"]})]
Listen = Annotated[str, Check(_listen, _pattern(r":\d+$", "127.0.0.1:8080"))]
Rate = Annotated[tuple[int, timedelta], Check(_rate, _pattern(r"^\d+/(\d+[smhd])+$", "1/15m"))]
Secret = Annotated[SecretRef, Check(_secret, _SECRET_SCHEMA)]
SecretOrText = Annotated[SecretRef | str, Check(_secret_or_text, _TEXT_OR_SECRET)]
Database = Annotated[SecretRef | str, Check(_database, _TEXT_OR_SECRET)]
