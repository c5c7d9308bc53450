"""Find names of outlets in running text: inflected, in Latin or Cyrillic, with offsets into the original.

Names are compared word by word over folded words: a dictionary of first stems leads to the few names that can start
at a word, so the time grows with the text and hardly with the number of names, and inner words may be inflected too
("Večernjih novosti", "Radija Slobodna Evropa"), which an automaton over characters would miss.
It knows nothing of outlets' countries or hosts: `outlets` builds it and decides between outlets of one name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from monitor.text import fold as folding

_WORD = re.compile(r"[^\W_]+")
_SEPARATORS = frozenset((" ", "\u00a0", "-", "\u2010", "\u2011", "/", ".", "'", "\u2019", "&", " & ", "+", "", ": "))
_VOWELS = "aeiou"
_SECOND = 2
"""Letters of a name's second word that no inflection touches; they keep "The" and "Radio" from being looked at."""
_LONGEST_ENDING = 5
_SHORT = 3
"""Names of so few letters are taken only as they are listed, capitals included."""


@lru_cache(maxsize=50_000)
def fold(word: str) -> str:
    """One spelling for all scripts a name is written in; words come again and again, so they are remembered.

    >>> fold("Блумберг"), fold("Gračanica"), fold("Ђорђе")
    ('blumberg', 'gracanica', 'djordje')
    """
    return folding.fold(word)


class Word(NamedTuple):
    """One word of a text: `text[start:end]`, and its folded form."""

    start: int
    end: int
    folded: str


@lru_cache(maxsize=8)
def words(text: str) -> tuple[Word, ...]:
    """Cut a text into its words; signs and underscores are between them. Sources and speakers ask for the same ones."""
    return tuple(Word(found.start(), found.end(), fold(found.group())) for found in _WORD.finditer(text))


@dataclass(frozen=True, slots=True)
class Name:
    """One way to write an outlet's name, shared by all `owners` (domains). `spelled` holds it as listed."""

    parts: tuple[str, ...]
    owners: tuple[str, ...]
    spelled: frozenset[str]
    strict: bool
    languages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """A name at `text[start:end]`, its words being `words[first:last]`."""

    start: int
    end: int
    first: int
    last: int
    name: Name


@dataclass(frozen=True, slots=True)
class NameIndex:
    """All names, by the folded beginning of their first word."""

    by_stem: Mapping[str, tuple[Name, ...]]
    small: frozenset[str]
    endings: Mapping[str, frozenset[str]]

    def all_endings(self, language: str | None) -> frozenset[str]:
        """The case endings of a language; of all languages when it is unknown, none for one that is not listed."""
        if language is None:
            return frozenset().union(*self.endings.values())
        return self.endings.get(language.split("-")[0], frozenset())

    def find(self, text: str, cut: tuple[Word, ...], language: str | None) -> tuple[Found, ...]:
        """Find all names, leftmost and longest, none overlapping."""
        endings = self.all_endings(language)
        base = (language or "").split("-")[0]
        found: list[Found] = []
        at = 0
        while at < len(cut):
            best = self._best_at(text, cut, at, endings, base) if self._may_start(text, cut[at]) else None
            if best is None:
                at += 1
                continue
            # "the Times of X": a name that begins inside and ends later is the one that is meant.
            inner = self._best_at(text, cut, at + 1, endings, base) if at + 1 < best.last else None
            found.append(inner if inner and inner.last > best.last else best)
            at = found[-1].last
        return tuple(found)

    def _may_start(self, text: str, word: Word) -> bool:
        """Nine words of ten begin small, and only few names do."""
        return not text[word.start].islower() or word.folded[:_SHORT] in self.small

    def _best_at(
        self, text: str, cut: tuple[Word, ...], at: int, endings: frozenset[str], language: str
    ) -> Found | None:
        """The longest name there; of equally long ones the uninflected, then one of the text's language."""
        best: tuple[tuple[int, bool, bool], Found] | None = None
        following = cut[at + 1].folded if at + 1 < len(cut) else ""
        for name in self._starting(cut[at].folded, following):
            last = _match(name, text, cut, at, endings)
            if last is not None:
                exact = all(part == word.folded for part, word in zip(name.parts, cut[at:last], strict=True))
                order = (last, exact, language in name.languages)
                if best is None or order > best[0]:
                    best = (order, Found(cut[at].start, cut[last - 1].end, at, last, name))
        return best[1] if best else None

    def _starting(self, word: str, following: str) -> Iterable[Name]:
        """Names that may start with a word: those of one word, and those whose second word begins like the next."""
        second = f" {following[:_SECOND]}" if following else None
        for length in range(len(word), max(len(word) - _LONGEST_ENDING, 0), -1):
            stem = word[:length]
            yield from self.by_stem.get(stem, ())
            if second is not None:
                yield from self.by_stem.get(stem + second, ())


def index(names: Iterable[Name], endings: Mapping[str, Iterable[str]]) -> NameIndex:
    """Build the index; the order of `names` decides between names of equal length."""
    by_stem: dict[str, list[Name]] = {}
    small: set[str] = set()
    for name in names:
        second = f" {name.parts[1][:_SECOND]}" if len(name.parts) > 1 else ""
        for stem in {_stem(name.parts[0]), name.parts[0]}:
            by_stem.setdefault(stem + second, []).append(name)
        if any(spelled[0].islower() for spelled in name.spelled):
            small.add(name.parts[0][:_SHORT])
    return NameIndex(
        {stem: tuple(rows) for stem, rows in by_stem.items()},
        frozenset(small),
        {language: frozenset(fold(ending) for ending in listed) for language, listed in endings.items()},
    )


def split_name(name: str) -> tuple[str, ...]:
    """The folded words of a name."""
    return tuple(_WORD.findall(folding.fold(name)))


def _stem(part: str) -> str:
    """A word without the vowel that inflection replaces: Politika, Politike, Politikom."""
    return part[:-1] if len(part) > _SHORT and part[-1] in _VOWELS else part


def _same(part: str, word: str, endings: frozenset[str]) -> bool:
    if part == word:
        return True
    if len(part) <= _SHORT or word[:_SHORT] != part[:_SHORT]:
        return False
    if word.startswith(part) and word[len(part) :] in endings:
        return True
    stem = _stem(part)
    return stem != part and word.startswith(stem) and word[len(stem) :] in endings


def _match(name: Name, text: str, cut: tuple[Word, ...], at: int, endings: frozenset[str]) -> int | None:
    """The index after the name's last word, or None when it does not stand at word `at`."""
    last = at + len(name.parts)
    if last > len(cut):
        return None
    for offset, part in enumerate(name.parts):
        if not _same(part, cut[at + offset].folded, endings):
            return None
        if offset and text[cut[at + offset - 1].end : cut[at + offset].start] not in _SEPARATORS:
            return None
    return last if _written_as_name(name, text[cut[at].start : cut[last - 1].end]) else None


def _written_as_name(name: Name, written: str) -> bool:
    """Short names must stand as listed, others need a capital or digit, unless listed in small letters."""
    if sum(map(len, name.parts)) <= _SHORT:
        return written in name.spelled
    return not written[0].islower() or written in name.spelled
