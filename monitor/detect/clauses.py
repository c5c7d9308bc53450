"""Cut a text into sentences of folded words, with quotations, relative clauses and clauses marked.

Words are folded one by one, so every offset is one of the original text. What a word means is `forms` and `lexicon`;
who speaks is `actors`. Called by `responses` once per field of an entry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from monitor.text.fold import fold

MAX_WORDS = 400
"""Words of one sentence that are looked at: longer ones are lists or broken markup, and time must stay bounded."""
_SIGNED = (
    r"|[\u0400-\u052f]+(?:['’ʼ][\u0400-\u052f]+)+"  # прем'єр: in Cyrillic the apostrophe is a letter
    r"|[^\W\d_]+?(?=n['’]t\b)|n['’]t\b|['’](?:s|S|re|ve|ll|d|m)\b"  # didn't, Serbia's
)
_PLAIN, _TOKEN = (
    re.compile(
        r"(?:[^\W\d_]\.){2,}(?!\w)"  # U.S.
        r"|\d+(?:[.,]\d+)*"
        rf"{signed}"
        r"|[^\W_]+"
        r"|[,;:!?…،؛؟()\[\]|\"“”„«»‟‘’‚'‹›\-–—−]|\.+|\n[ \t]*\n|\n"
    )
    for signed in ("", _SIGNED)
)
"""A word or sign; the first for texts without apostrophes, where looking for contractions costs a third."""
_APOSTROPHE = re.compile("['’ʼ]")
_ENDING = re.compile(r"[-–]([a-zа-яёђјљњћџѓќëç]{1,4})\b")
_OPEN, _CLOSE, _BOTH = "„«“‟‹", "”»›", '"'
_DASHES = "-–—−"
_SIGNS = {"…": ".", "[": "(", "]": ")", "،": ",", "؛": ";", "؟": "?"}
"""Signs that mean the same as another."""
_SINGLE = "'‘’‚"


class Token(NamedTuple):
    """One word or sign. `glued`: it hangs on the word before by a hyphen; `ending`: "a" in "EU-a".

    `definite`: an article was written onto it, so it is a noun or an adjective, never a verb.
    """

    word: str
    start: int
    end: int
    capital: bool
    glued: bool
    quoted: bool
    ending: str = ""
    definite: bool = False

    @property
    def proper(self) -> bool:
        """Whether it may be a name, as far as its script can tell: Arabic has no capitals."""
        return self.capital or caseless(self.word)


Part = Callable[[str, Iterable[Token]], Iterable[Token]]
"""Takes words apart that a language writes together; see `affixes`."""


def caseless(word: str) -> bool:
    """Whether a word's script has no capitals.

    >>> caseless("وزارة"), caseless("ministry"), caseless("12")
    (True, False, False)
    """
    return word[0].isalpha() and word[0].upper() == word[0]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A unit of judging. `words` are folded; `shouting` says that capitals prove nothing here (a headline)."""

    field: str
    text: str
    tokens: tuple[Token, ...]
    words: tuple[str, ...]
    headline: bool
    shouting: bool

    @property
    def start(self) -> int:
        """Offset of the first character in the field."""
        return self.tokens[0].start

    @property
    def end(self) -> int:
        """Offset after the last character in the field, an acronym's ending ("SHBA-ja") included."""
        last = self.tokens[-1]
        ending = _ENDING.match(self.text, last.end) if last.ending else None
        return ending.end() if ending else last.end

    def cut(self, first: int, last: int) -> str:
        """The original text of `tokens[first:last]`."""
        return self.text[self.tokens[first].start : self.tokens[last - 1].end]

    @property
    def quote(self) -> str:
        """The sentence as written."""
        return self.text[self.start : self.end]


def sentences(text: str, field: str, abbreviations: frozenset[str], part: Part | None = None) -> Iterator[Sentence]:
    """Cut one field into sentences; a quotation stays with the words after it.

    `abbreviations` are folded words after which a full stop ends nothing, `part` takes words apart.
    """
    written = _tokens(text)
    for tokens in _split(tuple(part(text, written) if part else written), abbreviations):
        if any(token.word[0].isalnum() for token in tokens):
            words = [token for token in tokens if token.word[0].isalpha() and len(token.word) > 1]
            raised = sum(token.capital for token in words)
            headline = field == "title"
            shouting = len(words) > 2 and raised * 10 > len(words) * (6 if headline else 8)
            yield Sentence(field, text, tokens, tuple(token.word for token in tokens), headline, shouting)


def _tokens(text: str) -> Iterator[Token]:
    quoted, single = False, False
    before = -1
    for found in (_TOKEN if _APOSTROPHE.search(text) else _PLAIN).finditer(text):
        start, end, written = found.start(), found.end(), found.group()
        sign = written[0]
        glued = start == before and start > 0 and text[start - 1] in _DASHES
        if sign.isalnum() or (sign in "'’" and len(written) > 1):
            word = _folded(written)
            if not word:
                continue
            if glued and len(written) <= 4 and written.islower() and _acronym(text, start - 1):
                before = end
                continue
            found_ending = _ENDING.match(text, end) if written.isupper() and len(written) > 1 else None
            ending = fold(found_ending[1]) if found_ending else ""
            yield Token(word, start, end, sign.isupper(), glued, quoted or single, ending)
            before = end
            continue
        if sign in _SINGLE:
            mark = _single_quote(text, start, single)
            if mark is None:
                continue
            yield Token('"', start, end, False, False, True)
            single = mark
        elif sign in _OPEN or sign in _CLOSE or sign in _BOTH:
            yield Token('"', start, end, False, False, True)
            quoted = not quoted and _closes(text, end)
        elif sign in _DASHES:
            joined = start == before and end < len(text) and text[end].isalnum()
            if not joined:
                yield Token("-", start, end, False, False, quoted)
            else:
                before = end
        elif sign == "\n":
            if written.count("\n") > 1:
                quoted = single = False
            yield Token("\n" * min(written.count("\n"), 2), start, end, False, False, quoted)
        else:
            yield Token(_SIGNS.get(sign, sign), start, end, False, False, quoted or single)


@lru_cache(maxsize=50_000)
def _folded(written: str) -> str:
    """A word as the lexicon writes it; words come again and again, so they are remembered."""
    return fold(written.replace("’", "'").replace(".", ""))


def _acronym(text: str, hyphen: int) -> bool:
    return hyphen >= 2 and text[hyphen - 2 : hyphen].isupper()


def _single_quote(text: str, at: int, is_open: bool) -> bool | None:
    """Whether quoting goes on after a single quotation mark; None for an apostrophe."""
    before = text[at - 1] if at else " "
    after = text[at + 1] if at + 1 < len(text) else " "
    if is_open and not after.isalnum():
        return False
    if not is_open and not before.isalnum() and after.isalnum():
        close = text.find(text[at] if text[at] != "‘" else "’", at + 2)
        return True if 0 < close - at < 600 else None
    return None


def _closes(text: str, at: int) -> bool:
    """Whether an opened quotation ends within its paragraph; a lone mark quotes nothing."""
    limit = text.find("\n\n", at)
    near = text[at : min(at + 1500, limit if limit >= 0 else len(text))]
    return any(mark in near for mark in _OPEN + _CLOSE + _BOTH)


def _split(tokens: tuple[Token, ...], abbreviations: frozenset[str]) -> Iterable[tuple[Token, ...]]:
    current: list[Token] = []
    for at, token in enumerate(tokens):
        if token.word[0] == "\n":
            if _ends_line(tokens, at, current, token.word):
                yield from _full(current)
                current = []
            continue
        current.append(token)
        if _ends(tokens, at, abbreviations) or len(current) >= MAX_WORDS:
            yield from _full(current)
            current = []
    yield from _full(current)


def _full(current: list[Token]) -> Iterator[tuple[Token, ...]]:
    if current:
        yield tuple(current)


def _ends_line(tokens: tuple[Token, ...], at: int, current: list[Token], mark: str) -> bool:
    """A blank line ends a sentence; a line break only where a new line begins like a sentence."""
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    return len(mark) > 1 or not current or after is None or after.proper or not after.word[0].isalpha()


def _ends(tokens: tuple[Token, ...], at: int, abbreviations: frozenset[str]) -> bool:
    token = tokens[at]
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    if after is None:
        return True
    if token.word == '"':
        return at > 0 and tokens[at - 1].word[0] in ".!?" and not after.quoted and after.proper
    if token.word[0] not in ".!?" or token.quoted:
        return False
    if not (after.proper or after.word[0].isdigit() or after.word in '"-('):
        return False
    if after.start == token.end and after.word != '"' and not after.capital:
        return False
    if token.word[0] != "." or at == 0:
        return True
    before = tokens[at - 1]
    if before.word in abbreviations or (len(before.word) == 1 and before.capital):
        return False
    return not (before.word.isdigit() and len(before.word) <= 2 and not after.word[0].isdigit() and after.capital
                and len(after.word) < 12 and tokens[at - 1].end == token.start and _is_date(tokens, at))  # fmt: skip


def _is_date(tokens: tuple[Token, ...], at: int) -> bool:
    """ "11. August": a day and a capitalised month, told from a sentence's end by what follows the name."""
    later = tokens[at + 2] if at + 2 < len(tokens) else None
    return later is not None and (later.word[0].isdigit() or later.word in ",.")
