"""What languages write together is taken apart: endings behind an apostrophe, small words written onto the next."""

from __future__ import annotations

import pytest

from monitor import lexicons
from monitor.detect import lexicon

LEXICON = lexicon.from_raw(lexicons.load("detect/lexicon"))

WORDS = {
    "an ending behind an apostrophe belongs to its name": ("tr", "Fidan'ın Belgrad'daki sözü", "fidan belgrad sozu"),
    "an apostrophe that no ending follows divides": ("tr", "Shaikh'Ali geldi", "shaikh ali geldi"),
    "and, with the article behind it": ("ar", "والحكومة", "و حكومة"),
    "a word of the lexicon keeps its first letter": ("ar", "وزارة", "وزارة"),
    "to and the grow together": ("ar", "للتعليق", "ل ل تعليق"),
    "a name that begins like a small word stays whole": ("ar", "واشنطن", "واشنطن"),
    "the Arabic comma and question mark are signs": ("ar", "نعم، لا؟", "نعم , لا ?"),
    "in Cyrillic the apostrophe is a letter": ("uk", "прем’єр п'ять", "prem'jer p'jat"),
    "elsewhere an elided article is a word": ("fr", "l'ambassade", "l ambassade"),
}  # fmt: skip


@pytest.mark.parametrize(("language", "text", "words"), WORDS.values(), ids=WORDS.keys())
def test_words_are_what_the_rules_need(language: str, text: str, words: str) -> None:
    pack = LEXICON.pack(language)
    assert pack is not None
    found = [token for sentence in pack.sentences(text, "text") for token in sentence.tokens]
    assert " ".join(token.word for token in found) == words


def test_what_is_taken_apart_still_stands_where_it_was_written() -> None:
    pack = LEXICON.pack("ar")
    assert pack is not None
    text = "قالت والحكومة"
    (sentence,) = pack.sentences(text, "text")
    assert [text[token.start : token.end] for token in sentence.tokens] == ["قالت", "و", "الحكومة"]


def test_the_ending_is_kept_with_its_name() -> None:
    pack = LEXICON.pack("tr")
    assert pack is not None
    (sentence,) = pack.sentences("Ankara'dan geldi.", "text")
    assert [token.ending for token in sentence.tokens] == ["dan", "", ""]
