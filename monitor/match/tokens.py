"""A query cut into tokens: parentheses, operators, fields, concepts, words and phrases, each with its place.

Judges spelling only; what may stand beside what is `query`'s. Called by query alone.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from monitor.errors import QueryError
from monitor.text.fold import INVISIBLE
from monitor.text.nearest import FARTHEST, nearest
from monitor.text.words import APOSTROPHES, HYPHENS

OPERATORS = ("AND", "OR", "NOT", "NEAR", "BEFORE", "SENTENCE", "PARAGRAPH")
COUNTED = ("NEAR", "BEFORE")
FIELDS = ("title", "text", "outlet", "lang", "country")
MOST_WORDS = 50
_ELSEWHERE = {
    "ONEAR": "BEFORE", "ADJ": "BEFORE", "PRE": "BEFORE", "ONW": "BEFORE", "W": "NEAR", "N": "NEAR", "WITHIN": "NEAR",
    "SAME": "PARAGRAPH", "ANDNOT": "AND NOT", "BUTNOT": "NOT",
}  # fmt: skip
"""What other services call these operators."""
_SHORT = 5
"""Words up to here are one slip from an operator at most: NATO is not meant to be NOT."""

_DOUBLE_QUOTES = '"“”„‟«»'
_OPERATOR = re.compile(rf"({'|'.join(OPERATORS)})(?:/(\d*))?")
_CONCEPT = re.compile(rf"[\w{re.escape(HYPHENS)}]*")
_GROUP = re.compile(r"\([^\s()]*\)")
_REST = re.compile(r"[^()]*\)|\S*")
_OPERATOR_LIKE = re.compile(r"([A-Za-z]+)/(\d*)")


class Kind(StrEnum):
    """What a token is."""

    OPEN = "("
    CLOSE = ")"
    OPERATOR = "operator"
    FIELD = "field"
    CONCEPT = "concept"
    WORD = "word"
    PHRASE = "phrase"
    EXACT = "exact"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Token:
    """`text[start:end]` of the query. `value` is an operator's name, a field, a concept or the words of a term.

    `words`: the n of NEAR/n, None where none is written. `is_virtual`: a parenthesis nobody wrote. A WRONG token has
    been complained about already.
    """

    kind: Kind
    start: int
    end: int
    value: str
    words: int | None = None
    is_virtual: bool = False

    @property
    def column(self) -> int:
        """Where it stands, counted from 1."""
        return self.start + 1


def cut(text: str, errors: list[QueryError]) -> list[Token]:
    """Cut a query into tokens with parentheses in pairs; faults are added to `errors`."""
    tokens: list[Token] = []
    place = 0
    while place < len(text):
        if text[place].isspace() or text[place] in INVISIBLE:
            place += 1
            continue
        token = _next(text, place, errors)
        tokens.append(token)
        place = token.end
    return _paired(tokens, errors)


def _next(text: str, place: int, errors: list[QueryError]) -> Token:
    sign = text[place]
    if sign in "()":
        return Token(Kind(sign), place, place + 1, sign)
    if sign in _DOUBLE_QUOTES:
        return _phrase(text, place, place + 1, Kind.PHRASE, errors)
    if sign == "=" and text[place + 1 : place + 2] and text[place + 1] in _DOUBLE_QUOTES:
        return _phrase(text, place, place + 2, Kind.EXACT, errors)
    if sign == "~":
        found = _CONCEPT.match(text, place + 1)
        end = found.end() if found else place + 1
        return Token(Kind.CONCEPT, place, end, _plain(text[place + 1 : end]))
    return _bare(text, place, errors)


def _phrase(text: str, start: int, inside: int, kind: Kind, errors: list[QueryError]) -> Token:
    end = next((place for place in range(inside, len(text)) if text[place] in _DOUBLE_QUOTES), None)
    if end is None:
        errors.append(QueryError(start + 1, "quote is never closed", code="E051"))
        return Token(Kind.WRONG, start, len(text), text[start:])
    return Token(kind, start, end + 1, text[inside:end])


def _bare(text: str, start: int, errors: list[QueryError]) -> Token:
    """An operator, a field, or a word with its groups of alternatives."""
    place = start
    while place < len(text):
        sign = text[place]
        if sign.isspace() or sign == ")" or sign in _DOUBLE_QUOTES:
            break
        if sign == "(":
            if _is_operator_like(text[start:place]):
                break
            closed = _GROUP.match(text, place)
            if closed is None:
                return _open_group(text, start, place, errors)
            place = closed.end()
            continue
        place += 1
        if sign == ":" and _is_field_like(text[start : place - 1]):
            return _field(text, start, place, errors)
    return _operator(text, start, place, errors) or Token(Kind.WORD, start, place, text[start:place])


def _is_field_like(word: str) -> bool:
    return word.isalpha() and word.isascii()


def _is_operator_like(word: str) -> bool:
    return word.upper() in OPERATORS or _OPERATOR_LIKE.fullmatch(word) is not None


def _open_group(text: str, start: int, place: int, errors: list[QueryError]) -> Token:
    errors.append(
        QueryError(place + 1, "group inside a word is never closed", "no space in it: zem(lj|alj)*", code="E051")
    )
    rest = _REST.match(text, place + 1)
    end = rest.end() if rest else len(text)
    return Token(Kind.WRONG, start, end, text[start:end])


def _field(text: str, start: int, end: int, errors: list[QueryError]) -> Token:
    name = text[start : end - 1]
    if name in FIELDS:
        return Token(Kind.FIELD, start, end, name)
    near = nearest(name, FIELDS)
    hint = f'did you mean "{near}"?' if near else f"fields are {', '.join(FIELDS)}"
    errors.append(QueryError(start + 1, f'unknown field "{name}"', hint, code="E052"))
    return Token(Kind.FIELD, start, end, "title")


def _operator(text: str, start: int, end: int, errors: list[QueryError]) -> Token | None:
    written = text[start:end]
    known, like = _OPERATOR.fullmatch(written), _OPERATOR_LIKE.fullmatch(written)
    if known and (known[2] is None or known[1] in COUNTED):
        words = int(known[2][:9]) if known[2] else None
        if known[2] is not None and (words is None or words > MOST_WORDS):
            column = start + known.start(2) + 1
            errors.append(QueryError(column, f"n is 0 to {MOST_WORDS}", code="E055"))
            words = MOST_WORDS
        return Token(Kind.OPERATOR, start, end, known[1], words)
    if like is None:
        return None
    meant = meant_operator(like[1])
    hint = f"did you mean {meant}{f'/{like[2]}' if like[2] and meant in COUNTED else ''}?" if meant else None
    capitals = like[1].upper() in OPERATORS and like[1] != like[1].upper()
    message = f"operators are capitals: {like[1].upper()}" if capitals else f"unknown operator {written}"
    errors.append(QueryError(start + 1, message, hint or f"operators are {', '.join(OPERATORS)}", code="E052"))
    return Token(Kind.OPERATOR, start, end, meant if meant in OPERATORS else "AND", 0, is_virtual=True)


def meant_operator(word: str) -> str | None:
    """The operator a word was probably meant to be."""
    if word.upper() in _ELSEWHERE:
        return _ELSEWHERE[word.upper()]
    return nearest(word, OPERATORS, 1 if len(word) <= _SHORT else FARTHEST)


def _paired(tokens: list[Token], errors: list[QueryError]) -> list[Token]:
    """Drop parentheses that close nothing, close those left open at the end."""
    paired: list[Token] = []
    opened: list[Token] = []
    for token in tokens:
        if token.kind is Kind.OPEN:
            opened.append(token)
        elif token.kind is Kind.CLOSE and not opened:
            errors.append(QueryError(token.column, "parenthesis was never opened", code="E051"))
            continue
        elif token.kind is Kind.CLOSE:
            opened.pop()
        paired.append(token)
    errors.extend(QueryError(token.column, "parenthesis is never closed", code="E051") for token in opened)
    end = tokens[-1].end if tokens else 0
    return paired + [Token(Kind.CLOSE, end, end, ")", is_virtual=True) for _ in opened]


def _plain(written: str) -> str:
    """Composed letters, one kind of hyphen, apostrophe and space, nothing invisible."""
    composed = unicodedata.normalize("NFC", "".join(sign for sign in written if sign not in INVISIBLE))
    straight = {**dict.fromkeys(HYPHENS, "-"), **dict.fromkeys(APOSTROPHES, "'")}
    return "".join(straight.get(sign, sign) for sign in composed)


def canonical(written: str) -> str:
    """How a term is shown again: composed, with plain hyphens and apostrophes and single spaces."""
    return " ".join(_plain(written).split())
