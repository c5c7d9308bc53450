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

READ = 600
"""So many of the newest statements are looked at for one page."""

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
    """A government's answers and silences, newest first. `cut` says that older ones were not looked at."""

    government: str
    answers: tuple[Said, ...]
    silences: tuple[Said, ...]
    cut: bool


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
        page = read(connection, government)
        if page is not None:
            newest = max(said.said_at for said in (*page.answers, *page.silences))
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


def read(connection: Connection, government: str) -> GovernmentPage | None:
    """Read a government's page; None when it is in no story."""
    rows = connection.execute(_newest(government)).all()
    kept = [row for row in rows if _counts(row)]
    if not kept:
        return None
    answers = _firsts([row for row in kept if Stance(row.stance).is_answer])
    silences = _firsts([row for row in kept if not Stance(row.stance).is_answer])
    return GovernmentPage(government, answers, silences, len(rows) == READ)


def _newest(government: str) -> Any:
    newest = (
        select(tables.response)
        .where(_response.government == government)
        .order_by(_response.said_at.desc())
        .limit(READ)
        .subquery()
    )
    return (
        select(newest, _mention.outlet, _mention.url, _mention.role, _story.key, _story.title.label("story_title"))
        .select_from(newest)
        .join(tables.mention, _mention.entry_id == newest.c.entry_id)
        .join(tables.story, _story.id == newest.c.story_id)
        .order_by(newest.c.said_at.desc(), newest.c.entry_id.desc(), newest.c.n)
    )


def _counts(row: Row[*tuple[Any, ...]]) -> bool:
    return not row.background and row.certainty != str(Certainty.WEAK) and row.role != str(Role.COPY)


def _key(row: Row[*tuple[Any, ...]]) -> tuple[str, str, str, str | None]:
    return row.key, row.voice, row.stance, None if Stance(row.stance).is_answer else row.asker_name


def _firsts(rows: Sequence[Row[*tuple[Any, ...]]]) -> tuple[Said, ...]:
    """Per story, body and stance the earliest row, newest first; an unknown asker joins a known one."""
    named = {_key(row)[:3] for row in rows if row.asker_name is not None}
    rows = [row for row in rows if row.asker_name is not None or _key(row)[:3] not in named]
    times = Counter(_key(row) for row in rows)
    firsts = {_key(row): row for row in rows}
    ordered = sorted(firsts.values(), key=lambda row: row.said_at, reverse=True)
    return tuple(_said(row, times[_key(row)]) for row in ordered)


def _said(row: Row[*tuple[Any, ...]], times: int) -> Said:
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
