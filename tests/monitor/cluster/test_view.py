"""What a feature tells: by how many stories have it, and by how many live entries."""

from __future__ import annotations

import pytest

from monitor.cluster.features import Bag
from monitor.cluster.view import MOST_POSTINGS, MOST_TOLD, View


def view(*stories: int) -> View:
    """A view whose epoch counts stories of so many mentions, all of them about a ferry."""
    made = View(lambda _: 0.001, 1000.0)
    made.start_epoch([[Bag(("ferry", f"own{story}"), (1.0, 1.0))] * size for story, size in enumerate(stories)])
    return made


def share(made: View) -> float:
    """How much of an entry's vector the ferry is."""
    return made.vector(Bag(("ferry", "never read"), (1.0, 1.0)))["ferry"]


def test_a_story_makes_its_own_words_no_more_common_than_a_few_entries_do() -> None:
    assert share(view(40)) == share(view(MOST_TOLD)) < share(view(1))


def test_many_stories_make_a_word_common() -> None:
    assert share(view(*[1] * 40)) < share(view(40))


def test_cosines_are_those_of_the_vectors() -> None:
    made = view(3, 1, 1)
    bags = [Bag(("ferry", "hull"), (2.0, 1.0)), Bag(("hull", "diver"), (1.0, 0.5)), Bag(("bread",), (1.0,))]
    for number, bag in enumerate(bags):
        made.add(number, bag)
    asked = made.vector(bags[0])
    found = made.similar(asked, 0.0)
    assert sorted(found) == [0, 1]
    for number, cosine in found.items():
        other = made.vector_of(number)
        assert cosine == pytest.approx(sum(asked[name] * other.get(name, 0.0) for name in asked))


def test_a_feature_of_too_many_live_entries_finds_nobody() -> None:
    made = view(1)
    for number in range(MOST_POSTINGS + 1):
        made.add(number, Bag(("ferry",), (1.0,)))
    assert made.similar(made.vector(Bag(("ferry",), (1.0,))), 0.0) == {}


def test_what_left_is_not_found_and_leaves_no_feature() -> None:
    made = view(1)
    made.add(1, Bag(("ferry", "hull"), (1.0, 1.0)))
    made.remove(1)
    assert (made.similar(made.vector(Bag(("ferry",), (1.0,))), 0.0), made.features) == ({}, 0)
