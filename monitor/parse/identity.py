"""Which entry an item is: its keys within the feed, and what of a document is new.

Two keys: `entry_key` from the id, `url_key` from the address. An entry is new only if the feed has shown neither.
Items of one document under one address are one entry if their titles are alike, and a shared page if not. Pure: the
store says what is known, `monitor.pipeline` applies what is decided here.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from monitor.parse import links
from monitor.values import KeyedEntry, ParsedEntry, ParsedFeed

_WORD = re.compile(r"\w+")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_MIN_TAIL = 12
"""An id shorter than this without its host ("/?p=17") says too little to be known again elsewhere."""
_MAX_COMPARED = 100
"""Beyond this many items under one address, only equal titles count as alike."""

TROUBLE_SHARE = 0.05
_TROUBLED_DOCUMENTS = 3
_QUIET = timedelta(days=30)


class Policy(StrEnum):
    """What identity rests on: ids, or addresses where a feed's ids cannot be trusted, or the text."""

    GUID = "guid"
    URL = "url"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Known:
    """The keys of a document that its feed has shown before."""

    entry_keys: frozenset[str] = frozenset()
    url_keys: frozenset[str] = frozenset()
    tail_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Novelty:
    """A document's entries by what is known of them, each part in document order.

    `seen`: known by entry key, perhaps revised. `aliases`: a new id for a known address or a moved id: no event.
    """

    new: tuple[KeyedEntry, ...]
    seen: tuple[KeyedEntry, ...]
    aliases: tuple[KeyedEntry, ...] = ()

    @property
    def moving_share(self) -> float:
        """The share of entries whose id changed while the address stayed."""
        total = len(self.new) + len(self.seen) + len(self.aliases)
        return len(self.aliases) / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Trust:
    """How far a feed's ids are trusted. `troubled` counts documents in a row with trouble, up to the change."""

    policy: Policy = Policy.GUID
    troubled: int = 0
    last_trouble: datetime | None = None


TRUSTED = Trust()


def keyed(
    parsed: ParsedFeed, *, policy: Policy = Policy.GUID, repeated: frozenset[str] = frozenset()
) -> tuple[KeyedEntry, ...]:
    """Give the entries of a document their keys; items that are one entry become one. In document order.

    `repeated` are ids known to repeat in the whole document, for a caller that parsed only a part of it.
    """
    counts = Counter(entry.id for entry in parsed.entries if entry.id)
    shared = repeated | {guid for guid, count in counts.items() if count > 1}
    groups: dict[str, list[tuple[int, KeyedEntry]]] = {}
    for at, entry in enumerate(parsed.entries):
        single = _single(entry, policy, shared)
        groups.setdefault(single.url_key or single.entry_key, []).append((at, single))
    placed = [pair for group in groups.values() for pair in _resolved(group)]
    return tuple(item for _, item in sorted(placed, key=lambda pair: pair[0]))


def sort(items: Sequence[KeyedEntry], known: Known) -> Novelty:
    """Tell new entries from known ones: new is what has neither a known id nor a known address."""
    new, seen, aliases = [], [], []
    for item in items:
        if item.entry_key in known.entry_keys:
            seen.append(item)
        elif item.url_key in known.url_keys or item.tail_key in known.tail_keys:
            aliases.append(item)
        else:
            new.append(item)
    return Novelty(tuple(new), tuple(seen), tuple(aliases))


def repeated_share(parsed: ParsedFeed) -> float:
    """The share of a document's entries whose id another entry of it has too."""
    counts = Counter(entry.id for entry in parsed.entries if entry.id)
    return sum(count for count in counts.values() if count > 1) / len(parsed.entries) if parsed.entries else 0.0


def shared_share(items: Sequence[KeyedEntry], total: int) -> float:
    """The share of a document's `total` items whose address is no address of their own."""
    return sum(item.url_key is None and item.entry.url is not None for item in items) / total if total else 0.0


def reconsider(trust: Trust, ids: float, now: datetime, *, addresses: float = 0.0) -> Trust:
    """Follow a feed's ids over documents: three troubled ones lower the trust, thirty quiet days restore it.

    `ids` is the share of entries with repeated or moving ids, `addresses` of those with a shared address: what identity
    does not rest on gives it no trouble, but as long as the ids are bad there is no way back to them. A changed policy
    wants a new baseline: keys change.
    Source: FreshRSS falls back the same way; the way back is ours.
    """
    felt = ids if trust.policy is Policy.GUID else addresses
    if felt > TROUBLE_SHARE and trust.policy is not Policy.TEXT:
        troubled = trust.troubled + 1
        if troubled < _TROUBLED_DOCUMENTS:
            return Trust(trust.policy, troubled, now)
        return Trust(Policy.URL if trust.policy is Policy.GUID else Policy.TEXT, 0, now)
    if trust.policy is Policy.GUID:
        return Trust()
    if max(ids, addresses) > TROUBLE_SHARE:
        return Trust(trust.policy, 0, now)
    if trust.last_trouble is not None and now - trust.last_trouble >= _QUIET:
        return Trust()
    return Trust(trust.policy, 0, trust.last_trouble)


def key_hash(text: str) -> bytes:
    """The 16 bytes under which a key is remembered: the first half of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def alike(one: str | None, other: str | None) -> bool:
    """Whether two titles are versions of one: at least half of the shorter one's words are in the other.

    Words of one or two letters do not count, and a single common word counts only if it is all there is.

    >>> alike("Kosovo agrees to take deportees", "UPDATE: Kosovo agrees to take 50 deportees")
    True
    >>> alike("La Wii", "La France")
    False
    """
    first, second = _words(one), _words(other)
    if not first or not second:
        return first == second
    shared, shorter = len(first & second), min(len(first), len(second))
    return shared * 2 >= shorter and (shared > 1 or shared == shorter)


def _words(text: str | None) -> frozenset[str]:
    words = _WORD.findall((text or "").casefold())
    return frozenset(word for word in words if len(word) > 2) or frozenset(words)


def _single(entry: ParsedEntry, policy: Policy, shared: frozenset[str] | set[str]) -> KeyedEntry:
    url_key = entry.url_key or (links.canonical(entry.url).key if entry.url else None)
    tail = _tail(entry.id) if policy is Policy.GUID and entry.id not in shared else None
    return KeyedEntry(entry, _entry_key(entry, url_key, policy, shared), url_key, tail_key=tail)


def _entry_key(entry: ParsedEntry, url_key: str | None, policy: Policy, shared: frozenset[str] | set[str]) -> str:
    if policy is Policy.TEXT:
        return "text:" + _digest(entry.url, entry.published_raw, entry.title)
    if policy is Policy.URL and url_key:
        return f"url:{url_key}"
    if entry.id:
        return f"{entry.id}\n{entry.url or ''}" if entry.id in shared else entry.id
    return entry.url or "text:" + _digest(entry.title, entry.summary, entry.content)


def _digest(*parts: str | None) -> str:
    joined = "\0".join(part or "" for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _tail(guid: str | None) -> str | None:
    """The id without scheme and host, if it is an address and what remains is telling."""
    if not guid or not guid.lower().startswith(("http://", "https://")):
        return None
    try:
        parts = urlsplit(guid)
    except ValueError:
        return None
    tail = parts.path.rstrip("/") + (f"?{parts.query}" if parts.query else "")
    tail += f"#{parts.fragment}" if parts.fragment else ""  # in an id it may be all that tells two entries apart
    return f"tail:{tail}" if len(tail) >= _MIN_TAIL else None


def _resolved(group: list[tuple[int, KeyedEntry]]) -> Iterable[tuple[int, KeyedEntry]]:
    """The entries of one address: one if all titles are alike, else one per title and no address to know them by."""
    if len(group) == 1:
        yield group[0]
        return
    versions = _versions(group)
    if len(versions) == 1:
        yield _merged(group)
        return
    for same in versions:
        at, item = _merged(same)
        own_key = f"{item.entry_key}\n{_digest(_label(item.entry))}"
        yield at, KeyedEntry(item.entry, own_key, None, item.older)


def _versions(group: list[tuple[int, KeyedEntry]]) -> list[list[tuple[int, KeyedEntry]]]:
    """The group parted by titles: each part holds texts of one entry."""
    exact = len(group) > _MAX_COMPARED
    parts: list[list[tuple[int, KeyedEntry]]] = []
    by_label: dict[str, list[tuple[int, KeyedEntry]]] = {}
    for pair in group:
        label = _label(pair[1].entry)
        same = by_label.get(label)
        if same is None and not exact:
            same = next((part for part in parts if alike(label, _label(part[0][1].entry))), None)
        if same is None:
            same = []
            parts.append(same)
        by_label[label] = same
        same.append(pair)
    return parts


def _merged(group: list[tuple[int, KeyedEntry]]) -> tuple[int, KeyedEntry]:
    """One entry of several versions: the oldest one's keys, by which it is known already, and the newest text.

    Undated versions count in document order: feeds put the newest first.
    """
    newest_first = sorted(group, key=lambda pair: pair[1].entry.published or _LONG_AGO, reverse=True)
    newest = newest_first[0][1].entry
    oldest = min((item for _, item in group), key=lambda item: (item.entry.published or _LONG_AGO, item.entry_key))
    older = tuple(item.entry for _, item in newest_first[1:] if _label(item.entry) != _label(newest))
    return group[0][0], KeyedEntry(newest, oldest.entry_key, oldest.url_key, older, oldest.tail_key)


def _label(entry: ParsedEntry) -> str:
    return " ".join((entry.title or (entry.summary or "")[:200]).casefold().split())
