"""Finds the items of long lists that need no YAML library: `- key: word` and the like, line by line. Pure.

A list of feeds is thousands of items of one plain form, and the library takes a fifth of a millisecond for each. Here
they are told by their form and taken out of the text that the library reads; what is anything else stays in it, the
first item of each list always. Whatever makes the form doubtful leaves the whole list to the library. `reading` puts
both halves together, and reads the file as a whole where they do not fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_ODD = re.compile(r"[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""Tabs, other ends of lines, marks of byte order, and what no YAML file may hold."""

_GAP = r"(?:[ ]*(?:#[^\n]*)?\n)*"
_KEY = r"[A-Za-z_][\w.-]{0,60}"
_IN_FLOW = r"[\w./%+=@~&?-]*"
_FLOW = rf"[\w/.]{_IN_FLOW}(?:(?::(?=[\w/])|[ ](?=[\w/.])){_IN_FLOW})*"
_BLOCK = r"[\w/.][^\s:#]*(?:(?::(?=[^\s:#])|[ ](?=[^\s:#]))[^\s:#]*)*"
"""A word of a value: in brackets, and behind a key. Stricter than YAML is."""
_QUOTED = r"\"[^\"\\\n\[\]]*\"|'[^'\n\[\]]*'"
_LIST = rf"\[[ ]*(?:(?:{_FLOW}|{_QUOTED})(?:,[ ]*(?:{_FLOW}|{_QUOTED}))*[ ]*)?\]"
_END = r"(?:[ ]+#[^\n]*|[ ]*)\n"
_PAIR = rf"{_KEY}:[ ]+(?:{_BLOCK}|{_QUOTED}|{_LIST})"
_FLOW_PAIR = rf"{_KEY}:[ ]+(?:{_FLOW}|{_QUOTED}|{_LIST})"
_BRACES = rf"\{{[ ]*{_FLOW_PAIR}(?:,[ ]+{_FLOW_PAIR})*[ ]*\}}"

_LINES = re.compile(_GAP)
_HEAD = re.compile(rf"^[a-z_]+:[ ]*(?:#[^\n]*)?\n(?={_GAP}([ ]*)- )", re.MULTILINE)
_READ_PAIR = re.compile(rf"(?P<key>{_KEY}):[ ]+(?P<value>(?P<list>{_LIST})|(?P<quoted>{_QUOTED})|{_BLOCK})")
_READ_FLOW_PAIR = re.compile(rf"(?P<key>{_KEY}):[ ]+(?P<value>(?P<list>{_LIST})|(?P<quoted>{_QUOTED})|{_FLOW})")
_READ_BRACES = re.compile(_BRACES)
_READ_WORD = re.compile(rf"(?P<quoted>{_QUOTED})|{_FLOW}")


@dataclass(frozen=True, slots=True)
class Word:
    """A scalar: its text without quotes, its columns from 0, the quote it stood in or None."""

    text: str
    column: int
    end: int
    quote: str | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A key with its value: one word, or the words of a list in brackets. The line counts from 0."""

    key: str
    line: int
    column: int
    value: Word | tuple[Word, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Item:
    """A mapping of plain words: the line it begins in, from 0, its text, and the column behind its dash."""

    line: int
    text: str
    column: int

    @property
    def braces_end(self) -> int | None:
        """The column behind its closing brace; None where each pair has a line of its own."""
        braces = _READ_BRACES.match(self.text, self.column)
        return braces.end() if braces else None

    def pairs(self) -> Iterator[Pair]:
        """Read its keys and values."""
        end = self.braces_end
        if end is not None:
            for found in _READ_FLOW_PAIR.finditer(self.text, self.column, end):
                yield _pair(found, self.line)
            return
        for down, line in enumerate(self.text.split("\n")):
            pair = None if line.lstrip().startswith("#") else _READ_PAIR.match(line, self.column)
            if pair:
                yield _pair(pair, self.line + down)


def _pair(found: re.Match[str], line: int) -> Pair:
    start, end = found.span("value")
    value: Word | tuple[Word, ...]
    if found["list"] is None:
        value = _word(found["value"], start, found["quoted"] is not None)
    else:
        words = _READ_WORD.finditer(found.string, start + 1, end - 1)
        value = tuple(_word(word[0], word.start(), word["quoted"] is not None) for word in words)
    return Pair(found["key"], line, found.start(), value, start, end)


def _word(text: str, column: int, quoted: bool) -> Word:
    return Word(text[1:-1] if quoted else text, column, column + len(text), text[0] if quoted else None)


@dataclass(frozen=True, slots=True)
class Section:
    """A list at the top of the file: the lines where items begin that were left to the library, and the plain ones."""

    left: tuple[int, ...]
    plain: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Skimmed:
    """What is left of a text, with as many lines, and the sections that were thinned, by the line of their key."""

    text: str
    sections: dict[int, Section]


def skim(text: str) -> Skimmed:
    """Take the plain items out of the lists of a text."""
    if _ODD.search(text):
        return Skimmed(text, {})
    parts: list[str] = []
    sections: dict[int, Section] = {}
    done = 0
    for head in _HEAD.finditer(text):
        spans = _spans(text, head.end(), len(head[1]))
        if head.start() < done or not any(is_plain for _, _, is_plain in spans):
            continue
        line = text.count("\n", 0, head.start())
        sections[line] = _section(text, line, head.start(), spans, len(head[1]) + 2)
        for start, end, is_plain in spans:
            if is_plain:
                parts += (text[done:start], "#\n" * text.count("\n", start, end))
                done = end
    return Skimmed("".join((*parts, text[done:])), sections)


def _section(text: str, line: int, at: int, spans: list[tuple[int, int, bool]], column: int) -> Section:
    left: list[int] = []
    plain: list[Item] = []
    for start, end, is_plain in spans:
        line += text.count("\n", at, start)
        at = start
        if is_plain:
            plain.append(Item(line, text[start:end], column))
        else:
            left.append(line)
    return Section(tuple(left), tuple(plain))


def _spans(text: str, at: int, dent: int) -> list[tuple[int, int, bool]]:
    """Where the items of a list begin and end, and which of them are plain; nothing where the form is doubtful."""
    dash, plain, item_end = " " * dent + "- ", _plain_item(dent), _outdented(dent)
    spans: list[tuple[int, int, bool]] = []
    at = _gap_end(text, at)
    while text.startswith(dash, at):
        found = plain.match(text, at) if spans else None
        if found is None:
            if text[at + len(dash) : at + len(dash) + 1] in ("", " ", "#", "\n"):
                return []
            after = item_end.search(text, text.find("\n", at) + 1 or len(text))
            end = after.start() if after else len(text)
        else:
            end = found.end()
        spans.append((at, end, found is not None))
        at = _gap_end(text, end)
    return [] if text[at : at + 1] in (" ", "-") else spans


def _gap_end(text: str, at: int) -> int:
    """Where blank lines and comments end."""
    found = _LINES.match(text, at)
    return found.end() if found else at


@lru_cache(maxsize=8)
def _plain_item(dent: int) -> re.Pattern[str]:
    """An item at this indent that is nothing but plain pairs, each in a line of its own or all in braces."""
    more = rf"(?:{_GAP}[ ]{{{dent + 2}}}{_PAIR}{_END})*"
    return re.compile(rf"[ ]{{{dent}}}- (?:{_PAIR}{_END}{more}|{_BRACES}{_END})(?!{_GAP}[ ]{{{dent + 1},}}[^\s#])")


@lru_cache(maxsize=8)
def _outdented(dent: int) -> re.Pattern[str]:
    """A line that belongs to no item at this indent."""
    return re.compile(rf"^[ ]{{0,{dent}}}[^ \n]", re.MULTILINE)
