"""What the packages next door say about their parts of the file: the query language, its concepts, the telling half.

Each answer is (code, place, message, hint), whatever the neighbour's own class is. Called by `checking` and `api`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from monitor import lexicons
from monitor.config.reading import Path
from monitor.errors import LexiconError

_CODES = (
    (r"empty query", "E050"),
    (r"never (closed|opened)", "E051"),
    (r"^(unknown|operators are capitals)|two-letter code|did you mean BEFORE", "E052"),
    (r"operator missing", "E053"),
    (r"\bmixed\b", "E054"),
    (r"^(NEAR|BEFORE|SENTENCE|PARAGRAPH|n is)\b", "E055"),
)
"""How the words of a query's fault tell its code; everything else leaves nothing to look for (E056)."""


def query_code(message: str) -> str:
    """Find the code of a query's fault."""
    return next((code for pattern, code in _CODES if re.search(pattern, message)), "E056")


def query_faults(query: str, concepts: Mapping[str, Any]) -> Iterator[tuple[str, int, str, str | None]]:
    """Ask the query language; the place is a column of the query."""
    try:
        language = import_module("monitor.match.query")
    except ImportError:
        return
    for found in language.problems(query, concepts):
        yield getattr(found, "code", None) or query_code(found.message), found.column, found.message, found.hint


def concept_names(concepts: Mapping[str, Any]) -> frozenset[str]:
    """Name the concepts a keyword can mean: the shipped ones and the file's."""
    try:
        shipped = lexicons.load("match/concepts")
    except LexiconError:
        shipped = {}
    return frozenset(shipped) | frozenset(str(name) for name in concepts)


def alert_faults(raw: Mapping[str, Any], watches: tuple[str, ...]) -> Iterator[tuple[str, Path, str, str | None]]:
    """Ask the telling half about its sections."""
    try:
        settings = import_module("alerts.config")
    except ImportError:
        return
    for found in settings.problems(raw):
        yield found.code, found.path, found.message, found.hint
