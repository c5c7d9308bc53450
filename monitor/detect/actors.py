"""Find who stands in a sentence: governments and their bodies, and those who are none (parties, analysts, courts).

Names found by the lexicon are joined to noun phrases first, and the country is looked for inside the phrase: the
nearest country of the sentence is the wrong one as soon as two are named. Who of them speaks is `findings`' question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from monitor.detect import metonyms, named, owners, phrases
from monitor.detect.clauses import Sentence
from monitor.detect.forms import Found
from monitor.detect.lexicon import Pack
from monitor.detect.lexicon_rows import Body, Leader, Place, Row, Speaker, Tag
from monitor.detect.phrases import REACH, Phrase


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


def find(
    sentence: Sentence, hits: Sequence[Found], pack: Pack, day: date | None, media: Sequence[tuple[int, int]]
) -> tuple[Actor, ...]:
    """All actors of a sentence, from left to right. `media` are the token spans of outlets' names."""
    taken = [*media]
    chosen = named.longest(sentence, hits, taken, day, pack)
    actors = [
        Actor(start, end, Kind.MEDIA, _case(sentence, hits, pack, start, nominative=True)) for start, end in media
    ]
    for phrase in phrases.phrases(sentence, chosen, hits, pack):
        actors.extend(_interpret(sentence, phrase, hits, pack, day))
    actors.sort(key=lambda actor: actor.start)
    for at in range(1, len(actors)):
        actors[at] = _coordinated(sentence, actors[at], actors[at - 1], pack)
    frame = _frame(sentence, actors)
    actors = [_framed(_shared_body(sentence, actors, at, pack), frame) for at in range(len(actors))]
    return tuple(_owned(sentence, actors, at, pack) for at in range(len(actors)))


def _owned(sentence: Sentence, actors: Sequence[Actor], at: int, pack: Pack) -> Actor:
    """Whose spokesperson it is: "the spokesman of the opposition" speaks for no government."""
    actor = actors[at]
    owner = actors[at + 1] if at + 1 < len(actors) else None
    if not actor.bare_speaker or owner is None or owner.kind is not Kind.THIRD:
        return actor
    between = sentence.words[actor.end : owner.start]
    linked = all(any(pack.lists[name].accepts(word) for name in ("of", "genitive", "det")) for word in between)
    return replace(actor, kind=Kind.THIRD) if linked and len(between) <= REACH else actor


def _frame(sentence: Sentence, actors: Sequence[Actor]) -> Actor | None:
    """The capital that opens a sentence as its scene: "À Kigali, le gouvernement ..."."""
    first = next(iter(actors), None)
    if first is None or not first.metonym or first.case is not Case.IN or first.start != 1:
        return None
    return first if first.end < len(sentence.words) and sentence.words[first.end] == "," else None


def _framed(actor: Actor, frame: Actor | None) -> Actor:
    """A body without a country in such a sentence belongs to the scene; an embassy there is somebody else's."""
    if frame is None or actor.kind is not Kind.GOVERNMENT or actor.government or actor.body == "embassy":
        return actor
    return replace(actor, government=frame.government)


def _shared_body(sentence: Sentence, actors: Sequence[Actor], at: int, pack: Pack) -> Actor:
    """A second country behind a body of the first: "the prime ministers of Poland and Hungary"."""
    actor, before = actors[at], actors[at - 1] if at else None
    if not actor.metonym or before is None or before.kind is not Kind.GOVERNMENT or before.metonym:
        return actor
    words, lists = sentence.words, pack.lists
    between = words[before.end : actor.start]
    joined = bool(between) and lists["and"].accepts(between[0]) and len(between) <= REACH
    if joined and pack.has("cased"):  # "ministri spoljnih poslova Bugarske i Rumunije"
        several = words[before.start].endswith(pack.endings("plural"))
        is_subject = before.case is Case.SUBJECT and before.government is not None
        if not several or not is_subject or actor.case is not Case.OBLIQUE or len(between) != 1:
            return actor
        return replace(actor, case=before.case, body=before.body, metonym=False, rule=before.rule)
    rest = all(lists[name].accepts(word) for word in between[1:] for name in ("of",)) if "of" in lists else False
    if not joined or not (rest or len(between) == 1) or not _genitive_last(sentence, before, pack):
        return actor
    return replace(actor, case=before.case, body=before.body, metonym=False, rule=before.rule)


def _genitive_last(sentence: Sentence, actor: Actor, pack: Pack) -> bool:
    """Whether the phrase ends with the country that owns it: "of Poland"."""
    inside = range(actor.start + 1, actor.end - 1)
    return any(pack.lists["of"].accepts(sentence.words[at]) for at in inside)


def _coordinated(sentence: Sentence, actor: Actor, before: Actor, pack: Pack) -> Actor:
    """A country joined to one behind a preposition stands behind it too: "people from Chad and Mali".

    Where names are declined their case says it already.
    """
    if pack.has("cased") or not (actor.metonym and before.metonym and actor.case is Case.SUBJECT):
        return actor
    if before.case not in (Case.FROM, Case.IN, Case.OBLIQUE) or actor.start - before.end != 1:
        return actor
    link = sentence.words[before.end]
    return replace(actor, case=before.case) if pack.lists["and"].accepts(link) else actor


def _heads_another(sentence: Sentence, head: Found, hits: Sequence[Found], pack: Pack) -> bool:
    """Whether a president presides over no state: "le président de la Ligue", "the president of Harvard"."""
    payload, words = head.payload, sentence.words
    if not isinstance(payload, Body) or payload.code or not payload.body.startswith("head of") or sentence.shouting:
        return False
    if not pack.lists["realm"].exact or head.end >= len(words) or not pack.lists["of"].accepts(words[head.end]):
        return False
    at = phrases.past_articles(sentence, head.end + 1, pack)
    if at >= len(words) or not sentence.tokens[at].capital or pack.lists["realm"].accepts(words[at]):
        return False
    return not any(hit.start <= at < hit.end and not isinstance(hit.payload, Tag) for hit in hits)


def _heads_acronym(sentence: Sentence, head: Found, hits: Sequence[Found]) -> bool:
    """Whether an office belongs to initials that are no country: "predsednik POKS-a", "predsjednik HNS-a"."""
    if not isinstance(head.payload, Body) or head.payload.code or head.end >= len(sentence.tokens):
        return False
    if not head.payload.body.startswith("head of") or not sentence.tokens[head.end].ending:
        return False
    return not any(hit.start <= head.end < hit.end and not isinstance(hit.payload, Tag) for hit in hits)


def _case(sentence: Sentence, hits: Sequence[Found], pack: Pack, start: int, *, nominative: bool) -> Case:
    """What stands before the phrase: nothing, a preposition, "from", "in", "according to"."""
    at = start - 1
    words = sentence.words
    while (
        at >= 0
        and start - at <= REACH
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
    if _in_statement(words, hits, pack, at):
        return Case.BY
    word = words[at]
    for name, case in (("from", Case.FROM), ("in", Case.IN), ("prep", Case.OBLIQUE)):
        if pack.lists[name].accepts(word):
            return case
    if not nominative and pack.lists["statement"].accepts(word):
        return Case.FROM
    return Case.SUBJECT if nominative else Case.OBLIQUE


def _in_statement(words: Sequence[str], hits: Sequence[Found], pack: Pack, at: int) -> bool:
    """Whether a body is the author of what is quoted: "selon un communiqué de la présidence"."""
    if at < 1 or not pack.lists["of"].accepts(words[at]) or not pack.lists["statement"].accepts(words[at - 1]):
        return False
    begun = at - 1
    while begun and pack.lists["det"].accepts(words[begun - 1]):
        begun -= 1
    return any(isinstance(hit.payload, Tag) and hit.payload.name == "by" and hit.end == begun for hit in hits)


def _interpret(
    sentence: Sentence, phrase: Phrase, hits: Sequence[Found], pack: Pack, day: date | None
) -> Iterator[Actor]:
    tags = {hit.payload.name for hit in phrase.hits if isinstance(hit.payload, Tag)}
    head = _head(phrase.hits)
    nominative = head.nominative if head else all(hit.nominative for hit in phrase.hits[:1])
    nominative = nominative and not (pack.has("verb_final") and _has_ending(sentence, phrase, pack))
    case = _case(sentence, hits, pack, phrase.start, nominative=nominative)
    if _has_postposition(sentence, phrase, hits, pack):
        case = Case.OBLIQUE
    if "pronoun" in tags:
        yield Actor(phrase.start, phrase.end, Kind.PRONOUN, case)
        return
    if "third" in tags or _is_former(sentence, phrase, tags, pack):
        yield Actor(phrase.start, phrase.end, Kind.THIRD, case)
        return
    if head is not None and (_heads_another(sentence, head, hits, pack) or _heads_acronym(sentence, head, hits)):
        yield Actor(phrase.start, phrase.end, Kind.THIRD, case)
        return
    if _modifies(sentence, phrase, hits, pack) or _appended(sentence, phrase, hits):
        yield Actor(phrase.start, phrase.end, Kind.THIRD, case)
        return
    if head is None:
        yield from _metonym(sentence, phrase, case, hits, pack)
        return
    yield from _official(sentence, phrase, head, case, day, pack, hits)


def _has_ending(sentence: Sentence, phrase: Phrase, pack: Pack) -> bool:
    """Whether a case ending hangs on the last word by a sign: "Bakan Fidan'ın", "EU-a".

    It is the whole phrase's case where heads stand last, else only that of the last word.
    """
    ending = sentence.tokens[phrase.end - 1].ending
    nominative = pack.lists["acronym_nominative"]
    return bool(ending) and not nominative.accepts(ending)


def _has_postposition(sentence: Sentence, phrase: Phrase, hits: Sequence[Found], pack: Pack) -> bool:
    """Whether what other languages put before a name stands behind it: "ABD ile". Before a second name it is "and"."""
    at = phrase.end
    if at >= len(sentence.words) or not pack.lists["post"].accepts(sentence.words[at]):
        return False
    joined = pack.lists["and"].accepts(sentence.words[at])
    return not (joined and any(hit.start == at + 1 and not isinstance(hit.payload, (Row, Tag)) for hit in hits))


def _head(hits: Sequence[Found]) -> Found | None:
    """The hit that says what the phrase is: a body, a holder of an office, at last a bare spokesperson."""
    for kind in (Body, Leader, Speaker):
        for hit in hits:
            if isinstance(hit.payload, kind):
                first = next((one for one in hits if isinstance(one.payload, (Body, Speaker))), hit)
                return hit._replace(nominative=first.nominative)
    return None


def _is_former(sentence: Sentence, phrase: Phrase, tags: set[str], pack: Pack) -> bool:
    before = sentence.words[phrase.start - 1] if phrase.start else ""
    after = sentence.words[phrase.end] if pack.has("former_after") and phrase.end < len(sentence.words) else ""
    return "former" in tags or any(word and pack.lists["former"].accepts(word) for word in (before, after))


def _modifies(sentence: Sentence, phrase: Phrase, hits: Sequence[Found], pack: Pack) -> bool:
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


def _appended(sentence: Sentence, phrase: Phrase, hits: Sequence[Found]) -> bool:
    """ "its key member, deputy prime minister X": the office describes somebody who is no government."""
    at = phrase.start - 1
    closed = phrase.end < len(sentence.words) and sentence.words[phrase.end] == ","
    if at < 1 or sentence.words[at] != "," or not closed:
        return False
    return any(isinstance(hit.payload, Tag) and hit.payload.name == "third" and hit.end == at for hit in hits)


def _metonym(sentence: Sentence, phrase: Phrase, case: Case, hits: Sequence[Found], pack: Pack) -> Iterator[Actor]:
    place = phrase.hits[0].payload
    if len(phrase.hits) > 1 or not isinstance(place, Place) or place.kind == "adjective":
        return
    if metonyms.is_described(sentence, phrase, hits, pack) or metonyms.is_genitive(sentence, phrase, hits, pack):
        case = Case.OBLIQUE
    if not metonyms.stands_alone(sentence, phrase, hits, pack) or _has_ending(sentence, phrase, pack):
        case = Case.OBLIQUE
    yield Actor(phrase.start, phrase.end, Kind.GOVERNMENT, case, place.code, "government", metonym=True,
                rule=f"{place.code}-{place.kind}")  # fmt: skip


def _official(
    sentence: Sentence, phrase: Phrase, head: Found, case: Case, day: date | None, pack: Pack, seats: Sequence[Found]
) -> Iterator[Actor]:
    hits = phrase.hits
    payload = head.payload
    speakers = {hit.payload.kind for hit in hits if isinstance(hit.payload, Speaker)}
    leader = next((hit.payload for hit in hits if isinstance(hit.payload, Leader)), None)
    has_name = phrase.end > hits[-1].end or leader is not None
    body = payload.body if isinstance(payload, (Body, Leader)) else ""
    if body == "legislature" and case is Case.IN:
        case = Case.OBLIQUE  # "said in parliament" names a place, "in the ministry they said" a speaker
    code, places = owners.country(sentence, hits, head, leader, pack)
    code = code or owners.enclosed(head, seats)
    kind = Kind.GOVERNMENT
    if isinstance(payload, Leader):
        if not named.in_office(payload.since, payload.until, day):
            kind, code = (Kind.THIRD, None) if day else (Kind.GOVERNMENT, code if len(hits) > 1 else "ZZ")
    elif isinstance(payload, Body) and not named.in_office(payload.since, payload.until, day):
        return
    officials = bool(speakers & {"official", "officials"}) and not has_name
    if officials and "official" in speakers and code not in ("UN", "EU"):
        kind = Kind.ANONYMOUS
    if isinstance(payload, Speaker) and not body:
        body = "government" if code else ""
    made = Actor(phrase.start, phrase.end, kind, case, code, body or "government", officials=officials,
                 bare_speaker=isinstance(payload, Speaker) and not code, surnames=_surnames(sentence, phrase),
                 generic=code is None and _is_bare(hits),
                 rule=_rule(hits))  # fmt: skip
    yield made
    for place in (*places, *owners.shared_seat(sentence, phrase, pack, seats)):
        yield replace(made, government=place)


def _is_bare(hits: Sequence[Found]) -> bool:
    """Whether nothing says which body it is: "the ministry", "the ministry's spokesman"."""
    bodies = [hit for hit in hits if not isinstance(hit.payload, Speaker)]
    return len(bodies) == 1 and bodies[0].end - bodies[0].start == 1 and isinstance(bodies[0].payload, Body)


def _rule(hits: Sequence[Found]) -> str:
    for hit in hits:
        if isinstance(hit.payload, Body):
            return hit.payload.row or f"{hit.payload.code or 'any'}-{hit.payload.body}"
        if isinstance(hit.payload, Leader):
            return f"{hit.payload.code}-{hit.payload.name}"
    return "spokesperson"


def _surnames(sentence: Sentence, phrase: Phrase) -> tuple[str, ...]:
    """Capitalised words at the phrase's end: a later sentence may use the last of them alone."""
    words = [token.word for token in sentence.tokens[phrase.hits[0].start : phrase.end] if token.capital]
    return tuple(words[-1:]) if phrase.end > phrase.hits[-1].end or isinstance(phrase.hits[-1].payload, Leader) else ()
