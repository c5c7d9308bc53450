"""What a watch asks for makes no story: every entry it brings holds those words.

Entries come to the clusterer because they match a watch. That two of them share its words, or the country and the
concept these words stand for, says nothing about what happened. No I/O. Called by `index` and `assign`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from monitor.cluster.features import NAME_LETTERS, STEM_LETTERS, respelt
from monitor.cluster.knowledge import Knowledge

Theme = frozenset[str]
"""Features of one entry that are words of one watch."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One watch's words: features they surely are, and beginnings too short to be a whole feature."""

    features: frozenset[str]
    starts: tuple[str, ...]
    names: tuple[str, ...]

    def hold(self, feature: str) -> bool:
        """Whether a feature is one of the watch's own words."""
        if feature in self.features:
            return True
        kind, sign, letters = feature.partition(":")
        if sign:
            return kind == "n" and letters.startswith(self.names)
        return feature[0] != "@" and feature.startswith(self.starts)


def read(words: frozenset[str], knowledge: Knowledge) -> Asked:
    """Read the folded words and beginnings that a watch asks for."""
    features: set[str] = set()
    for word in words:
        code = knowledge.countries.meant(word) or knowledge.acronyms.get(word)
        if code is not None:
            features.add(f"@{code}")
        for concepts in knowledge.concepts.values():
            concept = concepts.meant(word)
            if concept is not None:
                features.add(f"c:{concept}")
        if len(word) >= STEM_LETTERS:
            features.add(word[:STEM_LETTERS])
        if len(respelt(word)) >= NAME_LETTERS:
            features.add(f"n:{respelt(word)[:NAME_LETTERS]}")
    short = sorted(word for word in words if len(word) < STEM_LETTERS)
    names = sorted(respelt(word) for word in words if len(respelt(word)) < NAME_LETTERS)
    return Asked(frozenset(features), tuple(short), tuple(names))


def themes(watches: Iterable[Asked], features: Collection[str]) -> tuple[Theme, ...]:
    """What of an entry's features is asked for, by each of the watches that brought it."""
    found = {frozenset(filter(asked.hold, features)) for asked in watches}
    return tuple(theme for theme in found if theme)


def explained(shared: Collection[tuple[str, float]], by: Iterable[Theme]) -> float:
    """The most that the words of a single watch contribute to a sum of products, given by feature."""
    return max((sum(product for feature, product in shared if feature in theme) for theme in by), default=0.0)
