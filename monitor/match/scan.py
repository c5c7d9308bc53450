"""One entry made ready for matching: folded once, scanned once, everything dearer computed on demand.

Knows words, phrases, sentences and distances; knows neither watches nor operators. Called by evaluate and explain.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from monitor.match import patterns
from monitor.match.patterns import Kind, Phrase, WordPattern
from monitor.text import fold, sentences, words
from monitor.text.marks import MARKS
from monitor.text.words import APOSTROPHES, HYPHENS, Place

FIELDS = ("title", "text")
_SIGNS = frozenset(APOSTROPHES + HYPHENS)
_SHOUTED_SHARE, _SHOUTED_WORDS = 0.8, 3

_QUOTES = re.escape(patterns.QUOTES)
_HYPHENS = re.escape(HYPHENS)
_BLANKS = r"[^\S\n\r\x0b\x0c\x85\u2028\u2029]|\u200b"
_BREAK = r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]"
_INVISIBLE = re.compile(f"[{fold.INVISIBLE}]+")
_GAP = re.compile(rf"[{_QUOTES}]*(?:(?:{_BLANKS})*(?:{_BREAK})?(?:{_BLANKS})*|[{_HYPHENS}])[{_QUOTES}]*")
_ENDING = re.compile(rf"[{_HYPHENS}{re.escape(APOSTROPHES)}](?:[^\W\d_]|[{MARKS}])+")
_WIDEST_GAP = 64

Occurrence = tuple[int, int, int]
"""Field (an index of FIELDS), start and end in the original."""


class Leaf:
    """A phrase to look for, with what was worked out about it when the watches were compiled.

    `families`: the languages whose entries it applies to, None for all. `anchor` is the word of the phrase whose
    letters the automaton looks for.
    """

    __slots__ = ("_regexes", "anchor", "decided", "families", "forms", "label", "number", "phrase")

    def __init__(self, number: int, phrase: Phrase, label: str, families: frozenset[str] | None, anchor: int) -> None:
        self.number = number
        self.phrase = phrase
        self.label = label
        self.families = families
        self.anchor = anchor
        self.forms = tuple(frozenset(patterns.forms(word)) for word in phrase.words)
        self._regexes: dict[int, re.Pattern[str]] = {}
        self.decided = patterns.is_decided_by_anchor(phrase.words[anchor])

    def fits(self, number: int, folded: str) -> bool:
        """Whether a folded word suits a word of the phrase that has wildcards.

        Compiled when first asked: most anchors decide by themselves, and ten thousand expressions take seconds.
        """
        known = self._regexes.get(number)
        if known is None:
            known = self._regexes[number] = patterns.regex(self.phrase.words[number])
        return known.fullmatch(folded[: patterns.LONGEST_WORD]) is not None

    def anchors(self) -> tuple[str, ...]:
        """The strings one of which stands in the blanked text wherever the leaf does."""
        return patterns.anchors(self.phrase.words[self.anchor])


@dataclass(slots=True)
class Field:
    """Title or text. `blank` is folded, with a space for every sign and one at both ends."""

    number: int
    text: str
    wordy: frozenset[str]
    blank: str = ""
    _offsets: tuple[int, ...] | None = None
    _mapped: bool = False
    _addresses: tuple[tuple[int, int], ...] | None = None
    _places: tuple[Place, ...] | None = None
    _starts: list[int] | None = None
    _sentences: list[int] | None = None
    _paragraphs: list[int] | None = None
    _shouted: bool | None = None

    def __post_init__(self) -> None:
        self.blank = f" {fold.fold(self.text, fold.BLANKED)} "

    # -------------------------------------------------------------------------------------------- on demand

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Where `blank[start:end]` stands in the original."""
        if not self._mapped:
            self._offsets = fold.offsets(self.text, fold.BLANKED)
            self._mapped = True
        return fold.origin(self.text, self._offsets, start - 1, end - 1)

    @property
    def places(self) -> tuple[Place, ...]:
        """Every word of the field."""
        if self._places is None:
            self._places = words.places(self.text)
        return self._places

    @property
    def starts(self) -> list[int]:
        """Where every word starts."""
        if self._starts is None:
            self._starts = [place[0] for place in self.places]
        return self._starts

    def place_at(self, start: int) -> int | None:
        """The number of the word that starts here; None for an ending, an address, a letter of an acronym."""
        number = bisect_left(self.starts, start)
        return number if number < len(self.starts) and self.starts[number] == start else None

    def is_word(self, start: int, end: int) -> bool:
        """Whether a run of letters is a word of its own; looks closer only where a sign beside it asks for it."""
        before, after = self.text[start - 1 : start], self.text[end : end + 1]
        if before in _SIGNS or (end - start <= 2 and "." in (before, after)):
            return self.place_at(start) is not None
        if self._addresses is None:
            self._addresses = words.addresses(self.text)
        return not any(left < end and start < right for left, right in self._addresses)

    def word_numbers(self, start: int, end: int) -> tuple[int, int]:
        """First and last word of an occurrence, counted in the field."""
        return bisect_right(self.starts, start) - 1, bisect_left(self.starts, end) - 1

    def sentence(self, start: int) -> int:
        """The number of the sentence a place is in."""
        if self._sentences is None:
            self._sentences = [place[0] for place in sentences.sentences(self.text)]
        return bisect_right(self._sentences, start)

    def paragraph(self, start: int) -> int:
        """The number of the paragraph a place is in."""
        if self._paragraphs is None:
            self._paragraphs = [place[0] for place in sentences.paragraphs(self.text)]
        return bisect_right(self._paragraphs, start)

    @property
    def is_shouted(self) -> bool:
        """Whether the field is set in capitals, so that capitals say nothing about a word."""
        if self._shouted is None:
            letters = [letter for letter in self.text if letter.isalpha()]
            capitals = sum(map(str.isupper, letters))
            self._shouted = len(self.places) >= _SHOUTED_WORDS and capitals >= _SHOUTED_SHARE * len(letters)
        return self._shouted

    # -------------------------------------------------------------------------------------------- comparing

    def find(self, leaf: Leaf, position: int) -> tuple[int, int] | None:
        """Where in the original the leaf stands whose anchor begins at a position of `blank`; None if it does not."""
        start = self.blank.rfind(" ", 0, position) + 1
        end = self.blank.find(" ", position)
        left, right = self.origin(start, end)
        if len(leaf.phrase.words) > 1:
            return self._phrase(leaf, left)
        word, written = leaf.phrase.words[0], self.blank[start:end]
        if word.kind is Kind.WILD:
            open_question = not leaf.decided or end - start > patterns.LONGEST_WORD
            if open_question and not leaf.fits(0, written):
                return None
        elif written not in leaf.forms[0]:
            return self._dotted(leaf, left)
        if not self.is_word(left, right) or not self._is_written(word, left, right):
            return None
        return left, right

    def _is_written(self, word: WordPattern, start: int, end: int) -> bool:
        """Whether the original's letters suit an acronym or an exact form."""
        if word.kind is Kind.ACRONYM:
            shouted = word.letters in self.wordy and self.is_shouted
            return not shouted and words.is_caps(self.text[start:end].replace(".", ""))
        return word.kind is not Kind.EXACT or patterns.spelled(self.text[start:end]) == word.written

    def _dotted(self, leaf: Leaf, start: int) -> tuple[int, int] | None:
        number = self.place_at(start)
        if number is None or not self.places[number][2] or not self._accepts(leaf, 0, self.places[number]):
            return None
        return self.places[number][:2]

    def _phrase(self, leaf: Leaf, start: int) -> tuple[int, int] | None:
        at = self.place_at(start)
        count = len(leaf.phrase.words)
        if at is None or at < leaf.anchor or at - leaf.anchor + count > len(self.places):
            return None
        run = self.places[at - leaf.anchor : at - leaf.anchor + count]
        if not all(self._accepts(leaf, number, place) for number, place in enumerate(run)):
            return None
        if not all(is_gap(self.text[left[1] : right[0]]) for left, right in pairwise(run)):
            return None
        return run[0][0], run[-1][1]

    def _accepts(self, leaf: Leaf, number: int, place: Place) -> bool:
        """Whether one word of a phrase may stand at a place."""
        word = leaf.phrase.words[number]
        start, end, dotted = place
        folded = fold.fold(words.letters(self.text, place))
        if word.kind is Kind.WILD:
            return not dotted and leaf.fits(number, folded)
        if folded not in leaf.forms[number] or (dotted and not patterns.may_be_dotted(word)):
            return False
        return self._is_written(word, start, end)


def is_gap(between: str) -> bool:
    """Whether two words with this between them stand next to each other in a phrase.

    >>> is_gap(" "), is_gap("‑"), is_gap(", "), is_gap(" – ")
    (True, True, False, False)
    """
    if between == " " or len(between) > _WIDEST_GAP:
        return between == " "
    between = _INVISIBLE.sub("", between)
    ending = _ENDING.match(between)
    rest = between[ending.end() :] if ending else between
    return rest != "" and _GAP.fullmatch(rest) is not None


class Entry:
    """Title and text of one entry.

    `hits`: for the number of a leaf, the fields and positions of its anchor; `kept`: what `evaluate` worked out.
    """

    __slots__ = ("_found", "fields", "hits", "kept")

    def __init__(self, texts: Sequence[str], wordy: frozenset[str]) -> None:
        self.fields = tuple(Field(number, text, wordy) for number, text in enumerate(texts))
        self.hits: dict[int, list[tuple[int, int]]] = {}
        self.kept: dict[int, list[tuple[Occurrence, Leaf]]] = {}
        self._found: dict[int, list[Occurrence]] = {}

    def occurrences(self, leaf: Leaf) -> list[Occurrence]:
        """Where a leaf really stands, in order."""
        if leaf.number not in self.hits:  # as most leaves of a watch with many words
            return []
        known = self._found.get(leaf.number)
        if known is None:
            known = self._found[leaf.number] = self._checked(leaf)
        return known

    def _checked(self, leaf: Leaf) -> list[Occurrence]:
        found: set[Occurrence] = set()
        word = (-1, 0)
        for number, position in self.hits[leaf.number]:
            # The same word again: an endless one may hold an anchor thousands of times.
            if word[0] == number and position < word[1]:
                continue
            field = self.fields[number]
            word = number, field.blank.find(" ", position)
            place = field.find(leaf, position)
            if place is not None:
                found.add((number, *place))
        return sorted(found)
