"""The words of a text, as places in the original and folded letters.

Words are runs of letters, marks and digits; hyphens, apostrophes, slashes and underscores divide. Endings (Serbia’s,
SHBA-së) are no words of their own, U.S. is one word, addresses are no text. Called by match, cluster, detect.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from monitor.text.fold import DEFAULT, INVISIBLE, FoldTable, fold

APOSTROPHES = "'’‘ʼ`´＇"
HYPHENS = "-‐‑‒–−﹣－"
"""Hyphens and what is typed for them. The em dash is punctuation."""

_MARKS = "".join(
    f"{chr(start)}-{chr(end)}"
    for start, end in ((0x300, 0x36F), (0x483, 0x489), (0x591, 0x5BD), (0x610, 0x61A), (0x64B, 0x65F), (0x1AB0, 0x1AFF),
                       (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0xFE20, 0xFE2F))
)  # fmt: skip
_GLUE = INVISIBLE + _MARKS
_LETTERS = r"[^\W_ʻʼʽˈ]"
_WORD = rf"{_LETTERS}(?:{_LETTERS}|[{_GLUE}])*"
_RUN = re.compile(
    rf"(?P<dotted>(?<![^\W_])(?:[^\W\d_][{_GLUE}]*\.)+(?:[^\W\d_][{_GLUE}]*(?:\.|(?![\w{_GLUE}]))))|{_WORD}"
)

_DOMAINS = (
    "com|org|net|info|edu|gov|int|eu|news|media|press|online|site|rs|срб|ba|hr|mk|мкд|me|al|si|xk|bg|бг|ro|gr|hu|tr|"
    "it|de|at|ch|fr|es|pt|nl|be|uk|ie|us|ru|рф|ua|pl|cz|sk|md|tv|fm|io|co|app|dev|in|se|no|fi|dk|lt|lv|ee|ca|au|jp|cn|br"
)
_ADDRESS_HINT = re.compile(r"://|@|[wW]{3}\.|[a-z0-9]\.[a-zмсрбг]{2}")
_ADDRESS = re.compile(
    r"(?<!\w)[A-Za-z][A-Za-z0-9+.-]*://[^\s<>«»“”\"]+"
    r"|(?<!\w)[wW]{3}\.[^\s<>«»“”\"]+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    rf"|(?<![\w.@-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:{_DOMAINS})(?![\w-]|\.\w)(?:/[^\s<>«»“”\"]*)?"
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
    return tuple(_words(text, table))


def addresses(text: str) -> tuple[tuple[int, int], ...]:
    """Where web and e-mail addresses and bare lower-case domains stand: they are no text."""
    if not _ADDRESS_HINT.search(text):
        return ()
    return tuple(found.span() for found in _ADDRESS.finditer(text))


def _words(text: str, table: FoldTable) -> Iterator[Word]:
    skipped = iter(addresses(text))
    skip_start, skip_end = next(skipped, (len(text), len(text)))
    before: Word | None = None
    for start, end, dotted in _runs(text):
        while start >= skip_end and skip_end < len(text):
            skip_start, skip_end = next(skipped, (len(text), len(text)))
        if end > skip_start and start < skip_end:
            continue
        word = _word(text, start, end, dotted, table)
        if before is not None and is_ending(text, before, word):
            continue
        before = word
        yield word


def _runs(text: str) -> Iterator[tuple[int, int, bool]]:
    """Runs of letters; a run of dotted letters that are not all capitals is several words."""
    for found in _RUN.finditer(text):
        start, end = found.span()
        run = found[0]
        if found.lastgroup is None:
            yield start, end, False
        elif run.isupper() and sum(map(str.isalpha, run)) > 1:
            yield start, end, True
        else:
            yield from ((start + part.start(), start + part.end(), False) for part in _PLAIN.finditer(run))


_PLAIN = re.compile(_WORD)


def _word(text: str, start: int, end: int, dotted: bool, table: FoldTable) -> Word:
    written = text[start:end]
    letters = written.replace(".", "") if dotted else written
    caps = written.isupper() and not written.islower() and sum(map(str.isalpha, letters)) > 1
    return Word(start, end, fold(letters, table), written[0].isupper(), caps, dotted)


def is_ending(text: str, stem: Word, run: Word) -> bool:
    """Whether `run` is an inflection written behind an apostrophe, or behind an acronym and a hyphen.

    Not after a single letter, and no capitals after small letters: O’Brien, l’ONU, dell’UE hold a word.
    """
    if run.start != stem.end + 1 or not run.folded.isalpha():
        return False
    sign, written = text[stem.end], text[run.start : run.end]
    length = sum(map(str.isalpha, written))
    if sign in APOSTROPHES:
        return length <= 3 and stem.end - stem.start > 1 and (written.islower() or stem.is_caps)
    return sign in HYPHENS and length <= 4 and stem.is_caps and written.islower()
