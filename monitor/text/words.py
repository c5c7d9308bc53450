"""The words of a text, as places in the original and folded letters.

Words are runs of letters, marks and digits; hyphens, apostrophes, slashes and underscores divide. Endings (Serbia’s,
SHBA-së) are no words of their own, U.S. is one word, addresses are no text. Called by match, cluster, detect.
"""

from __future__ import annotations

import re
from bisect import bisect, bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from monitor.text.fold import DEFAULT, INVISIBLE, FoldTable, fold, offsets
from monitor.text.marks import MARKS

APOSTROPHES = "'’‘ʼ`´＇"
HYPHENS = "-‐‑‒–−﹣－"
"""Hyphens and what is typed for them. The em dash is punctuation."""
_BEFORE_ENDINGS = frozenset(APOSTROPHES + HYPHENS)
"""Signs an ending may hang on: nearly every word stands behind a space, and is asked nothing more."""

Place = tuple[int, int, bool]
"""Start, end and whether the word is a dotted acronym."""

_LETTER = r"[^\W_ʻʼʽˈ]"
_RUN = re.compile(rf"{_LETTER}+")
_GLUED_RUN = re.compile(rf"{_LETTER}(?:{_LETTER}|[{INVISIBLE}{MARKS}])*")
_GLUE = re.compile(rf"[{INVISIBLE}{MARKS}]")
_INSIDE = rf"\w{INVISIBLE}{MARKS}"
"""What a word goes on with: nothing special begins behind one of these."""
_DOTTED = re.compile(rf"(?<![.{_INSIDE}])(?:[^\W\d_][{MARKS}]*\.)+(?:[^\W\d_][{MARKS}]*(?:\.|(?![\w{MARKS}])))")

_DOMAINS = (
    "com|org|net|info|edu|gov|int|eu|news|media|press|online|site|rs|срб|ba|hr|mk|мкд|me|al|si|xk|bg|бг|ro|gr|hu|tr|"
    "it|de|at|ch|fr|es|pt|nl|be|uk|ie|us|ru|рф|ua|pl|cz|sk|md|tv|fm|io|co|app|dev|in|se|no|fi|dk|lt|lv|ee|ca|au|jp|cn|br"
)
_ADDRESS_HINT = re.compile(r"://|@|[wW]{3}\.|[a-z0-9]\.[a-zа-я]{2}")
_ADDRESS = re.compile(
    rf"(?<![{_INSIDE}])[A-Za-z][A-Za-z0-9+.-]{{1,19}}://[^\s<>«»“”\"]+"
    rf"|(?<![{_INSIDE}])[wW]{{3}}\.[^\s<>«»“”\"]+"
    rf"|(?<![{_INSIDE}.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    rf"|(?<![{_INSIDE}.@-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:{_DOMAINS})(?![\w-]|\.\w)(?:/[^\s<>«»“”\"]*)?"
)


@dataclass(frozen=True, slots=True)
class Word:
    """`text[start:end]` in code points, and its folded letters (a dotted acronym without its dots).

    `capitalised`: it starts with a capital; `is_caps`: it has two letters or more, all capitals.
    """

    start: int
    end: int
    folded: str
    capitalised: bool
    is_caps: bool
    dotted: bool = False


def words(text: str, table: FoldTable = DEFAULT) -> tuple[Word, ...]:
    """Cut a text into its words, in order.

    >>> [w.folded for w in words("The U.S. told TPS-om holders at https://example.org/x: Serbia’s turn")]
    ['the', 'us', 'told', 'tps', 'holders', 'at', 'serbia', 'turn']
    """
    folded, origins = fold(text, table), offsets(text, table)
    if origins is None:
        return tuple(_word(text, place, folded[place[0] : place[1]]) for place in places(text))
    return tuple(
        _word(text, place, folded[bisect_left(origins, place[0]) : bisect_left(origins, place[1])])
        for place in places(text)
    )


def places(text: str) -> tuple[Place, ...]:
    """Where the words stand: `words` without looking at their letters."""
    return tuple(_without_endings(text, _runs(text)))


def addresses(text: str) -> tuple[tuple[int, int], ...]:
    """Where web and e-mail addresses and bare lower-case domains stand: they are no text."""
    if not _ADDRESS_HINT.search(text):
        return ()
    return tuple(found.span() for found in _ADDRESS.finditer(text))


def is_caps(written: str) -> bool:
    """Whether a word has two letters or more, all capitals."""
    return written.isupper() and len(written) > 1 and sum(map(str.isalpha, written)) > 1


def letters(text: str, place: Place) -> str:
    """What is written at a place, without the dots of an acronym."""
    start, end, dotted = place
    return text[start:end].replace(".", "") if dotted else text[start:end]


def _word(text: str, place: Place, folded: str) -> Word:
    start, end, dotted = place
    caps = dotted or is_caps(text[start:end])
    return Word(start, end, folded.replace(".", "") if dotted else folded, text[start].isupper(), caps, dotted)


def _runs(text: str) -> list[Place]:
    """Runs of letters outside addresses, dotted acronyms in one piece."""
    glued = not text.isascii() and _GLUE.search(text) is not None
    runs = list(_glued_runs(text)) if glued else [(*run.span(), False) for run in _RUN.finditer(text)]
    special = _special(text)
    if not special:
        return runs
    starts = [start for start, _, _ in special]
    outside = [run for run in runs if not _overlaps(run, special, bisect(starts, run[0]))]
    return sorted(outside + [place for place in special if place[2]])


def _overlaps(run: Place, special: list[Place], following: int) -> bool:
    before = following > 0 and special[following - 1][1] > run[0]
    return before or (following < len(special) and special[following][0] < run[1])


def _glued_runs(text: str) -> Iterator[Place]:
    for run in _GLUED_RUN.finditer(text):
        yield run.start(), run.start() + len(run[0].rstrip(INVISIBLE)), False


def _special(text: str) -> list[Place]:
    """Addresses, and acronyms outside them (marked True), in order."""
    skipped = [(start, end, False) for start, end in addresses(text)]
    dotted = [found.span() for found in _DOTTED.finditer(text) if found[0].isupper()] if "." in text else []
    outside = [(s, e, True) for s, e in dotted if not any(s < end and start < e for start, end, _ in skipped)]
    return sorted(skipped + outside)


def _without_endings(text: str, runs: list[Place]) -> Iterator[Place]:
    before: Place = (-2, -2, False)
    for run in runs:
        if run[0] == before[1] + 1 and text[before[1]] in _BEFORE_ENDINGS and is_ending(text, before, run):
            continue
        before = run
        yield run


def is_ending(text: str, stem: Place, run: Place) -> bool:
    """Whether `run` is an inflection written behind an apostrophe, or behind an acronym and a hyphen.

    Not after a single letter, and no capitals after small letters: O’Brien, l’ONU, dell’UE hold a word.
    """
    sign, written = text[stem[1]], text[run[0] : run[1]]
    length = sum(map(str.isalpha, written))
    if length > 4 or any(map(str.isdigit, written)):
        return False
    behind_caps = is_caps(letters(text, stem))
    if sign in APOSTROPHES:
        return length <= 3 and stem[1] - stem[0] > 1 and (written.islower() or behind_caps)
    return sign in HYPHENS and behind_caps and written.islower()
