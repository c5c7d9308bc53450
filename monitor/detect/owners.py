"""The country inside a noun phrase, and further ones that share it: "officials in Oslo and Stockholm".

The nearest country of a sentence is the wrong one as soon as two are named, so only the phrase is looked at. Called by
`actors`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.detect.clauses import Sentence
from monitor.detect.forms import Found
from monitor.detect.lexicon import Pack
from monitor.detect.lexicon_rows import Body, Leader, Place
from monitor.detect.phrases import REACH, Phrase


def country(
    sentence: Sentence, hits: Sequence[Found], head: Found, leader: Leader | None, pack: Pack
) -> tuple[str | None, tuple[str, ...]]:
    """The country inside the phrase, and further ones that share it ("officials in Oslo and Stockholm")."""
    payload = head.payload
    before = [hit.payload for hit in hits if hit.start < head.start and isinstance(hit.payload, Place)]
    if isinstance(payload, Body) and payload.code:
        own_name = payload.row or not before  # "Pakistan's Foreign Office": a common name gives way to its owner
        return (payload.code if own_name else before[0].code), ()
    after = [hit for hit in hits if hit.start > head.start and isinstance(hit.payload, Place)]
    if before:
        return before[0].code, ()
    own: list[Found] = []
    there: list[Found] = []
    for hit in after:
        if _is_surname(sentence, hit, hits, pack):
            continue
        word = sentence.words[hit.start - 1]
        away = pack.lists["in"].accepts(word) or (pack.lists["prep"].accepts(word) and not _possessive(word, pack))
        (there if away else own).append(hit)
    place = own[0].payload if own else None
    if isinstance(place, Place):
        return place.code, ()
    if leader is not None:
        return leader.code, ()
    is_embassy = isinstance(payload, Body) and payload.body == "embassy"
    seat = there[0].payload if there and not is_embassy else None
    if isinstance(seat, Place) and pack.lists["in"].accepts(sentence.words[there[0].start - 1]):
        return seat.code, _further(sentence, there[0], hits)
    return None, ()


def _is_surname(sentence: Sentence, hit: Found, hits: Sequence[Found], pack: Pack) -> bool:
    """Whether a country's name is a person's, not a genitive: "ministar finansija Siniša Mali"."""
    at = hit.start - 1
    named = isinstance(hit.payload, Place) and hit.payload.kind != "adjective" and not hit.payload.shout
    if not named or not pack.has("cased") or not hit.nominative or not sentence.tokens[at].capital:
        return False
    return not any(one.start <= at < one.end for one in hits)


def shared_seat(sentence: Sentence, phrase: Phrase, pack: Pack, hits: Sequence[Found]) -> Iterator[str]:
    """A second capital after the phrase: "leaders in Pristina and Tirana"."""
    last = phrase.hits[-1]
    seated = isinstance(last.payload, Place) and pack.lists["in"].accepts(sentence.words[last.start - 1])
    if not seated or phrase.end + 1 >= len(sentence.words) or not pack.lists["and"].accepts(sentence.words[phrase.end]):
        return
    at = phrase.end + 1
    at += 1 if pack.lists["in"].accepts(sentence.words[at]) else 0
    for hit in hits:
        if hit.start == at and isinstance(hit.payload, Place) and hit.payload.kind != "adjective":
            yield hit.payload.code
            return


def enclosed(head: Found, hits: Sequence[Found]) -> str | None:
    """A country inside the body's own words: "ministère béninois des affaires étrangères", not "European affairs"."""
    for hit in hits:
        if (
            isinstance(hit.payload, Place)
            and hit.payload.code != "EU"
            and head.start < hit.start
            and hit.end < head.end
        ):
            return hit.payload.code
    return None


def _possessive(word: str, pack: Pack) -> bool:
    """Prepositions that are a genitive: of, de, di, von. They stand in both lists, "in" and "for" do not."""
    return bool(pack.lists["of"].accepts(word)) if "of" in pack.lists else False


def _further(sentence: Sentence, seat: Found, hits: Sequence[Found]) -> tuple[str, ...]:
    return tuple(
        hit.payload.code
        for hit in hits
        if hit.start > seat.end and isinstance(hit.payload, Place) and hit.start - seat.end <= REACH
    )
