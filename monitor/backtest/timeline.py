"""What happened in a stretch of stored history, in its order: entries came, were edited, their pages read, taken back.

Rows are streamed; a text is given as it read at that time, as far as it is still there. Nothing is written.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from alerts import tables as alert_tables
from alerts.outbox import codec
from alerts.values import Kind
from monitor.store import tables
from monitor.store.entries import entry_of
from monitor.values import Entry, EntryId

_PAGE = 500
_E, _R, _A = tables.entry.c, tables.entry_revision.c, tables.article.c


@dataclass(frozen=True, slots=True)
class Arrival:
    """An entry came. `baseline` entries were stored and not to be told: a feed's first poll, a mass change."""

    at: datetime
    entry: Entry
    baseline: bool

    @property
    def order(self) -> tuple[datetime, int, int]:
        """Its place among what happened."""
        return self.at, 0, self.entry.id


@dataclass(frozen=True, slots=True)
class Edit:
    """An entry reads otherwise from now on; `sha256` is that of its new words."""

    at: datetime
    before: Entry
    entry: Entry
    sha256: bytes

    @property
    def order(self) -> tuple[datetime, int, int]:
        """Behind the arrivals of the same document."""
        return self.at, 1, self.entry.id


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An entry was taken back."""

    at: datetime
    entry: EntryId

    @property
    def order(self) -> tuple[datetime, int, int]:
        """The last thing a document says."""
        return self.at, 2, self.entry


@dataclass(frozen=True, slots=True)
class Page:
    """The page of an entry was read."""

    at: datetime
    entry: EntryId
    url: str
    url_key: str
    host: str
    text: str

    @property
    def order(self) -> tuple[datetime, int, int]:
        """After everything of the feeds."""
        return self.at, 3, self.entry


Happening = Arrival | Edit | Withdrawal | Page


def happenings(connection: Connection, since: datetime, until: datetime) -> Iterator[Happening]:
    """Stream what happened in ``[since, until)``."""
    span = since, until
    streams: tuple[Iterator[Happening], ...] = (
        _arrivals(connection, *span),
        _edits(connection, *span),
        iter(_withdrawals(connection, *span)),
        _pages(connection, *span),
    )
    return heapq.merge(*streams, key=lambda one: one.order)


def extent(connection: Connection) -> tuple[datetime, datetime] | None:
    """When the first and the last stored entry came; None where there is none."""
    first, last = connection.execute(select(func.min(_E.first_seen_at), func.max(_E.first_seen_at))).one()
    return None if first is None else (first, last)


def _arrivals(connection: Connection, since: datetime, until: datetime) -> Iterator[Arrival]:
    first_polls = {row.id: row.baseline_at for row in connection.execute(select(tables.feed))}
    mass = _mass_changes(connection, since, until)
    wanted = select(tables.entry).where(_E.first_seen_at >= since, _E.first_seen_at < until, _E.alias_of.is_(None))
    for rows in _paged(connection, wanted.order_by(_E.first_seen_at, _E.id)):
        first_texts = _first_texts(connection, [row.id for row in rows])
        for row in rows:
            entry = _as_it_came(row, first_texts.get(row.id))
            told_as_old = first_polls.get(row.feed_id) == row.first_seen_at
            yield Arrival(row.first_seen_at, entry, told_as_old or (row.feed_id, row.first_seen_at) in mass)


def _paged(connection: Connection, statement: Select[Any]) -> Iterator[Sequence[Row[Any]]]:
    result = connection.execute(statement.execution_options(yield_per=_PAGE))
    yield from result.partitions(_PAGE)


def _first_texts(connection: Connection, entries: Sequence[int]) -> dict[int, Row[Any]]:
    """For entries that were edited, their words before the first edit."""
    rows = connection.execute(
        select(tables.entry_revision, _E.first_seen_at)
        .join(tables.entry, _E.id == _R.entry_id)
        .where(_R.entry_id.in_(entries), _R.at > _E.first_seen_at)
        .order_by(_R.entry_id, _R.n.desc())
    )
    return {row.entry_id: row for row in rows}


def _as_it_came(row: Row[Any], first: Row[Any] | None) -> Entry:
    entry = replace(entry_of(row), article=None)
    if first is None:
        return entry
    return replace(entry, title=first.title, summary=first.summary, content=first.content)


def _mass_changes(connection: Connection, since: datetime, until: datetime) -> frozenset[tuple[int, datetime]]:
    """The documents whose new entries were stored and not told, by feed and time."""
    feeds = {row.url: row.id for row in connection.execute(select(tables.feed.c.id, tables.feed.c.url))}
    found = set()
    for event in _events(connection, Kind.FEED_STATE, since, until):
        facts = dict(event.facts)
        if facts.get("state") == "mass_change" and facts.get("feed") in feeds:
            found.add((feeds[facts["feed"]], event.decided_at))
    return frozenset(found)


def _events(connection: Connection, kind: Kind, since: datetime, until: datetime) -> Iterator[Any]:
    event = alert_tables.event.c
    rows = connection.execute(
        select(event.payload)
        .where(event.kind == kind, event.decided_at >= since, event.decided_at < until)
        .order_by(event.decided_at, event.id)
    ).all()
    yield from (codec.load(row.payload) for row in rows)


def _edits(connection: Connection, since: datetime, until: datetime) -> Iterator[Edit]:
    wanted = (
        select(tables.entry, _R.at.label("edited_at"), _R.n)
        .join(tables.entry_revision, _R.entry_id == _E.id)
        .where(_R.at >= since, _R.at < until, _R.at > _E.first_seen_at, _E.alias_of.is_(None))
        .order_by(_R.at, _E.id, _R.n)
    )
    for rows in _paged(connection, wanted):
        texts = _texts(connection, [row.id for row in rows])
        for row in rows:
            known = {**texts[row.id], 1 + max(texts[row.id]): (row.title, row.summary, row.content, row.text_sha256)}
            plain = replace(entry_of(row), article=None)
            before, after = (_reading(plain, known[n]) for n in (row.n, row.n + 1))
            yield Edit(row.edited_at, before, after, known[row.n + 1][3])


_Text = tuple[str, str, str, bytes]


def _texts(connection: Connection, entries: Sequence[int]) -> dict[int, dict[int, _Text]]:
    """The words of some entries before each edit, by number."""
    found: dict[int, dict[int, _Text]] = {}
    for row in connection.execute(select(tables.entry_revision).where(_R.entry_id.in_(entries))):
        found.setdefault(row.entry_id, {})[row.n] = (row.title, row.summary, row.content, row.text_sha256)
    return found


def _reading(entry: Entry, text: _Text) -> Entry:
    return replace(entry, title=text[0], summary=text[1], content=text[2])


def _pages(connection: Connection, since: datetime, until: datetime) -> Iterator[Page]:
    wanted = (
        select(tables.article, _E.article)
        .join(tables.entry, _E.id == _A.entry_id)
        .where(_A.state == "read", _A.read_at >= since, _A.read_at < until, _E.article.is_not(None))
        .order_by(_A.read_at, _A.entry_id)
    )
    for rows in _paged(connection, wanted):
        for row in rows:
            yield Page(row.read_at, EntryId(row.entry_id), row.url, row.url_key, row.host, row.article)


def _withdrawals(connection: Connection, since: datetime, until: datetime) -> list[Withdrawal]:
    found = {}
    for event in _events(connection, Kind.WITHDRAWN, since, until):
        if event.mention is not None and event.mention.entry.isdigit():
            found[EntryId(int(event.mention.entry))] = event.decided_at
    return sorted((Withdrawal(at, entry) for entry, at in found.items()), key=lambda one: one.order)
