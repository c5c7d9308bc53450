"""Words: what counts as one, where it ends, and what is no text at all."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.text.words import addresses, places, words

CASES = {
    "hyphens, slashes, underscores divide": ("south-east and/or up_down", "south east and or up down"),
    "a possessive is no word": ("Malta’s and Malta's port", "malta and malta port"),
    "a possessive behind capitals": ("MALTA’S PORT", "malta port"),
    "an Albanian ending behind an apostrophe": ("RTK’së iu tha", "rtk iu tha"),
    "an ending behind an acronym's hyphen": ("OSBE-së, NATO-u, ЕУ-а", "osbe nato eu"),
    "a dotted acronym with an ending": ("the U.N.-led talks, U.S.’s", "the un talks us"),
    "a long part behind an acronym is a word": ("NATO-members", "nato members"),
    "names behind an apostrophe are words": ("O’Neill, l’ONU, dell’UE", "o neill l onu dell ue"),
    "a dotted acronym is one word": ("The U.S. and E.U.", "the us and eu"),
    "small dotted letters are several": ("at 5 p.m. d.o.o.", "at 5 p m d o o"),
    "a missing space after a full stop divides": ("hapur.Dera", "hapur dera"),
    "a hashtag is a word": ("#Malta @malta", "malta malta"),
    "figures": ("12,500 people in 2025", "12 500 people in 2025"),
    "soft hyphens are inside words": ("bor\u00adder", "border"),
    "zero-width space divides": ("bor\u200bder", "bor der"),
    "web addresses are no text": ("see https://malta.example/a?b=c and www.malta.example now", "see and now"),
    "a scheme in capitals": ("HTTPS://malta.example/x is down", "is down"),
    "e-mail is no text": ("write to desk.malta@mail.example.org today", "write to today"),
    "a bare domain in small letters is no text": ("says vesti.rs/malta today", "says today"),
    "a domain at the end of a sentence": ("says vesti.rs. Malta", "says malta"),
    "an address does not begin inside a word": ("the har\u00adbour-x.org", "the harbour x org"),
    "a capital domain is words": ("says Vesti.rs today", "says vesti rs today"),
}


@pytest.mark.parametrize("case", CASES)
def test_cuts(case: str) -> None:
    text, expected = CASES[case]
    assert " ".join(word.folded for word in words(text)) == expected


def test_places_are_those_of_the_original() -> None:
    text = "Реч U.S. с\u0306ело-\u00ad TPS-a"
    assert [text[word.start : word.end] for word in words(text)] == ["Реч", "U.S.", "с\u0306ело", "TPS"]


def test_capitals_are_kept_aside() -> None:
    kinds = {word.folded: (word.capitalised, word.is_caps, word.dotted) for word in words("Ana čita NATO i U.N. A")}
    assert kinds == {
        "ana": (True, False, False), "cita": (False, False, False), "nato": (True, True, False),
        "i": (False, False, False), "un": (True, True, True), "a": (True, False, False),
    }  # fmt: skip


@given(st.text(alphabet="aB-’. U.S:/@ш\u0301\u00ad#_\n1wr.s"))
def test_words_are_in_order_and_inside(text: str) -> None:
    found = places(text)
    assert all(0 <= start < end <= len(text) for start, end, _ in found)
    assert all(left[1] <= right[0] for left, right in pairwise(found))
    for start, end in addresses(text):
        assert not any(place[0] < end and start < place[1] for place in found)
