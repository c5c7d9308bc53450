"""Lists of feeds as they come: OPML, one address a line, or one JSON object a line; read piece by piece.

Which of them a list is shows in how it begins. What cannot be read of it is named by line, and the rest is taken.
Called by `storing`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from monitor.feed.facts import FeedRefused
from monitor.parse import opml

LONGEST = 64 * 1024
"""Bytes in one line of text."""
_PIECE = 256 * 1024
_COMMENT = re.compile(r"(?:^|\s)#.*")
_XML = (b"<", b"\xff\xfe", b"\xfe\xff")
"""How XML begins, in UTF-8 and UTF-16."""
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """What a list says of one feed, as config.yaml would. `whole`: what it does not say is not so."""

    line: int
    said: Mapping[str, Any]
    whole: bool = False


Read = Line | opml.Unusable


@contextmanager
def opened(file: Path) -> Iterator[tuple[BinaryIO, int]]:
    """Open a list, or stdin for -; with its size in bytes, 0 where that is not known.

    Errors: FeedRefused.
    """
    if str(file) == "-":
        yield sys.stdin.buffer, 0
        return
    try:
        stream = file.open("rb")
    except OSError as exc:
        raise FeedRefused(f"{file}: cannot be read ({exc.strerror})") from exc
    with stream:
        yield stream, file.stat().st_size if file.is_file() else 0


def read(stream: BinaryIO) -> Iterator[Read]:
    """Read a list of any length.

    Errors: FeedRefused when an OPML breaks off; what came before has been given by then.
    """
    head = stream.read(_PIECE)
    begins = head.removeprefix(_BOM).lstrip()
    if begins.startswith(_XML):
        yield from _outlines(_pieces(head, stream))
        return
    make = _object if begins.startswith(b"{") else _address
    for number, line in enumerate(_lines(head, stream), 1):
        found = _read_line(number, line.removeprefix(_BOM) if number == 1 else line, make)
        if found is not None:
            yield found


def _pieces(head: bytes, stream: BinaryIO) -> Iterator[bytes]:
    while head:
        yield head
        head = stream.read(_PIECE)


def _outlines(pieces: Iterator[bytes]) -> Iterator[Read]:
    try:
        for one in opml.pieces(pieces):
            if isinstance(one, opml.Unusable):
                yield one
                continue
            said = {"url": one.url, "tags": list(one.tags), "outlet": one.outlet, "note": one.title}
            yield Line(one.line, {name: value for name, value in said.items() if value})
    except opml.OpmlError as exc:
        raise FeedRefused(str(exc)) from exc


def _lines(head: bytes, stream: BinaryIO) -> Iterator[bytes]:
    """The lines of a text; of one that is too long no more than shows that it is."""
    rest = b""
    for piece in _pieces(head, stream):
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
        rest = rest if len(rest) <= LONGEST else rest[: LONGEST + 1]
    if rest:
        yield rest


def _read_line(number: int, line: bytes, make: Any) -> Read | None:
    if len(line) > LONGEST:
        return opml.Unusable(number, "", f"a line of more than {LONGEST:,} bytes")
    try:
        text = line.decode("utf-8").strip()
    except UnicodeDecodeError:
        return opml.Unusable(number, "", "this line is not UTF-8")
    return make(number, text) if text and not text.startswith("#") else None


def _address(number: int, text: str) -> Read | None:
    return Line(number, {"url": _COMMENT.sub("", text).strip()})


def _object(number: int, text: str) -> Read:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return opml.Unusable(number, "", "this line is no JSON")
    if not isinstance(said, dict):
        return opml.Unusable(number, "", 'a JSON object is wanted: {"url": "https://..."}')
    return Line(number, said, whole=True)
