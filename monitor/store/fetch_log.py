"""The fetch log: the last 30 fetches of each feed, and two weeks of what was not a plain "unchanged".

The last 30 stand in the feed's row (`fetch_ring`). A row here is what more there is to tell of a fetch that brought a
document, failed, or carried headers that not every request carries; it is written in the transaction of its poll.
`feed explain` prints the log, the politeness score is computed from it. On Postgres rows go by the week
(`partitions`). The rows of `fetch_log_before` are the whole log as it was until there was a ring; they go together.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, text, tuple_, union_all

from alerts.tables import EPOCH
from monitor.store import fetch_ring, meta, partitions, plain, tables
from monitor.store.fetch_ring import RING, FetchRecord, mark
from monitor.values import FeedId

__all__ = ["RING", "FetchRecord", "mark"]

_L = tables.fetch_log.c
_ALL = 10_000
_PLAIN = frozenset({"not_modified", "same_body"})
_WRITE = plain.Statement(insert(tables.fetch_log), _L.keys())
BEFORE = "fetch_log_before"
"""The fact in `meta` that says since when nothing new stands in the table of that name, while it holds anything."""
_EMPTY = {"sqlite": "delete from fetch_log_before", "postgresql": "truncate fetch_log_before"}


def is_plain(record: FetchRecord) -> bool:
    """Whether a ring keeps all there is to tell of a fetch."""
    return record.outcome in _PLAIN and not record.odd_headers


def write(connection: Connection, feed: FeedId, record: FetchRecord) -> None:
    """Keep a row about a fetch."""
    write_many(connection, [(feed, record)])


def write_many(connection: Connection, records: Sequence[tuple[FeedId, FetchRecord]]) -> None:
    """Keep a row about each of these fetches."""
    for _, record in records:
        partitions.make_room(connection, record.at, partitions.FETCH_LOG)
    if records:
        _WRITE.each(connection, [_line(feed, record) for feed, record in records])


def _line(feed: FeedId, record: FetchRecord) -> dict[str, object]:
    return {
        "feed_id": feed,
        "at": record.at,
        "outcome": record.outcome,
        "status": record.status,
        "reason": record.reason,
        "message": record.message,
        "bytes": record.size,
        "took_ms": int(record.took.total_seconds() * 1000),
        "new": record.new,
        "sent": record.sent,
        "given": record.given,
        "odd_headers": " ".join(record.odd_headers),
        "next_at": record.next_at,
        "next_reason": record.next_reason,
    }


def newest(connection: Connection, feed: FeedId, limit: int = RING) -> tuple[FetchRecord, ...]:
    """The last fetches of a feed, the newest first: of those in its ring and in rows the rows, which say more."""
    return _merged(ring(connection, feed), _rows(connection, feed, limit))[:limit]


def history(connection: Connection, feed: FeedId) -> tuple[tuple[FetchRecord, ...], int]:
    """All that is kept of a feed, the oldest first, and from which place on no line is missing between two others.

    That is where its ring begins: 0 only when nothing was fetched before. Times and marks are as a ring has them.
    """
    held = ring(connection, feed)
    known = tuple(fetch_ring.rounded(record) for record in _merged(held, _rows(connection, feed, _ALL))[::-1])
    if held.whole:
        return known, 0
    oldest = held.records[-1].at if held.records else None
    return known, max(sum(oldest is None or record.at < oldest for record in known), 1)


def ring(connection: Connection, feed: FeedId) -> fetch_ring.Ring:
    """The ring of a feed, perhaps an empty one."""
    stored = connection.execute(select(tables.feed.c.recent).where(tables.feed.c.id == feed)).scalar_one_or_none()
    return fetch_ring.unpacked(stored)


def _rows(connection: Connection, feed: FeedId, limit: int) -> list[FetchRecord]:
    of_both = [
        select(table).where(table.c.feed_id == feed).order_by(table.c.at.desc()).limit(limit).subquery()
        for table in (tables.fetch_log, tables.fetch_log_before)
    ]
    return [_record(row) for row in connection.execute(union_all(*(select(rows) for rows in of_both)))]


def _merged(held: fetch_ring.Ring, rows: Sequence[FetchRecord]) -> tuple[FetchRecord, ...]:
    """Lines of both kinds, each fetch once, the newest first."""
    known = {_moment(record): record for record in (*held.records, *rows)}
    return tuple(known[moment] for moment in sorted(known, reverse=True))


def _moment(record: FetchRecord) -> int:
    return (record.at - EPOCH) // timedelta(milliseconds=1)  # as exactly as a ring knows it


def due(before: datetime, feeds: tuple[int, int] | None = None) -> Select[Any]:
    """Rows that are old: feed and time. `feeds` are the first and last to look at."""
    old = select(_L.feed_id, _L.at).where(_L.at < before)
    return old if feeds is None else old.where(_L.feed_id.between(*feeds))


def forget(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    """Delete rows by feed and time."""
    keys = [(row.feed_id, row.at) for row in rows]
    connection.execute(tables.fetch_log.delete().where(tuple_(_L.feed_id, _L.at).in_(keys)))


def is_before_due(connection: Connection, before: datetime) -> bool:
    """Whether the rows of the time before there was a ring are all older than this."""
    since = meta.get(connection, BEFORE)
    return since is not None and datetime.fromisoformat(since) < before


def forget_before(connection: Connection) -> None:
    """Empty the table of those rows, all at once: neither database touches them one by one."""
    connection.execute(text(_EMPTY[connection.dialect.name]))
    connection.execute(tables.meta.delete().where(tables.meta.c.key == BEFORE))


def _record(row: Row[Any]) -> FetchRecord:
    return FetchRecord(
        at=row.at,
        outcome=row.outcome,
        status=row.status,
        reason=row.reason,
        message=row.message,
        size=row.bytes,
        took=timedelta(milliseconds=row.took_ms),
        new=row.new,
        sent=row.sent,
        given=row.given,
        odd_headers=tuple(row.odd_headers.split()),
        next_at=row.next_at,
        next_reason=row.next_reason,
    )
