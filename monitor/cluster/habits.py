"""What a publisher prints under everything, told by how many of its last texts hold a shingle.

Counts are kept from one question to the next, so that a document full of texts of one publisher counts each text once.
Only publishers that were asked about are counted, and the least recently asked go first when it gets much. Holds
nothing that cannot be counted again. Used by `window`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.cluster.copies import Shingles

LEAST_ENTRIES, _SHARE, _LEAST = 20, 0.05, 3
_MOST_SHINGLES = 200_000
"""Some 20 MiB; all of two hundred long texts of one publisher."""


@dataclass(slots=True)
class _Counted:
    """The texts of one publisher by number, and in how many of them each shingle stands."""

    texts: dict[int, Shingles] = field(default_factory=dict)
    counts: Counter[int] = field(default_factory=Counter)

    def follow(self, texts: Mapping[int, Shingles]) -> None:
        """Count these texts and no others."""
        if self.texts.keys() == texts.keys():
            return
        for number in self.texts.keys() - texts.keys():
            for shingle in frozenset(self.texts.pop(number).hashes):
                self.counts[shingle] -= 1
                if not self.counts[shingle]:
                    del self.counts[shingle]
        for number in texts.keys() - self.texts.keys():
            self.texts[number] = texts[number]
            self.counts.update(frozenset(texts[number].hashes))


class Habits:
    """The counts of the publishers asked about last."""

    def __init__(self, most_shingles: int = _MOST_SHINGLES) -> None:
        self._most = most_shingles
        self._publishers: dict[str, _Counted] = {}

    def printed(
        self, publisher: str, shared: frozenset[int], texts: Mapping[int, Shingles], but: int
    ) -> frozenset[int]:
        """Those of the shared shingles that stand in more than 5 % of a publisher's texts, if it has enough.

        `texts` are its last texts by number; the one with number `but` does not count.
        """
        others = len(texts) - (but in texts)
        if others < LEAST_ENTRIES:
            return frozenset()
        counts = self._counted(publisher, texts).counts
        left_out = shared.intersection(texts[but].hashes) if but in texts else frozenset()
        least = max(_LEAST, others * _SHARE)
        return frozenset(shingle for shingle in shared if counts.get(shingle, 0) - (shingle in left_out) >= least)

    def _counted(self, publisher: str, texts: Mapping[int, Shingles]) -> _Counted:
        counted = self._publishers.pop(publisher, None) or _Counted()
        counted.follow(texts)
        self._publishers[publisher] = counted
        held = sum(len(one.counts) for one in self._publishers.values())
        while held > self._most and len(self._publishers) > 1:
            held -= len(self._publishers.pop(next(iter(self._publishers))).counts)
        return counted
