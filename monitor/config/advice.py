"""Warnings about the terms of a query that reads well and may not do what is meant. Values in, problems out.

Called by `queries` for queries without a fault. What only stored entries can tell (nothing found, too much found) is
not judged here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from monitor.config.vocabulary import SERBO_CROATIAN
from monitor.match import query as language
from monitor.match.concepts import Concepts
from monitor.match.tree import Term, operands
from monitor.text.fold import fold

_STEM = re.compile(r"[^\W\d_]{3,}\*")
_FLEETING = SERBO_CROATIAN | {"mk"}
_LONG_ENOUGH = 5
_SHARED = 3
"""So many patterns of a concept must begin like a term before the concept is offered for it."""


def warnings(query: str, languages: Sequence[str] | None, concepts: Concepts) -> Iterator[tuple[int, str, str, str]]:
    """Give column, term, message and hint for each doubtful term of a readable query."""
    seen: set[str] = set()
    for term in operands(language.parse(query, concepts)):
        if not isinstance(term, Term) or not _STEM.fullmatch(term.text) or term.text in seen:
            continue
        seen.add(term.text)
        stem = fold(term.text.removesuffix("*"))
        column = query.find(term.text) + 1
        if stem in concepts.fleeting and (languages is None or _FLEETING & set(languages)):
            said = f"{term.text!r} misses forms in which a vowel comes and goes"
            yield column, term.text, said, f"write {concepts.fleeting[stem]}"
        elif (name := _concept_like(stem, concepts)) is not None and name not in seen:
            seen.add(name)
            said = f"{term.text!r} takes every word that begins so, in every language"
            yield column, term.text, said, f"did you mean ~{name}?"


def _concept_like(stem: str, concepts: Concepts) -> str | None:
    if len(stem) < _LONG_ENOUGH:
        return None
    for concept in concepts.concepts.values():
        if sum(fold(pattern.text).startswith(stem) for pattern in concept.patterns) >= _SHARED:
            return concept.name
    return None
