"""The words by which texts credit outlets, per language, and where they stand in a sentence.

The words are data (`lexicon/credits/*.yaml`, fields explained in `en.yaml`); nothing here knows a language by name.
`attribution` reads the cues found here together with the names found by `outlets`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from monitor.detect import names
from monitor.errors import LexiconError

FOLDER = "credits/"
FALLBACK = "en"
"""Texts in a language without a file are read with this one: its dateline rules hold anywhere."""
_LISTS = frozenset(("languages", "filler", "media", "noun", "stop", "unnamed"))
_INSIDE = frozenset((" ", "\u00a0", "-", "'", "\u2019", "  ", "\n"))


class Cue(StrEnum):
    """What a word says about the name beside it; the values are the fields of the data files."""

    CITE = "cite"
    CITING = "citing"
    TOLD = "told"
    FOR = "for"
    SPEAK = "speak"
    PUBLISH = "publish"
    AFTER = "after"
    RELAY = "relay"
    FIRST = "first"
    ASK_BEFORE = "ask_before"
    ASK_AFTER = "ask_after"
    REPORT_BEFORE = "report_before"
    REPORT_AFTER = "report_after"
    WEAK = "weak"
    NOT_AFTER = "not_after"
    BACKGROUND = "background"


@dataclass(frozen=True, slots=True)
class Place:
    """A cue in a sentence: its words are `words[first:last]` of that sentence."""

    first: int
    last: int
    kinds: frozenset[Cue]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A cue as listed: folded words, the last of which may be a word's beginning."""

    parts: tuple[str, ...]
    open_end: bool
    kinds: frozenset[Cue]


@dataclass(frozen=True, slots=True)
class Language:
    """The credit words of one language, or of several that share them."""

    by_word: Mapping[str, tuple[Phrase, ...]]
    by_start: Mapping[str, tuple[Phrase, ...]]
    starts: tuple[int, ...]
    fillers: frozenset[str]
    media: frozenset[str]
    nouns: frozenset[str]
    stops: frozenset[str]
    unnamed: frozenset[str]

    def cues(self, text: str, cut: tuple[names.Word, ...], taken: frozenset[int] = frozenset()) -> tuple[Place, ...]:
        """Find the cues among the words of one sentence: leftmost and longest, none overlapping.

        `taken` are the places of words that belong to names: in "contacté par Le Monde" the article is the name's.
        """
        found: list[Place] = []
        at = 0
        while at < len(cut):
            best = self._best_at(text, cut, at, taken)
            found.extend([best] if best else [])
            at = best.last if best else at + 1
        return tuple(found)

    def _best_at(self, text: str, cut: tuple[names.Word, ...], at: int, taken: frozenset[int]) -> Place | None:
        best: Place | None = None
        for phrase in self._starting(cut[at].folded):
            last = at + len(phrase.parts)
            if taken.isdisjoint(range(at, last)) and _stands_at(phrase, text, cut, at):
                if best is None or last > best.last:
                    best = Place(at, last, phrase.kinds)
                elif last == best.last:
                    best = Place(at, last, best.kinds | phrase.kinds)
        return best

    def _starting(self, word: str) -> Iterable[Phrase]:
        yield from self.by_word.get(word, ())
        for length in self.starts:
            yield from self.by_start.get(word[:length], ()) if len(word) >= length else ()


@dataclass(frozen=True, slots=True)
class Credits:
    """The credit words of all languages."""

    languages: Mapping[str, Language]

    def of(self, language: str | None) -> Language:
        """The words of a language; the fallback's for an unknown one."""
        base = (language or FALLBACK).split("-")[0]
        return self.languages.get(base) or self.languages[FALLBACK]


def from_raw(raw: Mapping[str, Any]) -> Credits:
    """Read the credit words from the compiled lexicon folder.

    Errors: LexiconError naming the file for an unknown field or a language that two files claim.
    """
    languages: dict[str, Language] = {}
    for file, data in raw.items():
        if not file.startswith(FOLDER):
            continue
        unknown = sorted(set(data) - _LISTS - set(Cue))
        if unknown:
            raise LexiconError(file, unknown[0], "unknown field")
        language = _language(data)
        for code in data["languages"]:
            if code in languages:
                raise LexiconError(file, "languages", f"{code!r} stands in another file too")
            languages[code] = language
    return Credits(languages)


def _language(data: Mapping[str, Any]) -> Language:
    kinds: dict[tuple[tuple[str, ...], bool], set[Cue]] = {}
    for cue in Cue:
        for listed in data.get(cue.value) or ():
            parts = names.split_name(str(listed))
            kinds.setdefault((parts, str(listed).endswith("*")), set()).add(cue)
    by_word: dict[str, list[Phrase]] = {}
    by_start: dict[str, list[Phrase]] = {}
    for (parts, open_end), found in kinds.items():
        by_first = by_start if open_end and len(parts) == 1 else by_word
        by_first.setdefault(parts[0], []).append(Phrase(parts, open_end, frozenset(found)))
    return Language(
        {word: tuple(phrases) for word, phrases in by_word.items()},
        {word: tuple(phrases) for word, phrases in by_start.items()},
        tuple(sorted({len(word) for word in by_start})),
        _folded(data.get("filler")),
        _folded(data.get("media")),
        _folded(data.get("noun")),
        _folded(data.get("stop")),
        _folded(data.get("unnamed")),
    )


def _folded(listed: Iterable[str] | None) -> frozenset[str]:
    return frozenset(word for item in listed or () for word in names.split_name(str(item)))


def _stands_at(phrase: Phrase, text: str, cut: tuple[names.Word, ...], at: int) -> bool:
    last = at + len(phrase.parts)
    if last > len(cut):
        return False
    for offset, part in enumerate(phrase.parts):
        word = cut[at + offset].folded
        ends_open = phrase.open_end and offset == len(phrase.parts) - 1
        if word != part and not (ends_open and word.startswith(part)):
            return False
        if offset and text[cut[at + offset - 1].end : cut[at + offset].start] not in _INSIDE:
            return False
    return True
