"""Names of outlets nobody listed: behind or before a credit, with a word that makes them an outlet's, or quoted."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.detect.credits import Cue, Place
from monitor.detect.passages import Hit, Passage

_BEFORE = frozenset((Cue.CITE, Cue.CITING, Cue.TOLD, Cue.FOR, Cue.RELAY, Cue.PUBLISH, Cue.FIRST))
_BEHIND = frozenset((Cue.PUBLISH, Cue.RELAY, Cue.AFTER))
_QUOTED = _BEFORE - {Cue.FOR, Cue.TOLD}
_MAX_WORDS = 5
_MAX_FILLERS = 3
_MAX_QUOTED_WORDS = 3


def find(passage: Passage) -> Iterator[tuple[int, int, Place]]:
    """Find them as ranges of words, with the credit each stands beside."""
    for cue in passage.cues:
        for first, last in _beside(passage, cue):
            if not any(_is_taken(hit, first, last) for hit in passage.hits):
                yield first, last, cue
                break


def _is_taken(hit: Hit, first: int, last: int) -> bool:
    """Whether words belong to a listed name; a common word inside a longer name does not count."""
    within = first <= hit.first and hit.last <= last and hit.last - hit.first < last - first
    return first < hit.last and hit.first < last and not (hit.name.strict and within)


def _beside(passage: Passage, cue: Place) -> Iterator[tuple[int, int]]:
    if cue.kinds & _BEFORE and (cue.kinds & _BEFORE != {Cue.FOR} or passage.speaks):
        run = _run_after(passage, cue.last)
        if run and not passage.stops_before(cue.last, passage.words[run[0]].start) and _is_name(passage, cue, *run):
            yield run
    if cue.kinds & _BEHIND:
        run = _run_before(passage, cue.first)
        if run and _has_outlet_word(passage, *run):
            yield run


def _is_name(passage: Passage, cue: Place, first: int, last: int) -> bool:
    quoted = bool(cue.kinds & _QUOTED) and _is_quoted_name(passage, first, last)
    return quoted or _has_outlet_word(passage, first, last)


def _run_after(passage: Passage, at: int) -> tuple[int, int] | None:
    """The capitalised words behind a credit, fillers between skipped."""
    first = at
    while first < len(passage.words) and passage.is_small(first):
        if passage.words[first].folded not in passage.language.fillers or first - at >= _MAX_FILLERS:
            return None
        first += 1
    last = first
    while last < len(passage.words) and last - first < _MAX_WORDS and not passage.is_small(last):
        if last > first and not _adjoin(passage, last - 1, last):
            break
        last += 1
    return (first, last) if last > first else None


def _run_before(passage: Passage, at: int) -> tuple[int, int] | None:
    """The capitalised words right before a credit verb."""
    if at == 0 or not _adjoin(passage, at - 1, at):
        return None
    first = at
    while first > 0 and at - first < _MAX_WORDS and not passage.is_small(first - 1):
        if first < at and not _adjoin(passage, first - 1, first):
            break
        first -= 1
    return (first, at) if first < at else None


def _adjoin(passage: Passage, left: int, right: int) -> bool:
    return passage.text[passage.words[left].end : passage.words[right].start] in (" ", "-", "\u00a0")


def _has_outlet_word(passage: Passage, first: int, last: int) -> bool:
    """Two words or more, the first or one of the last two a word for an outlet: "Kanal 10", "Sky News Arabia"."""
    if last - first < 2:
        return False
    ends = {first, last - 1, max(first, last - 2)}
    return any(passage.words[at].folded in passage.language.media for at in ends)


def _is_quoted_name(passage: Passage, first: int, last: int) -> bool:
    start, end = passage.words[first].start, passage.words[last - 1].end
    return last - first <= _MAX_QUOTED_WORDS and passage.is_quoted(start, end)
