"""A sentence with its words, its credit words and the outlets named in it: what `mentions` decides upon."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from monitor.detect import names
from monitor.detect.credits import Cue, Language, Place
from monitor.detect.outlets import NameHit
from monitor.text import sentences

QUOTES = "\"'\u201e\u201c\u201d\u00ab\u00bb\u2018\u2019\u201a\u2039\u203a"
_OPENING = "\u201e\u00ab\u201c"
_STOPS = frozenset(",;:()[]\u2014\u2013\u2026?!")


@dataclass(frozen=True, slots=True)
class Hit:
    """An outlet's name: `words[first:last]` of its passage; it ends at `end`, with a bracket that only repeats it."""

    first: int
    last: int
    name: NameHit
    end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """One sentence of `text`, the whole field; all offsets are into that. `number` counts the field's sentences."""

    field: str
    number: int
    text: str
    words: tuple[names.Word, ...]
    cues: tuple[Place, ...]
    hits: tuple[Hit, ...]
    language: Language

    @property
    def speaks(self) -> bool:
        """Whether somebody says something in it."""
        return any(cue.kinds & {Cue.SPEAK, Cue.TOLD} for cue in self.cues)

    def stops(self, start: int, end: int) -> str:
        """The signs between two places that part a name from its credit."""
        return "".join(sign for sign in self.text[start:end] if sign in _STOPS)

    def stops_before(self, at: int, start: int) -> str:
        """The same between the end of the word before `at` and a place."""
        return self.stops(self.words[at - 1].end, start)

    def is_quoted(self, start: int, end: int) -> bool:
        """Whether quotation marks stand right around a piece."""
        before, behind = self.text[max(start - 1, 0) : start], self.text[end : end + 1]
        return bool(before and behind) and before in QUOTES and behind in QUOTES

    def is_small(self, at: int) -> bool:
        """Whether a word begins neither with a capital nor with a digit."""
        letter = self.text[self.words[at].start]
        return not letter.isupper() and not letter.isdigit()

    def colon_follows(self, end: int) -> bool:
        """Whether a colon stands right behind a place, quotation marks aside."""
        return self.text[end : end + 3].lstrip(QUOTES).startswith(":")

    def written(self, cue: Place) -> str:
        """A cue as it stands in the text."""
        return self.text[self.words[cue.first].start : self.words[cue.last - 1].end]

    def has_hit_between(self, first: int, last: int) -> bool:
        """Whether an outlet is named among some words."""
        return any(first <= hit.first and hit.last <= last for hit in self.hits)


def cut(
    field: str,
    text: str,
    found: tuple[names.Word, ...],
    hits: tuple[NameHit, ...],
    language: Language,
    same: Callable[[NameHit, NameHit], bool],
) -> Iterator[Passage]:
    """Cut a field into passages, leaving out those that can credit nobody.

    `found` are the field's words, `hits` the names among them. `same` tells whether two names mean one publisher:
    "Radio Slobodna Evropa (RSE)" is one name.
    """
    starts = [word.start for word in found]
    for number, (start, end) in enumerate(sentences.sentences(text)):
        inside = [hit for hit in hits if start <= hit.start < end]
        words = found[bisect_left(starts, start) : bisect_left(starts, end)]
        if not inside and not any(_may_name_another(text, word, language) for word in words):
            continue
        placed = _joined(tuple(_placed(words, hit) for hit in inside), text, same)
        taken = frozenset(at for hit in placed for at in range(hit.first, hit.last))
        yield Passage(field, number, text, words, language.cues(text, words, taken), placed, language)


def _may_name_another(text: str, word: names.Word, language: Language) -> bool:
    if word.folded in language.media:
        return True
    return word.start > 0 and text[word.start - 1] in _OPENING


def _placed(words: tuple[names.Word, ...], hit: NameHit) -> Hit:
    inside = [at for at, word in enumerate(words) if word.start < hit.end and hit.start < word.end]
    return Hit(inside[0], inside[-1] + 1, hit, hit.end) if inside else Hit(0, 0, hit, hit.end)


def _joined(hits: tuple[Hit, ...], text: str, same: Callable[[NameHit, NameHit], bool]) -> tuple[Hit, ...]:
    """The names of a sentence, each with the bracket behind it that only repeats it."""
    joined: list[Hit] = []
    for hit in hits:
        before = joined[-1] if joined else None
        bracketed = (
            before is not None
            and text[before.end : hit.name.start].strip() == "("
            and text[hit.end : hit.end + 1] == ")"
        )
        if before is not None and bracketed and same(before.name, hit.name):
            joined[-1] = Hit(before.first, hit.last, before.name, hit.end + 1)
        else:
            joined.append(hit)
    return tuple(joined)
