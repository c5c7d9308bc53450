"""What an entry is compared by: words inside one language family, names, places, numbers and concepts across all.

Two bags of weighted features. View W holds folded stems and is compared within a family; view N holds what is written
alike in every language and is compared between families. Raw weights only; how rare a feature is, the index knows.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import NamedTuple

from monitor.cluster.clean import clean_text, clean_title
from monitor.cluster.item import Item
from monitor.cluster.knowledge import Beginnings, Knowledge
from monitor.cluster.settings import Settings
from monitor.text.fold import fold, offsets
from monitor.text.languages import family
from monitor.text.words import is_caps, places

STEM_LETTERS = 6
NAME_LETTERS = 5
_TITLE, _TEXT = 2.0, 1.0
_COUNTRY, _NUMBER, _CONCEPT = 0.6, 0.7, 1.0
_UNSURE = 0.7
_TITLE_CASE_SHARE = 0.6
_NOUNS_HAVE_CAPITALS = frozenset({"de", "lb"})
"""There a capital inside a sentence shows a noun, not a name."""
_FIGURE = re.compile(r"([0-9]+)(?:[.,]([0-9]{1,3})(?![0-9]))?")
_THOUSANDS = 3
_NOTHING = Beginnings({}, {})
_MOST_REMEMBERED = 8_000


@dataclass(frozen=True, slots=True)
class Bag:
    """Features and their raw weights, in order of first appearance."""

    names: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()


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


class Reader:
    """Reads the features of entries. What a word stands for is remembered: news repeats its words."""

    def __init__(self, knowledge: Knowledge, settings: Settings) -> None:
        self._knowledge = knowledge
        self._settings = settings
        self._senses: dict[str, _Senses] = {}
        self._countries = _Countries(knowledge)

    def read(self, item: Item) -> Features:
        """The features of an entry: of its title and the first `lead_chars` of its text."""
        title = clean_title(item.title, self._knowledge)
        text = clean_text(item.text, self._knowledge, self._settings.lead_chars)
        folded_title, folded_text = fold(title), fold(text)
        language = family(item.language) or "und"
        senses = self._senses.get(language)
        if senses is None:
            senses = self._senses[language] = _Senses(self._knowledge, language)
        title_tokens, text_tokens = _tokens(title, folded_title), _tokens(text, folded_text)
        bags = _Bags(senses, self._countries)
        bags.read(title, title_tokens, _TITLE, _proven(title_tokens, text_tokens))
        bags.read(text, text_tokens, _TEXT, None)
        return Features(
            language,
            _weighted(bags.stems),
            _weighted(bags.names),
            frozenset(bags.naming),
            len(folded_text),
            folded_title.strip(),
        )


class _Token(NamedTuple):
    """A word of a field: where it starts, its folded letters, how it is written, whether it begins a sentence."""

    start: int
    folded: str
    capitalised: bool
    is_caps: bool
    begins: bool


def _tokens(text: str, folded: str) -> list[_Token]:
    origins = offsets(text)
    tokens: list[_Token] = []
    before = 0
    for start, end, dotted in places(text):
        first, last = (start, end) if origins is None else (bisect_left(origins, start), bisect_left(origins, end))
        gap, written, word = text[before:start], text[start:end], folded[first:last]
        begins = not tokens or (gap != " " and any(sign in ".!?…:" for sign in gap))
        if dotted:
            word = word.replace(".", "")
        tokens.append(_Token(start, word, written[0].isupper(), dotted or is_caps(written), begins))
        before = end
    return tokens


def _proven(title: Sequence[_Token], text: Sequence[_Token]) -> set[str] | None:
    """The words known to be names from inside the text's sentences, if capitals in the title prove nothing."""
    if not _capitals_prove_nothing(title):
        return None
    return {token.folded for token in text if token.capitalised and not token.begins}


def _capitals_prove_nothing(title: Sequence[_Token]) -> bool:
    """Whether a title is written in capitals or in Title Case."""
    letters = [token for token in title if token.folded.isalpha()]
    capitals = sum(token.capitalised for token in letters)
    return capitals > _TITLE_CASE_SHARE * len(letters) or sum(token.is_caps for token in letters) > len(letters) / 2


def _figure(found: re.Match[str]) -> str:
    """A number in one spelling: thousands together, a point before the fraction, no unit behind."""
    whole, fraction = found[1], found[2]
    if fraction is None:
        return whole
    return whole + fraction if len(fraction) == _THOUSANDS else f"{whole}.{fraction}"


class _Sense(NamedTuple):
    """What a word is, wherever it stands: its stem, and at most one of a country's code, a sure feature, a name."""

    stem: str
    country: str | None
    sure: str | None
    weight: float
    name: str | None


class _Senses:
    """The senses of the words of one language family; None for a word that is not compared."""

    def __init__(self, knowledge: Knowledge, language: str) -> None:
        self._knowledge = knowledge
        self._concepts = knowledge.concepts.get(language, _NOTHING)
        self._numerals = knowledge.numerals.get(language, _NOTHING)
        self.capitals_name = language not in _NOUNS_HAVE_CAPITALS
        self._known: dict[tuple[str, bool, bool], _Sense | None] = {}

    def of(self, token: _Token) -> _Sense | None:
        key = (token.folded, token.capitalised, token.is_caps)
        try:
            return self._known[key]
        except KeyError:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            sense = self._known[key] = self._look_up(token)
            return sense

    def _look_up(self, token: _Token) -> _Sense | None:
        folded = token.folded
        if len(folded) < 2 or folded in self._knowledge.stop_words:
            return None
        stem = folded[:STEM_LETTERS]
        code = self._code(token)
        if code is not None:
            return _Sense(stem, code, None, 0.0, None)
        numeral = self._numerals.find(folded)
        if numeral is not None:
            return _Sense(stem, None, f"d:{numeral}", _NUMBER, None)
        concept = self._concepts.find(folded)
        if concept is not None:
            return _Sense(stem, None, f"c:{concept}", _CONCEPT, None)
        is_name = token.capitalised and len(folded) > 2
        return _Sense(stem, None, None, 0.0, f"n:{respelt(folded)[:NAME_LETTERS]}" if is_name else None)

    def _code(self, token: _Token) -> str | None:
        folded = token.folded
        if token.is_caps and folded in self._knowledge.acronyms:
            return self._knowledge.acronyms[folded]
        if len(folded) < 4 or not (token.capitalised or len(folded) > 5):
            return None
        return self._knowledge.countries.find(folded)


class _Countries:
    """Names of countries that are written in several words: found as one, linking words between them left out."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._phrases = knowledge.phrases
        self._links = knowledge.links
        self._begin = frozenset(phrase[0] for phrase in knowledge.phrases)
        self._longest = max(map(len, knowledge.phrases), default=0)

    def find(self, tokens: Sequence[_Token]) -> dict[int, str | None]:
        """The tokens that are part of such a name, by place: the first with the code, the others with None."""
        found: dict[int, str | None] = {}
        for first, token in enumerate(tokens):
            if token.folded in self._begin and first not in found:
                found.update(self._at(tokens, first))
        return found

    def _at(self, tokens: Sequence[_Token], first: int) -> dict[int, str | None]:
        places = [first]
        for place in range(first + 1, min(len(tokens), first + 2 * self._longest)):
            if len(places) < self._longest and tokens[place].folded not in self._links:
                places.append(place)
        for count in range(len(places), 1, -1):
            code = self._phrases.get(tuple(tokens[place].folded for place in places[:count]))
            if code is not None:
                return {**dict.fromkeys(places[:count]), first: code}
        return {}


class _Bags:
    """Collects the features of one entry."""

    def __init__(self, senses: _Senses, countries: _Countries) -> None:
        self._senses = senses
        self._countries = countries
        self.stems: dict[str, float] = {}
        self.names: dict[str, float] = {}
        self.naming: set[str] = set()

    def read(self, text: str, tokens: Sequence[_Token], weight: float, proven: set[str] | None) -> None:
        """Add the words of a field. `proven` are the names known from elsewhere if capitals here prove nothing."""
        fraction, countries = -1, self._countries.find(tokens)
        for place, token in enumerate(tokens):
            folded = token.folded
            if place in countries:
                self._part_of_country(countries[place], folded, weight)
            elif folded[0].isdigit():
                if token.start != fraction:
                    number = _FIGURE.match(text, token.start)
                    fraction = number.start(2) if number and number[2] else -1
                    self._number(_figure(number) if number else folded, weight)
            else:
                sense = self._senses.of(token)
                if sense is not None:
                    self._word(token, sense, weight, proven)

    def _part_of_country(self, code: str | None, folded: str, weight: float) -> None:
        _add(self.stems, folded[:STEM_LETTERS], weight)
        if code is not None:
            self._country(code, weight)

    def _word(self, token: _Token, sense: _Sense, weight: float, proven: set[str] | None) -> None:
        _add(self.stems, sense.stem, weight)
        if sense.country is not None:
            self._country(sense.country, weight)
        elif sense.sure is not None:
            _add(self.names, sense.sure, weight * sense.weight)
        elif sense.name is not None:
            is_proven = not token.begins if proven is None else token.folded in proven
            self._name(sense.name, weight, is_proven and self._senses.capitals_name)

    def _name(self, name: str, weight: float, is_sure: bool) -> None:
        _add(self.names, name, weight if is_sure else weight * _UNSURE)
        if is_sure:
            self.naming.add(name)

    def _country(self, code: str, weight: float) -> None:
        feature = f"@{code}"
        _add(self.stems, feature, weight * _COUNTRY)
        _add(self.names, feature, weight * _COUNTRY)
        self.naming.add(feature)

    def _number(self, figure: str, weight: float) -> None:
        feature = f"d:{figure}"
        _add(self.stems, feature, weight * _NUMBER)
        if len(figure) > 1:
            _add(self.names, feature, weight * _NUMBER)
            self.naming.add(feature)


def _weighted(found: Mapping[str, float]) -> Bag:
    return Bag(tuple(found), tuple(1 + log(weight) if weight > 1 else weight for weight in found.values()))


def _add(bag: dict[str, float], name: str, weight: float) -> None:
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
