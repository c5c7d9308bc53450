"""Second thoughts: which stories should be one, and which story is two. Intents only, nothing is changed here.

A merge needs two witnesses, entries that would have fitted both stories, and texts that are alike; a split needs a
story whose mentions fall into groups that hardly touch. The shell carries an intent out in one transaction (aliases,
told sets) and then tells the index by `move`. Splits are off by default: no labelled story needed one. Called through
`Index.merges` and `.splits`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from monitor.values import Assignment, EntryId, StoryKey

LEAST_WITNESSES = 2
LEAST_LINK = 0.35
"""Measured on labelled news: B-Cubed F .954 with it, .948 without merges, .943 with a link of 0.29."""
BEST_PAIRS = 3
LEAST_SPLIT_STORY = 8
LEAST_SPLIT_PART = 3
SPLIT_SHARE = 0.5

Witnessed = tuple[StoryKey, StoryKey, tuple[EntryId, ...]]
"""Two stories and the entries that would have fitted both."""

Similarity = Callable[[int, int], float]
"""How like each other two live entries are, by their numbers; symmetric."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Two stories that should be one. `link` is the mean of their best pairs; which key stays, the store knows."""

    stories: tuple[StoryKey, StoryKey]
    link: float
    witnesses: tuple[EntryId, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """`leaving` should become a story of their own; the first mention and what hangs together with it stays."""

    story: StoryKey
    leaving: tuple[EntryId, ...]


class Witnesses:
    """Remembers which entries fitted two stories: at least the threshold for the story joined and for the runner-up."""

    def __init__(self) -> None:
        self._runner_up: dict[EntryId, StoryKey] = {}

    def note(self, entry: EntryId, decided: Assignment) -> None:
        """Look at one decision."""
        fits_both = decided.joined is not None and decided.runner_up_score >= decided.threshold
        if fits_both and decided.runner_up is not None:
            self._runner_up[entry] = decided.runner_up

    def forget(self, entries: Iterable[EntryId]) -> None:
        """Forget entries that left or were never recorded."""
        for entry in entries:
            self._runner_up.pop(entry, None)

    def among(self, entries: Iterable[EntryId]) -> bool:
        """Whether one of these entries is a witness."""
        return not self._runner_up.keys().isdisjoint(entries)

    def pairs(self, new: Collection[EntryId], stories: Mapping[EntryId, StoryKey]) -> Iterator[Witnessed]:
        """Pairs of stories with a new witness, and enough in all. `stories` says where the live entries stand by now.

        Only a new witness raises the question again, so what a restart remembers asks nothing by itself.
        """
        self.forget([entry for entry in self._runner_up if entry not in stories])
        seen: dict[tuple[StoryKey, StoryKey], list[EntryId]] = {}
        for entry, other in self._runner_up.items():
            joined = stories[entry]
            if joined != other:
                seen.setdefault((min(joined, other), max(joined, other)), []).append(entry)
        for pair in sorted(seen):
            if len(seen[pair]) >= LEAST_WITNESSES and any(entry in new for entry in seen[pair]):
                yield *pair, tuple(seen[pair])


def link(one: Sequence[int], other: Sequence[int], similarity: Similarity) -> float:
    """The mean of the best cross pairs of two stories."""
    found = sorted((similarity(left, right) for left in one for right in other), reverse=True)[:BEST_PAIRS]
    return sum(found) / BEST_PAIRS


def merges(
    stories: Mapping[StoryKey, Sequence[int]],
    witnessed: Iterable[Witnessed],
    similarity: Similarity,
) -> tuple[Merge, ...]:
    """The stories to merge. `stories` holds the numbers of the live entries; a story without any is left alone."""
    intents = []
    for one, other, witnesses in witnessed:
        if one in stories and other in stories:
            strength = link(stories[one], stories[other], similarity)
            if strength >= LEAST_LINK:
                intents.append(Merge((one, other), round(strength, 3), witnesses))
    return tuple(intents)


def parting(numbers: Sequence[int], similarity: Similarity, threshold: float) -> tuple[int, ...]:
    """Those who leave a story, by number: the largest group that touches the first mention's group nowhere.

    Nobody leaves a story of few, and no group of few leaves; ties go to the older group.
    """
    if len(numbers) < LEAST_SPLIT_STORY:
        return ()
    groups = _groups(numbers, similarity, threshold * SPLIT_SHARE)
    leaving = [group for group in groups[1:] if len(group) >= LEAST_SPLIT_PART]
    if len(groups[0]) < LEAST_SPLIT_PART or not leaving:
        return ()
    largest = max(leaving, key=lambda group: (len(group), -group[0]))
    return tuple(largest)


def _groups(numbers: Sequence[int], similarity: Similarity, least: float) -> list[list[int]]:
    """The connected parts of the graph of similar pairs, each in order, by their first member."""
    left = list(numbers)
    groups = []
    while left:
        group, reached = [left.pop(0)], 0
        while reached < len(group):
            near = [number for number in left if similarity(group[reached], number) >= least]
            group.extend(near)
            left = [number for number in left if number not in near]
            reached += 1
        groups.append(sorted(group))
    return groups
