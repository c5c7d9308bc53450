"""Second thoughts: which stories should be one, and which story is two. Intents only, nothing is changed here.

A merge needs two witnesses, entries that would have fitted both stories, and texts that are alike; a split needs a
story whose mentions fall into groups that hardly touch. The shell carries an intent out in one transaction (aliases,
told sets) and then tells the index by `rename`. Both are off by default. Called through `Index.merges` and `.splits`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.values import Assignment, EntryId, StoryKey

LEAST_WITNESSES = 2
LEAST_LINK = 0.35
BEST_PAIRS = 3
LEAST_SPLIT_STORY = 8
LEAST_SPLIT_PART = 3
SPLIT_SHARE = 0.5

Similarity = Callable[[int, int], float]
"""How like each other two live entries are, by their numbers; symmetric."""


@dataclass(frozen=True, slots=True)
class Merge:
    """`loser` should become part of `survivor`, the older one. `link` is the mean of their best pairs."""

    survivor: StoryKey
    loser: StoryKey
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
        self._seen: dict[tuple[StoryKey, StoryKey], list[EntryId]] = {}

    def note(self, entry: EntryId, decided: Assignment) -> None:
        """Look at one decision."""
        joined, other = decided.joined, decided.runner_up
        if joined is not None and other is not None and decided.runner_up_score >= decided.threshold:
            self._seen.setdefault((min(joined, other), max(joined, other)), []).append(entry)

    def pairs(self, known: Mapping[StoryKey, object]) -> Iterable[tuple[StoryKey, StoryKey, tuple[EntryId, ...]]]:
        """Pairs of live stories with enough witnesses; pairs of which one is gone are forgotten."""
        self._seen = {pair: entries for pair, entries in self._seen.items() if pair[0] in known and pair[1] in known}
        for pair in sorted(self._seen):
            if len(self._seen[pair]) >= LEAST_WITNESSES:
                yield *pair, tuple(self._seen[pair])


def link(one: Sequence[int], other: Sequence[int], similarity: Similarity) -> float:
    """The mean of the best cross pairs of two stories."""
    found = sorted((similarity(left, right) for left in one for right in other), reverse=True)[:BEST_PAIRS]
    return sum(found) / BEST_PAIRS


def merges(
    stories: Mapping[StoryKey, Sequence[int]], witnesses: Witnesses, similarity: Similarity
) -> tuple[Merge, ...]:
    """The stories to merge. `stories` holds the numbers of the live entries, oldest first; the older story survives."""
    intents = []
    for one, other, seen in witnesses.pairs(stories):
        strength = link(stories[one], stories[other], similarity)
        if strength >= LEAST_LINK:
            survivor, loser = sorted((one, other), key=lambda story: (stories[story][0], story))
            intents.append(Merge(survivor, loser, round(strength, 3), seen))
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
