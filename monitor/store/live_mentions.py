"""The mentions of the live window: what a start takes up, and what other processes did since it looked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, select

from monitor.store import stories, tables
from monitor.values import Assignment, Domain, EntryId, Role, StoryKey


@dataclass(frozen=True, slots=True)
class Live:
    """A mention of the live window: what the clusterer needs to take it up again after a restart.

    `story` is where it stands by now, `decided` what was decided when it came.
    """

    story: StoryKey
    entry: EntryId
    outlet: Domain | None
    publisher: str | None
    language: str | None
    seen_at: datetime
    published: datetime | None
    url: str | None
    title: str
    text: str
    role: Role
    decided: Assignment


def since(connection: Connection, start: datetime) -> Iterator[Live]:
    """Mentions seen since a time, in the order in which they were decided: the clusterer's window."""
    return _lives(connection, tables.mention.c.seen_at >= start)


def changed(connection: Connection, after: int, start: datetime) -> Iterator[Live]:
    """Those of the window that were made, moved or edited after a change."""
    return _lives(connection, and_(tables.mention.c.change_no > after, tables.mention.c.seen_at >= start))


def _lives(connection: Connection, which: ColumnElement[bool]) -> Iterator[Live]:
    mention, story, entry = tables.mention.c, tables.story.c, tables.entry.c
    rows = connection.execute(
        select(tables.mention, story.key, entry.summary, entry.content, entry.article)
        .join(tables.story, story.id == mention.story_id)
        .join(tables.entry, entry.id == mention.entry_id)
        .where(which)
        .order_by(mention.seen_at, mention.entry_id)
    )
    for row in rows:
        yield Live(
            story=StoryKey(row.key),
            entry=EntryId(row.entry_id),
            outlet=None if row.outlet is None else Domain(row.outlet),
            publisher=row.publisher,
            language=row.lang,
            seen_at=row.seen_at,
            published=row.published_at,
            url=row.url,
            title=row.title,
            text="\n\n".join(part for part in (row.summary, row.article or row.content) if part),
            role=Role(row.role),
            decided=stories.decided(row),
        )
