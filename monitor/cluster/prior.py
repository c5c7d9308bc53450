"""How often a feature is expected before any entry was read.

The shares are rough: a table of the most frequent stems where there is one, a rate for words that name a concept, and
one for everything else. They fade as the window fills. Called by `index` for each of its views.
"""

from __future__ import annotations

from collections.abc import Callable

from monitor.cluster.knowledge import Beginnings, Knowledge

WEIGHT = 1000.0
"""The prior counts as much as this many entries."""

_WORD = 0.0015
_CONCEPT_WORD = 0.01
_NAME, _NUMBER, _CONCEPT, _COUNTRY = 0.001, 0.005, 0.02, 0.02
_KINDS = {"n:": _NAME, "d:": _NUMBER, "c:": _CONCEPT}
_NONE = Beginnings({}, {})


def of_words(knowledge: Knowledge, family: str) -> Callable[[str], float]:
    """Expected shares of the stems of one language family."""
    table = knowledge.prior.get(family, {})
    concepts = knowledge.concepts.get(family, _NONE)

    def share(feature: str) -> float:
        known = table.get(feature)
        if known is not None:
            return known
        if feature[0] == "@" or feature[1:2] == ":":
            return of_names(knowledge)(feature)
        return _CONCEPT_WORD if concepts.find(feature) is not None else _WORD

    return share


def of_names(knowledge: Knowledge) -> Callable[[str], float]:
    """Expected shares of names, numbers, countries and concepts."""
    table = knowledge.prior.get("names", {})

    def share(feature: str) -> float:
        known = table.get(feature)
        if known is not None:
            return known
        return _COUNTRY if feature[0] == "@" else _KINDS.get(feature[:2], _WORD)

    return share
