"""What one government said over time, and where it was asked and stayed silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from alerts.tables import EPOCH
from monitor.store import tables
from monitor.values import Certainty, Domain, Role, Stance, StoryKey

READ = 60
"""So many statements are looked at for one page."""
_COUNTED = 300
"""So many of the newest are counted in the list of all governments."""

Statement = Row[*tuple[Any, ...]]
_response, _mention, _story = tables.response.c, tables.mention.c, tables.story.c


@dataclass(frozen=True, slots=True)
class Said:
    """A statement, or a question that was not answered, the first time it stood in a story. `times`: in how many
    entries; `asker` is who asked."""

    story: StoryKey
    story_title: str
    body: str
    office: str
    stance: Stance
    quote: str
    language: str | None
    asker: str | None
    asker_outlet: Domain | None
    outlet: Domain | None
    url: str | None
    said_at: datetime
    times: int = 1


@dataclass(frozen=True, slots=True)
class GovernmentPage:
    """A government's answers and silences, newest first; `further` is where older ones begin."""

    government: str
    answers: tuple[Said, ...]
    silences: tuple[Said, ...]
    further: datetime | None


@dataclass(frozen=True, slots=True)
class Total:
    """A government in the list of all: how often it answered or not among the newest statements."""

    government: str
    answers: int
    silences: int
    last_at: datetime


def totals(connection: Connection) -> tuple[Total, ...]:
    """Who spoke or stayed silent lately, the newest first: one step along the index for each government."""
    found = []
    for government in _governments(connection):
        page = read(connection, government, limit=_COUNTED)
        if page is not None:
            newest = max((said.said_at for said in (*page.answers, *page.silences)), default=page.further or EPOCH)
            found.append(Total(government, len(page.answers), len(page.silences), newest))
    return tuple(sorted(found, key=lambda total: total.last_at, reverse=True))


def _governments(connection: Connection) -> list[str]:
    """Walk the index from one government to the next, instead of through every statement."""
    found: list[str] = []
    last = ""
    while len(found) < _MOST:
        following = (
            select(_response.government).where(_response.government > last).order_by(_response.government).limit(1)
        )
        last = connection.execute(following).scalar_one_or_none() or ""
        if not last:
            break
        found.append(last)
    return found


_MOST = 300


def read(
    connection: Connection, government: str, before: datetime | None = None, limit: int = READ
) -> GovernmentPage | None:
    """Read a government's page; None when it is in no story."""
    rows, further = _whole(connection.execute(_newest(government, before, limit + 1)).all(), limit)
    kept = [row for row in rows if _counts(row)]
    if not kept and further is None:
        return None
    answers = _firsts([row for row in kept if Stance(row.stance).is_answer])
    silences = _firsts([row for row in kept if not Stance(row.stance).is_answer])
    return GovernmentPage(government, answers, silences, further)


def _whole(rows: Sequence[Statement], limit: int) -> tuple[Sequence[Statement], datetime | None]:
    """One page, ended between two instants, so that the next one begins with what was not shown."""
    if len(rows) <= limit:
        return rows, None
    kept = [row for row in rows if row.said_at > rows[-1].said_at] or rows
    return kept, kept[-1].said_at


def _newest(government: str, before: datetime | None, limit: int) -> Any:
    query = select(tables.response).where(_response.government == government)
    if before is not None:
        query = query.where(_response.said_at < before)
    newest = query.order_by(_response.said_at.desc()).limit(limit).subquery()
    return (
        select(newest, _mention.outlet, _mention.url, _mention.role, _story.key, _story.title.label("story_title"))
        .select_from(newest)
        .join(tables.mention, _mention.entry_id == newest.c.entry_id)
        .join(tables.story, _story.id == newest.c.story_id)
        .order_by(newest.c.said_at.desc(), newest.c.entry_id.desc(), newest.c.n)
    )


def _counts(row: Statement) -> bool:
    return not row.background and row.certainty != str(Certainty.WEAK) and row.role != str(Role.COPY)


def _key(row: Statement) -> tuple[str, str, str, str | None]:
    return row.key, row.voice, row.stance, None if Stance(row.stance).is_answer else row.asker_name


def _firsts(rows: Sequence[Statement]) -> tuple[Said, ...]:
    """Per story, body and stance the earliest row, newest first; an unknown asker joins a known one."""
    named = {_key(row)[:3] for row in rows if row.asker_name is not None}
    rows = [row for row in rows if row.asker_name is not None or _key(row)[:3] not in named]
    times = Counter(_key(row) for row in rows)
    firsts = {_key(row): row for row in rows}
    ordered = sorted(firsts.values(), key=lambda row: row.said_at, reverse=True)
    return tuple(_said(row, times[_key(row)]) for row in ordered)


def _said(row: Statement, times: int) -> Said:
    return Said(
        story=StoryKey(row.key),
        story_title=row.story_title or row.key,
        body=row.body,
        office=row.office or "",
        stance=Stance(row.stance),
        quote=row.quote,
        language=row.lang,
        asker=row.asker_name,
        asker_outlet=row.asker_domain,
        outlet=row.outlet,
        url=row.url,
        said_at=row.said_at,
        times=times,
    )
