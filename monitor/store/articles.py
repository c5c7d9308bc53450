"""Pages of matched entries: which are wanted, which are due, what became of them. One page per address, ever.

A due page is taken by moving its next time ahead, so that two workers never read the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from monitor.store import plain, tables
from monitor.store.listed import Named
from monitor.values import EntryId, FeedId

_A = tables.article.c
_E = tables.entry.c
_WANT = plain.Statement(
    {
        name: insert(tables.article).on_conflict_do_nothing(index_elements=["entry_id"])
        for name, insert in plain.INSERT.items()
    },
    ("entry_id", "url", "url_key", "host", "state", "next_at"),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page to be read for an entry. `attempts` counts those made before; `feed` is the entry's, as it was named."""

    entry: EntryId
    url: str
    url_key: str
    host: str
    attempts: int = 0
    feed: Named | None = None


def want(connection: Connection, page: Wanted, now: datetime) -> None:
    """Ask for a page; one that was asked for before stays as it is."""
    row = {"entry_id": page.entry, "url": page.url, "url_key": page.url_key, "host": page.host}
    _WANT.run(connection, {**row, "state": "wanted", "next_at": now})


def again(connection: Connection, entry: EntryId, now: datetime) -> None:
    """Ask once more for a page that was read: its entry was revised."""
    connection.execute(
        update(tables.article).where(_A.entry_id == entry).values(state="wanted", attempts=0, next_at=now)
    )


def take(
    connection: Connection, now: datetime, lease: timedelta, limit: int, busy: Sequence[str] = ()
) -> tuple[Wanted, ...]:
    """Take due pages, the longest overdue first, none of a `busy` host; they are due again when the lease ends."""
    due = (
        select(_A.entry_id)
        .where(_A.state == "wanted", _A.next_at <= now, *([_A.host.not_in(busy)] if busy else []))
        .order_by(_A.next_at, _A.entry_id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=tables.article)
    )
    rows = connection.execute(
        update(tables.article)
        .where(_A.entry_id.in_(due), _A.state == "wanted", _A.next_at <= now)
        .values(next_at=now + lease)
        .returning(*tables.article.c)
    ).all()
    feed = tables.feed.c
    shown_by = connection.execute(
        select(_E.id, feed.url, feed.settings)
        .join(tables.feed, feed.id == _E.feed_id)
        .where(_E.id.in_([row.entry_id for row in rows]))
    )
    feeds = {row.id: Named(row.url, row.settings) for row in shown_by}
    return tuple(sorted((_wanted(row, feeds[row.entry_id]) for row in rows), key=lambda page: page.entry))


def known_text(connection: Connection, url_key: str) -> str | None:
    """The text of this address when it was read for another entry."""
    return connection.execute(
        select(_E.article)
        .join(tables.article, _A.entry_id == _E.id)
        .where(_A.url_key == url_key, _A.state == "read", _E.article.is_not(None))
        .limit(1)
    ).scalar_one_or_none()


def settle(
    connection: Connection,
    entry: EntryId,
    state: str,
    now: datetime,
    *,
    reason: str | None = None,
    message: str | None = None,
    final_url: str | None = None,
) -> None:
    """Write what became of a page: read, refused or failed."""
    connection.execute(
        update(tables.article)
        .where(_A.entry_id == entry)
        .values(
            state=state,
            reason=reason,
            message=message,
            final_url=final_url,
            next_at=None,
            attempts=_A.attempts + 1,
            read_at=now if state == "read" else _A.read_at,
        )
    )


def put_off(connection: Connection, entry: EntryId, until: datetime, reason: str, *, asked: bool) -> None:
    """Want a page again later; an attempt is counted only if its server was `asked`."""
    connection.execute(
        update(tables.article)
        .where(_A.entry_id == entry)
        .values(next_at=until, reason=reason, attempts=_A.attempts + (1 if asked else 0))
    )


def counts(connection: Connection) -> dict[str, int]:
    """How many pages are in which state."""
    return {row[0]: row[1] for row in connection.execute(select(_A.state, func.count()).group_by(_A.state))}


def counts_of_feed(connection: Connection, feed: FeedId) -> dict[str, int]:
    """How many pages of one feed's entries are in which state."""
    pages = select(_A.state, func.count()).join(tables.entry, _E.id == _A.entry_id).where(_E.feed_id == feed)
    return {row[0]: row[1] for row in connection.execute(pages.group_by(_A.state))}


def _wanted(row: Row[Any], feed: Named) -> Wanted:
    return Wanted(EntryId(row.entry_id), row.url, row.url_key, row.host, row.attempts, feed)
