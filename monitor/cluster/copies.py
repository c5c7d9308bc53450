"""Whose text is it? Shares of 4-word shingles between two texts, and what they mean.

Works across scripts, because words are folded; sees no translations. Called by `assign` for the entries most like the
one at hand; `verdict` is the table of rules.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass

from monitor.cluster.clean import clean_text
from monitor.cluster.knowledge import Knowledge
from monitor.cluster.settings import CopySettings
from monitor.text.fold import fold
from monitor.values import Role

_WORD = re.compile(r"[^\W_]+")
_SIZE = 4
_MOST_CHARS = 6000
"""Further text is not looked at: a copy is told long before, and memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Shingles:
    """Hashes of four consecutive folded words, in order. `words` counts the words they were made of."""

    words: int
    hashes: array[int]

    def lead(self, words: int) -> array[int]:
        """Those of the first words."""
        return self.hashes[: max(0, words - _SIZE + 1)]


def shingles(text: str, knowledge: Knowledge) -> Shingles:
    """Cut a text into shingles, without agency tags, cut marks and pointers to other pages."""
    found = _WORD.findall(fold(clean_text(text[:_MOST_CHARS], knowledge)))
    fours = zip(found, found[1:], found[2:], found[3:], strict=False)
    return Shingles(len(found), array("q", map(hash, fours)))


@dataclass(frozen=True, slots=True)
class Overlap:
    """How much of the shorter text stands in the longer one: in all, and in its first words."""

    containment: float
    lead: float


class Comparison:
    """One text held against others."""

    def __init__(self, text: Shingles, settings: CopySettings) -> None:
        self._settings = settings
        self._all, self._lead = frozenset(text.hashes), frozenset(text.lead(settings.lead_words))

    def shared(self, other: Shingles) -> frozenset[int]:
        """The shingles that stand in both texts."""
        return self._all.intersection(other.hashes)

    def overlap(self, other: Shingles, ignored: frozenset[int] = frozenset()) -> Overlap:
        """How much of one is in the other; `ignored` are shingles that an outlet prints under everything.

        The lead is looked at only where enough is shared for it to matter.
        """
        containment = _share(self._all, other.hashes, ignored)
        if containment < self._settings.shared:
            return Overlap(containment, 0.0)
        return Overlap(containment, _share(self._lead, other.lead(self._settings.lead_words), ignored))


def _share(one: frozenset[int], other: array[int], ignored: frozenset[int]) -> float:
    if ignored:
        one -= ignored
    both = one.intersection(other)
    if not both:
        return 0.0
    shorter = min(len(one), len(frozenset(other) - ignored))
    return len(both) / shorter


def verdict(found: Overlap, *, same_publisher: bool, settings: CopySettings) -> Role:
    """What a text is to an earlier one in the same story.

    The lead decides between a copy and an own report that embeds a statement.
    """
    if same_publisher:
        return Role.UPDATE if found.containment >= settings.containment else Role.REPORT
    if found.containment < settings.shared:
        return Role.REPORT
    copied = found.containment >= settings.containment and found.lead >= settings.lead
    return Role.COPY if copied else Role.SHARED_TEXT
