"""Names of governments: countries, capitals, adjectives, bodies with a name of their own, office-holders.

Reads the files below `governments/` and checks them; `lexicon` asks for the forms of one language at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from monitor.detect.lexicon_rows import BODIES, PLACES, Body, Leader, Payload, Place
from monitor.errors import LexiconError

Raw = Mapping[str, Any]
_FOLDER = "governments/"
_SPECIAL = frozenset(("EU", "UN", "XK", "VA"))
_PERSONAL = frozenset(("head of state", "head of government"))
_SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Names:
    """Forms by language, each with the id of its row."""

    by_language: Mapping[str, Sequence[tuple[str, str, Payload]]]
    ids: frozenset[str] = field(default_factory=frozenset)

    def forms(self, language: str, disabled: frozenset[str]) -> Iterable[tuple[str, Payload]]:
        """The forms of one language; those under "any" belong to all."""
        for key in (language, "any"):
            for row, text, payload in self.by_language.get(key, ()):
                if row not in disabled:
                    yield text, payload


def body(name: str) -> Body:
    """A body by its word, perhaps with a country: `interior ministry@US`.

    Errors: ValueError for an unknown body or code.
    """
    kind, _, code = name.partition("@")
    if kind not in BODIES:
        raise ValueError(f"unknown body {kind!r}")
    if code and not _is_code(code):
        raise ValueError(f"unknown code {code!r}")
    return Body(kind, code or None)


def read(raw: Raw, extra: Sequence[Raw] = ()) -> Names:
    """Read all files of governments and the configuration's additions. Errors: LexiconError."""
    found: dict[str, list[tuple[str, str, Payload]]] = defaultdict(list)
    ids: set[str] = set()
    for file, data in raw.items():
        if not file.startswith(_FOLDER):
            continue
        if "places" in data:
            _places(file, data["places"], found, ids)
        if "government" in data:
            _government(file, data, found, ids)
    for at, row in enumerate(extra):
        where = f"governments.extra[{at}]"
        code = _code("config.yaml", where, row.get("government"))
        dated = {"from": row.get("valid_from"), "to": row.get("valid_to")}
        _body_row("config.yaml", code, {"id": where, **row, **dated}, found)
    return Names({language: tuple(rows) for language, rows in found.items()}, frozenset(ids))


def _places(file: str, data: Raw, found: dict[str, list[tuple[str, str, Payload]]], ids: set[str]) -> None:
    """`places: {country|capital|adjective: {language: {code: form or forms}}}`."""
    for kind, languages in data.items():
        if kind not in PLACES:
            raise LexiconError(file, f"places.{kind}", "unknown kind of name")
        for language, rows in languages.items():
            for code, texts in rows.items():
                row = f"{_code(file, f'{kind}.{language}', code)}-{kind}"
                ids.add(row)
                for text in (texts,) if isinstance(texts, str) else texts:
                    text, shout = form(file, row, text)
                    found[language].append((row, text, Place(code, kind, shout)))


def _government(file: str, data: Raw, found: dict[str, list[tuple[str, str, Payload]]], ids: set[str]) -> None:
    code = _code(file, "government", data["government"])
    for row in data.get("bodies", ()):
        if row.get("id") in ids:
            raise LexiconError(file, str(row["id"]), "this id is used twice")
        ids.add(str(row.get("id")))
        _body_row(file, code, row, found)
    holders: dict[str, list[Leader]] = defaultdict(list)
    for row in data.get("leaders", ()):
        leader = _leader(file, code, row)
        ids.add(f"{code}-{leader.name}")
        if leader.body in _PERSONAL and row.get("holder", True):
            _no_overlap(file, leader, holders[leader.body])
        for language, texts in row["names"].items():
            for text in (texts,) if isinstance(texts, str) else texts:
                found[language].append((f"{code}-{leader.name}", text, leader))


def _body_row(file: str, code: str, row: Raw, found: dict[str, list[tuple[str, str, Payload]]]) -> None:
    row_id = str(row.get("id", "?"))
    kind = row.get("body", "government")
    if kind not in BODIES:
        raise LexiconError(file, row_id, f"unknown body {kind!r}")
    since, until = _dates(file, row_id, row)
    for language, texts in (row.get("names") or {}).items():
        for text in (texts,) if isinstance(texts, str) else texts:
            text, shout = form(file, row_id, text)
            found[language].append((row_id, text, Body(kind, code, row_id, shout, since, until)))


def _leader(file: str, code: str, row: Raw) -> Leader:
    name = str(row.get("name", "?"))
    if row.get("body") not in BODIES:
        raise LexiconError(file, name, f"unknown body {row.get('body')!r}")
    since, until = _dates(file, name, row)
    return Leader(code, row["body"], name, since, until)


def _dates(file: str, row_id: str, row: Raw) -> tuple[date | None, date | None]:
    try:
        since, until = (date.fromisoformat(str(row[key])) if row.get(key) else None for key in ("from", "to"))
    except ValueError as exc:
        raise LexiconError(file, row_id, str(exc)) from exc
    if since and until and since >= until:
        raise LexiconError(file, row_id, "ends before it begins")
    return since, until


def _no_overlap(file: str, leader: Leader, others: list[Leader]) -> None:
    for other in others:
        starts_late = leader.since and other.until and leader.since >= other.until
        ends_early = leader.until and other.since and leader.until <= other.since
        if not starts_late and not ends_early:
            raise LexiconError(file, leader.name, f"holds the office of {leader.body} at the same time as {other.name}")
    others.append(leader)


def form(file: str, row: str, text: str) -> tuple[str, bool]:
    """A form and whether it counts only in capitals, which a leading `=` says."""
    shout = text.startswith("=")
    bare = text.removeprefix("=")
    if not shout and len(bare.strip("*~{}")) < _SHORTEST:
        raise LexiconError(file, row, f"name {bare!r} is too short to count without capitals")
    return bare, shout


def _is_code(code: object) -> bool:
    return isinstance(code, str) and len(code) == 2 and code.isupper()


def _code(file: str, row: str, code: object) -> str:
    if not isinstance(code, str) or not (_is_code(code) or code in _SPECIAL):
        raise LexiconError(file, row, f"{code!r} is no government's code")
    return code
