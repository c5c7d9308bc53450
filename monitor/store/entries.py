"""Entries: what is known, what is new, what was revised.

"Known" is answered by `seen`, which outlives the entries themselves: two hashed keys per entry, one from its
identity in the feed and one from its address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from monitor.parse import identity
from monitor.store import tables
from monitor.values import Domain, Entry, EntryId, FeedId, KeyedEntry, Match

_E = tables.entry.c
_KEPT_REVISIONS = 24  # reader keeps as many


@dataclass(frozen=True, slots=True)
class Arrival:
    """A new entry on its way into the store: identity, language and publisher are decided."""

    keyed: KeyedEntry
    language: str | None
    outlet: Domain | None
    via: Domain | None = None


@dataclass(frozen=True, slots=True)
class Revised:
    """A known entry whose text changed; `title_before` is what it said until now."""

    entry: Entry
    title_before: str
    n: int


def text_hash(title: str, summary: str, content: str) -> bytes:
    """What changes when the words of an entry change."""
    return hashlib.sha256("\0".join((title, summary, content)).encode("utf-8", "surrogatepass")).digest()


def recall(connection: Connection, feed: FeedId, keyed: Sequence[KeyedEntry]) -> identity.Known:
    """Which keys of a document this feed has shown before."""
    asked = _hashes(keyed)
    known = [asked[digest] for digest in _known_hashes(connection, feed, list(asked))]
    by_kind = {kind: frozenset(key for k, key in known if k == kind) for kind in ("entry", "url", "tail")}
    return identity.Known(by_kind["entry"], by_kind["url"], by_kind["tail"])


def _hashes(keyed: Sequence[KeyedEntry]) -> dict[bytes, tuple[str, str]]:
    """Every key of a document by its hash, with its kind."""
    keys = [(kind, key) for item in keyed for kind, key in _keys(item)]
    return {identity.key_hash(f"{kind}:{key}"): (kind, key) for kind, key in keys}


def _keys(item: KeyedEntry) -> list[tuple[str, str]]:
    kinds = (("entry", item.entry_key), ("url", item.url_key), ("tail", item.tail_key))
    return [(kind, key) for kind, key in kinds if key]


def _known_hashes(connection: Connection, feed: FeedId, hashes: list[bytes], step: int = 500) -> Iterable[bytes]:
    seen = tables.seen.c
    for at in range(0, len(hashes), step):
        chunk = hashes[at : at + step]
        yield from connection.execute(
            select(seen.key_hash).where(seen.feed_id == feed, seen.key_hash.in_(chunk))
        ).scalars()


def mark_seen(connection: Connection, feed: FeedId, keyed: Sequence[KeyedEntry], gen: int) -> None:
    """Remember every key of a document as seen in generation `gen`."""
    if not keyed:
        return
    values = [
        {"feed_id": feed, "key_hash": digest, "kind": kind, "gen_last": gen}
        for digest, (kind, _) in _hashes(keyed).items()
    ]
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(tables.seen)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["feed_id", "key_hash"], set_={"gen_last": statement.excluded.gen_last}
        ),
        values,
    )


def add(
    connection: Connection, feed: FeedId, arrivals: Sequence[Arrival], *, gen: int, now: datetime
) -> tuple[Entry, ...]:
    """Store new entries in document order.

    An address that the same outlet already showed in another feed becomes an alias of that entry and is left out of
    the answer: it is stored, and is no news.
    """
    if not arrivals:
        return ()
    twins = _twins(connection, arrivals)
    rows = [_row(feed, arrival, gen, now, twins.get(_twin_key(arrival))) for arrival in arrivals]
    stored = connection.execute(insert(tables.entry).returning(tables.entry, sort_by_parameter_order=True), rows).all()
    return tuple(_entry(row) for row in stored if row.alias_of is None)


def _twin_key(arrival: Arrival) -> tuple[str | None, str | None]:
    return arrival.keyed.url_key, arrival.outlet


def _twins(connection: Connection, arrivals: Sequence[Arrival]) -> dict[tuple[str | None, str | None], int]:
    keys = [a.keyed.url_key for a in arrivals if a.keyed.url_key and a.outlet]
    if not keys:
        return {}
    found = connection.execute(
        select(_E.url_key, _E.outlet, func.min(_E.id))
        .where(_E.url_key.in_(keys), _E.outlet.is_not(None))
        .group_by(_E.url_key, _E.outlet)
    )
    return {(row[0], row[1]): row[2] for row in found}


def _row(feed: FeedId, arrival: Arrival, gen: int, now: datetime, twin: int | None) -> dict[str, Any]:
    parsed = arrival.keyed.entry
    title, summary, content = parsed.title or "", parsed.summary or "", parsed.content or ""
    return {
        "feed_id": feed,
        "entry_key": arrival.keyed.entry_key,
        "url": parsed.url,
        "url_key": arrival.keyed.url_key,
        "outlet": arrival.outlet,
        "via": arrival.via,
        "alias_of": twin,
        "title": title,
        "summary": summary,
        "content": content,
        "author": parsed.author,
        "lang": arrival.language,
        "published_raw": parsed.published_raw,
        "published_at": parsed.published,
        "first_seen_at": now,
        "gen": gen,
        "text_sha256": text_hash(title, summary, content),
    }


def revise(connection: Connection, feed: FeedId, keyed: Sequence[KeyedEntry], now: datetime) -> tuple[Revised, ...]:
    """Keep the new text of known entries whose words changed, at most 24 revisions each."""
    by_key = {item.entry_key: item for item in keyed}
    if not by_key:
        return ()
    rows = connection.execute(select(tables.entry).where(_E.feed_id == feed, _E.entry_key.in_(list(by_key)))).all()
    revised = (_revise(connection, row, by_key[row.entry_key], now) for row in rows)
    return tuple(item for item in revised if item is not None)


def _revise(connection: Connection, row: Row[Any], item: KeyedEntry, now: datetime) -> Revised | None:
    title, summary, content = item.entry.title or "", item.entry.summary or "", item.entry.content or ""
    digest = text_hash(title, summary, content)
    if digest == row.text_sha256:
        return None
    revision = tables.entry_revision.c
    n = connection.execute(select(func.count()).where(revision.entry_id == row.id)).scalar_one() + 1
    known = connection.execute(
        select(revision.n).where(revision.entry_id == row.id, revision.text_sha256 == digest)
    ).first()
    if known is not None or n > _KEPT_REVISIONS:
        return None
    connection.execute(
        insert(tables.entry_revision).values(
            entry_id=row.id,
            n=n,
            at=now,
            title=row.title,
            summary=row.summary,
            content=row.content,
            text_sha256=row.text_sha256,
        )
    )
    connection.execute(
        update(tables.entry)
        .where(_E.id == row.id)
        .values(title=title, summary=summary, content=content, text_sha256=digest)
    )
    fresh = connection.execute(select(tables.entry).where(_E.id == row.id)).one()
    return Revised(_entry(fresh), row.title, n)


def record_matches(
    connection: Connection, entry: EntryId, matches: Sequence[Match], *, config_rev: int, now: datetime
) -> None:
    """Keep why an entry was taken."""
    connection.execute(
        insert(tables.match),
        [
            {
                "entry_id": entry,
                "watch": match.watch,
                "spans": [[span.field, span.start, span.end, span.term] for span in match.spans],
                "config_rev": config_rev,
                "at": now,
            }
            for match in matches
        ],
    )


def by_id(connection: Connection, entry: EntryId) -> Entry | None:
    """One entry, or None."""
    row = connection.execute(select(tables.entry).where(_E.id == entry)).one_or_none()
    return None if row is None else _entry(row)


def by_url(connection: Connection, url: str, url_key: str | None) -> tuple[Entry, ...]:
    """Entries with this address, as written or canonical, oldest first."""
    same = _E.url == url if url_key is None else (_E.url == url) | (_E.url_key == url_key)
    return tuple(_entry(row) for row in connection.execute(select(tables.entry).where(same).order_by(_E.id)))


def count(connection: Connection) -> int:
    """How many entries are stored."""
    return connection.execute(select(func.count()).select_from(tables.entry)).scalar_one()


def counts_by_feed(connection: Connection) -> Mapping[int, int]:
    """Stored entries per feed id."""
    return {row[0]: row[1] for row in connection.execute(select(_E.feed_id, func.count()).group_by(_E.feed_id))}


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        id=EntryId(row.id),
        feed=FeedId(row.feed_id),
        entry_key=row.entry_key,
        url=row.url,
        url_key=row.url_key,
        title=row.title,
        summary=row.summary,
        content=row.content,
        language=row.lang,
        outlet=None if row.outlet is None else Domain(row.outlet),
        published=row.published_at,
        first_seen=row.first_seen_at,
        author=row.author,
        via=None if row.via is None else Domain(row.via),
    )
