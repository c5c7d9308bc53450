"""Choose among the lexicon's hits those that name somebody: the longest, in capitals, and the holder of the day.

"Eric Trump" and "Trump Tower" are not the president, "us" is no country. Called by `actors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from monitor.detect.clauses import Sentence
from monitor.detect.forms import Found
from monitor.detect.lexicon import Pack
from monitor.detect.lexicon_rows import Body, Leader, Place, Row, Speaker, Tag
from monitor.text.fold import fold

_LONG = 4
"""Letters from which a given name may lose its last one to a case ending."""
_UNDATED = date(2025, 10, 1)
"""A text without a date may be this old: who left office later still counts as its holder."""


def longest(
    sentence: Sentence, hits: Sequence[Found], taken: Sequence[tuple[int, int]], day: date | None, pack: Pack
) -> list[Found]:
    """The longest hits that name somebody, none overlapping."""
    offices = {hit.start for hit in hits if isinstance(hit.payload, (Body, Speaker))}
    rows = [hit for hit in hits if _names_somebody(sentence, hit, hits, pack)]
    rows = [hit for hit in rows if not (is_pronoun(hit) and hit.end in offices)]  # "het ministerie": an article
    described = {(hit.start, hit.end) for hit in rows if _is_adjective(hit) and hit.end in offices}
    rows = [hit for hit in rows if not ((hit.start, hit.end) in described and _is_country(hit))]
    rows = [hit for hit in rows if not _succeeded(hit, rows, day)]
    rows.sort(key=lambda hit: (hit.start - hit.end, _rank(hit), not hit.nominative, hit.start))
    used = {at for start, end in taken for at in range(start, end)}
    chosen = []
    for hit in rows:
        if used.isdisjoint(range(hit.start, hit.end)):
            used.update(range(hit.start, hit.end))
            chosen.append(hit)
    return sorted(chosen, key=lambda hit: hit.start)


def _is_adjective(hit: Found) -> bool:
    return isinstance(hit.payload, Place) and hit.payload.kind == "adjective"


def _is_country(hit: Found) -> bool:
    """A country's name that also is an adjective ("Poljska") is one before an office: "Poljsko ministarstvo"."""
    return isinstance(hit.payload, Place) and hit.payload.kind != "adjective"


def _names_somebody(sentence: Sentence, hit: Found, hits: Sequence[Found], pack: Pack) -> bool:
    payload, first = hit.payload, sentence.tokens[hit.start]
    if isinstance(payload, Tag):
        return payload.name in ("third", "former", "pronoun")
    if isinstance(payload, Row):
        return False
    if isinstance(payload, (Body, Place)) and payload.shout:
        written = sentence.cut(hit.start, hit.end).replace(".", "")
        return written[0].isupper() and written[-1].isupper()  # "US", "U.S.", "BiH"
    if isinstance(payload, Leader):
        return first.proper and _is_the_one(sentence, hit, payload, hits, pack)
    if isinstance(payload, Place) and payload.kind != "adjective":
        return first.proper
    return True


def _is_the_one(sentence: Sentence, hit: Found, leader: Leader, hits: Sequence[Found], pack: Pack) -> bool:
    """Not somebody else of that surname ("Eric Trump"), nor a thing named after the holder ("Trump Tower")."""
    if sentence.shouting:
        return True
    given = set(fold(leader.name).replace("-", " ").split())
    if hit.start and sentence.tokens[hit.start - 1].capital:
        before = sentence.words[hit.start - 1]
        named = any(one.end == hit.start and not isinstance(one.payload, Row) for one in hits)
        if not given_name(before, given) and not named and hit.start > 1 and not pack.lists_word(before):
            return False
    if hit.end < len(sentence.tokens) and sentence.tokens[hit.end].capital:
        after = sentence.words[hit.end]
        return any(one.start == hit.end for one in hits) or given_name(after, given) or pack.lists_word(after)
    return True


def given_name(word: str, given: set[str]) -> bool:
    """Whether a word is one of the names, in any case: "Ervina" of "Ervin"."""
    return any(word.startswith(name[:-1] if len(name) > _LONG else name) for name in given) and len(word) > 1


def is_pronoun(hit: Found) -> bool:
    return isinstance(hit.payload, Tag) and hit.payload.name == "pronoun"


def _succeeded(hit: Found, rows: Sequence[Found], day: date | None) -> bool:
    """Whether another row of the same name holds an office on the day, and this one does not."""
    if not isinstance(hit.payload, Leader) or in_office(hit.payload.since, hit.payload.until, day):
        return False
    return any(
        isinstance(one.payload, Leader)
        and one.start < hit.end
        and hit.start < one.end
        and in_office(one.payload.since, one.payload.until, day)
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


def in_office(since: date | None, until: date | None, day: date | None) -> bool:
    if day is None:
        return until is None or until > _UNDATED
    return (since is None or since <= day) and (until is None or day < until)
