"""The query of each watch: expanding keywords, and telling a query's faults at their place in the file.

The language itself belongs to `monitor.match.query`; here its columns become lines and columns of the file. Called by
`checking` and `building`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from monitor.config.faults import problem
from monitor.config.reading import Document, Path, Place
from monitor.errors import Problem

_COMMENT = re.compile(r"\s+#")


def place_in(document: Document, path: Path, query: str, column: int) -> Place:
    """Find where in the file the character `column` (from 1) of a query stands.

    Folded blocks and plain values over several lines have lost the mapping: the place is that of the value.
    """
    start = document.value_place(path)
    if start.style == "|":
        return _place_in_block(document, start, query, column)
    quoted = start.style in ("'", '"')
    at = start.column + quoted + column - 1
    if start.style == ">" or "\n" in query or at > len(document.raw(start.line)) + 1:
        return start
    return Place(start.line, at, at + 1)


def _place_in_block(document: Document, start: Place, query: str, column: int) -> Place:
    before = query[: column - 1]
    row = before.count("\n")
    inside = len(before) - (before.rfind("\n") + 1)
    lines = query.split("\n")
    while row > 0 and not lines[row]:  # an end of the query is told behind its last word, not on an empty line
        row -= 1
        inside = len(lines[row])
    raw = document.raw(start.line + 1 + row)
    indent = len(raw) - len(lines[row]) if raw.endswith(lines[row]) else len(raw) - len(raw.lstrip())
    at = indent + inside + 1
    return Place(start.line + 1 + row, at, at + 1)


def expanded(watch: Mapping[str, Any], concepts: frozenset[str]) -> str | None:
    """Give the query of a watch; keywords become terms joined by OR, those that name a concept the concept."""
    query, keywords = watch.get("query"), watch.get("keywords")
    if isinstance(query, str):
        return query
    if not isinstance(keywords, list):
        return None
    return " OR ".join(_keyword(word, concepts) for word in keywords if isinstance(word, str) and word.strip())


def _keyword(word: str, concepts: frozenset[str]) -> str:
    plain = word.strip()
    named = {name.casefold(): name for name in concepts}
    if plain.casefold() in named:
        return f"~{named[plain.casefold()]}"
    return f'"{plain}"' if re.search(r"\s", plain) and not plain.startswith('"') else plain


def style_problems(document: Document, path: Path) -> Iterator[Problem]:
    """Warn of what YAML does to a query that is not written as a block."""
    place = document.value_place(path)
    if place.style is None and _COMMENT.match(document.raw(place.line), place.end_column - 1):
        yield problem(document, "W009", path, "a comment cuts this query", hint="write the query as a block (|)")
    elif place.style == ">":
        said = "a folded block (>) hides where faults of the query stand"
        yield problem(document, "W010", path, said, hint="write |")
    elif place.style in ("'", '"'):
        said = "the quotes around the query belong to YAML and are gone"
        yield problem(document, "W011", path, said, hint="write the query as a block (|)")
