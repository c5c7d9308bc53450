"""Where sentences and paragraphs of a text begin and end, in code points of the original.

Made for news prose in the languages watched; a full stop is judged by what stands around it, nothing is parsed.
Called by match (SENTENCE, PARAGRAPH, NEAR) and detect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from monitor.text.abbreviations import ABBREVIATIONS, NUMBERED
from monitor.text.fold import fold

Place = tuple[int, int]

_BLANK_LINE = re.compile(r"(?:\r\n?|\n|\u2028)[^\S\n\r]*(?:\r\n?|\n|\u2028)\s*|\u2029\s*")
_CLOSING = r"[\"'”’»“)\]}›]*"
_OPENING = r"[\"'“”„«»‘‚(\[{‹¿¡–—-]*"
_STOP = re.compile(rf"(?<![.!?…])[.!?…]++{_CLOSING}+(?P<space>\s++{_OPENING}+\s?)(?=[^\W_])")
_TIGHT = re.compile(r"(?<=[^\W\d_])[.!?…]+(?=[^\W\d_])")
_LAST_WORD = re.compile(r"[^\W_]+(?:[.][^\W_]+)*$")


def paragraphs(text: str) -> tuple[Place, ...]:
    """Paragraphs are divided by blank lines; white space around them belongs to none.

    >>> paragraphs("One.\\n\\nTwo.")
    ((0, 4), (6, 10))
    """
    return tuple(_trimmed(text, _divided(text)))


def sentences(text: str) -> tuple[Place, ...]:
    """Sentences end at a stop before a capital or digit, or between a small letter and a capital; and with paragraphs.

    >>> text = "Dr. Ilić told the U.S. Embassy. It was late.Nobody came."
    >>> [text[start:end] for start, end in sentences(text)]
    ['Dr. Ilić told the U.S. Embassy.', 'It was late.', 'Nobody came.']
    """
    found: list[Place] = []
    for start, end in paragraphs(text):
        cuts = [start, *sorted(_cuts(text, start, end)), end]
        found.extend(_trimmed(text, pairwise(cuts)))
    return tuple(found)


def _divided(text: str) -> Iterator[Place]:
    start = 0
    for blank in _BLANK_LINE.finditer(text):
        yield start, blank.start()
        start = blank.end()
    yield start, len(text)


def _trimmed(text: str, places: Iterable[Place]) -> Iterator[Place]:
    for start, end in places:
        piece = text[start:end]
        left, right = len(piece) - len(piece.lstrip()), len(piece.rstrip())
        if left < right:
            yield start + left, start + right


def _cuts(text: str, start: int, end: int) -> Iterator[int]:
    """Places inside a paragraph where a sentence begins."""
    for stop in _STOP.finditer(text, start, end):
        letter = text[stop.end()] if stop.end() < end else ""
        if (letter.isupper() or letter.isdigit() or _has_no_case(letter)) and not _is_abbreviated(text, start, stop):
            yield stop.start("space")
    for stop in _TIGHT.finditer(text, start, end):
        if text[stop.start() - 1].islower() and text[stop.end()].isupper() and not _is_abbreviated(text, start, stop):
            yield stop.end()


def _has_no_case(letter: str) -> bool:
    return letter.isalpha() and letter.lower() == letter.upper()


def _is_abbreviated(text: str, start: int, stop: re.Match[str]) -> bool:
    """Whether the full stop belongs to the word before it: a single capital, U.S., dr."""
    if stop[0][:2] in ("..", "…", ".…") or stop[0][0] != ".":
        return False
    word = _LAST_WORD.search(text, max(start, stop.start() - 20), stop.start())
    if word is None:
        return False
    written = word[0]
    parts = written.split(".")
    if all(len(part) == 1 and part.isalpha() for part in parts) and written.isupper():
        return True
    last = fold(parts[-1])
    return last in ABBREVIATIONS or (last in NUMBERED and text[stop.end() : stop.end() + 1].isdigit())
