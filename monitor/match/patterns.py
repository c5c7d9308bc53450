"""Word patterns and phrases: what one term of a query or one line of the lexicon takes, spelled out as values.

Reads `deport*`, `zem(lj|alj)*`, `TPS`, `third-country`; knows no operators (see `query`) and finds nothing in a text
(see `scan`). Called by query, concepts, matcher and explain.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, product, takewhile
from math import prod

from monitor.text import words as text_words
from monitor.text.fold import INVISIBLE, fold

BESIDE_STAR = 3
"""Literal letters needed beside `*`: with fewer a pattern takes half the dictionary."""
LONGEST_WORD = 100
"""A longer word is cut before a pattern is tried on it."""
LONGEST_GUARD = 12
"""Words of a guard phrase at most: how far around an occurrence guards are looked for."""
_MOST_EXPANSIONS = 32

QUOTES = "\"“”„‟«»'’‘‚‹›"
_DIVIDERS = text_words.HYPHENS + text_words.APOSTROPHES + QUOTES
_WILDCARDS = re.compile(r"[*?(|)]")
_NOT_PLURAL = frozenset({"news", "aids", "means"})


class Kind(StrEnum):
    """How a word of a pattern is compared."""

    WORD = "word"
    ACRONYM = "acronym"
    EXACT = "exact"
    WILD = "wild"


@dataclass(frozen=True, slots=True)
class WordPattern:
    """One word of a term. `letters` are folded; `written` are the exact letters or the wildcard pattern."""

    kind: Kind
    letters: str
    written: str
    plural: bool = False


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand next to each other; usually one."""

    words: tuple[WordPattern, ...]


class PatternError(ValueError):
    """A pattern cannot be used. `offset` counts characters of the pattern from 0."""

    def __init__(self, offset: int, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.hint = hint


# -------------------------------------------------------------------------------------------------------- reading


def read(text: str, *, exact: bool = False) -> Phrase:
    """Read a word or phrase, without its quotes.

    Errors: PatternError, with a place in `text`.

    >>> [(word.kind.value, word.letters) for word in read("Vučić* U.S.").words]
    [('wild', 'vucic*'), ('acronym', 'us')]
    """
    found: list[WordPattern] = []
    for chunk in re.finditer(r"\S+", text):
        if exact:
            found.extend(_exact(chunk[0]))
        else:
            found.extend((_wild if _WILDCARDS.search(chunk[0]) else _plain)(chunk[0], chunk.start()))
    if not found:
        raise PatternError(0, "no word to find", "an address is no text; outlet: names an outlet")
    last = found[-1]
    if last.kind is Kind.WORD:
        found[-1] = WordPattern(last.kind, last.letters, last.written, plural=True)
    return Phrase(tuple(found))


def _exact(chunk: str) -> Iterator[WordPattern]:
    for word in text_words.words(chunk):
        yield WordPattern(Kind.EXACT, word.folded, spelled(chunk[word.start : word.end]))


def spelled(written: str) -> str:
    """What is compared for an exact form: the letters as composed characters, without invisible ones."""
    return unicodedata.normalize("NFC", "".join(letter for letter in written if letter not in INVISIBLE))


def _plain(written: str, offset: int) -> Iterator[WordPattern]:
    _refuse_signs(written, offset)
    bare = written.lstrip("#@")
    for word in text_words.words(bare):
        letters = sum(map(str.isalpha, bare[word.start : word.end]))
        acronym = word.is_caps and word.folded.isalpha() and 2 <= letters <= 6
        yield WordPattern(Kind.ACRONYM if acronym else Kind.WORD, word.folded, word.folded)


def _refuse_signs(written: str, offset: int) -> None:
    if not written.strip(text_words.HYPHENS + QUOTES):
        raise PatternError(offset, f'a phrase never reaches across "{written}"')
    for place, letter in enumerate(written):
        if not (_is_letter(letter) or letter in _DIVIDERS or letter == "." or (place == 0 and letter in "#@")):
            raise PatternError(offset + place, f'"{letter}" cannot be part of a term', "use AND, OR or two terms")


def _is_letter(sign: str) -> bool:
    return sign.isalnum() or sign in INVISIBLE or unicodedata.category(sign).startswith("M")


def _wild(written: str, offset: int) -> Iterator[WordPattern]:
    """A chunk with wildcards: hyphens and apostrophes divide it, and pieces without a wildcard are plain words."""
    for piece in re.finditer(rf"[^{re.escape(_DIVIDERS)}]+", written):
        if _WILDCARDS.search(piece[0]):
            yield _wild_word(piece[0].lstrip("#@"), offset + piece.start())
        else:
            yield from _plain(piece[0], offset + piece.start())


def _wild_word(piece: str, offset: int) -> WordPattern:
    parts = _parts(piece, offset)
    if min(map(len, _anchor_run(parts)), default=0) == 0:
        raise PatternError(offset, "a wildcard alone matches everything", f"write {BESIDE_STAR} letters beside it")
    if _beside_star(parts) < BESIDE_STAR:
        raise PatternError(offset, f"{BESIDE_STAR} letters are needed beside *")
    return WordPattern(Kind.WILD, "".join(part.source for part in parts), spelled(piece))


# -------------------------------------------------------------------------------------------------- wildcard parts


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a wildcard pattern: `*`, `?`, or the alternatives of a run of letters (one, without a group)."""

    wildcard: str
    choices: tuple[str, ...] = ()
    shortest: int = 0

    @property
    def source(self) -> str:
        """The piece as it is written, folded."""
        if self.wildcard:
            return self.wildcard
        return self.choices[0] if len(self.choices) == 1 else f"({'|'.join(self.choices)})"


_PIECE = re.compile(r"(?P<wildcard>[*?])|\((?P<group>[^()*?]*)\)|(?P<letters>[^()*?|]+)")


def _parts(pattern: str, offset: int = 0) -> tuple[Part, ...]:
    parts, place = [], 0
    while place < len(pattern):
        found = _PIECE.match(pattern, place)
        if found is None:
            if pattern[place] == "(":
                raise PatternError(offset + place, "group inside a word is never closed")
            raise PatternError(offset + place, f'"{pattern[place]}" has no place here', "alternatives: zem(lj|alj)*")
        parts.append(_part(found, offset))
        place = found.end()
    return tuple(parts)


def _part(found: re.Match[str], offset: int) -> Part:
    if found["wildcard"]:
        return Part(found["wildcard"])
    choices = found["group"].split("|") if found["group"] is not None else [found["letters"]]
    for letter in "".join(choices):
        if not _is_letter(letter):
            raise PatternError(offset + found.start(), f'"{letter}" cannot be part of a word')
    return Part("", tuple(dict.fromkeys(map(fold, choices))), min(sum(map(str.isalnum, choice)) for choice in choices))


def _beside_star(parts: tuple[Part, ...]) -> int:
    """The fewest letters that stand on the better side of any `*`; enough where there is none."""
    stars = [place for place, part in enumerate(parts) if part.wildcard == "*"]
    return min(
        (max(_run_length(parts[:place][::-1]), _run_length(parts[place + 1 :])) for place in stars), default=BESIDE_STAR
    )


def _run_length(parts: tuple[Part, ...]) -> int:
    return sum(part.shortest for part in takewhile(lambda part: not part.wildcard, parts))


# ------------------------------------------------------------------------------------------------------- comparing


def plural_key(word: str) -> str:
    """The letters English singular and plural share; from four letters on.

    Source: the S-stemmer of D. Harman, "How effective is suffixing?", 1991.

    >>> plural_key("countries"), plural_key("houses"), plural_key("status"), plural_key("news")
    ('country', 'house', 'status', 'news')
    """
    if len(word) < 4 or word in _NOT_PLURAL or not word.isalpha():
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")):
        return word[:-1]
    return word


def forms(word: WordPattern) -> tuple[str, ...]:
    """Every folded word a pattern without wildcards takes."""
    if not word.plural:
        return (word.letters,)
    key = plural_key(word.letters)
    candidates = (word.letters, key, f"{key}s", f"{key[:-1]}ies" if key.endswith("y") else key)
    return tuple(dict.fromkeys(form for form in candidates if plural_key(form) == key and _long_enough(form, word)))


def _long_enough(form: str, word: WordPattern) -> bool:
    return form == word.letters or (len(form) >= 3 and len(word.letters) >= 3)


def regex(word: WordPattern) -> re.Pattern[str]:
    """The expression a whole folded word must match; linear, without nested repetition."""
    if word.kind is not Kind.WILD:
        return re.compile("|".join(map(re.escape, forms(word))))
    out = []
    for part in _parts(word.written):
        if part.wildcard:
            out.append(r"[^\W_]*" if part.wildcard == "*" else r"[^\W_]")
        else:
            out.append(f"(?:{'|'.join(map(re.escape, part.choices))})")
    return re.compile("".join(out))


def anchors(word: WordPattern) -> tuple[str, ...]:
    """Strings one of which stands in the blanked text (a space before and behind every word) wherever the word does."""
    if word.kind is Kind.WILD:
        return _anchor_run(_parts(word.written))
    plain = [f" {form} " for form in forms(word)]
    return (*plain, f" {' '.join(word.letters)} ") if may_be_dotted(word) else tuple(plain)


def may_be_dotted(word: WordPattern) -> bool:
    """Whether a dotted spelling is looked for: of acronyms, and of words so short that they may be one."""
    return word.letters.isalpha() and 2 <= len(word.letters) <= (4 if word.kind is Kind.WORD else 6)


def is_decided_by_anchor(word: WordPattern) -> bool:
    """Whether finding an anchor proves the word: nothing is asked of the letters outside it."""
    if word.kind is not Kind.WILD:
        return True
    parts = _parts(word.written)
    inner = [part for place, part in enumerate(parts) if not (part.wildcard == "*" and place in (0, len(parts) - 1))]
    return not any(part.wildcard for part in inner) and _expansions(inner) <= _MOST_EXPANSIONS


def _anchor_run(parts: tuple[Part, ...]) -> tuple[str, ...]:
    """The run of letters between wildcards that says most, in all its spellings and with the word's borders."""
    return max(_runs(parts), key=lambda run: min(map(len, run)), default=())


def _runs(parts: tuple[Part, ...]) -> Iterator[tuple[str, ...]]:
    for is_wild, numbered in groupby(enumerate(parts), key=lambda item: bool(item[1].wildcard)):
        if is_wild:
            continue
        places, run = zip(*numbered, strict=True)
        left, right = " " if places[0] == 0 else "", " " if places[-1] == len(parts) - 1 else ""
        if _expansions(run) > _MOST_EXPANSIONS:
            yield from (part.choices for part in run)
        elif min(len("".join(choice)) for choice in product(*(part.choices for part in run))):
            yield tuple(f"{left}{''.join(choice)}{right}" for choice in product(*(part.choices for part in run)))


def _expansions(run: Iterable[Part]) -> int:
    return prod(len(part.choices) for part in run)
