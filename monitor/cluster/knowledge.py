"""What clustering knows before it has read anything: concepts, places, stop words, frequent words.

Built once from the compiled data folder; no I/O here. Called by whoever builds an index.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitor.text.languages import family

_HEAD = 3
"""No beginning is shorter; by so many first letters they are looked up."""


@dataclass(frozen=True, slots=True)
class Beginnings:
    """Folded words and beginnings of words with what they stand for."""

    whole: Mapping[str, str]
    starts: Mapping[str, tuple[tuple[str, str], ...]]

    def find(self, word: str) -> str | None:
        """What the word stands for; the longest beginning wins, a whole word before all.

        >>> beginnings([("rat.", "war"), ("ratif", "agreement")]).find("ratifikovan")
        'agreement'
        """
        found = self.whole.get(word)
        if found is not None:
            return found
        for start, meaning in self.starts.get(word[:_HEAD], ()):
            if word.startswith(start):
                return meaning
        return None

    def meant(self, beginning: str) -> str | None:
        """What words with this beginning stand for, if they all stand for one thing.

        >>> beginnings([("ratif", "agreement")]).meant("rati"), beginnings([("ratif", "agreement")]).meant("ratifies")
        ('agreement', 'agreement')
        """
        longer = {what for start, what in self.starts.get(beginning[:_HEAD], ()) if start.startswith(beginning)}
        return longer.pop() if len(longer) == 1 else self.find(beginning)


def beginnings(rows: Iterable[tuple[str, str]]) -> Beginnings:
    """Read (written, meaning) pairs; a full stop at the end means the whole word. The first meaning of a word stays.

    A beginning of fewer than three letters stands for too much and is left out.
    """
    whole: dict[str, str] = {}
    starts: dict[str, str] = {}
    for written, meaning in rows:
        if written.endswith("."):
            whole.setdefault(written[:-1], meaning)
        else:
            starts.setdefault(written, meaning)
    heads: dict[str, list[tuple[str, str]]] = {}
    for start in sorted(starts, key=len, reverse=True):
        if len(start) >= _HEAD:
            heads.setdefault(start[:_HEAD], []).append((start, starts[start]))
    return Beginnings(whole, {head: tuple(found) for head, found in heads.items()})


_IS_WORD = re.compile(r"\\b(?:[^|()]|\([^()]*\))*$")
"""A pattern for the beginning of a word, all of it in one alternative."""


@dataclass(frozen=True, slots=True)
class Exclusions:
    """What titles of no story look like: rules with their patterns, and hints without which no rule holds."""

    rules: tuple[tuple[str, re.Pattern[str]], ...] = ()
    hints: tuple[re.Pattern[str], ...] = ()

    def find(self, title: str) -> str | None:
        """The first rule that holds for a folded title.

        >>> _exclusions({"horoscope": {"anywhere": [r"\\bhoroskop"]}}).find("dnevni horoskop")
        'horoscope'
        """
        if not any(hint.search(title) for hint in self.hints):
            return None
        return next((rule for rule, pattern in self.rules if pattern.search(title)), None)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Compiled lexicons, keyed by language family where they depend on it."""

    concepts: Mapping[str, Beginnings] = field(default_factory=dict)
    numerals: Mapping[str, Beginnings] = field(default_factory=dict)
    countries: Beginnings = field(default_factory=lambda: Beginnings({}, {}))
    acronyms: Mapping[str, str] = field(default_factory=dict)
    phrases: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    links: frozenset[str] = frozenset()
    stop_words: frozenset[str] = frozenset()
    prior: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    title_prefixes: frozenset[str] = frozenset()
    text_tails: tuple[str, ...] = ()
    agencies: frozenset[str] = frozenset()
    exclusions: Exclusions = Exclusions()

    @classmethod
    def from_raw(cls, raw: Mapping[str, Any]) -> Knowledge:
        """Build from the data folder as `monitor.lexicons` gives it: file name to content."""
        return cls(
            concepts=_by_family(raw["concepts"]),
            numerals=_by_family(raw["numerals"]),
            countries=_countries(raw["places"]["stems"], raw["cldr_countries"]),
            acronyms={word: code for code, words in raw["places"]["acronyms"].items() for word in words},
            phrases={
                tuple(phrase.split()): code for code, phrases in raw["places"]["phrases"].items() for phrase in phrases
            },
            links=frozenset(raw["places"]["links"]),
            stop_words=frozenset(word for words in raw["stop_words"].values() for word in words.split()),
            prior=_prior(raw.get("prior", {})),
            title_prefixes=frozenset(raw["clean"]["title_prefix"]),
            text_tails=tuple(raw["clean"]["text_tail"]),
            agencies=frozenset(raw["clean"]["agencies"]),
            exclusions=_exclusions(raw["exclusions"]),
        )


def _by_family(raw: Mapping[Any, Mapping[str, str]]) -> dict[str, Beginnings]:
    rows: dict[str, list[tuple[str, str]]] = {}
    for meaning, languages in raw.items():
        for codes, written in languages.items():
            for code in codes.split():
                rows.setdefault(family(code) or code, []).extend((word, str(meaning)) for word in written.split())
    return {name: beginnings(sorted(pairs, key=lambda pair: pair[0])) for name, pairs in sorted(rows.items())}


def _countries(stems: Mapping[str, str], names: Mapping[str, str]) -> Beginnings:
    """Hand-written stems first, then CLDR's names."""
    written = [(word, code) for code, words in stems.items() for word in str(words).split()]
    return beginnings([*written, *((stem, code) for stem, code in sorted(names.items()))])


def _prior(raw: Mapping[str, Mapping[Any, str]]) -> dict[str, dict[str, float]]:
    return {
        name: {word: float(rate) for rate, words in bands.items() for word in words.split()}
        for name, bands in raw.items()
    }


def _exclusions(raw: Mapping[str, Mapping[str, list[str]]]) -> Exclusions:
    starts = [start for patterns in raw.values() for start in patterns.get("start", ())]
    anywhere = [pattern for patterns in raw.values() for pattern in patterns.get("anywhere", ())]
    words = [pattern[2:] for pattern in anywhere if _IS_WORD.match(pattern)]
    others = [pattern for pattern in anywhere if not _IS_WORD.match(pattern)]
    rules = tuple(
        (rule, _any([*patterns.get("anywhere", ()), *(rf"^\W*(?:{start})" for start in patterns.get("start", ()))]))
        for rule, patterns in raw.items()
    )
    # One look at the beginnings of words costs a twentieth of each rule's own search.
    hints = (rf"^\W*(?:{_any(starts).pattern})", rf"\b(?:{_any(words).pattern})", _any(others).pattern)
    return Exclusions(rules, tuple(re.compile(hint) for hint in hints))


def _any(patterns: Sequence[str]) -> re.Pattern[str]:
    """A pattern that finds what one of several finds; without any it finds nothing."""
    return re.compile("|".join(patterns) or r"(?!)")
