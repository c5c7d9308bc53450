"""Whose question was not answered: the outlet named with the request, the entry's own outlet, or nobody known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from monitor.detect.actors import Kind
from monitor.detect.clauses import Sentence
from monitor.detect.findings import Verdict
from monitor.detect.reading import Parsed
from monitor.detect.resolve import Resolved
from monitor.values import Asker, Domain, EntryText, Finding

_NEAR = 6
"""Words between an outlet's name and the request it made."""


class Hit(Protocol):
    """An outlet's name in a text."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def domain(self) -> str | None: ...
    @property
    def strict(self) -> bool: ...


def token_spans(sentence: Sentence, hits: Sequence[Hit]) -> list[tuple[int, int]]:
    """The names of outlets in a sentence as spans of its tokens; common words only in quotation marks."""
    spans = []
    for hit in hits:
        if hit.end <= sentence.start or hit.start >= sentence.end:
            continue
        inside = [at for at, token in enumerate(sentence.tokens) if hit.start <= token.start < hit.end]
        if inside and not (hit.strict and not sentence.tokens[inside[0]].quoted):
            spans.append((inside[0], inside[-1] + 1))
    return spans


class Askers:
    """Finds the asker of each non-answer of one entry."""

    def __init__(
        self,
        doc: EntryText,
        sentences: Sequence[tuple[Parsed, Sequence[Verdict]]],
        names: Mapping[str, Sequence[Hit]],
        rows: Sequence[Resolved],
        publisher: Callable[[Domain], str],
    ) -> None:
        """`publisher` tells whose a domain is: a newsroom names itself by the name of its sister, too."""
        self.outlet = doc.outlet
        self.publisher = publisher
        self.parsed = {id(parsed.sentence): parsed for parsed, _ in sentences}
        self.order = [parsed.sentence for parsed, _ in sentences]
        self.names = names
        self.rows = rows
        self.original = self._is_original()
        self.requests = any(self._own_request(row) for row in rows if row.verdict.predicate.silent)

    def of(self, row: Resolved) -> Asker | None:
        """The outlet that asked, None when the text does not tell."""
        sentences = [verdict.sentence for verdict in (row.verdict, *row.repeats)]
        for sentence in sentences:
            named = self._named(sentence)
            if named is not None:
                return named
        if self.outlet is not None and any(self._tagged(sentence, "own", "request") for sentence in sentences):
            return self._home()
        told = self._told(row)
        if told is not None:
            return told
        return self._home() if self.original and self.requests else None

    def hand(self, row: Resolved) -> str:
        """`first` when the entry brings the statement itself, `relay` when it has it from somebody."""
        if row.verdict.background:
            return "relay"
        hits = self._hits(row.verdict.sentence)
        others = [hit for hit in hits if not self._is_own(hit)]
        return "relay" if others or (not self.original and not hits) else "first"

    def _home(self) -> Asker | None:
        return Asker(self.outlet.name, self.outlet.domain) if self.outlet else None

    def _hits(self, sentence: Sentence) -> list[Hit]:
        """The outlets named in a sentence, but not those whose name is part of a government body's."""
        taken = [
            (sentence.tokens[actor.start].start, sentence.tokens[actor.end - 1].end)
            for actor in self.parsed[id(sentence)].actors
            if actor.kind is Kind.GOVERNMENT
        ]
        return [
            hit
            for hit in self.names.get(sentence.field, ())
            if sentence.start <= hit.start < sentence.end
            and not any(start <= hit.start and hit.end <= end for start, end in taken)
        ]

    def _named(self, sentence: Sentence) -> Asker | None:
        """An outlet next to a request, or as the one who asked."""
        parsed = self.parsed[id(sentence)]
        places = [
            at for at, word in enumerate(sentence.words)
            if parsed.pack.lists["request"].accepts(word) or parsed.pack.lists["asked"].accepts(word)
        ]  # fmt: skip
        told = [at for at, word in enumerate(sentence.words) if parsed.pack.lists["told"].accepts(word)]
        refused = [one.end for one in parsed.predicates if one.silent]
        for hit in self._hits(sentence):
            spans = token_spans(sentence, (hit,)) or _spans(sentence, hit)
            for start, end in spans:
                if any(start - _NEAR <= at <= end + _NEAR and at not in range(start, end) for at in places):
                    return Asker(hit.name, Domain(hit.domain) if hit.domain else None)
                if any(start - 3 <= at < start for at in told) or _addressed(parsed, refused, start):
                    return Asker(hit.name, Domain(hit.domain) if hit.domain else None)
        return None

    def _told(self, row: Resolved) -> Asker | None:
        """The outlet that the same body answered in this entry."""
        for other in self.rows:
            same = (other.government, other.body) == (row.government, row.body)
            if same and not other.verdict.predicate.silent and not other.verdict.background:
                for verdict in (other.verdict, *other.repeats):
                    for hit in self._hits(verdict.sentence):
                        return Asker(hit.name, Domain(hit.domain) if hit.domain else None)
        return None

    def _own_request(self, row: Resolved) -> bool:
        return self._tagged(row.verdict.sentence, "request")

    def _tagged(self, sentence: Sentence, *names: str) -> bool:
        parsed = self.parsed[id(sentence)]
        return all(any(parsed.pack.lists[name].accepts(word) for word in sentence.words) for name in names)

    def _is_own(self, hit: Hit) -> bool:
        if self.outlet is None or hit.domain is None:
            return False
        return self.publisher(Domain(hit.domain)) == self.outlet.publisher

    def _is_original(self) -> bool:
        """No other outlet is credited in the title and the first two sentences of the text."""
        if self.outlet is None:
            return False
        lead = [sentence for sentence in self.order if sentence.field == "title"]
        lead += [sentence for sentence in self.order if sentence.field == "text"][:2]
        return all(self._is_own(hit) or hit.strict for sentence in lead for hit in self._hits(sentence))


def _addressed(parsed: Parsed, refused: Sequence[int], start: int) -> bool:
    """Whether a refusal is addressed to the outlet named there: "declined to comment to the Harbour Post"."""
    words, lists = parsed.sentence.words, parsed.pack.lists
    first = start - 1
    while first > 0 and lists["det"].accepts(words[first]) and not lists["prep"].accepts(words[first]):
        first -= 1
    return first in refused and bool(lists["prep"].accepts(words[first]))


def _spans(sentence: Sentence, hit: Hit) -> list[tuple[int, int]]:
    inside = [at for at, token in enumerate(sentence.tokens) if hit.start <= token.start < hit.end]
    return [(inside[0], inside[-1] + 1)] if inside else []


def merged(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Rows that differ only in an unknown asker are one; answers by government, body and stance."""
    rows: dict[tuple[str, str, str, str | None, bool], Finding] = {}
    for finding in found:
        asker = finding.asker.domain or finding.asker.name if finding.asker else None
        rows.setdefault((finding.government, finding.body, finding.stance, asker, finding.background), finding)
    return tuple(
        finding for (government, body, stance, asker, background), finding in rows.items()
        if asker is not None or not any(
            key[:3] == (government, body, stance) and key[3] is not None and key[4] == background for key in rows
        )
    )  # fmt: skip
