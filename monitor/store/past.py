"""What was stored, read in the order in which it came: for looking through it again.

Entries come in pages by their id, so that a month of them never stands in memory. Nothing here changes a row but
`mend_stories`. Called by `priming` and `backtest`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from monitor.store import tables
from monitor.store.entries import entry_of
from monitor.values import Entry, EntryId

_E = tables.entry.c


def entries_between(
    connection: Connection, since: datetime, until: datetime | None, after: EntryId, limit: int
) -> tuple[Entry, ...]:
    """Read the next entries first seen in a stretch of time, as they read now; aliases are no news and left out."""
    wanted = [_E.first_seen_at >= since, _E.id > after, _E.alias_of.is_(None)]
    wanted += [_E.first_seen_at < until] if until is not None else []
    rows = connection.execute(select(tables.entry).where(*wanted).order_by(_E.id).limit(limit))
    return tuple(entry_of(row) for row in rows)


def count_between(connection: Connection, since: datetime, until: datetime) -> int:
    """How many entries came in a stretch of time."""
    wanted = (_E.first_seen_at >= since, _E.first_seen_at < until, _E.alias_of.is_(None))
    return connection.execute(select(func.count()).select_from(tables.entry).where(*wanted)).scalar_one()


def taken_by(connection: Connection, entries: Sequence[EntryId]) -> frozenset[tuple[int, str]]:
    """Which of some entries were taken by which watches."""
    match = tables.match.c
    rows = connection.execute(select(match.entry_id, match.watch).where(match.entry_id.in_(list(entries))))
    return frozenset((row.entry_id, row.watch) for row in rows)


def mend_stories(connection: Connection, keys: Collection[str]) -> None:
    """Let stories that older entries joined begin and end where their mentions do."""
    story, mention = tables.story.c, tables.mention.c
    for chunk in _chunks(sorted(keys)):
        spans = connection.execute(
            select(mention.story_id, func.min(mention.seen_at), func.max(mention.seen_at))
            .join(tables.story, story.id == mention.story_id)
            .where(story.key.in_(chunk))
            .group_by(mention.story_id)
        ).all()
        for number, first, last in spans:
            connection.execute(update(tables.story).where(story.id == number).values(first_at=first, last_at=last))


def _chunks(items: Sequence[str], size: int = 500) -> Iterator[Sequence[str]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]
