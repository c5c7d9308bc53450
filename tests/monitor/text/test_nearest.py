"""The word that was probably meant by a wrong one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.text.nearest import FARTHEST, distance, nearest

NEAREST = {
    "a swapped pair": ("watcehs", ["watches", "web"], "watches"),
    "a missing letter": ("chanels", ["channels", "canary"], "channels"),
    "one of two letters wrong: the first counts": ("XX", ["AX", "MX", "XK"], "XK"),
    "another case": ("europe/belgrade", ["Europe/Belgrade", "Europe/Berlin"], "Europe/Belgrade"),
    "of equals with equal beginnings the first of the alphabet": ("tag", ["tax", "tar"], "tar"),
    "nothing near": ("lawyers", ["desk"], None),
    "nothing known": ("lawyers", [], None),
    "a short word is only near when one letter differs": ("abc", ["axy"], None),
}


@pytest.mark.parametrize("case", NEAREST)
def test_the_nearest_word_is_offered(case: str) -> None:
    word, known, expected = NEAREST[case]
    assert nearest(word, known) == expected


def test_a_caller_may_allow_more_slips_or_fewer() -> None:
    assert (nearest("en-denied", ["en-denied-01"]), nearest("en-denied", ["en-denied-01"], 3)) == (None, "en-denied-01")
    assert (nearest("NAATR", ["NEAR"]), nearest("NAATR", ["NEAR"], 1)) == ("NEAR", None)


WORDS = st.text("abc", max_size=6)


@given(WORDS, WORDS)
def test_the_way_is_as_far_in_both_directions_and_never_told_beyond_the_limit(left: str, right: str) -> None:
    assert distance(left, right) == distance(right, left) <= FARTHEST + 1
    assert (distance(left, right) == 0) == (left == right)
