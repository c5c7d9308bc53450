"""What an outlet prints under everything: counted from question to question, the same as counted anew."""

from __future__ import annotations

import random
from array import array
from collections.abc import Mapping

import pytest

from monitor.cluster.copies import Shingles, shingles
from monitor.cluster.habits import Habits
from tests.monitor.cluster.stream import knowledge

LINE = "all rights reserved copying without leave is forbidden here"
PRINTED = frozenset(shingles(LINE, knowledge()).hashes)


def entries(count: int) -> dict[int, Shingles]:
    return {n: shingles(f"entry number {n} of many others {LINE}", knowledge()) for n in range(count)}


def test_what_an_outlet_prints_under_everything_is_told_from_its_news() -> None:
    assert Habits().printed("a", PRINTED | {1}, entries(30), but=40) == PRINTED


def test_a_few_entries_prove_no_habit() -> None:
    assert Habits().printed("a", PRINTED, entries(20), but=40) == PRINTED
    assert Habits().printed("a", PRINTED, entries(20), but=3) == frozenset()


def test_what_stands_in_the_entry_itself_does_not_count() -> None:
    texts = {n: shingles(f"entry number {n} says nothing of it", knowledge()) for n in range(30)}
    said = {**texts, 1: entries(1)[0], 2: entries(1)[0], 3: entries(1)[0]}
    assert Habits().printed("a", PRINTED, said, but=40) == PRINTED
    assert Habits().printed("a", PRINTED, said, but=3) == frozenset()


def anew(shared: frozenset[int], texts: Mapping[int, Shingles], but: int) -> frozenset[int]:
    """The same, counted without memory."""
    own = [frozenset(text.hashes) for number, text in texts.items() if number != but]
    if len(own) < 20:
        return frozenset()
    return frozenset(one for one in shared if sum(one in text for text in own) >= max(3, len(own) * 0.05))


@pytest.mark.parametrize("most", [1, 60, 10_000], ids=lambda most: f"room for {most} shingles")
def test_counts_that_are_kept_say_the_same_as_counts_made_anew(most: int) -> None:
    dice, habits = random.Random(most), Habits(most)
    texts = {n: Shingles(8, array("q", dice.choices(range(30), k=dice.randint(0, 8)))) for n in range(120)}
    shared = frozenset(range(25))
    for _ in range(60):
        publisher, start, but = dice.choice("abc"), dice.randrange(60), dice.randrange(120)
        own = {n: texts[n] for n in range(start, start + dice.randint(18, 40)) if n % 3 == ord(publisher) % 3 or n < 50}
        assert habits.printed(publisher, shared, own, but) == anew(shared, own, but)
