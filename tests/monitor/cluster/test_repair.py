"""Which stories should be one, and which is two."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.cluster import repair
from monitor.cluster.index import Index
from monitor.cluster.repair import Merge, Witnesses, merges, parting
from monitor.cluster.settings import Settings
from monitor.values import Assignment, EntryId, Role, StoryKey
from tests.monitor.cluster.stream import Stream, item, knowledge

OLD, NEW = StoryKey("st_old"), StoryKey("st_new")
LIVE = (EntryId(0), EntryId(1))
PLACED = dict.fromkeys(LIVE, OLD)
STORIES = {OLD: [1, 2, 3], NEW: [4, 5]}


def fitted(score: float = 0.3, runner_up: float = 0.25) -> Assignment:
    return Assignment(OLD, score, 0.2, Role.REPORT, runner_up=NEW, runner_up_score=runner_up)


def noted(*decided: Assignment) -> Witnesses:
    witnesses = Witnesses()
    for number, assignment in enumerate(decided):
        witnesses.note(EntryId(number), assignment)
    return witnesses


def test_two_witnesses_and_a_strong_link_are_a_merge() -> None:
    found = merges(STORIES, noted(fitted(), fitted()).pairs(LIVE, PLACED), lambda one, other: 0.36)
    assert found == (Merge((NEW, OLD), 0.36, (EntryId(0), EntryId(1))),)


NO_MERGE = {
    "one witness": (noted(fitted()), 0.5),
    "a weak link": (noted(fitted(), fitted()), 0.34),
    "runners-up under the threshold": (noted(fitted(runner_up=0.19), fitted(runner_up=0.19)), 0.5),
}


@pytest.mark.parametrize("case", NO_MERGE.values(), ids=NO_MERGE.keys())
def test_less_merges_nothing(case: tuple[Witnesses, float]) -> None:
    witnesses, alike = case
    assert merges(STORIES, witnesses.pairs(LIVE, PLACED), lambda one, other: alike) == ()


def test_a_story_that_is_gone_is_not_merged() -> None:
    assert merges({OLD: [1, 2, 3]}, noted(fitted(), fitted()).pairs(LIVE, PLACED), lambda one, other: 1.0) == ()


def test_without_a_new_witness_nothing_is_asked_again() -> None:
    assert merges(STORIES, noted(fitted(), fitted()).pairs((), PLACED), lambda one, other: 1.0) == ()


def test_a_witness_counts_where_it_stands_by_now() -> None:
    third = StoryKey("st_third")
    moved = noted(fitted(), fitted()).pairs(LIVE, dict.fromkeys(LIVE, third))
    found = merges({third: [1, 2], NEW: [4, 5]}, moved, alike)
    assert [merge.stories for merge in found] == [(NEW, third)]
    assert merges(STORIES, noted(fitted(), fitted()).pairs(LIVE, dict.fromkeys(LIVE, NEW)), alike) == ()


def test_a_witness_that_was_taken_back_is_none() -> None:
    witnesses = noted(fitted(), fitted())
    witnesses.forget(LIVE[:1])
    assert merges(STORIES, witnesses.pairs(LIVE, PLACED), alike) == ()


def alike(one: int, other: int) -> float:
    return 1.0


def test_a_witness_that_is_gone_is_none() -> None:
    assert merges(STORIES, noted(fitted(), fitted()).pairs(LIVE, {LIVE[0]: OLD}), lambda one, other: 1.0) == ()


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
    assert (stream.index.merges(map(EntryId, range(10))), stream.index.splits(stream.stories)) == ((), ())


def test_a_story_in_one_piece_is_not_split() -> None:
    stream = Stream(Settings(merge=True, split=True))
    for hours in range(10):
        stream.say("Cracks close bridge over the Drina", hours=hours)
    assert (stream.index.merges(map(EntryId, range(10))), stream.index.splits(stream.stories)) == ((), ())


BRIDGED = (
    (
        "Grain silo burns down in Kikinda",
        "Firefighters from four towns fought the flames all night. The silo in Kikinda held nine thousand tonnes "
        "of wheat.",
    ),
    (
        "Silo in Kikinda burnt down, wheat lost",
        "Nine thousand tonnes of wheat burnt in a silo in Kikinda. Firefighters from four towns came at night.",
    ),
    (
        "Farmers in Banat ask who pays for lost harvest",
        "Cooperatives in Banat say the insurer refuses to pay for the harvest they had stored. They want the "
        "minister of agriculture to step in.",
    ),
    (
        "Insurer refuses to pay Banat farmers for stored harvest",
        "Cooperatives in Banat want the minister of agriculture to step in, because the insurer refuses to pay.",
    ),
    (
        "Burnt silo in Kikinda: insurer refuses to pay farmers for nine thousand tonnes of wheat",
        "The insurer refuses to pay for the harvest stored in the silo in Kikinda. Cooperatives in Banat want the "
        "minister of agriculture to step in after nine thousand tonnes of wheat burnt.",
    ),
    (
        "Kikinda silo: farmers in Banat wait for the insurer after the fire",
        "Nine thousand tonnes of wheat burnt in the silo in Kikinda. Cooperatives in Banat say the insurer refuses to "
        "pay for the stored harvest, and firefighters blame dust.",
    ),
)


def bridged(settings: Settings) -> Stream:
    """Two stories and two entries that tell both."""
    stream = Stream(settings)
    for hours, (title, text) in enumerate(BRIDGED):
        stream.say(title, text, hours=hours)
    return stream


def test_two_entries_that_tell_both_stories_make_them_one() -> None:
    stream = bridged(Settings())
    assert stream.groups == [0, 0, 2, 2, 2, 2]
    assert stream.index.merges([EntryId(3)]) == ()
    (merge,) = stream.index.merges([EntryId(5)])
    assert (set(merge.stories), merge.witnesses) == ({stream.stories[0], stream.stories[2]}, (4, 5))
    stream.index.move({EntryId(number): stream.stories[0] for number in range(6)})
    assert stream.index.merges([EntryId(5)]) == ()
    assert stream.say("Silo in Kikinda: what burnt", BRIDGED[1][1], hours=7).joined == stream.stories[0]


def test_an_index_built_again_after_a_merge_decides_alike() -> None:
    stream = bridged(Settings())
    stream.index.move({EntryId(number): stream.stories[0] for number in range(6)})
    again = Index(Settings(), knowledge())
    for told, decided in zip(stream.items, stream.assignments, strict=True):
        again.add(told, stream.stories[0], decided)
    for day in range(1, 4):
        told = item(10 + day, "Minister visits burnt silo in Kikinda", BRIDGED[3][1], after=timedelta(days=day))
        decided = again.assign(told, told.seen_at)
        assert decided == stream.index.assign(told, told.seen_at)
        for index in (again, stream.index):
            index.add(told, decided.joined or stream.stories[0], decided)
