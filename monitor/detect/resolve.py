"""Article level: give each verdict a country and a body, and merge what one entry says twice.

Order for a body without country: the same body earlier in the entry, the government its words are about, the title
and lead, the outlet's home for pages written at home, the only government of the entry, else ZZ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from monitor.detect.actors import Actor, Case, Kind
from monitor.detect.findings import Verdict
from monitor.detect.lexicon_rows import Place
from monitor.detect.reading import Parsed
from monitor.values import Certainty

UNKNOWN = "ZZ"
_STRENGTH = ("agreed", "refused", "denied", "confirmed", "announced_action", "condemned", "commented")
_BACK = 2
_FEW = 6
"""Sentences a pronoun or a dropped subject may look back."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A verdict that counts, with its speaker settled. `repeats` say the same elsewhere in the entry."""

    verdict: Verdict
    government: str
    body: str
    via: str
    certainty: Certainty
    order: int = 0
    repeats: tuple[Verdict, ...] = ()


@dataclass(slots=True)
class Memory:
    """What earlier sentences of the entry told."""

    home: str | None
    by_body: dict[str, str] = field(default_factory=dict)
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    last: tuple[int, str, str] | None = None
    subjects: list[str] = field(default_factory=list)
    native: bool = True
    media: bool = False
    titled: bool = False
    mentioned: dict[str, int] = field(default_factory=dict)
    partners: frozenset[str] = frozenset()
    settled: dict[tuple[int, int, str | None], tuple[str, str, str, Certainty]] = field(default_factory=dict)

    def learn(self, parsed: Parsed, verdicts: Sequence[Verdict], number: int) -> None:
        """Remember who was named in a sentence; a speaker who is no government ends what pronouns may mean."""
        self._learn_actors(parsed, number)
        speakers = [verdict.actor for verdict in verdicts if verdict.actor is not None]
        foreign = any(actor.kind in (Kind.THIRD, Kind.ANONYMOUS) for actor in speakers)
        if foreign and all(verdict.reason is not None for verdict in verdicts):
            self.last = None

    def _learn_actors(self, parsed: Parsed, number: int) -> None:
        earlier = self.last
        topic: bool | None = True  # None: a country was named, an office after it is still the better speaker
        for actor in parsed.actors:
            if actor.kind is not Kind.GOVERNMENT:
                self.media = self.media or actor.kind is Kind.MEDIA
                continue
            code = actor.government
            if code:
                self.mentioned[code] = self.mentioned.get(code, 0) + 1
                if not actor.metonym and code != UNKNOWN:
                    self.by_body.setdefault(actor.body, code)
                for name in actor.surnames:
                    self.names.setdefault(name, (code, actor.body))
            if actor.case is Case.SUBJECT and not parsed.sentence.tokens[actor.start].quoted:
                again = _again(actor, number, earlier)
                code, body = again or (code or self._bare(actor)[0], actor.body)
                if actor.metonym and code:
                    self.titled = self.titled or (not self.subjects and parsed.sentence.headline)
                    self.subjects.append(code)
                if code and not actor.bare_speaker and (topic or (topic is None and not actor.metonym)):
                    self.last = (number, code, body)
                    topic = None if actor.metonym else False

    def _bare(self, actor: Actor) -> tuple[str | None, str]:
        if actor.body in self.by_body:
            return self.by_body[actor.body], "article"
        if self.home and self.native:
            return self.home, "outlet"
        if self.subjects and (len(set(self.subjects)) == 1 or self.titled):
            return self.subjects[0], "article"
        governments = {code for code in self.mentioned if code != UNKNOWN and code not in self.partners}
        if len(governments) == 1:
            return governments.pop(), "article"
        return (self.home, "outlet") if self.home else (None, "passage")

    def settle(self, verdict: Verdict, number: int, parsed: Parsed) -> tuple[str, str, str, Certainty] | None:
        """Government, body, via and certainty of a verdict's speaker; None when nobody can be found."""
        actor = verdict.actor
        key = (number, actor.start if actor else -1, actor.government if actor else None)
        if key not in self.settled:
            found = self._settle(verdict, number, parsed)
            if found is None:
                return None
            self.settled[key] = found
        return self.settled[key]

    def judge(self, parsed: Parsed, verdicts: Sequence[Verdict], number: int) -> Iterator[Resolved]:
        """The verdicts of one sentence that count, settled."""
        for verdict in verdicts:
            settled = self.settle(verdict, number, parsed) if verdict.reason is None else None
            if settled is not None:
                government, body, via, certainty = settled
                if via == "passage" and government != UNKNOWN and not (verdict.actor and verdict.actor.metonym):
                    self.by_body.setdefault(body, government)
                yield Resolved(verdict, government, body, via, certainty)

    def _settle(self, verdict: Verdict, number: int, parsed: Parsed) -> tuple[str, str, str, Certainty] | None:
        actor = verdict.actor
        if actor is None or actor.kind is Kind.PRONOUN or actor.bare_speaker:
            near = self._beside(actor, parsed)
            if near is not None:
                return near
            if self.last is not None and number - self.last[0] <= _BACK:
                return self.last[1], self.last[2], "article", Certainty.LIKELY
            return None
        if actor.generic and actor.body == "agency" and (self.media or not verdict.predicate.silent):
            return None
        if actor.government:
            return actor.government, actor.body, "passage", verdict.certainty
        again = _again(actor, number, self.last)
        if again is not None:
            return *again, "article", Certainty.LIKELY
        if actor.body in self.by_body:
            return self.by_body[actor.body], actor.body, "article", Certainty.LIKELY
        foreign = verdict.stance == "denied" and verdict.about not in self.by_body.values()
        if verdict.about and not (self.home and self.native and foreign):
            return verdict.about, actor.body, "passage", Certainty.LIKELY
        code, via = self._bare(actor)
        return code or UNKNOWN, actor.body, via, Certainty.LIKELY

    def _beside(self, actor: Actor | None, parsed: Parsed) -> tuple[str, str, str, Certainty] | None:
        """The government named before a bare spokesperson or pronoun in the same sentence."""
        if actor is None:
            return None
        for other in parsed.actors:
            if other.kind is not Kind.GOVERNMENT or other.case is not Case.SUBJECT or other.metonym:
                continue
            if other.end <= actor.start and other.government:
                return other.government, other.body, "passage", Certainty.LIKELY
            code, via = self._bare(other) if other.end <= actor.start and not other.bare_speaker else (None, "")
            if code:
                return code, other.body, via, Certainty.LIKELY
        return None


def _again(actor: Actor, number: int, last: tuple[int, str, str] | None) -> tuple[str, str] | None:
    """The body named shortly before that a bare "the ministry" takes up."""
    if not actor.generic or last is None or number - last[0] > _BACK:
        return None
    return last[1:] if _alike(actor.body, last[2]) else None


def _alike(body: str, other: str) -> bool:
    """Whether a bare "ministry" or "agency" may mean a body named before."""
    return body == other or (body == "other ministry" and "ministry" in other)


def resolve(
    sentences: Sequence[tuple[Parsed, Sequence[Verdict]]], home: str | None, *, native: bool = True
) -> list[Resolved]:
    """Settle the verdicts of an entry: the text sentence by sentence, then the title with what the text told.

    `native`: the language is spoken in one country, so that "the government" is its own before any other.
    """
    memory = Memory(home, native=native, partners=_partners([parsed for parsed, _ in sentences]))
    for parsed, _ in sentences:
        for code in parsed.places:
            memory.mentioned.setdefault(code, 0)
    out: list[Resolved] = []
    titles = [row for row in sentences if row[0].sentence.headline]
    texts = [row for row in sentences if not row[0].sentence.headline]
    for parsed, _ in titles:
        memory.learn(parsed, (), -1)
    for number, (parsed, verdicts) in enumerate(texts):
        out.extend(memory.judge(parsed, verdicts, number))
        memory.learn(parsed, verdicts, number)
    headed = [row for parsed, verdicts in titles for row in memory.judge(parsed, verdicts, -_BACK - 2)]
    out = [replace(row, order=at) for at, row in enumerate([*headed, *out])]
    return _merge(out)


def _partners(sentences: Iterable[Parsed]) -> frozenset[str]:
    """Countries named only as the other side, "talks with Warsaw": a body without a country is none of theirs."""
    beside: set[str] = set()
    otherwise: set[str] = set()
    for parsed in sentences:
        words, counterpart = parsed.sentence.words, parsed.pack.lists["counterpart"]
        named = [(hit.start, hit.payload.code) for hit in parsed.hits if isinstance(hit.payload, Place)]
        named += [(actor.start, actor.government) for actor in parsed.actors if actor.government]
        for at, code in named:
            (beside if at and counterpart.accepts(words[at - 1]) else otherwise).add(code)
    return frozenset(beside - otherwise)


def _unasked(row: Resolved, rows: Iterable[Resolved]) -> bool:
    """ "No precise answer came" about a body that answers in the same entry is no silence."""
    if row.verdict.actor is not None or row.verdict.stance != "no_reply":
        return False
    return any(other is not row and other.government == row.government for other in rows)


def _merge(rows: Sequence[Resolved]) -> list[Resolved]:
    """One row per government, body and stance; a country as speaker gives way to a body that says the same."""
    rows = [row for row in rows if not _outdone(row, rows) and not _unasked(row, rows)]
    kept: dict[tuple[str, str, str, bool], Resolved] = {}
    for row in rows:
        key = (row.government, row.body, row.verdict.stance, row.verdict.background)
        first = kept.setdefault(key, row)
        if first is not row:
            kept[key] = replace(first, repeats=(*first.repeats, row.verdict))
    return _weaker_comments([row for row in kept.values() if not _empty_confirmation(row, rows)])


def _empty_confirmation(row: Resolved, rows: Iterable[Resolved]) -> bool:
    """ "The government confirmed it": the stance that it confirms stands elsewhere in the entry."""
    start, end = row.verdict.content
    if row.verdict.stance != "confirmed" or end - start > _FEW:
        return False
    return any(
        other.government == row.government and other.verdict.stance in ("agreed", "denied", "refused")
        and not other.verdict.background and other.verdict.sentence is not row.verdict.sentence for other in rows
    )  # fmt: skip


def _voice(row: Resolved) -> str:
    return "government" if row.body == "head of government" else row.body


def _metonym(row: Resolved) -> bool:
    return row.verdict.actor is not None and row.verdict.actor.metonym


def _outdone(row: Resolved, rows: Iterable[Resolved]) -> bool:
    if not _metonym(row):
        return False
    silent = row.verdict.predicate.silent
    return any(
        other.government == row.government and not _metonym(other) and not other.verdict.background
        and (other.verdict.stance == row.verdict.stance or (silent and other.verdict.predicate.silent))
        for other in rows
    )  # fmt: skip


def _weaker_comments(rows: list[Resolved]) -> list[Resolved]:
    """ "commented" beside another answer of the same body says nothing more, unless the sentence gives it a clause."""
    return [row for row in rows if row.verdict.stance != "commented" or not any(_says_more(one, row) for one in rows)]


def _says_more(row: Resolved, comment: Resolved) -> bool:
    """Whether an answer makes a comment of the same voice idle: one holds the other, or the comment only opens it."""
    one, other = row.verdict, comment.verdict
    if one.stance not in _STRENGTH[:-1] or (row.government, _voice(row)) != (comment.government, _voice(comment)):
        return False
    if one.background != other.background:
        return False
    if one.sentence is not other.sentence:  # thanks at the end of an article are no news beside its answer
        return True
    opens = other.predicate.start <= 1 and one.actor == other.actor
    told = other.predicate.stance == "said"
    return opens or (told and (_holds(one, other) or _holds(other, one)))


def _holds(one: Verdict, other: Verdict) -> bool:
    return one.content[0] <= other.predicate.start < one.content[1]
