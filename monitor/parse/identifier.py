"""The language that a text is in, by the runs of bytes it holds. The model is py3langid's, made little.

At each byte the longest known run that ends there counts, with its weight in each language; the language with the
largest sum is the answer (naive Bayes). `tools/language_model.py` writes the model. One pass in C and no numpy: the
library walks a table of 39 MB in Python, and what it loads took a parser process more memory than all else in it.
Called by `monitor.parse.language`.
"""

from __future__ import annotations

import json
import lzma
import pkgutil
import struct
from operator import itemgetter

import ahocorasick

_LANE, _MAX_BYTES = 2, 500
"""Bytes in which a language's sum has room, and bytes of text looked at: no weight is more than 123."""
_UNCLEAR = 30
"""A lead smaller than this is none. Of 37,000 texts in twenty languages the right hint then mends one in ninety, and
one language given as the hint of all spoils one in 600 to 2,000."""
_VALUE = itemgetter(1)


class Identifier:
    """The model, unpacked: three megabytes."""

    def __init__(self, packed: bytes) -> None:
        line, _, body = lzma.decompress(packed).partition(b"\n")
        head = json.loads(line)
        self.languages: tuple[str, ...] = tuple(head["languages"])
        self._sums = struct.Struct(f"<{len(self.languages)}H")
        self._prior = _side_by_side(bytes(head["prior"]))
        self._runs = _automaton(_weighed(body, head["runs"], len(self.languages)))

    def identify(self, text: str, hint: str | None = None) -> str | None:
        """The language that the beginning of a text is most likely in; `hint` if it is hardly less so.

        `hint` also where nothing is known of the text, as in a script of no language of the model.
        """
        start = _as_letters(text.encode("utf-8", "surrogatepass")[:_MAX_BYTES])
        total = sum(map(_VALUE, self._runs.iter(start)))
        if not total:
            return hint
        packed = (total + self._prior).to_bytes(_LANE * len(self.languages), "little")
        sums = self._sums.unpack(packed)
        best = max(sums)
        if any(name == hint and best - own < _UNCLEAR for name, own in zip(self.languages, sums, strict=True)):
            return hint
        return self.languages[sums.index(best)]


def load() -> Identifier:
    """Read the model that lies beside this module."""
    return Identifier(pkgutil.get_data(__package__, "languages.model") or b"")


def _weighed(body: bytes, count: int, width: int) -> dict[bytes, int]:
    """The runs and their weights: the lengths of all, then their bytes, then the weights."""
    at, weights, found = count, len(body) - count * width, {}
    for length in body[:count]:
        found[body[at : at + length]] = _side_by_side(body[weights : weights + width])
        at, weights = at + length, weights + width
    return found


def _automaton(weighed: dict[bytes, int]) -> ahocorasick.Automaton:
    """It finds every run that ends at a byte, and only the longest shall count: so each one's value is what its weights
    are beyond those of its own longest end, and all that end together make the weights of the longest."""
    made = ahocorasick.Automaton()
    for run, weights in weighed.items():
        end = next((run[at:] for at in range(1, len(run)) if run[at:] in weighed), None)
        made.add_word(_as_letters(run), weights - weighed[end] if end else weights)
    made.make_automaton()
    return made


def _side_by_side(numbers: bytes) -> int:
    """The numbers as one, each in a lane of its own: one addition then adds them all."""
    wide = bytearray(_LANE * len(numbers))
    wide[::_LANE] = numbers
    return int.from_bytes(wide, "little")


def _as_letters(raw: bytes) -> str:
    """Bytes as the text that the automaton wants, one letter each."""
    return raw.decode("latin-1")
