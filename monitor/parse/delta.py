"""What is remembered of a feed's last document, and what a parse of the next one answers. Values only.

`monitor.parse.unseen` makes them in a parser process; the daemon keeps `Memory` with the feed and commits it together
with the entries. So this module imports no parser: the daemon has none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from monitor.values import ParsedFeed

HASH, KEY = 12, 8
ITEM_BYTES = HASH + 3 * KEY
"""What an item costs to remember: a hash of its bytes, and of its id, address and title."""
CONTEXT = 8
NONE = b"\0" * KEY
"""The hash of what an item does not have."""
UNREAD = b"\0" * CONTEXT
"""In place of a memory's context: the next document is of another one and is therefore read whole."""


class Whole(StrEnum):
    """Why a document was parsed whole."""

    FIRST = "first"
    NOT_WELL_FORMED = "not_well_formed"
    REPAIRED = "repaired"
    STRUCTURE = "structure"
    COUNT = "count"
    CONTEXT = "context"
    KIND = "kind"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Memory:
    """The items of a feed's last committed document, and what their values depended on beside their own bytes."""

    context: bytes
    items: tuple[bytes, ...]

    def pack(self) -> bytes:
        """One value for a column: eight bytes of context, then 36 an item."""
        return self.context + b"".join(self.items)

    @staticmethod
    def unpack(raw: bytes | None) -> Memory | None:
        """What `pack` made; None for nothing and for another layout."""
        if not raw or (len(raw) - CONTEXT) % ITEM_BYTES:
            return None
        rest = raw[CONTEXT:]
        return Memory(raw[:CONTEXT], tuple(rest[at : at + ITEM_BYTES] for at in range(0, len(rest), ITEM_BYTES)))

    def only(self, positions: Collection[int]) -> Memory:
        """As if only these items had been there: for tests that parse a document in parts."""
        return Memory(self.context, tuple(item for at, item in enumerate(self.items) if at in positions))


@dataclass(frozen=True, slots=True)
class Delta:
    """A parsed document. `feed` holds only the entries at `positions` of its items, all of them after a whole parse.

    `memory` is for the next time, None where there is nothing to remember; `whole` is the reason of a whole parse.
    """

    feed: ParsedFeed
    positions: tuple[int, ...]
    total: int
    memory: Memory | None
    whole: Whole | None


def whole(parsed: ParsedFeed) -> Delta:
    """A document of which all is known, for a caller that has parsed it otherwise."""
    total = len(parsed.entries) + parsed.left_out
    return Delta(parsed, tuple(range(len(parsed.entries))), total, None, Whole.FIRST)


def taken_out(before: Memory, after: Memory) -> tuple[bytes, ...]:
    """The items that left a document although one below them stayed: they did not fall off its end.

    Judged by id and address, so that an edited item is still there.
    """
    there = Present(after.items)
    stays = [there.has(item[HASH : HASH + KEY], item[HASH + KEY : HASH + 2 * KEY]) for item in before.items]
    last = max((at for at, stayed in enumerate(stays) if stayed), default=-1)
    return tuple(item for item, stayed in zip(before.items[: last + 1], stays, strict=False) if not stayed)


class Present:
    """Remembered items, to be asked by id or address."""

    def __init__(self, items: Collection[bytes]) -> None:
        self._guids = {item[HASH : HASH + KEY] for item in items} - {NONE}
        self._addresses = {item[HASH + KEY : HASH + 2 * KEY] for item in items} - {NONE}

    def has(self, guid: bytes, address: bytes) -> bool:
        """Whether one of them has this id or this address, both hashed."""
        return guid in self._guids or address in self._addresses

    def holds(self, entry_key: str | None, url_key: str | None) -> bool:
        """Whether an entry with this id or this address is one of them."""
        return self.has(key(entry_key), key(url_key))


def key(text: str | None) -> bytes:
    """Hash an id, an address or a title as items are remembered by them."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:KEY] if text else NONE
