"""Which stories should be one, and which is two."""

from __future__ import annotations

import pytest

from monitor.cluster import repair
from monitor.cluster.repair import Merge, Witnesses, merges, parting
from monitor.cluster.settings import Settings
from monitor.values import Assignment, EntryId, Role, StoryKey
from tests.monitor.cluster.stream import Stream

OLD, NEW = StoryKey("st_old"), StoryKey("st_new")
STORIES = {OLD: [1, 2, 3], NEW: [4, 5]}


def fitted(score: float = 0.3, runner_up: float = 0.25) -> Assignment:
    return Assignment(OLD, score, 0.2, Role.REPORT, runner_up=NEW, runner_up_score=runner_up)


def noted(*decided: Assignment) -> Witnesses:
    witnesses = Witnesses()
    for number, assignment in enumerate(decided):
        witnesses.note(EntryId(number), assignment)
    return witnesses


def test_two_witnesses_and_a_strong_link_merge_into_the_older_story() -> None:
    found = merges(STORIES, noted(fitted(), fitted()), lambda one, other: 0.36)
    assert found == (Merge(OLD, NEW, 0.36, (EntryId(0), EntryId(1))),)


NO_MERGE = {
    "one witness": (noted(fitted()), 0.5),
    "a weak link": (noted(fitted(), fitted()), 0.34),
    "runners-up under the threshold": (noted(fitted(runner_up=0.19), fitted(runner_up=0.19)), 0.5),
}


@pytest.mark.parametrize("case", NO_MERGE.values(), ids=NO_MERGE.keys())
def test_less_merges_nothing(case: tuple[Witnesses, float]) -> None:
    witnesses, alike = case
    assert merges(STORIES, witnesses, lambda one, other: alike) == ()


def test_a_story_that_is_gone_is_not_merged() -> None:
    assert merges({OLD: [1, 2, 3]}, noted(fitted(), fitted()), lambda one, other: 1.0) == ()


def halves(border: int) -> repair.Similarity:
    return lambda one, other: float((one < border) == (other < border))


SPLITS = {
    "a story of two halves": (range(10), 5, (5, 6, 7, 8, 9)),
    "a story of few": (range(7), 4, ()),
    "a part of two": (range(10), 8, ()),
    "a first mention with one companion": (range(10), 2, ()),
    "a story in one piece": (range(10), 10, ()),
}


@pytest.mark.parametrize("case", SPLITS.values(), ids=SPLITS.keys())
def test_who_leaves_a_story(case: tuple[range, int, tuple[int, ...]]) -> None:
    numbers, border, leaving = case
    assert parting(list(numbers), halves(border), 0.2) == leaving


def test_nothing_is_repaired_unless_it_is_switched_on() -> None:
    stream = Stream(Settings())
    for hours in range(10):
        stream.say("Cracks close bridge over the Drina", hours=hours)
    assert (stream.index.merges(), stream.index.splits()) == ((), ())


def test_a_story_in_one_piece_is_not_split() -> None:
    stream = Stream(Settings(merge=True, split=True))
    for hours in range(10):
        stream.say("Cracks close bridge over the Drina", hours=hours)
    assert (stream.index.merges(), stream.index.splits()) == ((), ())
