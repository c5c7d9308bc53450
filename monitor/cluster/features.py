"""What an entry is compared by: words inside one language family, names, places, numbers and concepts across all.

Two bags of weighted features. View W holds folded stems and is compared within a family; view N holds what is written
alike in every language and is compared between families. Raw weights only; how rare a feature is, the index knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

from monitor.cluster.clean import clean_text, clean_title
from monitor.cluster.item import Item
from monitor.cluster.knowledge import Beginnings, Knowledge
from monitor.cluster.settings import Settings
from monitor.text.fold import fold
from monitor.text.languages import family
from monitor.text.words import Word, words

STEM_LETTERS = 6
NAME_LETTERS = 5
_TITLE, _TEXT = 2.0, 1.0
_COUNTRY, _NUMBER, _CONCEPT = 0.6, 0.7, 1.0
_UNSURE = 0.7
_TITLE_CASE_SHARE = 0.6
_FIGURE = re.compile(r"([0-9]+)(?:[.,]([0-9]{1,3})(?![0-9]))?")
_THOUSANDS = 3
_NOTHING = Beginnings({}, {})

Bag = tuple[tuple[str, float], ...]
"""Feature names with raw weights, in order of first appearance."""


@dataclass(frozen=True, slots=True)
class Features:
    """An entry ready to be compared.

    `naming` are those of `names` that surely name something: a country, a figure, a capital inside a sentence. `chars`
    counts the text beside the title.
    """

    family: str
    words: Bag
    names: Bag
    naming: frozenset[str]
    chars: int
    folded_title: str


def features(item: Item, knowledge: Knowledge, settings: Settings) -> Features:
    """Read the features of an entry: its title and the first `lead_chars` of its text."""
    title = clean_title(item.title, knowledge)
    text = clean_text(item.text, knowledge, settings.lead_chars)
    language = family(item.language) or "und"
    reader = _Reader(knowledge, language)
    title_words, text_words = words(title), words(text)
    inside = {word.folded for word, starts in _with_starts(text, text_words) if word.capitalised and not starts}
    reader.read(title, title_words, _TITLE, proven=inside if _capitals_prove_nothing(title_words) else None)
    reader.read(text, text_words, _TEXT, proven=None)
    return Features(
        language,
        reader.bag(reader.stems),
        reader.bag(reader.names),
        frozenset(reader.naming),
        len(fold(text)),
        fold(title).strip(),
    )


def _capitals_prove_nothing(title: Sequence[Word]) -> bool:
    """Whether a title is written in capitals or in Title Case."""
    letters = [word for word in title if word.folded.isalpha()]
    capitals = sum(word.capitalised for word in letters)
    return capitals > _TITLE_CASE_SHARE * len(letters) or sum(word.is_caps for word in letters) > len(letters) / 2


def _with_starts(text: str, found: Sequence[Word]) -> Iterator[tuple[Word, bool]]:
    """Words, and whether each begins a sentence."""
    end = 0
    for number, word in enumerate(found):
        yield word, number == 0 or any(sign in ".!?…:" for sign in text[end : word.start])
        end = word.end


def _figure(found: re.Match[str]) -> str:
    """A number in one spelling: thousands together, a point before the fraction, no unit behind."""
    whole, fraction = found[1], found[2]
    if fraction is None:
        return whole
    return whole + fraction if len(fraction) == _THOUSANDS else f"{whole}.{fraction}"


class _Reader:
    """Collects the features of one entry."""

    def __init__(self, knowledge: Knowledge, language: str) -> None:
        self.knowledge = knowledge
        self.concepts = knowledge.concepts.get(language, _NOTHING)
        self.numerals = knowledge.numerals.get(language, _NOTHING)
        self.stems: dict[str, float] = {}
        self.names: dict[str, float] = {}
        self.naming: set[str] = set()

    def read(self, text: str, found: Sequence[Word], weight: float, proven: set[str] | None) -> None:
        """Add the words of a field. `proven` are the names known from elsewhere if capitals here prove nothing."""
        before, fraction = "", -1
        for word, starts in _with_starts(text, found):
            folded = word.folded
            code = self.knowledge.phrases.get((before, folded))
            before = folded
            if code is not None:
                self._country(code, weight)
            if folded[0].isdigit():
                if word.start != fraction:
                    number = _FIGURE.match(text, word.start)
                    fraction = number.start(2) if number and number[2] else -1
                    self._number(_figure(number) if number else folded, weight)
            elif len(folded) > 1 and folded not in self.knowledge.stop_words:
                self._word(word, weight, starts, proven)

    def _word(self, word: Word, weight: float, starts: bool, proven: set[str] | None) -> None:
        folded = word.folded
        _add(self.stems, folded[:STEM_LETTERS], weight)
        code = self._code(word)
        concept = self.concepts.find(folded)
        numeral = self.numerals.find(folded)
        if code is not None:
            self._country(code, weight)
        elif numeral is not None:
            _add(self.names, f"d:{numeral}", weight * _NUMBER)
        elif concept is not None:
            _add(self.names, f"c:{concept}", weight * _CONCEPT)
        elif word.capitalised and len(folded) > 2:
            self._name(
                f"n:{respelt(folded)[:NAME_LETTERS]}", weight, not starts if proven is None else folded in proven
            )

    def _code(self, word: Word) -> str | None:
        if word.is_caps and word.folded in self.knowledge.acronyms:
            return self.knowledge.acronyms[word.folded]
        if len(word.folded) < 4 or not (word.capitalised or len(word.folded) > 5):
            return None
        return self.knowledge.countries.find(word.folded)

    def _name(self, name: str, weight: float, is_sure: bool) -> None:
        _add(self.names, name, weight if is_sure else weight * _UNSURE)
        if is_sure:
            self.naming.add(name)

    def _country(self, code: str, weight: float) -> None:
        _add(self.stems, f"@{code}", weight * _COUNTRY)
        _add(self.names, f"@{code}", weight * _COUNTRY)
        self.naming.add(f"@{code}")

    def _number(self, figure: str, weight: float) -> None:
        _add(self.stems, f"d:{figure}", weight * _NUMBER)
        if len(figure) > 1:
            _add(self.names, f"d:{figure}", weight * _NUMBER)
            self.naming.add(f"d:{figure}")

    @staticmethod
    def bag(found: dict[str, float]) -> Bag:
        return tuple((name, 1 + log(weight) if weight > 1 else weight) for name, weight in found.items())


def _add(bag: dict[str, float], name: str, weight: float) -> None:
    if weight:
        bag[name] = bag.get(name, 0.0) + weight


_RESPELT = (
    ("tsch", "c"), ("sch", "s"), ("dsch", "dz"), ("zh", "z"), ("sh", "s"), ("ch", "c"), ("ts", "c"), ("tz", "c"),
    ("xh", "dz"), ("x", "ks"), ("kh", "h"), ("ph", "f"), ("th", "t"), ("q", "c"), ("gj", "dj"), ("kj", "c"),
    ("ij", "i"), ("yy", "i"), ("iy", "i"), ("y", "i"), ("j", "i"), ("w", "v"), ("ck", "k"), ("ll", "l"), ("rr", "r"),
    ("ss", "s"), ("tt", "t"), ("nn", "n"), ("mm", "m"), ("pp", "p"), ("ff", "f"), ("bb", "b"), ("ee", "i"),
    ("oo", "u"), ("ou", "u"), ("ii", "i"),
)  # fmt: skip


def respelt(folded: str) -> str:
    """Write a folded name by sound, roughly: one spelling for the ways Europe's languages have for it.

    >>> respelt("vuciq"), respelt("zelensky"), respelt("zelenskij")
    ('vucic', 'zelenski', 'zelenski')
    """
    for written, sound in _RESPELT:
        if written in folded:
            folded = folded.replace(written, sound)
    return folded
