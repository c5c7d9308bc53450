"""Whose text is it: the table of verdicts, and what is left out before counting."""

from __future__ import annotations

import pytest

from monitor.cluster.copies import Comparison, Overlap, shingles, verdict
from monitor.cluster.settings import CopySettings
from monitor.values import Role
from tests.monitor.cluster.stream import knowledge

SETTINGS = CopySettings()
TEXT = " ".join(f"word{number}" for number in range(60))

VERDICTS = {
    "nearly all of it, from the first words on, elsewhere": (0.8, 0.5, False, Role.COPY),
    "nearly all of it, with a beginning of its own": (0.8, 0.49, False, Role.SHARED_TEXT),
    "a part of it, elsewhere": (0.79, 0.9, False, Role.SHARED_TEXT),
    "just enough of it": (0.25, 0.0, False, Role.SHARED_TEXT),
    "too little of it": (0.24, 0.9, False, Role.REPORT),
    "nearly all of it, by the same publisher": (0.8, 0.0, True, Role.UPDATE),
    "a part of it, by the same publisher": (0.79, 0.9, True, Role.REPORT),
    "nothing of it, by the same publisher": (0.0, 0.0, True, Role.REPORT),
}


@pytest.mark.parametrize("case", VERDICTS.values(), ids=VERDICTS.keys())
def test_verdict(case: tuple[float, float, bool, Role]) -> None:
    containment, lead, same, role = case
    assert verdict(Overlap(containment, lead), same_publisher=same, settings=SETTINGS) is role


def test_containment_is_a_share_of_the_shorter_text() -> None:
    whole, half = shingles(TEXT, knowledge()), shingles(TEXT[: len(TEXT) // 2], knowledge())
    assert Comparison(half, SETTINGS).overlap(whole).containment > 0.95


def test_the_lead_looks_at_the_first_words_only() -> None:
    own = " ".join(f"mine{number}" for number in range(50))
    found = Comparison(shingles(f"{own} {TEXT}", knowledge()), SETTINGS).overlap(shingles(TEXT, knowledge()))
    assert (found.containment, found.lead) == (1.0, 0.0)


LEFT_OUT = {
    "an agency in brackets": f"SARAJEVO (Reuters) - {TEXT}",
    "a trailing cut mark": f"{TEXT} […]",
    "a pointer to more": f"{TEXT}\nRead more: all about words",
    "where it appeared first": f"{TEXT} The post Words appeared first on Daily Example.",
    "tags": f"<p>{TEXT}</p>",
}


@pytest.mark.parametrize("text", LEFT_OUT.values(), ids=LEFT_OUT.keys())
def test_what_is_no_text_is_left_out(text: str) -> None:
    assert shingles(text, knowledge()) == shingles(TEXT, knowledge())


def test_texts_without_words_share_nothing() -> None:
    assert Comparison(shingles("", knowledge()), SETTINGS).overlap(shingles(TEXT, knowledge())) == Overlap(0.0, 0.0)
