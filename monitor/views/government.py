"""What one government said over time, and where it was asked and stayed silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from monitor.store import tables
from monitor.values import Certainty, Domain, Role, Stance, StoryKey

READ = 60
"""So many statements are looked at for one page."""
_COUNTED = 100
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
    found = (_total(connection, government) for government in _governments(connection))
    return tuple(sorted(filter(None, found), key=lambda total: total.last_at, reverse=True))


def _total(connection: Connection, government: str) -> Total | None:
    """Count one government's newest statements; None when none of them counts and there are no older ones."""
    rows = connection.execute(_lately(government)).all()
    kept = [row for row in rows if _counts(row)]
    if not kept and len(rows) < _COUNTED:
        return None
    answers, silences = (_first_rows(some)[0] for some in _parted(kept))
    newest = max((row.said_at for row in (*answers, *silences)), default=rows[-1].said_at)
    return Total(government, len(answers), len(silences), newest)


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
    answers, silences = (_firsts(some) for some in _parted(kept))
    return GovernmentPage(government, answers, silences, further)


def _parted(rows: Sequence[Statement]) -> tuple[Sequence[Statement], Sequence[Statement]]:
    """Answers, and questions that were not answered."""
    return [row for row in rows if row.stance in _ANSWERS], [row for row in rows if row.stance not in _ANSWERS]


_ANSWERS = frozenset(str(stance) for stance in Stance if stance.is_answer)


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


def _lately(government: str) -> Any:
    """What counting needs of the newest statements, and no more: the list asks it for every government."""
    columns = (_response.story_id, _response.voice, _response.stance, _response.asker_name, _response.said_at)
    return (
        select(*columns, _response.background, _response.certainty, _mention.role)
        .join(tables.mention, _mention.entry_id == _response.entry_id)
        .where(_response.government == government)
        .order_by(_response.said_at.desc())
        .limit(_COUNTED)
    )


def _counts(row: Statement) -> bool:
    return not row.background and row.certainty != str(Certainty.WEAK) and row.role != str(Role.COPY)


Key = tuple[int, str, str, str | None]


def _key(row: Statement) -> Key:
    return row.story_id, row.voice, row.stance, None if row.stance in _ANSWERS else row.asker_name


def _first_rows(rows: Sequence[Statement]) -> tuple[list[Statement], Counter[Key]]:
    """Per story, body and stance the earliest row, and how many there are; an unknown asker joins a known one."""
    named = {_key(row)[:3] for row in rows if row.asker_name is not None}
    rows = [row for row in rows if row.asker_name is not None or _key(row)[:3] not in named]
    return list({_key(row): row for row in rows}.values()), Counter(_key(row) for row in rows)


def _firsts(rows: Sequence[Statement]) -> tuple[Said, ...]:
    """The earliest of each, newest first."""
    firsts, times = _first_rows(rows)
    ordered = sorted(firsts, key=lambda row: row.said_at, reverse=True)
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
