"""What goes when it is old enough: which rows those are, and their deletion in chunks, so that no writer waits long.

On Postgres entries and rows of the fetch log go with their partition (`partitions.drop_old`); only where matched and
unmatched entries are kept for different times do those that go earlier go row by row. Mentions, attributions,
responses, stories, events stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, exists, func, select

from alerts.tables import outbox, receipt
from monitor.config.values import Keep
from monitor.store import documents, fetch_log, forgetting, partitions, tables
from monitor.store.engine import reading

_CHUNK = 1000  # deleting 100,000 at once made another writer wait three times as long
_FEEDS = 1000
"""So many feeds' lines are looked through at a time."""
_LINES, _BEFORE = "fetch log lines", "fetch log of an earlier release"
_PARTITIONS, _WEEKS = "partitions of entries", "partitions of the fetch log"
_KEYS = "keys of entries long gone"
_E = tables.entry.c
_DONE = ("sent", "superseded", "discarded", "dead")


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows of one kind: what people call them, which are due by now, how the found ones are deleted."""

    name: str
    due: Callable[[Keep, datetime], Select[Any]]
    forget: Callable[[Connection, Sequence[Row[Any]]], None]
    chunk: int = _CHUNK


def longest(keep: Keep) -> timedelta:
    """How long the entries are kept that are kept longest."""
    return max(keep.text, keep.unmatched)


def kinds(engine: Engine, keep: Keep) -> Iterator[Kind]:
    """What is deleted row by row in this database, but for the fetch log, which is gone through feed by feed."""
    yield Kind("fetched bodies", lambda keep, now: documents.due(now - keep.bytes), documents.forget, 200)
    in_rows = engine.dialect.name != "postgresql"
    if in_rows or keep.unmatched < longest(keep):
        yield Kind("unmatched entries", lambda keep, now: _entries(now - keep.unmatched, matched=False), _forget)
    if in_rows or keep.text < longest(keep):
        yield Kind("matched entries", lambda keep, now: _entries(now - keep.text, matched=True), _forget)
    yield Kind("revisions of gone entries", lambda _keep, _now: _orphans(tables.entry_revision), _forget_revisions)
    yield Kind("pages of gone entries", lambda _keep, _now: _orphans(tables.article), _forget_pages)
    yield Kind("deliveries", lambda keep, now: _deliveries(now - keep.deliveries), _forget_deliveries)


def counts(engine: Engine, keep: Keep, now: datetime) -> dict[str, int]:
    """How many rows of each kind are due to go; whole tables and partitions count as one each."""
    on_postgres = engine.dialect.name == "postgresql"
    wanted = {} if on_postgres else {_LINES: fetch_log.due(now - keep.fetch_log)}
    wanted |= {_KEYS: forgetting.due(now - keep.seen)}
    wanted |= {kind.name: kind.due(keep, now).order_by(None) for kind in kinds(engine, keep)}
    with reading(engine) as connection:
        found = {
            name: connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
            for name, query in wanted.items()
        }
        found |= {name: len(partitions.old(connection, before, of)) for name, of, before in _whole(engine, keep, now)}
        return found | {_BEFORE: int(fetch_log.is_before_due(connection, now - keep.fetch_log))}


def _whole(engine: Engine, keep: Keep, now: datetime) -> Iterator[tuple[str, str, datetime]]:
    """What goes by whole partitions: its name, its table, before when."""
    if engine.dialect.name == "postgresql":
        yield _PARTITIONS, partitions.ENTRY, now - longest(keep)
        yield _WEEKS, partitions.FETCH_LOG, now - keep.fetch_log


class Pruning:
    """One going through everything that may be old. What is due is looked up without the write lock."""

    def __init__(self, engine: Engine, keep: Keep, now: datetime) -> None:
        self._engine, self._keep, self._now = engine, keep, now
        self._last_feed: int | None = 0
        self.gone: Counter[str] = Counter()
        """Rows that went so far, by kind."""

    def step(self) -> bool:
        """Delete at most a chunk of each kind; returns whether there may be more."""
        before = self.gone.total()
        self._of_next_feeds()
        for kind in kinds(self._engine, self._keep):
            self._delete(kind.name, kind.due(self._keep, self._now).limit(kind.chunk), kind.forget)
        for name, of, before_when in _whole(self._engine, self._keep, self._now):
            self.gone[name] += len(partitions.drop_old(self._engine, before_when, of))
        self._before()
        return self._last_feed is not None or self.gone.total() > before

    def _of_next_feeds(self) -> None:
        """Go on with the next feeds' lines and keys: to look at all for every chunk would never end on a farm."""
        if self._last_feed is None:
            return
        first = self._last_feed + 1
        feed = tables.feed.c.id
        with reading(self._engine) as connection:
            some = select(feed).where(feed >= first).order_by(feed).limit(_FEEDS).subquery()
            self._last_feed = connection.execute(select(func.max(some.c.id))).scalar()
        if self._last_feed is not None:
            feeds = (first, self._last_feed)
            if self._engine.dialect.name != "postgresql":
                self._delete(_LINES, fetch_log.due(self._now - self._keep.fetch_log, feeds), fetch_log.forget)
            self._keys(feeds)

    def _before(self) -> None:
        """Empty the table of the time before there was a ring, once all of it is old."""
        before = self._now - self._keep.fetch_log
        with reading(self._engine) as connection:
            if not fetch_log.is_before_due(connection, before):
                return
        with self._engine.begin() as connection:
            fetch_log.forget_before(connection)
        self.gone[_BEFORE] += 1

    def _keys(self, feeds: tuple[int, int]) -> None:
        before = self._now - self._keep.seen
        self._delete(_KEYS, forgetting.due(before, feeds), forgetting.forget)
        with self._engine.begin() as connection:
            forgetting.end_round(connection, feeds, before)
            forgetting.go_round(connection, feeds, self._now)

    def _delete(self, name: str, query: Select[Any], forget: Callable[[Connection, Sequence[Row[Any]]], None]) -> None:
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        for at in range(0, len(rows), _CHUNK):
            with self._engine.begin() as connection:
                forget(connection, rows[at : at + _CHUNK])
        self.gone[name] += len(rows)


def _entries(before: datetime, *, matched: bool) -> Select[Any]:
    taken = exists().where(tables.match.c.entry_id == _E.id)
    # The newest one stays: SQLite would give its number again, and mentions outlive their entries.
    newest = select(func.max(_E.id)).scalar_subquery()
    wanted = (_E.first_seen_at < before, _E.id < newest, taken if matched else ~taken)
    return select(_E.id, _E.first_seen_at).where(*wanted).order_by(_E.first_seen_at)


def _forget(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    ids = [row.id for row in rows]
    connection.execute(tables.entry_revision.delete().where(tables.entry_revision.c.entry_id.in_(ids)))
    connection.execute(tables.article.delete().where(tables.article.c.entry_id.in_(ids)))
    times = [row.first_seen_at for row in rows]
    connection.execute(tables.entry.delete().where(_E.id.in_(ids), _E.first_seen_at.between(min(times), max(times))))


def _orphans(table: Any) -> Select[Any]:
    """Rows of entries that went with their partition: their numbers are lower than any that is left."""
    oldest = select(func.coalesce(func.min(_E.id), 0)).scalar_subquery()
    return select(*table.primary_key.columns).where(table.c.entry_id < oldest)


def _forget_revisions(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    revision = tables.entry_revision
    connection.execute(revision.delete().where(revision.c.entry_id.in_({row.entry_id for row in rows})))


def _forget_pages(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    connection.execute(tables.article.delete().where(tables.article.c.entry_id.in_([row.entry_id for row in rows])))


def _deliveries(before: datetime) -> Select[Any]:
    return select(outbox.c.delivery_id).where(outbox.c.state.in_(_DONE), outbox.c.created_at < before)


def _forget_deliveries(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    ids = [row.delivery_id for row in rows]
    connection.execute(receipt.delete().where(receipt.c.delivery_id.in_(ids)))
    connection.execute(outbox.delete().where(outbox.c.delivery_id.in_(ids)))
