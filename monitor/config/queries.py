"""The query of each watch: expanding keywords, and telling a query's faults at their place in the file.

The language itself belongs to `monitor.match.query`; here its columns become lines and columns of the file. Called by
`checking` and `building`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from monitor import lexicons
from monitor.config import advice
from monitor.config.document import Document, Path, Place
from monitor.config.faults import problem
from monitor.errors import LexiconError, Problem, QueryError
from monitor.match import query as language
from monitor.match.concepts import Concepts, from_raw

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


def lexicon(own: Mapping[str, Any]) -> Concepts:
    """Build the shipped concepts with those of the file.

    Errors: LexiconError; its `file` is ``concepts`` and its `row` the place within it when the file is to blame.
    """
    return from_raw(lexicons.load("match/concepts"), own) if own else _shipped()


@lru_cache(maxsize=1)
def _shipped() -> Concepts:
    return from_raw(lexicons.load("match/concepts"))


def expanded(watch: Mapping[str, Any], concepts: Concepts) -> str | None:
    """Give the query of a watch; keywords become terms joined by OR, those that name a concept the concept.

    Errors: QueryError for keywords that are no terms.
    """
    query, keywords = watch.get("query"), watch.get("keywords")
    if isinstance(query, str):
        return query
    return language.show(language.from_keywords(keywords, concepts)) if keywords else None


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


def query_problems(document: Document, path: Path, watch: Mapping[str, Any], concepts: Concepts) -> Iterator[Problem]:
    """Check the query of one watch: how YAML treats it, what the language says, which terms are doubtful."""
    query = watch["query"]
    if query is None or (isinstance(query, str) and not query.strip()):
        hint = "write the query as a block (|)" if query is None else None
        yield problem(document, "E050", path, "empty query", hint=hint)
    elif isinstance(query, str):
        yield from style_problems(document, path)
        faulty = language.problems(query, concepts)
        for error in faulty:
            place = place_in(document, path, query, error.column)
            yield problem(document, error.code, path, error.message, hint=error.hint, place=place)
        if not faulty:
            yield from _doubtful_terms(document, path, watch, concepts)


def _doubtful_terms(document: Document, path: Path, watch: Mapping[str, Any], concepts: Concepts) -> Iterator[Problem]:
    written = watch.get("languages")
    languages = [code for code in written if isinstance(code, str)] if isinstance(written, list) else None
    for column, term, message, hint in advice.warnings(watch["query"], languages, concepts):
        start = place_in(document, path, watch["query"], column)
        place = replace(start, end_column=max(start.column + len(term), start.end_column))
        yield problem(document, "W007", path, message, hint=hint, place=place)


def keyword_problems(document: Document, path: Path, keywords: Any, concepts: Concepts) -> Iterator[Problem]:
    """Check each keyword alone, so that a fault stands at its word."""
    for i, word in enumerate(keywords if isinstance(keywords, list) else []):
        if isinstance(word, str) and word.strip():
            try:
                language.from_keywords([word], concepts)
            except QueryError as error:
                yield problem(document, error.code, (*path, i), error.message, hint=error.hint)


def lexicon_problem(document: Document, error: LexiconError) -> Problem:
    """Tell a fault of the file's own concepts at its place."""
    path: Path = ("concepts", *(int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", error.row)))
    return problem(document, "E013", path, error.message, hint="concepts: {NAME: {LANGUAGE: [patterns]}}")
