"""OPML, the list of feeds that readers exchange: text in and out, bounded, without DTD and entities.

Folders and categories become tags. What is no use is named with its line and the rest is taken. Pure; called by
`monitor.feed.lists`. Source: http://opml.org/spec2.opml.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from monitor.errors import MonitorError
from monitor.parse import links
from monitor.text import fold

MAX_BYTES = 10 * 1024 * 1024
MAX_OUTLINES = 10_000
MAX_DEPTH = 10
MAX_ELEMENT = 1 << 20
"""What one element may hold where a list is read piece by piece."""
_MAX_TITLE = 1_000
_MAX_TAG = 40
_NO_NAME = re.compile(r"[^a-z0-9]+")
_OUTLET = "storywatchOutlet"
"""An attribute of our own: readers leave what they do not know."""


class OpmlError(MonitorError):
    """The file is no OPML that may be read; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A feed of a list. `tags` are names as the configuration has them; `title` is None where it says nothing."""

    url: str
    title: str | None = None
    tags: tuple[str, ...] = ()
    outlet: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Unusable:
    """An outline that is left out, and why."""

    line: int
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class Read:
    """What a list holds, in its order."""

    feeds: tuple[Listed, ...]
    unusable: tuple[Unusable, ...]


def read(body: bytes) -> Read:
    """Read a list.

    Errors: OpmlError for what is no well-formed OPML, has a DTD, or is beyond the limits.
    """
    if len(body) > MAX_BYTES:
        raise OpmlError(f"{len(body):,} bytes; at most {MAX_BYTES:,} are read")
    reader = _Reader(MAX_OUTLINES)
    reader.parse(body, last=True)
    return Read(tuple(reader.feeds), tuple(reader.unusable))


def pieces(parts: Iterable[bytes]) -> Iterator[Listed | Unusable]:
    """Read a list of any length piece by piece: what is usable and what is not, in its order.

    Errors: OpmlError as `read`, at the place where it shows; what came before has been given by then.
    """
    reader, size = _Reader(most=None), 0
    for part in parts:
        size += len(part)
        reader.parse(part)
        yield from reader.taken()
        if size - max(reader.parser.CurrentByteIndex, 0) > MAX_ELEMENT + len(part):
            raise OpmlError(f"line {reader.parser.CurrentLineNumber}: something longer than {MAX_ELEMENT:,} bytes")
    reader.parse(b"", last=True)
    yield from reader.taken()


def tag(text: str) -> str | None:
    """A folder's or category's name as a tag; None where nothing is left of it.

    >>> tag("Balkan News"), tag("Čačak & okolina"), tag("Вести"), tag("新聞")
    ('balkan-news', 'cacak-okolina', 'vesti', None)
    """
    plain = unicodedata.normalize("NFKD", fold.fold(text)).encode("ascii", "ignore").decode()
    return _NO_NAME.sub("-", plain).strip("-")[:_MAX_TAG].strip("-") or None


class _Reader:
    """The walk through a list. `_folders` has the tags of each open outline, none for one that is a feed."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self.feeds: list[Listed] = []
        self.unusable: list[Unusable] = []
        self._folders: list[str | None] = []
        self._outlines = 0
        self._seen_root = False
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._open
        self.parser.EndElementHandler = self._close
        self.parser.StartDoctypeDeclHandler = self._doctype

    def parse(self, body: bytes, *, last: bool = False) -> None:
        """Read on."""
        try:
            self.parser.Parse(body, last)
        except expat.ExpatError as exc:
            raise OpmlError(f"line {exc.lineno}: not well-formed XML ({expat.ErrorString(exc.code)})") from exc
        except (LookupError, ValueError) as exc:
            raise OpmlError(f"its encoding cannot be read: {exc}") from exc

    def taken(self) -> list[Listed | Unusable]:
        """Give what was found since the last call, in its order."""
        found: list[Listed | Unusable] = [*self.feeds, *self.unusable]
        found.sort(key=lambda one: one.line)
        self.feeds, self.unusable = [], []
        return found

    def _doctype(self, *_: object) -> None:
        raise OpmlError(f"line {self.parser.CurrentLineNumber}: a DTD; lists with one are not read")

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        line = self.parser.CurrentLineNumber
        if not self._seen_root and name.lower() != "opml":
            raise OpmlError(f"line {line}: the root element is <{name[:40]}>, not <opml>")
        self._seen_root = True
        if name.lower() != "outline":
            return
        self._outlines += 1
        if self._most is not None and self._outlines > self._most:
            raise OpmlError(f"line {line}: more than {self._most:,} outlines: feed import --to-store takes any number")
        if len(self._folders) >= MAX_DEPTH:
            raise OpmlError(f"line {line}: outlines nested deeper than {MAX_DEPTH}")
        self._folders.append(self._outline({key.lower(): value for key, value in attributes.items()}, line))

    def _close(self, name: str) -> None:
        if name.lower() == "outline":
            self._folders.pop()

    def _outline(self, said: dict[str, str], line: int) -> str | None:
        """Take one outline; the answer is the tag it gives to those within."""
        label = " ".join((said.get("title") or said.get("text") or "").split())[:_MAX_TITLE]
        address = said.get("xmlurl", "").strip()
        if not address:
            if said.get("type", "").lower() in ("rss", "atom", "link", "include"):
                self.unusable.append(Unusable(line, label, "without an xmlUrl"))
                return None
            return tag(label)
        url = links.absolute(address.removeprefix("feed:"), "")
        if url is None:
            self.unusable.append(Unusable(line, label, f"no http(s) address: {address[:80]}"))
            return None
        title = label if label and label != address else None
        self.feeds.append(Listed(url, title, self._tags(said.get("category", "")), _outlet(said), line))
        return None

    def _tags(self, categories: str) -> tuple[str, ...]:
        """The folders around a feed, and its categories: with commas between, and slashes within."""
        words = [tag(word) for category in categories.split(",") for word in category.split("/")]
        return tuple(sorted({word for word in [*self._folders, *words] if word}))


def _outlet(said: dict[str, str]) -> str | None:
    return said.get(_OUTLET.lower()) or None


def write(feeds: Iterable[Listed], title: str) -> str:
    """Write a list."""
    return "".join(lines(feeds, title))


def lines(feeds: Iterable[Listed], title: str, more: Iterable[Listed] = ()) -> Iterator[str]:
    """Write a list line by line: each feed in the folder of its first tag, all its tags as categories.

    `more` may be any number: they follow in their order, those that stand together in a folder of their own.
    """
    yield from ('<?xml version="1.0" encoding="UTF-8"?>\n', '<opml version="2.0">\n')
    yield from (f"  <head><title>{_escaped(title)}</title></head>\n", "  <body>\n")
    order = sorted(feeds, key=lambda feed: bool(feed.tags))
    folders: dict[str, list[Listed]] = {}
    for feed in order:
        folders.setdefault(_folder(feed), []).append(feed)
    for name, inside in chain(folders.items(), groupby(more, _folder)):
        if name:
            yield f"    <outline text={_attribute(name)}>\n"
        dent = "      " if name else "    "
        yield from (f"{dent}{_feed(feed)}\n" for feed in inside)
        if name:
            yield "    </outline>\n"
    yield from ("  </body>\n", "</opml>\n")


def _folder(feed: Listed) -> str:
    return feed.tags[0] if feed.tags else ""


def _feed(feed: Listed) -> str:
    shown = _attribute(feed.title or feed.url)
    fields = [f"text={shown}", 'type="rss"', f"xmlUrl={_attribute(feed.url)}"]
    fields += [f"category={_attribute(','.join(feed.tags))}"] if feed.tags else []
    fields += [f"{_OUTLET}={_attribute(feed.outlet)}"] if feed.outlet else []
    return f"<outline {' '.join(fields)}/>"


def _attribute(text: str) -> str:
    return quoteattr(_clean(text), {"\n": " ", "\t": " ", "\r": " "})


def _escaped(text: str) -> str:
    return _clean(text).replace("&", "&amp;").replace("<", "&lt;")


def _clean(text: str) -> str:
    """Without what XML cannot hold at all."""
    return "".join(char for char in text if char in "\t\n\r" or (char >= " " and not "\ud800" <= char <= "\udfff"))
