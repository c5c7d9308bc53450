"""Where a text credits an outlet: a name with a credit word beside it, a name before a colon, or one in a dateline.

Whether the outlet is the origin or passes on is `attribution`'s business. How far a credit may stand from its name
depends on the name: an unmistakable one allows a few words between, a common word ("Danas", "Express") none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from monitor.detect import datelines, names, passages, unlisted_names
from monitor.detect.credits import Credits, Cue, Place
from monitor.detect.outlets import OutletTable
from monitor.detect.passages import Hit, Passage
from monitor.text.words import APOSTROPHES
from monitor.values import Domain

TEXT = "text"
TITLE = "title"
BEFORE = frozenset(
    (
        Cue.CITE,
        Cue.CITING,
        Cue.TOLD,
        Cue.FOR,
        Cue.PUBLISH,
        Cue.RELAY,
        Cue.FIRST,
        Cue.ASK_BEFORE,
        Cue.REPORT_BEFORE,
        Cue.WEAK,
    )
)
BEHIND = frozenset((Cue.PUBLISH, Cue.AFTER, Cue.RELAY, Cue.FIRST, Cue.ASK_AFTER, Cue.REPORT_AFTER))
_REACH = {
    Cue.CITE: 4,
    Cue.CITING: 4,
    Cue.TOLD: 3,
    Cue.FOR: 0,
    Cue.PUBLISH: 2,
    Cue.AFTER: 4,
    Cue.RELAY: 2,
    Cue.FIRST: 2,
    Cue.ASK_BEFORE: 4,
    Cue.ASK_AFTER: 3,
    Cue.REPORT_BEFORE: 1,
    Cue.REPORT_AFTER: 2,
    Cue.WEAK: 0,
}
"""How many words, fillers not counted, may stand between a credit and an unmistakable name."""
_NOT_FOR_COMMON_WORDS = frozenset((Cue.WEAK, Cue.REPORT_AFTER))
_MAX_BETWEEN = 8
_CITED_WITHIN = 5
_AND = frozenset(("and", "i", "dhe", "si", "y", "et", "und", "en", "in", "ve", "a", "e", "or", "ili", "oraz", "och"))


@dataclass(frozen=True, slots=True)
class Mention:
    """A credited outlet: `field[start:end]` is its name, `credit` the words that credit it.

    `passes_on` says that the outlet cites another one; `sentence` numbers the sentences of the field.
    """

    field: str
    start: int
    end: int
    name: str
    domain: Domain | None
    sentence: int
    cues: frozenset[Cue]
    credit: str
    dateline: bool = False
    passes_on: bool = False
    background: bool = False


def find(
    title: str, text: str, language: str | None, country: str | None, table: OutletTable, known: Credits
) -> tuple[Mention, ...]:
    """Find all credited mentions, title first, in the order of the text."""
    found: list[Mention] = []
    for field, whole in ((TITLE, title), (TEXT, text)):
        cut = names.words(whole)
        hits = table.names_among(whole, cut, language, country)
        signing = datelines.find(whole, hits, table) if field == TEXT else ()
        signed = [
            Mention(field, hit.start, hit.end, hit.name, hit.domain, 0, frozenset(), bracket, dateline=True)
            for hit, bracket in signing
        ]
        taken = {mention.start for mention in signed}
        found.extend(signed)
        for passage in passages.cut(field, whole, cut, hits, known.of(language), table.same_publisher):
            found.extend(mention for mention in _credited(passage) if mention.start not in taken)
    return tuple(sorted(found, key=lambda mention: (mention.field != TITLE, mention.start)))


def _credited(passage: Passage) -> Iterator[Mention]:
    background = passage.number > 0 and any(Cue.BACKGROUND in cue.kinds for cue in passage.cues)
    listed = tuple(_listed(passage))
    unlisted = (
        mention
        for mention in _unlisted(passage)
        if not any(mention.start < other.end and other.start < mention.end for other in listed)
    )
    for mention in (*listed, *unlisted):
        yield replace(mention, background=background)


def _unlisted(passage: Passage) -> Iterator[Mention]:
    for first, last, cue in unlisted_names.find(passage):
        start, end = passage.words[first].start, passage.words[last - 1].end
        kinds = cue.kinds & (BEFORE | BEHIND)
        written = passage.text[start:end]
        yield Mention(passage.field, start, end, written, None, passage.number, kinds, passage.written(cue))


def _listed(passage: Passage) -> Iterator[Mention]:
    """The names of the table that are credited; one of "told X and Y", "X and Y report" is credited like the other."""
    credited = [_mention(passage, hit) for hit in passage.hits]
    for at in range(1, len(credited)):
        if credited[at] is None:
            credited[at] = _like(passage, credited[at - 1], at - 1, at)
    for at in range(len(credited) - 2, -1, -1):
        if credited[at] is None:
            credited[at] = _like(passage, credited[at + 1], at, at + 1, hit=at)
    yield from (mention for mention in credited if mention is not None)


def _mention(passage: Passage, hit: Hit) -> Mention | None:
    if _is_blocked(passage, hit):
        return None
    strict = is_strict(passage, hit)
    if (strict or hit.name.name.startswith("The ")) and _is_part_of_longer(passage, hit):
        return None
    chosen = _left(passage, hit, strict) or _right(passage, hit, strict)
    citing = _cites_another(passage, hit)
    opens = hit.first == 0 and passage.colon_follows(hit.end)
    if chosen is None and not citing and not opens:
        return None
    cues = chosen.kinds if chosen else frozenset((Cue.PUBLISH,))
    credit = passage.written(chosen) if chosen else "citing" if citing else ":"
    name = hit.name
    return Mention(
        passage.field, name.start, name.end, name.name, name.domain, passage.number, cues, credit, passes_on=citing
    )


def is_strict(passage: Passage, hit: Hit) -> bool:
    """Whether a name is a common word here: neither quoted nor beside a noun for outlets ("list Danas")."""
    if not hit.name.strict or passage.is_quoted(hit.name.start, hit.name.end):
        return False
    beside = [passage.words[at].folded for at in (hit.first - 1, hit.last) if 0 <= at < len(passage.words)]
    return not any(word in passage.language.nouns for word in beside)


def _is_part_of_longer(passage: Passage, hit: Hit) -> bool:
    """ "Independent Commission": a common word with a capitalised one right behind it."""
    if hit.last >= len(passage.words) or passage.is_small(hit.last):
        return False
    return passage.text[hit.name.end : passage.words[hit.last].start] == " "


def _left(passage: Passage, hit: Hit, strict: bool) -> Place | None:
    """The credit before a name; of several the nearest."""
    for cue in reversed(passage.cues):
        if cue.last > hit.first or not cue.kinds & BEFORE:
            continue
        if passage.stops_before(cue.last, hit.name.start) or passage.has_hit_between(cue.last, hit.first):
            return None
        kinds = frozenset(
            kind
            for kind in cue.kinds & BEFORE
            if _reaches(passage, kind, cue.last, hit.first, strict)
            and (kind is not Cue.FOR or _is_told(passage, cue, hit, strict))
        )
        if kinds:
            return Place(cue.first, cue.last, kinds)
    return None


def _right(passage: Passage, hit: Hit, strict: bool) -> Place | None:
    """The credit behind a name; behind a comma only a first report, or a verb behind an apposition."""
    for cue in passage.cues:
        if cue.first < hit.last or not cue.kinds & BEHIND:
            continue
        if passage.has_hit_between(hit.last, cue.first):
            return None
        first = _behind_comma(passage, hit, cue)
        if first is None:
            return None
        if strict and hit.first == 0 and cue.first > hit.last + _has_ending(passage, hit):
            continue  # "Danas je objavljeno": today
        kinds = frozenset(kind for kind in cue.kinds & BEHIND if _reaches(passage, kind, first, cue.first, strict))
        if kinds:
            return Place(cue.first, cue.last, kinds)
    return None


def _has_ending(passage: Passage, hit: Hit) -> bool:
    """ "Sabah'ın haberine göre": an ending behind an apostrophe, which no adverb has, counts as a word of its own."""
    return passage.text[hit.end : hit.end + 1] in tuple(APOSTROPHES)


def _behind_comma(passage: Passage, hit: Hit, cue: Place) -> int | None:
    """The word from which the distance of a credit behind a name counts; None when signs part them."""
    stops = passage.stops(hit.end, passage.words[cue.first].start)
    if not stops:
        return hit.last
    if stops == "," and Cue.FIRST in cue.kinds:
        return cue.first
    closed = passage.stops_before(cue.first, passage.words[cue.first].start) == ","
    if stops == ",," and closed and cue.first - hit.last <= _MAX_BETWEEN:
        return cue.first
    return None


def _reaches(passage: Passage, kind: Cue, first: int, last: int, strict: bool) -> bool:
    """Whether a credit of this kind may stand so far from a name, `words[first:last]` being between."""
    if strict and kind in _NOT_FOR_COMMON_WORDS:
        return False
    between = [word.folded for word in passage.words[first:last]]
    if kind is not Cue.ASK_BEFORE and any(word in passage.language.stops for word in between):
        return False
    apart = sum(word not in passage.language.fillers for word in between)
    return apart <= (0 if strict else _REACH[kind]) and len(between) <= _MAX_BETWEEN


def _is_told(passage: Passage, cue: Place, hit: Hit, strict: bool) -> bool:
    """ "for X" credits X only beside a verb of speech, or as "Y for X:" in a heading."""
    if passage.colon_follows(hit.end):
        return True
    if not strict:
        return passage.speaks
    spoken = [other for other in passage.cues if other.kinds & {Cue.SPEAK, Cue.TOLD}]
    return any(abs(cue.first - other.last) <= 2 or abs(other.first - cue.last) <= 3 for other in spoken)


def _cites_another(passage: Passage, hit: Hit) -> bool:
    """Whether a name is the one that cites an outlet named right behind the citing word."""
    for cue in passage.cues:
        if cue.first >= hit.last and Cue.CITING in cue.kinds:
            if passage.has_hit_between(hit.last, cue.first):
                return False
            return any(
                0 <= cited.first - cue.last <= _CITED_WITHIN and not passage.stops_before(cue.last, cited.name.start)
                for cited in passage.hits
            )
    return False


def _like(passage: Passage, other: Mention | None, left: int, right: int, hit: int | None = None) -> Mention | None:
    """The second name of a pair, credited like the first; `hit` is the one that has no credit of its own."""
    if other is None:
        return None
    one, two = passage.hits[left], passage.hits[right]
    between = [word.folded for word in passage.words[one.last : two.first]]
    if not any(word in _AND for word in between) and passage.text[one.end : two.name.start].strip() != ",":
        return None
    if any(word not in _AND and word not in passage.language.fillers for word in between):
        return None
    meant = passage.hits[right if hit is None else hit]
    if is_strict(passage, meant) or _is_blocked(passage, meant):
        return None
    return _at(other, meant)


def _at(mention: Mention | None, hit: Hit) -> Mention | None:
    """The same credit for another name."""
    if mention is None:
        return None
    name = hit.name
    return replace(mention, start=name.start, end=name.end, name=name.name, domain=name.domain, passes_on=False)


def _is_blocked(passage: Passage, hit: Hit) -> bool:
    """ "Photo: Reuters", "Michael Bloomberg": a name that is no credit."""
    for cue in passage.cues:
        near = Cue.NOT_AFTER in cue.kinds and 0 <= hit.first - cue.last <= 1
        if near and not set(passage.stops_before(cue.last, hit.name.start)) - {":", "("}:
            return True
    return False
