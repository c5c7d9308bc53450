"""Find the predicates of a sentence: non-answers first, then speech and stance, each with its row of the lexicon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.detect.clauses import Sentence
from monitor.detect.forms import Element, Found
from monitor.detect.lexicon import Pack
from monitor.detect.lexicon_rows import Row

_OBJECT = 7
_FRONTED = 3
"""Words before a verb that may be its object, where word order is free."""
_SHORT = 12
"""Words after a verb that may be its object."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """A row's form at `tokens[start:end]`; `stance` is the row's, or what the verb's object makes of it."""

    start: int
    end: int
    row: Row
    stance: str

    @property
    def silent(self) -> bool:
        """Whether it is a non-answer."""
        return self.stance in ("declined", "no_reply")


def find(
    sentence: Sentence, hits: Sequence[Found], clauses: Sequence[tuple[int, int]], pack: Pack
) -> tuple[Predicate, ...]:
    """All predicates outside quotations, from left to right, none inside another."""
    rows = [hit for hit in hits if isinstance(hit.payload, Row) and not _quoted(sentence, hit)]
    rows.sort(key=lambda hit: (_order(hit), hit.start - hit.end, _softer(hit), hit.start))
    chosen: list[Predicate] = []
    used: set[int] = set()
    for hit in rows:
        if used.isdisjoint(range(hit.start, hit.end)):
            noun = _noun(sentence, hit, pack)
            made = None if noun else _made(sentence, hit, _clause(clauses, hit.start), pack)
            if made is not None:
                used.update(range(hit.start, hit.end))
                chosen.append(made)
    return tuple(sorted(chosen, key=lambda predicate: predicate.start))


def _quoted(sentence: Sentence, hit: Found) -> bool:
    """Whether a row's form is no verb of this sentence: quoted, or a name ("the United States")."""
    token = sentence.tokens[hit.start]
    if token.quoted:
        row = hit.payload
        return not (isinstance(row, Row) and row.silent and _short_quotation(sentence, hit.start))
    if not token.capital or sentence.shouting or hit.start == 0:
        return False
    return sentence.words[hit.start - 1] not in (".", ":", '"', "-", "(")


def _short_quotation(sentence: Sentence, at: int) -> bool:
    """A quotation of a few words is an answer by itself: "No comment"."""
    first = last = at
    while first and sentence.tokens[first - 1].quoted and sentence.words[first] != '"':
        first -= 1
    while last + 1 < len(sentence.tokens) and sentence.tokens[last + 1].quoted and sentence.words[last] != '"':
        last += 1
    return last - first <= _SHORT


def _noun(sentence: Sentence, hit: Found, pack: Pack) -> bool:
    """Whether the form is a noun ("the claims", "une demande") or a participle without its auxiliary."""
    row = hit.payload
    assert isinstance(row, Row)
    if row.silent:
        return False
    if sentence.tokens[hit.start].definite:
        return True
    if hit.end - hit.start > 1 or hit.start == 0:
        return False
    if pack.lists["article"].accepts(sentence.words[hit.start - 1]):
        return True
    if row.stance != "said" and pack.has("headnouns") and pack.lists["prep"].accepts(sentence.words[hit.start - 1]):
        return True  # "warned against protests"
    if _attribute(sentence, hit, pack):
        return True
    endings = pack.endings("aux_participle")
    if endings and sentence.cut(hit.start, hit.end).lower().endswith(endings):
        before = sentence.words[max(0, hit.start - 4) : hit.start]
        return not any(pack.lists["perfect"].accepts(word) for word in before)
    return False


def _attribute(sentence: Sentence, hit: Found, pack: Pack) -> bool:
    """A passive participle that only describes the noun behind it: "prima odbijene azilante" refuses nobody.

    With its auxiliary ("je odbijen") or without a noun behind it ("predlog odbijen") it tells what happened.
    """
    endings, lists = pack.endings("attribute"), pack.lists
    if not endings or not sentence.words[hit.start].endswith(endings) or hit.end >= len(sentence.words):
        return False
    after = sentence.words[hit.end]
    names = ("prep", "in", "from", "perfect", "and", "that", "by")
    if not after[0].isalpha() or any(lists[name].accepts(after) for name in names):
        return False
    return not any(lists["perfect"].accepts(word) for word in sentence.words[max(0, hit.start - 3) : hit.start])


def _order(hit: Found) -> int:
    row = hit.payload
    assert isinstance(row, Row)
    return 0 if row.silent else 1


def _softer(hit: Found) -> bool:
    """Of two non-answers in the same words the refusal says more than the silence."""
    row = hit.payload
    return isinstance(row, Row) and row.stance == "no_reply"


def _clause(clauses: Sequence[tuple[int, int]], at: int) -> tuple[int, int]:
    return next(((start, end) for start, end in clauses if start <= at < end), (0, 0))


def _made(sentence: Sentence, hit: Found, clause: tuple[int, int], pack: Pack) -> Predicate | None:
    row = hit.payload
    assert isinstance(row, Row)
    words = sentence.words[clause[0] : clause[1]]
    if row.needs is not None and not _any(row.needs, words):
        return None
    if row.before is not None and not _any(row.before, sentence.words[clause[0] : hit.start]):
        return None
    if row.excludes is not None and _any(row.excludes, words):
        return None
    stance = row.stance
    after = sentence.words[hit.end : min(hit.end + _OBJECT, clause[1])]
    before = sentence.words[max(clause[0], hit.start - _FRONTED) : hit.start] if pack.has("inversion") else ()
    for changed, objects in row.objects:
        fronted = changed == "denied" and _any(objects, before)  # "vlada je te navode odbacila"
        if fronted or _any(objects, (*sentence.words[hit.start : hit.end], *after)):
            stance = changed
            break
    return None if stance == "nothing" else Predicate(hit.start, hit.end, row, stance)


def _any(element: Element, words: Sequence[str]) -> bool:
    return any(element.accepts(word) for word in words)
