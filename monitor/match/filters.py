"""`lang:`, `country:` and `outlet:`: what may be written behind them, and what they ask of an entry.

Facts about an entry, never words of it: nothing here is marked. Called by query, compiler, evaluate and matcher.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitor.match.concepts import Concepts
from monitor.text import languages
from monitor.text.fold import fold
from monitor.text.nearest import nearest


@dataclass(frozen=True, slots=True)
class Facts:
    """What filters ask: the entry's language, the outlet's name (folded words), domain and country."""

    language: str | None = None
    outlet: str = ""
    domain: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A value that says nothing."""

    message: str
    hint: str | None = None


def read(kind: str, value: str, concepts: Concepts) -> str | Refused:
    """Read the value behind a field: its canonical form, or what is wrong with it."""
    match kind:
        case "lang":
            return _language(value, concepts)
        case "country":
            return _country(value, concepts)
        case _:
            return value or Refused("nothing after outlet:")


def _language(value: str, concepts: Concepts) -> str | Refused:
    code = languages.base(value)
    if code is not None and code in concepts.languages:
        return code
    named = next((known for known, names in concepts.languages.items() if fold(value) in names), None)
    near = named or nearest(value, concepts.languages)
    return Refused("unknown language", f"did you mean {near}?" if near else "a code like en, sr, sq")


def _country(value: str, concepts: Concepts) -> str | Refused:
    if value.upper() in concepts.countries:
        return value.upper()
    names = {fold(name): code for code, spelled in concepts.countries.items() for name in spelled}
    near = names.get(nearest(fold(value), names) or "")
    if len(value) != 2:
        return Refused("two-letter code expected", f"did you mean {near}?" if near else "a code like RS, AL, XK")
    near = near or nearest(value.upper(), concepts.countries)
    return Refused("unknown country", f"did you mean {near}?" if near else None)


def check(kind: str, value: str) -> Callable[[Facts], bool]:
    """What a filter asks of an entry; an unknown language or country is none."""
    match kind:
        case "lang":
            return lambda facts: languages.speaks(facts.language, value)
        case "country":
            return lambda facts: facts.country == value
        case _:
            return _outlet(value)


def _outlet(value: str) -> Callable[[Facts], bool]:
    """The outlet's name holds these words in a row, or its domain is this one."""
    name, domain = name_words(value), domain_of(value)
    return lambda facts: facts.domain == domain or (name != "" and f" {name} " in f" {facts.outlet} ")


def name_words(name: str) -> str:
    """A name as folded words, one space between."""
    blank = "".join(letter if letter.isalnum() else " " for letter in fold(name))
    return " ".join(blank.split())


def domain_of(value: str) -> str:
    """A domain to compare: small letters, without www."""
    return value.strip().lower().removeprefix("www.")
