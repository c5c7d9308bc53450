"""All watches at once: one automaton over the folded text, and only touched watches evaluated.

    compile -> fold -> scan -> touched watches -> evaluate -> spans

A watch is looked at only when a member of its key group (the rarest thing it requires) may occur, so an entry costs
nearly the same with ten watches and with ten thousand. Builds nothing from files and keeps no state between entries.
Called by pipeline, lab, explain and bench.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import ahocorasick

from monitor.match import compiler, filters, tree
from monitor.match.compiler import Compiled
from monitor.match.concepts import Concepts
from monitor.match.evaluate import Mark
from monitor.match.filters import Facts
from monitor.match.scan import FIELDS, Entry, Leaf
from monitor.text import languages
from monitor.values import Match, Span


@dataclass(frozen=True, slots=True)
class WatchQuery:
    """A watch as far as matching goes. `languages`: only entries of these (and of unknown language); None for all."""

    name: str
    tree: tree.Node
    languages: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """An entry as far as matching goes. `language` and `country` are codes; None is unknown."""

    title: str
    text: str
    language: str | None = None
    outlet: str | None = None
    domain: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """How much work an entry was: anchors looked for, anchors found, watches looked at."""

    anchors: int
    anchors_found: int
    watches_looked_at: int


def compile(watches: Sequence[WatchQuery], concepts: Concepts) -> Matcher:  # noqa: A001  the verb of the glossary
    """Build a matcher; about half a millisecond per watch. The old one stays usable: swap them when this returns."""
    builder = compiler.Builder(concepts)
    compiled = [builder.watch(watch.name, watch.tree) for watch in watches]
    return Matcher(tuple(watches), tuple(compiled), tuple(builder.leaves), concepts)


class Matcher:
    """Finds the watches an entry satisfies. Immutable once built; safe to share between threads."""

    def __init__(
        self,
        watches: tuple[WatchQuery, ...],
        compiled: tuple[Compiled, ...],
        leaves: tuple[Leaf, ...],
        concepts: Concepts,
    ) -> None:
        self.watches = watches
        self.compiled = compiled
        self.concepts = concepts
        self._automaton = self._build(leaves)
        self._keyed = _keyed(compiled, len(leaves))
        self._numbers = {watch.name: number for number, watch in enumerate(watches)}

    def _build(self, leaves: Iterable[Leaf]) -> ahocorasick.Automaton | None:
        sharing: dict[str, list[Leaf]] = {}
        for leaf in leaves:
            for anchor in leaf.anchors():
                sharing.setdefault(anchor, []).append(leaf)
        automaton = ahocorasick.Automaton()
        for anchor, finders in sharing.items():
            # What is subtracted from the end of a find to get to the first letter behind the border.
            back = len(anchor.lstrip(" ")) - 1
            automaton.add_word(anchor, (back, tuple((leaf.number, leaf.families) for leaf in finders)))
        automaton.make_automaton()
        return automaton if sharing else None

    # --------------------------------------------------------------------------------------------- matching

    def match(self, document: Document) -> tuple[Match, ...]:
        """Every watch the entry satisfies, in the order of the configuration; spans in code points of the fields."""
        entry, facts = self.scan(document), facts_of(document)
        found = []
        for number in sorted(self.touched(entry)):
            if self.may_speak(number, facts):
                marks = self.compiled[number].check.marks(entry, facts)
                if marks:
                    found.append(Match(self.watches[number].name, spans(marks)))
        return tuple(found)

    def scan(self, document: Document) -> Entry:
        """Fold an entry and look for every anchor in it."""
        entry = Entry((document.title, document.text), self.concepts.acronyms_that_are_words)
        if self._automaton is None:
            return entry
        family = languages.family(document.language)
        hits = entry.hits
        for field in entry.fields:
            for end, (back, finders) in self._automaton.iter(field.blank):
                for leaf, families in finders:
                    if families is None or family is None or family in families:
                        hits.setdefault(leaf, []).append((field.number, end - back))
        return entry

    def touched(self, entry: Entry) -> set[int]:
        """The watches whose key group may occur in an entry."""
        return {watch for leaf in entry.hits for watch in self._keyed[leaf]}

    def may_speak(self, number: int, facts: Facts) -> bool:
        """Whether a watch looks at entries of this language."""
        wanted = self.watches[number].languages
        return wanted is None or languages.base(facts.language) is None or _one_of(facts.language, wanted)

    def number(self, name: str) -> int:
        """A watch's place in the configuration."""
        return self._numbers[name]

    def look(self, entry: Entry) -> Look:
        """What a scan found, for `explain` and metrics."""
        anchors = 0 if self._automaton is None else len(self._automaton)
        return Look(anchors, sum(map(len, entry.hits.values())), len(self.touched(entry)))


def _one_of(language: str | None, wanted: Iterable[str]) -> bool:
    return any(languages.speaks(language, code) for code in wanted)


def _keyed(compiled: Sequence[Compiled], leaves: int) -> tuple[tuple[int, ...], ...]:
    """For each leaf the watches it is a key of."""
    watches: list[list[int]] = [[] for _ in range(leaves)]
    for number, watch in enumerate(compiled):
        for leaf in watch.key:
            watches[leaf].append(number)
    return tuple(map(tuple, watches))


def facts_of(document: Document) -> Facts:
    """What filters may ask of an entry."""
    return Facts(
        document.language,
        filters.name_words(document.outlet) if document.outlet else "",
        filters.domain_of(document.domain) if document.domain else "",
        (document.country or "").upper(),
    )


def spans(marks: Iterable[Mark]) -> tuple[Span, ...]:
    """Marks as spans: title first, by start, without equal ones and without those inside another."""
    return tuple(Span(FIELDS[field], start, end, term) for field, start, end, term in _outermost(marks))


def _outermost(marks: Iterable[Mark]) -> Iterator[Mark]:
    field = farthest = -1
    for mark in sorted(marks, key=lambda mark: (mark[0], mark[1], -mark[2])):
        if mark[0] != field or mark[2] > farthest:
            yield mark
            field, farthest = mark[0], mark[2]
