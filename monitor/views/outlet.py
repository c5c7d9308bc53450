"""What one outlet carried: its entries with their stories, whom it has them from, and who cites it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from monitor.store import tables
from monitor.values import Domain, EntryId, Role, StoryKey

LISTED = 40
_CITED_READ = 200
_mention, _story, _cited = tables.mention.c, tables.story.c, tables.attribution.c


@dataclass(frozen=True, slots=True)
class Carried:
    """An entry of the outlet in a story; `story_title` is the story's own headline."""

    entry: EntryId
    story: StoryKey
    story_title: str
    title: str
    url: str | None
    language: str | None
    seen_at: datetime
    role: Role


@dataclass(frozen=True, slots=True)
class CitedBy:
    """An outlet that names this one, how often, and when last."""

    outlet: Domain
    times: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class OutletPage:
    """All that is known of an outlet; `entries` is the newest part, `further` where the next begins."""

    outlet: Domain
    total: int
    first_at: datetime | None
    entries: tuple[Carried, ...]
    cited_by: tuple[CitedBy, ...]
    further: datetime | None


def read(connection: Connection, outlet: Domain, before: datetime | None = None) -> OutletPage | None:
    """Read an outlet's page; None when no story has it or names it."""
    total, first = connection.execute(
        select(func.count(), func.min(_mention.seen_at)).where(_mention.outlet == outlet)
    ).one()
    cited_by = _cited_by(connection, outlet)
    if not total and not cited_by:
        return None
    entries = _carried(connection, outlet, before)
    further = entries[LISTED - 1].seen_at if len(entries) > LISTED else None
    return OutletPage(outlet, total, first, entries[:LISTED], cited_by, further)


def _carried(connection: Connection, outlet: Domain, before: datetime | None) -> tuple[Carried, ...]:
    query = (
        select(tables.mention, _story.key, _story.title.label("story_title"))
        .join(tables.story, _story.id == _mention.story_id)
        .where(_mention.outlet == outlet)
        .order_by(_mention.seen_at.desc(), _mention.entry_id.desc())
        .limit(LISTED + 1)
    )
    rows = connection.execute(query if before is None else query.where(_mention.seen_at < before))
    return tuple(_row(row) for row in rows)


def _row(row: Any) -> Carried:
    return Carried(
        entry=EntryId(row.entry_id),
        story=StoryKey(row.key),
        story_title=row.story_title or row.key,
        title=row.title,
        url=row.url,
        language=row.lang,
        seen_at=row.seen_at,
        role=Role(row.role),
    )


def _cited_by(connection: Connection, outlet: Domain) -> tuple[CitedBy, ...]:
    """Who named it lately: of an agency that everybody names, only the newest are counted."""
    newest = (
        select(_cited.entry_id)
        .distinct()
        .where(_cited.domain == outlet)
        .order_by(_cited.entry_id.desc())
        .limit(_CITED_READ)
        .subquery()
    )
    query = (
        select(_mention.outlet, func.count().label("times"), func.max(_mention.seen_at).label("last_at"))
        .select_from(newest.join(tables.mention, _mention.entry_id == newest.c.entry_id))
        .where(_mention.outlet.is_not(None), _mention.outlet != outlet)
        .group_by(_mention.outlet)
        .order_by(func.count().desc(), _mention.outlet)
    )
    return tuple(CitedBy(Domain(row.outlet), row.times, row.last_at) for row in connection.execute(query))
