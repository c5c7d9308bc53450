"""Join names to noun phrases: adjective, body, country, holder, and the field behind an office.

What belongs together is decided by the words between, never by nearness alone. Called by `actors`, which says who the
phrase is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.detect import named
from monitor.detect.clauses import Sentence
from monitor.detect.forms import PUNCTUATION, Found
from monitor.detect.lexicon import Pack
from monitor.detect.lexicon_rows import Body, Leader, Place, Row, Tag
from monitor.text.fold import fold

REACH = 3
"""Words that may stand between the parts of a phrase."""
_NAMES = 4
"""Capitalised words after an office that are taken as its holder's name."""


@dataclass(frozen=True, slots=True)
class Phrase:
    hits: tuple[Found, ...]
    start: int
    end: int


def phrases(sentence: Sentence, chosen: list[Found], hits: Sequence[Found], pack: Pack) -> Iterator[Phrase]:
    verbs = {at for hit in hits if isinstance(hit.payload, Row) for at in _verbs(hit, hit.payload)}
    group: list[Found] = []
    for hit in chosen:
        if group and not _joins(sentence, group, hit, pack, verbs):
            yield _closed(sentence, group, chosen, verbs, pack)
            group = []
        group.append(hit)
    if group:
        yield _closed(sentence, group, chosen, verbs, pack)


def _verbs(hit: Found, row: Row) -> Sequence[int]:
    """The words that belong to the predicate itself: a form around its actor is only its ends."""
    around = row.actor == "any" or hit.end - hit.start > REACH + 1
    return (hit.start, hit.end - 1) if around else range(hit.start, hit.end)


def _joins(sentence: Sentence, group: list[Found], hit: Found, pack: Pack, verbs: set[int]) -> bool:
    last = group[-1]
    if named.is_pronoun(last) or named.is_pronoun(hit):
        return False
    if isinstance(last.payload, Tag) and pack.lists["neg"].accepts(sentence.words[last.start]):
        return False
    between = range(last.end, hit.start)
    if len(between) > REACH + 2 or sentence.tokens[hit.start].quoted != sentence.tokens[last.start].quoted:
        return False
    if not between:
        return _adjacent(last, hit, pack, sentence.tokens[last.end - 1].ending)
    words = sentence.words
    if words[last.end] == ",":
        return _apposition(sentence, last, hit, between)
    fixed = isinstance(last.payload, Place) and last.payload.kind != "adjective"
    for at in between:
        word, token = words[at], sentence.tokens[at]
        if word in PUNCTUATION or at in verbs:
            return False
        glue = pack.lists["det"].accepts(word) or pack.lists["genitive"].accepts(word)
        if not glue and not (token.capital and not sentence.shouting):
            return False
    if fixed and isinstance(hit.payload, Leader) and any(isinstance(one.payload, Body) for one in group):
        return True
    if fixed:
        return words[last.end] == "'s" and not isinstance(hit.payload, Place)
    return not (isinstance(hit.payload, Tag) and pack.lists["genitive"].accepts(words[last.end]))


def _adjacent(last: Found, hit: Found, pack: Pack, ending: str) -> bool:
    if isinstance(last.payload, Place) and last.payload.kind != "adjective":
        if pack.has("verb_final") and isinstance(hit.payload, Place):
            return bool(ending)  # "Sırbistan'ın Ankara Büyükelçiliği": the owner, then the seat
        return not pack.has("cased") and not isinstance(hit.payload, (Place, Tag))
    if isinstance(hit.payload, Tag):
        return not isinstance(last.payload, (Leader, Body))
    return True


def _apposition(sentence: Sentence, last: Found, hit: Found, between: range) -> bool:
    """ "Foreign Minister of Serbia, Marko Djuric" and "Anne Richards, assistant secretary"."""
    named = isinstance(last.payload, Leader) or isinstance(hit.payload, Leader)
    others = [at for at in between if at != between[0] and not sentence.tokens[at].capital]
    return named and not others and not isinstance(hit.payload, Tag) and not isinstance(last.payload, Tag)


def _closed(sentence: Sentence, group: list[Found], chosen: list[Found], verbs: set[int], pack: Pack) -> Phrase:
    """The phrase with the names that follow it: "minister Ana Novak", "minister, Ana Novak,"."""
    end = group[-1].end
    starts = {hit.start for hit in chosen}
    last = group[-1].payload
    if isinstance(last, Place) and last.kind != "adjective" and len(group) == 1:
        return Phrase(tuple(group), group[0].start, end)
    if not sentence.shouting:
        end = _portfolio(sentence, end, starts, verbs, pack)
        grown = _grow(sentence, end, starts, verbs, pack)
        if grown == end and end + 1 < len(sentence.words) and sentence.words[end] == ",":
            name = _grow(sentence, end + 1, starts, verbs, pack)
            if name > end + 1 and name < len(sentence.words) and sentence.words[name] == ",":
                grown = name + 1
        end = grown
    return Phrase(tuple(group), _given(sentence, group[0], starts, verbs), end)


def _portfolio(sentence: Sentence, end: int, starts: set[int], verbs: set[int], pack: Pack) -> int:
    """The end of the field behind an office: "la ministre belge de l'Asile et de la Migration"."""
    word, at = sentence.words, end
    for _ in range(REACH):
        begun = at
        if at > end and at < len(word) and pack.lists["and"].accepts(word[at]):
            at += 1
        if at >= len(word) or not pack.lists["of"].accepts(word[at]):
            return begun
        at = past_articles(sentence, at + 1, pack)
        if at >= len(word) or not sentence.tokens[at].capital or at in starts or at in verbs:
            return begun
        at += 1
    return at


def past_articles(sentence: Sentence, at: int, pack: Pack) -> int:
    while (
        at < len(sentence.words) and not sentence.tokens[at].capital and pack.lists["det"].accepts(sentence.words[at])
    ):
        at += 1
    return at


def _given(sentence: Sentence, first: Found, starts: set[int], verbs: set[int]) -> int:
    """Where the phrase of a holder begins, given names included."""
    at = first.start
    if isinstance(first.payload, Leader) and not sentence.shouting:
        given = set(fold(first.payload.name).replace("-", " ").split())
        while at and at - 1 not in starts and at - 1 not in verbs and named.given_name(sentence.words[at - 1], given):
            at -= 1
    return at


def _grow(sentence: Sentence, at: int, starts: set[int], verbs: set[int], pack: Pack) -> int:
    begun = at
    while at < len(sentence.words) and at - begun < _NAMES:
        token = sentence.tokens[at]
        if not token.capital or at in starts or at in verbs or token.word in PUNCTUATION:
            break
        if pack.lists["split"].accepts(token.word):
            break
        at += 1
    return at
