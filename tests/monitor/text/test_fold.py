"""Folding: one spelling for case, marks and scripts, and the way back to the original."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.text.fold import BLANKED, CYRILLIC, GREEK, LATIN, FoldTable, fold, offsets, origin

SAME = {
    "Serbian in both scripts": ("Човић Ђурђа Љиљана Њива Џеп", "Čović Đurđa Ljiljana Njiva Džep"),
    "without marks": ("Šapić, Žarko, Ćira", "Sapic, Zarko, Cira"),
    "Macedonian letters keep their j": ("Ѓорче Ќерамиди ѕвезда", "Gjorce Kjeramidi dzvezda"),
    "decomposed Cyrillic letters are the composed ones": ("\u0438\u0306 \u0433\u0301 \u0456\u0308", "й ѓ ї"),
    "Bulgarian and Russian letters": ("Щъркел, объезд, мышь, эхо", "starkel, obaezd, mys, eho"),
    "Ukrainian letters": ("Київ, Європа, ґанок", "kijiv, jevropa, ganok"),
    "Turkish i with and without dot": ("İzmir ILGAZ ısı", "izmir ilgaz isi"),
    "Romanian comma and cedilla": ("Iași Iaşi", "iasi iasi"),
    "digraph characters fall apart": ("ǄǇǌ", "dzljnj"),
    "sharp s, ligatures, slashed o, barred l": ("Straße æther œuvre Øre Łódź", "strasse aether oeuvre ore lodz"),
    "Greek accents and final sigma": ("Αθηνών ΠΌΛΗΣ πόλης", "αθηνων πολησ πολησ"),
    "a look-alike Cyrillic letter in a Latin word": ("b\u043erder", "border"),
    "invisible signs are dropped": ("bor\u00adder\u200d bor\u2060der\ufeff", "border border"),
    "punctuation stays": ("„Да!“ – (не)…", "„da!“ – (ne)…"),
    "a modifier apostrophe is an apostrophe": ("об\u02bcєкт", "ob'jekt"),
}


@pytest.mark.parametrize("case", SAME)
def test_folds_to(case: str) -> None:
    written, folded = SAME[case]
    assert fold(written) == fold(folded)


APART = {
    "an English respelling": ("Zelensky", "Зеленский"),
    "an Albanian respelling": ("Vuçiq", "Vučić"),
    "a zero-width space separates": ("bor\u200bder", "border"),
}


@pytest.mark.parametrize("case", APART)
def test_stays_apart(case: str) -> None:
    left, right = APART[case]
    assert fold(left) != fold(right)


def test_origin_of_expanded_and_dropped_letters() -> None:
    text = "Мост: Љиг и Vuc\u030cic\u0301!"
    folded, places = fold(text), offsets(text)
    at = folded.index("ljig")
    assert text[slice(*origin(text, places, at, at + 4))] == "Љиг"
    at = folded.index("vucic")
    assert text[slice(*origin(text, places, at, at + 5))] == "Vuc\u030cic\u0301"


def test_equal_lengths_by_accident_still_get_a_map() -> None:
    text = "đc\u030c"
    assert len(fold(text)) == len(text)
    assert offsets(text) == (0, 0, 1)


@given(st.text())
def test_offsets_fit_the_folded_text(text: str) -> None:
    folded, places = fold(text), offsets(text)
    assert len(folded) == len(text if places is None else places)
    assert len(fold(text, BLANKED)) == len(folded)


@given(st.text(min_size=1))
def test_origins_lie_inside_the_source(text: str) -> None:
    places = offsets(text)
    for place in range(len(fold(text))):
        start, end = origin(text, places, place, place + 1)
        assert 0 <= start < end <= len(text)


def test_another_table_may_be_chosen() -> None:
    russian = FoldTable({**CYRILLIC, "щ": "shch", "х": "kh"}, LATIN, GREEK)
    assert fold("Хрущ", russian) == "khrushch"
    assert fold("Хрущ") == "hrust"
