"""What a watch asks for makes no story: every entry it brings holds those words.

Entries come to the clusterer because they match a watch. That two of them share its words, or the country and the
concept these words stand for, says nothing about what happened. Built once from the words of each watch; no I/O.
Called by `assign`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.cluster.features import NAME_LETTERS, STEM_LETTERS, respelt
from monitor.cluster.knowledge import Knowledge

_MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class _Words:
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


@dataclass(slots=True)
class Theme:
    """The words of all watches, kept apart: what one of them asks for may be news to another."""

    watches: tuple[_Words, ...] = ()
    _known: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def explains(self, shared: Iterable[tuple[str, float]]) -> float:
        """The most that the words of a single watch contribute to a sum of products, given by feature."""
        sums = [0.0] * len(self.watches)
        for feature, product in shared:
            for number in self._of(feature):
                sums[number] += product
        return max(sums, default=0.0)

    def _of(self, feature: str) -> tuple[int, ...]:
        known = self._known.get(feature)
        if known is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            known = tuple(number for number, words in enumerate(self.watches) if words.hold(feature))
            self._known[feature] = known
        return known


def theme(watches: Iterable[frozenset[str]], knowledge: Knowledge) -> Theme:
    """Read the folded words and beginnings that each watch asks for."""
    return Theme(tuple(_read(words, knowledge) for words in watches if words))


def _read(words: frozenset[str], knowledge: Knowledge) -> _Words:
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
    return _Words(frozenset(features), tuple(short), tuple(names))
