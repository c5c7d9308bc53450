"""A sentence with everything found in it: actors, predicates, clauses, relative clauses. No judgement yet.

Made once per sentence by `responses`, read by `speakers`, `findings`, `askers` and `explain`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from monitor.detect import actors as actors_of
from monitor.detect import predicates
from monitor.detect.actors import Actor
from monitor.detect.clauses import Sentence
from monitor.detect.forms import Found
from monitor.detect.lexicon import Pack
from monitor.detect.lexicon_rows import Body, Place, Tag
from monitor.detect.predicates import Predicate


@dataclass(frozen=True, slots=True)
class Parsed:
    """A sentence with everything that was found in it."""

    sentence: Sentence
    pack: Pack
    hits: tuple[Found, ...]
    clauses: tuple[tuple[int, int], ...]
    embedded: tuple[tuple[int, int], ...]
    actors: tuple[Actor, ...]
    predicates: tuple[Predicate, ...]
    day: date | None = None
    before: Parsed | None = None

    def tags(self, name: str, start: int, end: int) -> list[Found]:
        """Hits of one word list in a stretch of words."""
        return [
            hit for hit in self.hits
            if isinstance(hit.payload, Tag) and hit.payload.name == name and start <= hit.start < end
        ]  # fmt: skip

    @property
    def places(self) -> list[str]:
        """Codes of all countries named, in whatever case."""
        return [hit.payload.code for hit in self.hits if isinstance(hit.payload, Place)]

    def clause(self, at: int) -> tuple[int, int]:
        """The clause that holds a word."""
        return next(((start, end) for start, end in self.clauses if start <= at < end), (0, len(self.sentence.words)))

    def embedding(self, at: int) -> tuple[int, int] | None:
        """The relative clause that holds a word."""
        return next((span for span in self.embedded if span[0] <= at < span[1]), None)


def parse(
    sentence: Sentence, pack: Pack, day: date | None, media: Sequence[tuple[int, int]], before: Parsed | None = None
) -> Parsed:
    """Find everything in a sentence; linking comes after."""
    hits = tuple(hit for hit in pack.index.find(sentence.words) if not _reflexive(sentence, hit, pack))
    spans = _clauses(sentence, hits, pack)
    embedded = _embedded(sentence, hits)
    outside = [span for span in media if not _part_of_body(span, hits)]
    found = actors_of.find(sentence, hits, pack, day, outside)
    return Parsed(
        sentence, pack, hits, spans, embedded, found, predicates.find(sentence, hits, spans, pack), day, before
    )


def _reflexive(sentence: Sentence, hit: Found, pack: Pack) -> bool:
    """Whether a word for "if" is a pronoun here: Portuguese "se" before a finite verb, "o ministério se recusou"."""
    if not isinstance(hit.payload, Tag) or hit.payload.name not in ("condition", "whether"):
        return False
    endings = pack.endings("finite")
    if not endings or hit.end - hit.start > 1 or hit.end >= len(sentence.words):
        return False
    return sentence.words[hit.end].endswith(endings) and not sentence.tokens[hit.end].capital


def _part_of_body(span: tuple[int, int], hits: Sequence[Found]) -> bool:
    """Whether an outlet's name is only part of a body's: "Foreign Affairs" in "Ministry of Foreign Affairs"."""
    return any(isinstance(hit.payload, Body) and hit.start <= span[0] and span[1] <= hit.end for hit in hits)


def _clauses(sentence: Sentence, hits: Sequence[Found], pack: Pack) -> tuple[tuple[int, int], ...]:
    cuts = {at for at, word in enumerate(sentence.words) if word == ";"}
    for hit in hits:
        if isinstance(hit.payload, Tag) and hit.payload.name == "split" and hit.start and not _inside(sentence, hit):
            after = sentence.words[hit.end] if hit.end < len(sentence.words) else ""
            if not pack.lists["that"].accepts(after):
                cuts.add(hit.start)
    edges = [0, *sorted(cuts), len(sentence.words)]
    return tuple((start, end) for start, end in pairwise(edges) if end > start)


def _inside(sentence: Sentence, hit: Found) -> bool:
    return sentence.tokens[hit.start].quoted


def _embedded(sentence: Sentence, hits: Sequence[Found]) -> tuple[tuple[int, int], ...]:
    """Relative clauses between commas: ", which declined last year," says nothing of the main verb."""
    spans: list[tuple[int, int]] = []
    words = sentence.words
    for hit in hits:
        if not isinstance(hit.payload, Tag) or hit.payload.name != "relative" or _inside(sentence, hit):
            continue
        if hit.start == 0 or (spans and hit.start < spans[-1][1]):
            continue
        comma = words[hit.start - 1] == ","
        end = next((at for at in range(hit.end, len(words)) if words[at] in (",", ";", "-") or
                    sentence.tokens[at].quoted), len(words))  # fmt: skip
        if not comma and end == len(words):
            continue
        spans.append((hit.start, end))
    return tuple(spans)
