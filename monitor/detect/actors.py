"""Find who stands in a sentence: governments and their bodies, and those who are none (parties, analysts, courts).

Names found by the lexicon are joined to noun phrases first, and the country is looked for inside the phrase: the
nearest country of the sentence is the wrong one as soon as two are named. Who of them speaks is `findings`' question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from monitor.detect.clauses import Sentence
from monitor.detect.forms import PUNCTUATION, Found
from monitor.detect.lexicon import Pack
from monitor.detect.lexicon_rows import Body, Leader, Place, Row, Speaker, Tag
from monitor.text.fold import fold

_NAMES = 4
"""Capitalised words after an office that are taken as its holder's name."""
_REACH = 3
_UNDATED = date(2025, 10, 1)
"""A text without a date may be this old: who left office later still counts as its holder."""


class Kind(StrEnum):
    """What an actor is to the detector."""

    GOVERNMENT = "government"
    THIRD = "third"
    ANONYMOUS = "anonymous"
    MEDIA = "media"
    PRONOUN = "pronoun"


class Case(StrEnum):
    """How the phrase stands in its clause."""

    SUBJECT = "subject"
    OBLIQUE = "oblique"
    FROM = "from"
    IN = "in"
    BY = "by"


@dataclass(frozen=True, slots=True)
class Actor:
    """A noun phrase, `tokens[start:end]` of its sentence. `government` is None while no country is known.

    `metonym`: a country or capital stands for its government; `officials`: unnamed people in the plural; `generic`: a
    bare word like "ministry"; `bare_speaker`: a spokesperson of nobody named; `surnames`: folded words that may name
    the same speaker later.
    """

    start: int
    end: int
    kind: Kind
    case: Case
    government: str | None = None
    body: str = ""
    metonym: bool = False
    officials: bool = False
    bare_speaker: bool = False
    generic: bool = False
    surnames: tuple[str, ...] = ()
    rule: str = ""


@dataclass(frozen=True, slots=True)
class _Phrase:
    hits: tuple[Found, ...]
    start: int
    end: int


def find(
    sentence: Sentence, hits: Sequence[Found], pack: Pack, day: date | None, media: Sequence[tuple[int, int]]
) -> tuple[Actor, ...]:
    """All actors of a sentence, from left to right. `media` are the token spans of outlets' names."""
    taken = [*media]
    chosen = _longest(sentence, hits, taken, day)
    actors = [
        Actor(start, end, Kind.MEDIA, _case(sentence, hits, pack, start, nominative=True)) for start, end in media
    ]
    for phrase in _phrases(sentence, chosen, hits, pack):
        actors.extend(_interpret(sentence, phrase, hits, pack, day))
    actors.sort(key=lambda actor: actor.start)
    return tuple(_shared_body(sentence, actors, at, pack) for at in range(len(actors)))


def _shared_body(sentence: Sentence, actors: Sequence[Actor], at: int, pack: Pack) -> Actor:
    """A second country behind a body of the first: "the prime ministers of Poland and Hungary"."""
    actor, before = actors[at], actors[at - 1] if at else None
    if not actor.metonym or before is None or before.kind is not Kind.GOVERNMENT or before.metonym:
        return actor
    words, lists = sentence.words, pack.lists
    between = words[before.end : actor.start]
    joined = bool(between) and lists["and"].accepts(between[0]) and len(between) <= _REACH
    rest = all(lists[name].accepts(word) for word in between[1:] for name in ("of",)) if "of" in lists else False
    if not joined or not (rest or len(between) == 1) or not _genitive_last(sentence, before, pack):
        return actor
    return replace(actor, case=before.case, body=before.body, metonym=False, rule=before.rule)


def _genitive_last(sentence: Sentence, actor: Actor, pack: Pack) -> bool:
    """Whether the phrase ends with the country that owns it: "of Poland"."""
    inside = range(actor.start + 1, actor.end - 1)
    return any(pack.lists["of"].accepts(sentence.words[at]) for at in inside)


def _longest(
    sentence: Sentence, hits: Sequence[Found], taken: Sequence[tuple[int, int]], day: date | None
) -> list[Found]:
    """The longest hits that name somebody, none overlapping."""
    offices = {hit.start for hit in hits if isinstance(hit.payload, (Body, Speaker))}
    rows = [hit for hit in hits if _names_somebody(sentence, hit, hits)]
    rows = [hit for hit in rows if not (_is_pronoun(hit) and hit.end in offices)]  # "het ministerie": an article
    rows = [hit for hit in rows if not _succeeded(hit, rows, day)]
    rows.sort(key=lambda hit: (hit.start - hit.end, _rank(hit), not hit.nominative, hit.start))
    used = {at for start, end in taken for at in range(start, end)}
    chosen = []
    for hit in rows:
        if used.isdisjoint(range(hit.start, hit.end)):
            used.update(range(hit.start, hit.end))
            chosen.append(hit)
    return sorted(chosen, key=lambda hit: hit.start)


def _succeeded(hit: Found, rows: Sequence[Found], day: date | None) -> bool:
    """Whether another row of the same name holds an office on the day, and this one does not."""
    if not isinstance(hit.payload, Leader) or _in_office(hit.payload.since, hit.payload.until, day):
        return False
    return any(
        isinstance(one.payload, Leader)
        and one.start < hit.end
        and hit.start < one.end
        and _in_office(one.payload.since, one.payload.until, day)
        for one in rows
    )


def _rank(hit: Found) -> int:
    payload = hit.payload
    if isinstance(payload, Body):
        return 0 if payload.code else 1
    if isinstance(payload, Leader):
        return 2
    if isinstance(payload, Place):
        return 3 if payload.kind != "adjective" else 4
    return 5 if isinstance(payload, Speaker) else 6


def _names_somebody(sentence: Sentence, hit: Found, hits: Sequence[Found]) -> bool:
    payload, first = hit.payload, sentence.tokens[hit.start]
    if isinstance(payload, Tag):
        return payload.name in ("third", "former", "pronoun")
    if isinstance(payload, Row):
        return False
    if isinstance(payload, (Body, Place)) and payload.shout:
        return sentence.cut(hit.start, hit.end).replace(".", "").isupper()
    if isinstance(payload, Leader):
        return first.proper and _is_the_one(sentence, hit, payload, hits)
    if isinstance(payload, Place) and payload.kind != "adjective":
        return first.proper
    return True


def _is_the_one(sentence: Sentence, hit: Found, leader: Leader, hits: Sequence[Found]) -> bool:
    """Not somebody else of that surname ("Eric Trump"), nor a thing named after the holder ("Trump Tower")."""
    if sentence.shouting:
        return True
    given = set(fold(leader.name).replace("-", " ").split())
    if hit.start and sentence.tokens[hit.start - 1].capital:
        before = sentence.words[hit.start - 1]
        named = any(one.end == hit.start and not isinstance(one.payload, Row) for one in hits)
        if not _given_name(before, given) and not named and hit.start > 1:
            return False
    if hit.end < len(sentence.tokens) and sentence.tokens[hit.end].capital:
        return any(one.start == hit.end for one in hits) or _given_name(sentence.words[hit.end], given)
    return True


def _given_name(word: str, given: set[str]) -> bool:
    """Whether a word is one of the names, in any case: "Ervina" of "Ervin"."""
    return any(word.startswith(name[:-1] if len(name) > _NAMES else name) for name in given) and len(word) > 1


def _phrases(sentence: Sentence, chosen: list[Found], hits: Sequence[Found], pack: Pack) -> Iterator[_Phrase]:
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
    around = row.actor == "any" or hit.end - hit.start > _REACH + 1
    return (hit.start, hit.end - 1) if around else range(hit.start, hit.end)


def _joins(sentence: Sentence, group: list[Found], hit: Found, pack: Pack, verbs: set[int]) -> bool:
    last = group[-1]
    if _is_pronoun(last) or _is_pronoun(hit):
        return False
    if isinstance(last.payload, Tag) and pack.lists["neg"].accepts(sentence.words[last.start]):
        return False
    between = range(last.end, hit.start)
    if len(between) > _REACH + 2 or sentence.tokens[hit.start].quoted != sentence.tokens[last.start].quoted:
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


def _is_pronoun(hit: Found) -> bool:
    return isinstance(hit.payload, Tag) and hit.payload.name == "pronoun"


def _closed(sentence: Sentence, group: list[Found], chosen: list[Found], verbs: set[int], pack: Pack) -> _Phrase:
    """The phrase with the names that follow it: "minister Ana Novak", "minister, Ana Novak,"."""
    end = group[-1].end
    starts = {hit.start for hit in chosen}
    last = group[-1].payload
    if isinstance(last, Place) and last.kind != "adjective" and len(group) == 1:
        return _Phrase(tuple(group), group[0].start, end)
    if not sentence.shouting:
        end = _portfolio(sentence, end, starts, verbs, pack)
        grown = _grow(sentence, end, starts, verbs, pack)
        if grown == end and end + 1 < len(sentence.words) and sentence.words[end] == ",":
            name = _grow(sentence, end + 1, starts, verbs, pack)
            if name > end + 1 and name < len(sentence.words) and sentence.words[name] == ",":
                grown = name + 1
        end = grown
    return _Phrase(tuple(group), _given(sentence, group[0], starts, verbs), end)


def _portfolio(sentence: Sentence, end: int, starts: set[int], verbs: set[int], pack: Pack) -> int:
    """The end of the field behind an office: "la ministre belge de l'Asile et de la Migration"."""
    word, at = sentence.words, end
    for _ in range(_REACH):
        begun = at
        if at > end and at < len(word) and pack.lists["and"].accepts(word[at]):
            at += 1
        if at >= len(word) or not pack.lists["of"].accepts(word[at]):
            return begun
        at = _past_articles(sentence, at + 1, pack)
        if at >= len(word) or not sentence.tokens[at].capital or at in starts or at in verbs:
            return begun
        at += 1
    return at


def _past_articles(sentence: Sentence, at: int, pack: Pack) -> int:
    while (
        at < len(sentence.words) and not sentence.tokens[at].capital and pack.lists["det"].accepts(sentence.words[at])
    ):
        at += 1
    return at


def _heads_another(sentence: Sentence, head: Found, hits: Sequence[Found], pack: Pack) -> bool:
    """Whether a president presides over no state: "le président de la Ligue", "the president of Harvard"."""
    payload, words = head.payload, sentence.words
    if not isinstance(payload, Body) or payload.code or not payload.body.startswith("head of") or sentence.shouting:
        return False
    if not pack.lists["realm"].exact or head.end >= len(words) or not pack.lists["of"].accepts(words[head.end]):
        return False
    at = _past_articles(sentence, head.end + 1, pack)
    if at >= len(words) or not sentence.tokens[at].capital or pack.lists["realm"].accepts(words[at]):
        return False
    return not any(hit.start <= at < hit.end and not isinstance(hit.payload, Tag) for hit in hits)


def _given(sentence: Sentence, first: Found, starts: set[int], verbs: set[int]) -> int:
    """Where the phrase of a holder begins, given names included."""
    at = first.start
    if isinstance(first.payload, Leader) and not sentence.shouting:
        given = set(fold(first.payload.name).replace("-", " ").split())
        while at and at - 1 not in starts and at - 1 not in verbs and _given_name(sentence.words[at - 1], given):
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


def _case(sentence: Sentence, hits: Sequence[Found], pack: Pack, start: int, *, nominative: bool) -> Case:
    """What stands before the phrase: nothing, a preposition, "from", "in", "according to"."""
    at = start - 1
    words = sentence.words
    while (
        at >= 0
        and start - at <= _REACH
        and (words[at] == '"' or (pack.lists["det"].accepts(words[at]) and not pack.lists["prep"].accepts(words[at])))
    ):
        at -= 1
    if at > 0 and "realm" in pack.lists and pack.lists["realm"].accepts(words[at - 1]) and start - at == 1:
        return _case(sentence, hits, pack, at - 1, nominative=nominative)
    if at < 0:
        return Case.SUBJECT if nominative else Case.OBLIQUE
    if at > 0 and pack.lists["of"].accepts(words[at]) and pack.lists["neg"].accepts(words[at - 1]):
        return Case.SUBJECT
    for hit in hits:
        if isinstance(hit.payload, Tag) and hit.payload.name == "by" and hit.end == at + 1:
            return Case.BY
    word = words[at]
    for name, case in (("from", Case.FROM), ("in", Case.IN), ("prep", Case.OBLIQUE)):
        if pack.lists[name].accepts(word):
            return case
    if not nominative and pack.lists["statement"].accepts(word):
        return Case.FROM
    return Case.SUBJECT if nominative else Case.OBLIQUE


def _interpret(
    sentence: Sentence, phrase: _Phrase, hits: Sequence[Found], pack: Pack, day: date | None
) -> Iterator[Actor]:
    tags = {hit.payload.name for hit in phrase.hits if isinstance(hit.payload, Tag)}
    head = _head(phrase.hits)
    nominative = head.nominative if head else all(hit.nominative for hit in phrase.hits[:1])
    nominative = nominative and not (pack.has("verb_final") and _has_ending(sentence, phrase, pack))
    case = _case(sentence, hits, pack, phrase.start, nominative=nominative)
    if "pronoun" in tags:
        yield Actor(phrase.start, phrase.end, Kind.PRONOUN, case)
        return
    if "third" in tags or _is_former(sentence, phrase, tags, pack):
        yield Actor(phrase.start, phrase.end, Kind.THIRD, case)
        return
    if head is not None and _heads_another(sentence, head, hits, pack):
        yield Actor(phrase.start, phrase.end, Kind.THIRD, case)
        return
    if _modifies(sentence, phrase, hits, pack) or _appended(sentence, phrase, hits):
        yield Actor(phrase.start, phrase.end, Kind.THIRD, case)
        return
    if head is None:
        yield from _metonym(sentence, phrase, case, hits, pack)
        return
    yield from _official(sentence, phrase, head, case, day, pack, hits)


def _has_ending(sentence: Sentence, phrase: _Phrase, pack: Pack) -> bool:
    """Whether a case ending hangs on the last word by a sign: "Bakan Fidan'ın", "EU-a".

    It is the whole phrase's case where heads stand last, else only that of the last word.
    """
    ending = sentence.tokens[phrase.end - 1].ending
    nominative = pack.lists["acronym_nominative"]
    return bool(ending) and not nominative.accepts(ending)


def _head(hits: Sequence[Found]) -> Found | None:
    """The hit that says what the phrase is: a body, a holder of an office, at last a bare spokesperson."""
    for kind in (Body, Leader, Speaker):
        for hit in hits:
            if isinstance(hit.payload, kind):
                first = next((one for one in hits if isinstance(one.payload, (Body, Speaker))), hit)
                return replace(hit, nominative=first.nominative)
    return None


def _is_former(sentence: Sentence, phrase: _Phrase, tags: set[str], pack: Pack) -> bool:
    before = sentence.words[phrase.start - 1] if phrase.start else ""
    after = sentence.words[phrase.end] if pack.has("former_after") and phrase.end < len(sentence.words) else ""
    return "former" in tags or any(word and pack.lists["former"].accepts(word) for word in (before, after))


def _modifies(sentence: Sentence, phrase: _Phrase, hits: Sequence[Found], pack: Pack) -> bool:
    """Whether the phrase only describes what follows: "the ministry's silence", "the government plan"."""
    at = phrase.end
    if at >= len(sentence.words):
        return False
    if sentence.words[at] == "'s":
        after = sentence.words[at + 1] if at + 1 < len(sentence.words) else ""
        return not any(hit.start == at + 1 and isinstance(hit.payload, Row) for hit in hits) or after == ""
    if any(hit.start == at and isinstance(hit.payload, Row) for hit in hits):
        return False
    return bool(pack.has("headnouns") and pack.lists["headnoun"].accepts(sentence.words[at]))


def _appended(sentence: Sentence, phrase: _Phrase, hits: Sequence[Found]) -> bool:
    """ "its key member, deputy prime minister X": the office describes somebody who is no government."""
    at = phrase.start - 1
    closed = phrase.end < len(sentence.words) and sentence.words[phrase.end] == ","
    if at < 1 or sentence.words[at] != "," or not closed:
        return False
    return any(isinstance(hit.payload, Tag) and hit.payload.name == "third" and hit.end == at for hit in hits)


def _metonym(sentence: Sentence, phrase: _Phrase, case: Case, hits: Sequence[Found], pack: Pack) -> Iterator[Actor]:
    place = phrase.hits[0].payload
    if len(phrase.hits) > 1 or not isinstance(place, Place) or place.kind == "adjective":
        return
    if _described(sentence, phrase, hits, pack) or _owns(sentence, phrase, hits, pack):
        case = Case.OBLIQUE
    if not _stands_alone(sentence, phrase, hits, pack) or _has_ending(sentence, phrase, pack):
        case = Case.OBLIQUE
    yield Actor(phrase.start, phrase.end, Kind.GOVERNMENT, case, place.code, "government", metonym=True,
                rule=f"{place.code}-{place.kind}")  # fmt: skip


def _owns(sentence: Sentence, phrase: _Phrase, hits: Sequence[Found], pack: Pack) -> bool:
    """Whether the country is a genitive by its place alone: behind a noun, where no case is written."""
    at = phrase.start - 1
    if at < 0 or not pack.has("construct") or not sentence.words[at].isalpha():
        return False
    verb = any(hit.start <= at < hit.end and isinstance(hit.payload, Row) for hit in hits)
    return not verb and not any(pack.lists[name].accepts(sentence.words[at]) for name in ("and", "aux", "that", "neg"))


def _described(sentence: Sentence, phrase: _Phrase, hits: Sequence[Found], pack: Pack) -> bool:
    """A word between a preposition and the country: "in northwestern Russia"."""
    at = phrase.start - 1
    if at < 1 or sentence.tokens[at].capital or not sentence.words[at].isalpha():
        return False
    if any(hit.start <= at < hit.end and not isinstance(hit.payload, Tag) for hit in hits):
        return False
    before = sentence.words[at - 1]
    known = any(pack.lists[name].accepts(sentence.words[at]) for name in ("that", "aux", "and", "det", "by"))
    return not known and bool(pack.lists["prep"].accepts(before) or pack.lists["in"].accepts(before))


def _stands_alone(sentence: Sentence, phrase: _Phrase, hits: Sequence[Found], pack: Pack) -> bool:
    """A country is a speaker only by itself: not in "Belgrade-based", "Kosovo Law Institute", "Serbia coach"."""
    if phrase.end >= len(sentence.tokens):
        return True
    after = sentence.tokens[phrase.end]
    if after.glued or sentence.tokens[phrase.start].glued:
        return False
    if any(hit.start == phrase.end and isinstance(hit.payload, Row) for hit in hits):
        return True
    if after.word in PUNCTUATION or sentence.shouting:
        return True
    if after.capital and not any(hit.start == phrase.end and not isinstance(hit.payload, Tag) for hit in hits):
        return bool(pack.lists["aux"].accepts(after.word))
    if not pack.has("headnouns"):
        return True
    return bool(pack.lists["aux"].accepts(after.word)) or after.word.endswith("ly")


def _official(
    sentence: Sentence, phrase: _Phrase, head: Found, case: Case, day: date | None, pack: Pack, seats: Sequence[Found]
) -> Iterator[Actor]:
    hits = phrase.hits
    payload = head.payload
    speakers = {hit.payload.kind for hit in hits if isinstance(hit.payload, Speaker)}
    leader = next((hit.payload for hit in hits if isinstance(hit.payload, Leader)), None)
    named = phrase.end > hits[-1].end or leader is not None
    body = payload.body if isinstance(payload, (Body, Leader)) else ""
    code, places = _country(sentence, hits, head, leader, pack)
    code = code or _enclosed(head, seats)
    kind = Kind.GOVERNMENT
    if isinstance(payload, Leader):
        if not _in_office(payload.since, payload.until, day):
            kind, code = (Kind.THIRD, None) if day else (Kind.GOVERNMENT, code if len(hits) > 1 else "ZZ")
    elif isinstance(payload, Body) and not _in_office(payload.since, payload.until, day):
        return
    officials = bool(speakers & {"official", "officials"}) and not named
    if officials and "official" in speakers and code not in ("UN", "EU"):
        kind = Kind.ANONYMOUS
    if isinstance(payload, Speaker) and not body:
        body = "government" if code else ""
    made = Actor(phrase.start, phrase.end, kind, case, code, body or "government", officials=officials,
                 bare_speaker=isinstance(payload, Speaker) and not code, surnames=_surnames(sentence, phrase),
                 generic=len(hits) == 1 and code is None and hits[0].end - hits[0].start == 1,
                 rule=_rule(hits))  # fmt: skip
    yield made
    for place in (*places, *_shared_seat(sentence, phrase, pack, seats)):
        yield replace(made, government=place)


def _rule(hits: Sequence[Found]) -> str:
    for hit in hits:
        if isinstance(hit.payload, Body):
            return hit.payload.row or f"{hit.payload.code or 'any'}-{hit.payload.body}"
        if isinstance(hit.payload, Leader):
            return f"{hit.payload.code}-{hit.payload.name}"
    return "spokesperson"


def _surnames(sentence: Sentence, phrase: _Phrase) -> tuple[str, ...]:
    """Capitalised words at the phrase's end: a later sentence may use the last of them alone."""
    words = [token.word for token in sentence.tokens[phrase.hits[0].start : phrase.end] if token.capital]
    return tuple(words[-1:]) if phrase.end > phrase.hits[-1].end or isinstance(phrase.hits[-1].payload, Leader) else ()


def _in_office(since: date | None, until: date | None, day: date | None) -> bool:
    if day is None:
        return until is None or until > _UNDATED
    return (since is None or since <= day) and (until is None or day < until)


def _country(
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


def _shared_seat(sentence: Sentence, phrase: _Phrase, pack: Pack, hits: Sequence[Found]) -> Iterator[str]:
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


def _enclosed(head: Found, hits: Sequence[Found]) -> str | None:
    """A country inside the body's own words: "ministère béninois des affaires étrangères"."""
    for hit in hits:
        if isinstance(hit.payload, Place) and head.start < hit.start and hit.end < head.end:
            return hit.payload.code
    return None


def _possessive(word: str, pack: Pack) -> bool:
    """Prepositions that are a genitive: of, de, di, von. They stand in both lists, "in" and "for" do not."""
    return bool(pack.lists["of"].accepts(word)) if "of" in pack.lists else False


def _further(sentence: Sentence, seat: Found, hits: Sequence[Found]) -> tuple[str, ...]:
    return tuple(
        hit.payload.code
        for hit in hits
        if hit.start > seat.end and isinstance(hit.payload, Place) and hit.start - seat.end <= _REACH
    )
