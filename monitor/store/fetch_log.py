"""The fetch log: one line per fetch, the last 30 of each feed and two weeks of what was not a plain "unchanged".

`feed explain` prints it, the politeness score is computed from it. Lines are written in the transaction of their poll.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, or_, select, tuple_

from monitor.store import plain, tables
from monitor.values import FeedId, Validators

RING = 30
"""Lines that are kept of every feed, however old."""
_L = tables.fetch_log.c
_ALL = 10_000
_PLAIN = ("not_modified", "same_body")
_WRITE = plain.Statement(insert(tables.fetch_log), _L.keys())


@dataclass(frozen=True, slots=True)
class FetchRecord:
    """One line. `sent` and `given` are marks of the validators that were sent and of those the answer gave.

    `outcome` is changed, same_body, not_modified or failed; `odd_headers` are the names of request headers beyond
    those that every request carries.
    """

    at: datetime
    outcome: str
    status: int | None = None
    reason: str | None = None
    message: str | None = None
    size: int = 0
    took: timedelta = timedelta()
    new: int = 0
    sent: bytes | None = None
    given: bytes | None = None
    odd_headers: tuple[str, ...] = ()
    next_at: datetime | None = None
    next_reason: str | None = None


def mark(validators: Validators) -> bytes | None:
    """Eight bytes that stand for validators; None for none."""
    if validators.etag is None and validators.last_modified is None:
        return None
    parts = (validators.etag, validators.last_modified)
    return hashlib.sha256(b"\0".join(b"-" if part is None else b"+" + part for part in parts)).digest()[:8]


def write(connection: Connection, feed: FeedId, record: FetchRecord) -> None:
    """Keep one line about a fetch."""
    _WRITE.run(connection, _line(feed, record))


def write_many(connection: Connection, records: Sequence[tuple[FeedId, FetchRecord]]) -> None:
    """Keep a line about each of these fetches."""
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
    """The last fetches of a feed, the newest first."""
    rows = connection.execute(select(tables.fetch_log).where(_L.feed_id == feed).order_by(_L.at.desc()).limit(limit))
    return tuple(_record(row) for row in rows)


def history(connection: Connection, feed: FeedId) -> tuple[tuple[FetchRecord, ...], int]:
    """All that is kept of a feed, the oldest first, and from which place on no line was deleted between two others."""
    records = newest(connection, feed, _ALL)[::-1]
    return records, 0 if len(records) < RING else len(records) - RING


def due(before: datetime, feeds: tuple[int, int] | None = None) -> Select[Any]:
    """Lines beyond the ring that are old or plain: feed and time. `feeds` are the first and last to look at."""
    place = func.row_number().over(partition_by=_L.feed_id, order_by=_L.at.desc()).label("place")
    lines = select(_L.feed_id, _L.at, _L.outcome, place)
    looked_at = (lines if feeds is None else lines.where(_L.feed_id.between(*feeds))).subquery()
    return select(looked_at.c.feed_id, looked_at.c.at).where(
        looked_at.c.place > RING, or_(looked_at.c.at < before, looked_at.c.outcome.in_(_PLAIN))
    )


def forget(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    """Delete lines by feed and time."""
    keys = [(row.feed_id, row.at) for row in rows]
    connection.execute(tables.fetch_log.delete().where(tuple_(_L.feed_id, _L.at).in_(keys)))


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
