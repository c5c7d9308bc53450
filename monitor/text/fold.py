"""One spelling for all: case, marks and script folded away, code point by code point.

A text in Serbian Cyrillic, in Latin letters with or without marks, and one typed with look-alike letters come out the
same. Folding is by letters, never by sound: Zelensky and Зеленский stay apart. Punctuation and white space are kept,
so the folded text can still be cut into words and sentences. Called by match, cluster, detect and by `monitor.text`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import repeat

CYRILLIC: Mapping[str, str] = {
    "а": "a", "б": "b", "в": "v", "г": "g", "ґ": "g", "д": "d", "ђ": "dj", "е": "e", "ё": "e", "ж": "z", "з": "z",
    "ѕ": "dz", "и": "i", "й": "j", "ј": "j", "к": "k", "ќ": "kj", "л": "l", "љ": "lj", "м": "m", "н": "n", "њ": "nj",
    "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "ћ": "c", "у": "u", "ф": "f", "х": "h", "ц": "c", "ч": "c",
    "џ": "dz", "ш": "s", "щ": "st", "ъ": "a", "ы": "y", "ь": "", "э": "e", "ю": "ju", "я": "ja", "ѓ": "gj", "і": "i",
    "ї": "ji", "є": "je",
}  # fmt: skip
# ð and Ɖ are what some keyboards give for đ; the Nordic letter is not among our languages.
LATIN: Mapping[str, str] = {
    "đ": "dj", "ð": "dj", "ɖ": "dj", "ß": "ss", "ı": "i", "İ": "i", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe",
}  # fmt: skip
GREEK: Mapping[str, str] = {"ς": "σ"}

INVISIBLE = "\u00ad\u200c\u200d\u2060\ufeff"
"""Soft hyphen, zero-width joiners, word joiner, byte order mark: dropped, but inside a span. U+200B is not one of
them, it separates words."""

_APOSTROPHES = "\u02bb\u02bc\u02bd\u02c8"
_COMPOSE = re.compile("[иИ]\u0306|[гГкК]\u0301|[іІ]\u0308")


class FoldTable(dict[int, str]):
    """What each code point becomes; filled as letters are met, so that `str.translate` runs at full speed.

    `letters` are lower-case exceptions that win over Unicode's decomposition; `blank` turns whatever is neither
    letter nor digit into a space of the same length.
    """

    def __init__(self, *letters: Mapping[str, str], blank: bool = False) -> None:
        super().__init__()
        self.letters = {letter: out for table in letters for letter, out in table.items()}
        self.blank = blank

    def __missing__(self, code_point: int) -> str:
        folded = self._fold(chr(code_point))
        if self.blank:
            folded = "".join(letter if letter.isalnum() else " " for letter in folded)
        self[code_point] = folded
        return folded

    def _fold(self, letter: str) -> str:
        if letter in INVISIBLE or unicodedata.category(letter).startswith("M"):
            return ""
        if letter in _APOSTROPHES:
            return "'"
        for known in (letter, letter.lower()):
            if known in self.letters:
                return self.letters[known]
        if not letter.isalnum():
            return letter
        # Decomposing may uncover capitals (a roman numeral) and letters of the table (ў is у and a breve).
        parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", letter).lower())
        plain = "".join(self.letters.get(part, part) for part in parts if part.isalnum())
        return plain or letter


DEFAULT = FoldTable(CYRILLIC, LATIN, GREEK)
"""The folding of queries, lexicons and texts. Another one is `FoldTable(CYRILLIC, {...}, LATIN, GREEK)`."""
BLANKED = FoldTable(CYRILLIC, LATIN, GREEK, blank=True)
"""The same letters at the same places, everything else a space: what an automaton scans."""


def fold(text: str, table: FoldTable = DEFAULT) -> str:
    """Fold a text; nothing is remembered.

    >>> fold("Човић, Čović – ÇOVIQ")
    'covic, covic – coviq'
    """
    if text.isascii() and not table.blank:
        return text.lower()
    return _composed(text).translate(table)


def _composed(text: str) -> str:
    """Join the Cyrillic letters whose mark makes them another letter; the length stays."""
    if "\u0306" in text or "\u0301" in text or "\u0308" in text:
        return _COMPOSE.sub(lambda pair: unicodedata.normalize("NFC", pair[0]) + "\u00ad", text)
    return text


def offsets(text: str, table: FoldTable = DEFAULT) -> tuple[int, ...] | None:
    """The place in `text` of every code point of its folding; None when they are the same."""
    if text.isascii():
        return None
    composed = _composed(text)
    # Most letters stay one letter: only the places of the others are worked out one by one.
    odd = {letter: len(table[ord(letter)]) for letter in set(composed) if len(table[ord(letter)]) != 1}
    if not odd:
        return None
    out: list[int] = []
    done = 0
    for place, letter in enumerate(composed):
        if letter in odd:
            out.extend(range(done, place))
            out.extend(repeat(place, odd[letter]))
            done = place + 1
    out.extend(range(done, len(composed)))
    return tuple(out)


def origin(text: str, places: Sequence[int] | None, start: int, end: int) -> tuple[int, int]:
    """Where a stretch (not empty) of a folding stands in `text`, marks of its last letter included.

    `places` are the text's `offsets`.

    >>> origin("Љиг", offsets("Љиг"), 0, 2)
    (0, 1)
    """
    if places is None:
        return start, end
    last = places[end - 1] + 1
    while last < len(text) and unicodedata.category(text[last]).startswith("M"):
        last += 1
    return places[start], last
