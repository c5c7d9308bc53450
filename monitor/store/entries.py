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

from sqlalchemy import Connection, Row, bindparam, func, insert, or_, select, update

from monitor.parse import identity
from monitor.store import partitions, plain, tables
from monitor.values import Domain, Entry, EntryId, FeedId, KeyedEntry, Match, ParsedEntry, Span

_E = tables.entry.c
_KEPT_REVISIONS = 24  # reader keeps as many

# What every poll asks.
_SEEN = tables.seen.c
_KNOWN = plain.Statement(
    {
        name: select(_SEEN.key_hash).where(
            _SEEN.feed_id == bindparam("feed"), plain.among(name, _SEEN.key_hash, "hashes")
        )
        for name in plain.DATABASES
    }
)
_MATCHED = plain.Statement(insert(tables.match), tables.match.c.keys())
_ADD = plain.NewRows(tables.entry, [one.name for one in _E if one.name not in ("id", "article", "missing_since")])
_TWINS = plain.Statement(
    {
        name: select(_E.url_key, _E.outlet, func.min(_E.id))
        .where(plain.among(name, _E.url_key, "keys"), _E.outlet.is_not(None))
        .group_by(_E.url_key, _E.outlet)
        for name in plain.DATABASES
    }
)
_FOLLOWED = (
    select(_E.id, _E.entry_key, _E.url_key, _E.first_seen_at, _E.missing_since)
    .join(tables.mention, tables.mention.c.entry_id == _E.id)
    .where(_E.feed_id == bindparam("feed"), _E.first_seen_at >= bindparam("since"))
    .order_by(_E.id)
)
_LEAVING = {False: plain.Statement(_FOLLOWED), True: plain.Statement(_FOLLOWED.where(_E.missing_since.is_not(None)))}
_MARK = plain.NewRows(
    tables.seen,
    ("feed_id", "key_hash", "kind", "gen_last"),
    lambda insert: insert.on_conflict_do_update(
        index_elements=["feed_id", "key_hash"], set_={"gen_last": insert.excluded.gen_last}
    ),
)


Keys = Mapping[bytes, tuple[str, str]]
"""The keys of a document by their hashes: of which kind, and the key itself."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A new entry on its way into the store: identity, language and publisher are decided."""

    keyed: KeyedEntry
    language: str | None
    outlet: Domain | None
    via: Domain | None = None


@dataclass(frozen=True, slots=True)
class Revised:
    """A known entry whose text changed: as it reads now, as it read `before`, and the hash of its new words."""

    entry: Entry
    before: Entry
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Followed:
    """A matched entry that its feed may take back: how it is known, and since when it is missing."""

    entry: EntryId
    entry_key: str
    url_key: str | None
    first_seen: datetime
    missing_since: datetime | None


def text_hash(title: str, summary: str, content: str) -> bytes:
    """What changes when the words of an entry change."""
    return hashlib.sha256("\0".join((title, summary, content)).encode("utf-8", "surrogatepass")).digest()


def hashed(keyed: Sequence[KeyedEntry]) -> Keys:
    """Every key of a document by its hash, with its kind."""
    keys = [(kind, key) for item in keyed for kind, key in _keys(item)]
    return {identity.key_hash(f"{kind}:{key}"): (kind, key) for kind, key in keys}


def recall(connection: Connection, feed: FeedId, asked: Keys) -> identity.Known:
    """Which keys of a document this feed has shown before."""
    known = [asked[digest] for digest in _known_hashes(connection, feed, list(asked))]
    by_kind = {kind: frozenset(key for k, key in known if k == kind) for kind in ("entry", "url", "tail")}
    return identity.Known(by_kind["entry"], by_kind["url"], by_kind["tail"])


def _keys(item: KeyedEntry) -> list[tuple[str, str]]:
    kinds = (("entry", item.entry_key), ("url", item.url_key), ("tail", item.tail_key))
    return [(kind, key) for kind, key in kinds if key]


def _known_hashes(connection: Connection, feed: FeedId, hashes: list[bytes]) -> Iterable[bytes]:
    for chunk in plain.chunks(hashes):
        yield from (row[0] for row in _KNOWN.rows(connection, {"feed": feed, "hashes": chunk}))


def mark_seen(connection: Connection, feed: FeedId, keys: Keys, gen: int) -> None:
    """Remember every key of a document as seen in generation `gen`."""
    if keys:
        rows = keys.items()
        _MARK.add(
            connection, [{"feed_id": feed, "key_hash": one, "kind": kind, "gen_last": gen} for one, (kind, _) in rows]
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
    partitions.make_room(connection, now)
    twins = _twins(connection, arrivals)
    rows = [_row(feed, arrival, gen, now, twins.get(_twin_key(arrival))) for arrival in arrivals]
    ids = _ADD.numbered(connection, rows, "entry_key")
    for arrival in arrivals:
        for n, older in enumerate(reversed(arrival.keyed.older), start=1):
            _keep_revision(connection, ids[arrival.keyed.entry_key], n, now, *_texts(older))
    fresh = (row | {"id": ids[row["entry_key"]], "article": None} for row in rows if row["alias_of"] is None)
    return tuple(_entry(row) for row in fresh)


def _twin_key(arrival: Arrival) -> tuple[str | None, str | None]:
    return arrival.keyed.url_key, arrival.outlet


def _twins(connection: Connection, arrivals: Sequence[Arrival]) -> dict[tuple[str | None, str | None], int]:
    keys = [a.keyed.url_key for a in arrivals if a.keyed.url_key and a.outlet]
    if not keys:
        return {}
    found = [row for some in plain.chunks(keys) for row in _TWINS.rows(connection, {"keys": some})]
    return {(row[0], row[1]): row[2] for row in found}


def _row(feed: FeedId, arrival: Arrival, gen: int, now: datetime, twin: int | None) -> dict[str, Any]:
    parsed = arrival.keyed.entry
    title, summary, content = _texts(parsed)
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


def _texts(parsed: ParsedEntry) -> tuple[str, str, str]:
    return parsed.title or "", parsed.summary or "", parsed.content or ""


def revise(
    connection: Connection, feed: FeedId, seen: Sequence[KeyedEntry], aliases: Sequence[KeyedEntry], now: datetime
) -> tuple[Revised, ...]:
    """Keep the new text of known entries whose words changed, at most 24 revisions each.

    `aliases` are known by their address only: their ids are new.
    """
    by_key = {item.entry_key: item for item in seen}
    by_url = {item.url_key: item for item in aliases if item.url_key}
    if not by_key and not by_url:
        return ()
    same = or_(_E.entry_key.in_(list(by_key)), _E.url_key.in_(list(by_url)))
    rows = connection.execute(select(tables.entry).where(_E.feed_id == feed, same)).all()
    pairs = ((row, by_key.get(row.entry_key) or by_url[row.url_key]) for row in rows)
    revised = (_revise(connection, row, item, now) for row, item in pairs)
    return tuple(item for item in revised if item is not None)


def _revise(connection: Connection, row: Row[Any], item: KeyedEntry, now: datetime) -> Revised | None:
    title, summary, content = _texts(item.entry)
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
    _keep_revision(connection, row.id, n, now, row.title, row.summary, row.content)
    here = (_E.id == row.id, _E.first_seen_at == row.first_seen_at)  # the time leads to its partition
    connection.execute(
        update(tables.entry).where(*here).values(title=title, summary=summary, content=content, text_sha256=digest)
    )
    fresh = connection.execute(select(tables.entry).where(*here)).one()
    return None if row.alias_of is not None else Revised(entry_of(fresh), entry_of(row), digest)


def _keep_revision(
    connection: Connection, entry: int, n: int, now: datetime, title: str, summary: str, content: str
) -> None:
    connection.execute(
        insert(tables.entry_revision).values(
            entry_id=entry,
            n=n,
            at=now,
            title=title,
            summary=summary,
            content=content,
            text_sha256=text_hash(title, summary, content),
        )
    )


def put_article(connection: Connection, entry: EntryId, text: str) -> None:
    """Keep the text of an entry's page."""
    connection.execute(update(tables.entry).where(_E.id == entry).values(article=text))


def know_address(connection: Connection, feed: FeedId, url_key: str, gen: int) -> None:
    """Remember one more address under which a feed may show an entry it has shown."""
    digest = identity.key_hash(f"url:{url_key}")
    row = plain.INSERT[connection.dialect.name](tables.seen).values(
        feed_id=feed, key_hash=digest, kind="url", gen_last=gen
    )
    connection.execute(row.on_conflict_do_nothing(index_elements=["feed_id", "key_hash"]))


def followed(
    connection: Connection, feed: FeedId, since: datetime, *, only_missing: bool = False
) -> tuple[Followed, ...]:
    """The entries of a feed that matched and were first seen since a time."""
    return tuple(Followed(*row) for row in _LEAVING[only_missing].rows(connection, {"feed": feed, "since": since}))


def mark_missing(connection: Connection, entry: EntryId, since: datetime | None) -> None:
    """Note since when an entry is missing from its feed; None when it is there."""
    connection.execute(update(tables.entry).where(_E.id == entry).values(missing_since=since))


def record_matches(
    connection: Connection, entry: EntryId, matches: Sequence[Match], *, config_rev: int, now: datetime
) -> None:
    """Keep why an entry was taken."""
    rows = [
        {
            "entry_id": entry,
            "watch": match.watch,
            "spans": [[span.field, span.start, span.end, span.term] for span in match.spans],
            "config_rev": config_rev,
            "at": now,
        }
        for match in matches
    ]
    _MATCHED.each(connection, rows)


def matches_of(connection: Connection, entry: EntryId) -> tuple[Match, ...]:
    """Why an entry was taken, watch by watch."""
    match = tables.match.c
    rows = connection.execute(select(match.watch, match.spans).where(match.entry_id == entry).order_by(match.watch))
    return tuple(Match(row.watch, tuple(Span(*span) for span in row.spans)) for row in rows)


def by_id(connection: Connection, entry: EntryId) -> Entry | None:
    """One entry, or None."""
    row = connection.execute(select(tables.entry).where(_E.id == entry)).one_or_none()
    return None if row is None else entry_of(row)


def by_url(connection: Connection, url: str, url_key: str | None) -> tuple[Entry, ...]:
    """Entries with this address, canonical, or as written where it has no such form; oldest first."""
    same = _E.url == url if url_key is None else _E.url_key == url_key
    return tuple(entry_of(row) for row in connection.execute(select(tables.entry).where(same).order_by(_E.id)))


def newest(connection: Connection, feed: FeedId, limit: int) -> tuple[Entry, ...]:
    """The entries a feed brought last, the newest first."""
    order = (_E.first_seen_at.desc(), _E.id.desc())
    rows = connection.execute(select(tables.entry).where(_E.feed_id == feed).order_by(*order).limit(limit))
    return tuple(entry_of(row) for row in rows)


def count(connection: Connection) -> int:
    """How many entries are stored."""
    return connection.execute(select(func.count()).select_from(tables.entry)).scalar_one()


def counts_by_feed(connection: Connection) -> Mapping[int, int]:
    """Stored entries per feed id."""
    return {row[0]: row[1] for row in connection.execute(select(_E.feed_id, func.count()).group_by(_E.feed_id))}


def entry_of(row: Row[Any]) -> Entry:
    """Make an entry of its row."""
    return _entry(row._mapping)


def _entry(row: Mapping[Any, Any]) -> Entry:
    """Make an entry of its columns, read or just written."""
    return Entry(
        id=EntryId(row["id"]),
        feed=FeedId(row["feed_id"]),
        entry_key=row["entry_key"],
        url=row["url"],
        url_key=row["url_key"],
        title=row["title"],
        summary=row["summary"],
        content=row["content"],
        language=row["lang"],
        outlet=None if row["outlet"] is None else Domain(row["outlet"]),
        published=row["published_at"],
        first_seen=row["first_seen_at"],
        author=row["author"],
        via=None if row["via"] is None else Domain(row["via"]),
        article=row["article"],
    )
