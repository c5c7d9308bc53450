"""What a watch asks for makes no story of the entries it brings."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from monitor.cluster.index import Index
from monitor.cluster.item import story_key
from monitor.cluster.settings import Settings
from monitor.cluster.theme import explained, read, themes
from tests.monitor.cluster.stream import item, knowledge

ASKED = frozenset({"asyl", "azil", "denmark", "danish", "danska"})

HELD = {
    "a word that is asked for": ("denmar", True),
    "a word that begins as asked": ("asylum", True),
    "the country a word stands for": ("@DK", True),
    "the concept a word stands for": ("c:asylum", True),
    "another word": ("harbou", False),
    "another country": ("@NO", False),
    "a number": ("d:40", False),
}


@pytest.mark.parametrize(("feature", "held"), HELD.values(), ids=HELD.keys())
def test_a_watch_holds(feature: str, held: bool) -> None:
    assert read(ASKED, knowledge()).hold(feature) is held


def test_watches_do_not_explain_together() -> None:
    shared = {"harbou": 0.5, "strike": 0.25, "ferry": 0.1}
    watches = [read(frozenset({word}), knowledge()) for word in ("harbour", "strike", "railway")]
    asked_for = themes(watches, shared)
    assert sorted(map(sorted, asked_for)) == [["harbou"], ["strike"]]
    assert explained(shared.items(), asked_for) == 0.5


def joins(first: tuple[str, str], second: tuple[str, str], asked: Sequence[frozenset[str]]) -> bool:
    index = Index(Settings(), knowledge())
    told = item(1, *first)
    index.add(told, story_key("1"))
    later = item(2, *second)
    return index.assign(later, later.seen_at, asked).joined is not None


NUMBERS = ("Danish asylum numbers at a new low", "The statistics office counted 900 cases.")
COURT = ("Danish asylum rules", "Denmark may change its asylum law.")
AGAIN = ("Denmark's asylum numbers lowest since records began", "The statistics office counted 900 cases this year.")


def test_entries_that_share_only_what_was_asked_for_are_two_stories() -> None:
    assert joins(NUMBERS, COURT, asked=())
    assert not joins(NUMBERS, COURT, asked=(ASKED,))


def test_entries_that_share_more_are_one_story_as_before() -> None:
    assert joins(NUMBERS, AGAIN, asked=())
    assert joins(NUMBERS, AGAIN, asked=(ASKED,))
