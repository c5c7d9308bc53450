"""The bytes that servers sent, kept for two weeks within a budget: evidence, and something to parse again.

A body is kept once, however often it is served. Compressed with zstd; `monitor.jobs` prunes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import zstandard
from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select, tuple_

from monitor.store import plain, tables
from monitor.values import FeedId

BUDGET_BYTES = 512 * 1024 * 1024
"""Compressed bytes that are kept in all; the oldest go first."""
_LEVEL = 3
_D = tables.document.c
_LAST = select(_D.sha256).where(_D.feed_id == bindparam("feed_id")).order_by(_D.at.desc()).limit(1).scalar_subquery()
_GIVEN = [bindparam(column.name, type_=column.type) for column in tables.document.c]
_KEEP = plain.Statement(
    insert(tables.document).from_select(
        _D.keys(), select(*_GIVEN).where(_LAST.is_distinct_from(bindparam("sha256", type_=_D.sha256.type)))
    )
)


@dataclass(frozen=True, slots=True)
class Document:
    """A body as it came. `reason` says why it is no feed, None when it is one; `size` counts its bytes."""

    at: datetime
    url: str
    reason: str | None
    headers: Mapping[str, str]
    size: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A body on its way into the store, compressed already."""

    document: Document
    sha256: bytes
    packed: bytes


def sheet(at: datetime, url: str, reason: str | None, headers: Mapping[str, str], body: bytes) -> Sheet:
    """Compress a body: outside the transaction that keeps it."""
    digest = hashlib.sha256(body).digest()
    return Sheet(Document(at, url, reason, headers, len(body)), digest, zstandard.compress(body, _LEVEL))


def keep(connection: Connection, feed: FeedId, made: Sheet) -> None:
    """Keep a body, unless it is the one kept last."""
    document = made.document
    values = {
        "feed_id": feed,
        "at": document.at,
        "url": document.url,
        "reason": document.reason,
        "headers": dict(document.headers),
        "size": document.size,
        "sha256": made.sha256,
        "body": made.packed,
    }
    _KEEP.run(connection, values)


def of_feed(connection: Connection, feed: FeedId) -> tuple[Document, ...]:
    """What is kept of a feed, the newest first, without the bytes."""
    rows = connection.execute(
        select(_D.at, _D.url, _D.reason, _D.headers, _D.size).where(_D.feed_id == feed).order_by(_D.at.desc())
    )
    return tuple(_document(row) for row in rows)


def body(connection: Connection, feed: FeedId, at: datetime) -> bytes | None:
    """The bytes that came at a time, as they came."""
    packed = connection.execute(select(_D.body).where(_D.feed_id == feed, _D.at == at)).scalar_one_or_none()
    return None if packed is None else zstandard.decompress(packed)


def due(before: datetime, budget: int = BUDGET_BYTES) -> Select[Any]:
    """Bodies that are too old or beyond the budget: feed and time."""
    sizes = select(_D.feed_id, _D.at, func.sum(func.length(_D.body)).over(order_by=_D.at.desc()).label("so_far"))
    lines = sizes.subquery()
    return select(lines.c.feed_id, lines.c.at).where((lines.c.at < before) | (lines.c.so_far > budget))


def forget(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    """Delete bodies by feed and time."""
    keys = [(row.feed_id, row.at) for row in rows]
    connection.execute(tables.document.delete().where(tuple_(_D.feed_id, _D.at).in_(keys)))


def _document(row: Row[*tuple[Any, ...]]) -> Document:
    return Document(row.at, row.url, row.reason, row.headers, row.size)
