"""Parsing only the items of a document that were not in the last one. The result is that of a whole parse, or is one.

One pass of expat proves the document well-formed and finds the bytes of each item; the unseen ones, in the frame of
everything outside the items, are a small document for the same parser. Whatever could make a difference (a repair, an
odd structure, a new frame, items that share an id or an address) means a whole parse, with its reason. Pure: the caller
keeps the memory. Called in parser processes (`monitor.parser_process`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.parsers import expat

import feedparser

from monitor.parse import feed, publishers, xml_feed
from monitor.parse.delta import CONTEXT, HASH, ITEM_BYTES, KEY, NONE, Delta, Memory, Whole, key
from monitor.parse.tasks import NO_HINTS, FeedHints
from monitor.values import ParsedEntry, ParsedFeed

_ITEM_DEPTHS = (2, 3)


@dataclass(frozen=True, slots=True)
class _Split:
    raw: bytes
    ranges: tuple[tuple[int, int], ...]
    context: bytes
    hashes: tuple[bytes, ...]


def parse(
    body: bytes,
    url: str,
    headers: Mapping[str, str],
    now: datetime,
    hints: FeedHints = NO_HINTS,
    table: publishers.HostTable = publishers.DEFAULT,
    *,
    before: Memory | None = None,
) -> Delta:
    """Parse what is new since `before`; everything if that cannot be done safely.

    Errors: ParseError, as `feed.parse`.
    """
    opened = feed.open_body(body, headers)
    split = _split(opened)
    reason: Whole | None = None if isinstance(split, _Split) else split
    if isinstance(split, _Split):
        if before is None:
            reason = Whole.FIRST
        elif before.context != split.context:
            reason = Whole.CONTEXT
        else:
            found = _only_unseen(split, before, opened, url, headers, now, hints, table)
            if isinstance(found, Delta):
                return found
            reason = found
    parsed = feed.cook(feed.read_document(opened, url, headers), opened, url, headers, now, hints, table)
    total = len(parsed.entries) + parsed.left_out
    memory = _remember_all(split, parsed) if isinstance(split, _Split) else None
    return Delta(parsed, tuple(range(len(parsed.entries))), total, memory, reason)


def _only_unseen(
    split: _Split,
    before: Memory,
    opened: feed.Opened,
    url: str,
    headers: Mapping[str, str],
    now: datetime,
    hints: FeedHints,
    table: publishers.HostTable,
) -> Delta | Whole:
    known = {item[:HASH]: item for item in before.items}
    positions = tuple(at for at, item in enumerate(split.hashes) if item not in known)
    if len(split.hashes) > feed.MAX_ENTRIES:
        return Whole.STRUCTURE
    text = _mini(split, positions)
    document = xml_feed.read(text, str(opened.tidied.root), url)
    if document.mended or len(document.items) != len(positions):
        return Whole.COUNT
    parsed = feed.cook(document, opened, url, headers, now, hints, table, total=len(split.hashes))
    fresh = dict(zip(positions, (_facts(entry) for entry in parsed.entries), strict=True))
    items = tuple(item + fresh[at] if at in fresh else known[item] for at, item in enumerate(split.hashes))
    if _shares(items, positions):
        return Whole.SHARED
    return Delta(parsed, positions, len(items), Memory(split.context, items), None)


def _shares(items: Sequence[bytes], positions: Sequence[int]) -> bool:
    """Whether an unseen item has the id or the address of another: its identity then depends on both."""
    guids = Counter(item[HASH : HASH + KEY] for item in items)
    addresses = Counter(item[HASH + KEY : HASH + 2 * KEY] for item in items)
    titles = Counter(item[HASH + 2 * KEY :] for item in items)
    for at in positions:
        guid, address, title = (items[at][start : start + KEY] for start in range(HASH, ITEM_BYTES, KEY))
        if (guid != NONE and guids[guid] > 1) or (address != NONE and addresses[address] > 1):
            return True
        if guid == address == NONE and titles[title] > 1:
            return True
    return False


def _remember_all(split: _Split, parsed: ParsedFeed) -> Memory | None:
    """None if the split and the parser do not see the same items: then there is nothing to tell them by."""
    if len(split.hashes) != len(parsed.entries):
        return None
    pairs = zip(split.hashes, parsed.entries, strict=True)
    return Memory(split.context, tuple(item + _facts(entry) for item, entry in pairs))


def _facts(entry: ParsedEntry) -> bytes:
    return key(entry.id) + key(entry.url_key) + key(entry.title or entry.summary)


def _mini(split: _Split, positions: Collection[int]) -> str:
    """The frame with only these items in it."""
    pieces, at = [], 0
    for number, (start, end) in enumerate(split.ranges):
        pieces.append(split.raw[at:start])
        if number in positions:
            pieces.append(split.raw[start:end])
        at = end
    pieces.append(split.raw[at:])
    return b"".join(pieces).decode("utf-8")


def _split(opened: feed.Opened) -> _Split | Whole:
    """Find the bytes of each item, or say why that is not safe."""
    if opened.recovered:
        return Whole.REPAIRED
    if opened.tidied.root not in feed.XML_FEEDS:
        return Whole.KIND
    raw = opened.tidied.text.encode("utf-8", "surrogatepass")
    finder = _Finder(raw)
    try:
        finder.run()
    except expat.ExpatError:
        return Whole.NOT_WELL_FORMED
    if finder.odd or not finder.ranges:
        return Whole.STRUCTURE
    known = f"{feedparser.__version__} {feed.REVISION} {opened.encoding} ".encode() + b"".join(finder.above)
    hashes = tuple(hashlib.sha256(raw[start:end]).digest()[:HASH] for start, end in finder.ranges)
    return _Split(raw, tuple(finder.ranges), hashlib.sha256(known).digest()[:CONTEXT], hashes)


class _Finder:
    """expat's walk through a document: where items begin and end, and the start tags above them."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.ranges: list[tuple[int, int]] = []
        self.above: list[bytes] = []
        self.odd = False
        self._are_items: dict[str, bool] = {}
        self._depth = 0
        self._item_depth = 0
        self._start = 0
        self._parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        self._parser.StartElementHandler = self._open
        self._parser.EndElementHandler = self._close

    def run(self) -> None:
        self._parser.Parse(self.raw, True)

    def _open(self, name: str, _attributes: dict[str, str]) -> None:
        self._depth += 1
        is_item = self._are_items.get(name)
        if is_item is None:
            is_item = self._are_items[name] = name.rpartition(" ")[2].lower() in ("item", "entry")
        if self._item_depth:
            self.odd = self.odd or is_item
        elif is_item:
            self.odd = self.odd or self._depth not in _ITEM_DEPTHS
            self._item_depth, self._start = self._depth, self._parser.CurrentByteIndex
        elif self._depth < max(_ITEM_DEPTHS) and not self.ranges:
            at = self._parser.CurrentByteIndex
            self.above.append(self.raw[at : self.raw.find(b">", at) + 1])

    def _close(self, _name: str) -> None:
        if self._depth == self._item_depth:
            at = self._parser.CurrentByteIndex
            if at == self._start:  # <item/>: nothing to parse, and no end tag to find
                self.odd = True
            self.ranges.append((self._start, self.raw.find(b">", at) + 1))
            self._item_depth = 0
        self._depth -= 1
