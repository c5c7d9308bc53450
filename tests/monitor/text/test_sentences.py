"""Sentences and paragraphs."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.text.sentences import paragraphs, sentences

CASES = {
    "a stop before a capital": "Rain fell. | Nobody left.",
    "a stop before a figure": "Rain fell. | 12 people left.",
    "a stop before a small letter goes on": "It rained at approx. noon and vs. them.",
    "question, exclamation, ellipsis": "Why? | Because! | Well… | Yes.",
    "a closing quote belongs to the sentence": "„Ne znam.“ | Otišao je.",
    "an opening quote belongs to the next": "She left. | “Why?” | Nobody knows.",
    "no space, small letter before a capital": "Dyqani u mbyll.|Nesër hapet.",
    "titles": "Dr. Perić and Mr. Lane met Gen. Rossi.",
    "Serbian abbreviations": "Ul. Kralja Petra br. 5, tzv. Donji grad, sv. Sava.",
    "a single capital": "Marko P. Ilić came.",
    "a dotted acronym": "The U.S. Embassy and the U.N. Office closed.",
    "a number word": "Section no. 5 applies.",
    "a word that only looks like one": "The answer was no. | They left.",
    "a Cyrillic sentence": "Киша је падала. | Нико није отишао.",
    "a line break is no end": "Rain\nfell. | Nobody left.",
}


@pytest.mark.parametrize("case", CASES)
def test_sentences(case: str) -> None:
    pieces = [piece.strip() for piece in CASES[case].split("|")]
    text = CASES[case].replace(" | ", " ").replace("|", "")
    assert [text[start:end] for start, end in sentences(text)] == pieces


def test_paragraphs_end_at_blank_lines() -> None:
    text = "\nOne\nline.\n \n\n Two.\r\n\r\nThree."
    assert [text[start:end] for start, end in paragraphs(text)] == ["One\nline.", "Two.", "Three."]


@given(st.text(alphabet='aB.!?… \n"”(1ш'))
def test_sentences_divide_paragraphs(text: str) -> None:
    parts = sentences(text)
    assert all(left[1] <= right[0] for left, right in pairwise(parts))
    assert "".join("".join(text[s:e].split()) for s, e in parts) == "".join(text.split())
    assert all(any(p <= s and e <= q for p, q in paragraphs(text)) for s, e in parts)
