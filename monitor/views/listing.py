"""The list of stories: filtered, newest first, cut into pages by a cursor that new stories do not move.

However odd the filter, one page looks at no more than `SCANNED` stories; what is further back is behind the cursor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, exists, func, or_, select

from monitor.store import search, tables
from monitor.text import languages
from monitor.values import Certainty, Domain, Role, Stance, StoryKey

SCANNED = 500
LISTED = 25

_story, _mention, _match, _response = (t.c for t in (tables.story, tables.mention, tables.match, tables.response))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asks for; None is no wish. `outlets` are those of the wanted country."""

    watch: str | None = None
    language: str | None = None
    outlets: frozenset[Domain] | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """The story a page ended with: the next one begins behind it."""

    last_at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class Stood:
    """A government and what it did in a story, in the order in which it was first heard."""

    government: str
    stance: Stance


@dataclass(frozen=True, slots=True)
class Card:
    """A story as the list shows it. `outlets` counts publishers with a piece of their own, `copies` entries."""

    key: StoryKey
    title: str
    language: str | None
    lead: str
    outlet: Domain | None
    first_at: datetime
    last_at: datetime
    size: int
    outlets: int = 0
    copies: int = 0
    languages: tuple[str, ...] = ()
    answers: tuple[Stood, ...] = ()
    unanswered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of the list. `further` is None on the last one; `searched_all` is False when a search was cut short."""

    cards: tuple[Card, ...]
    further: Cursor | None = None
    searched_all: bool = True


def page(connection: Connection, wanted: Wanted, after: Cursor | None = None, limit: int = LISTED) -> Listed:
    """Read one page of stories."""
    found = search.find(connection, wanted.words) if wanted.words else None
    if found is not None and not found.stories:
        return Listed(())
    rows = connection.execute(_query(wanted, after, found.stories if found else None, limit)).all()
    further = None
    if len(rows) > limit:
        rows = rows[:limit]
        further = Cursor(rows[-1].last_at, rows[-1].id)
    elif found is None:
        further = _scan_end(connection, wanted, after)
    return Listed(_cards(connection, rows), further, found is None or not found.cut)


def _query(wanted: Wanted, after: Cursor | None, among: Collection[int] | None, limit: int) -> Select[Any]:
    looked_at = _looked_at(wanted, after, among).subquery()
    conditions = tuple(_conditions(wanted, looked_at.c.id))
    columns = looked_at.c
    return select(looked_at).where(*conditions).order_by(columns.last_at.desc(), columns.id.desc()).limit(limit + 1)


def _looked_at(wanted: Wanted, after: Cursor | None, among: Collection[int] | None) -> Select[Any]:
    """The stories one page may look at, by time alone."""
    query = select(tables.story).where(_story.state == "open")
    if wanted.since is not None:
        query = query.where(_story.last_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(_story.last_at <= wanted.until)
    if after is not None:
        before = and_(_story.last_at == after.last_at, _story.id < after.id)
        query = query.where(_story.last_at <= after.last_at, or_(_story.last_at < after.last_at, before))
    if among is not None:
        return query.where(_story.id.in_(sorted(among)))
    return query.order_by(_story.last_at.desc(), _story.id.desc()).limit(SCANNED)


def _conditions(wanted: Wanted, story_id: Any) -> Iterable[Any]:
    mine = _mention.story_id == story_id
    if wanted.language is not None:
        spoken = or_(_mention.lang == wanted.language, _mention.lang.like(f"{wanted.language}-%"))
        yield exists().where(mine, spoken)
    if wanted.outlets is not None:
        yield exists().where(mine, _mention.outlet.in_(sorted(wanted.outlets)))
    if wanted.watch is not None:
        yield exists().where(mine, _match.entry_id == _mention.entry_id, _match.watch == wanted.watch)


def _scan_end(connection: Connection, wanted: Wanted, after: Cursor | None) -> Cursor | None:
    """Where a page stopped looking although it is not full; None when it saw everything."""
    if wanted.watch is None and wanted.language is None and wanted.outlets is None:
        return None
    last = connection.execute(_looked_at(wanted, after, None).offset(SCANNED - 1).limit(1)).one_or_none()
    return None if last is None else Cursor(last.last_at, last.id)


def _cards(connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> tuple[Card, ...]:
    ids = [row.id for row in rows]
    counts, firsts = _counts(connection, ids), _firsts(connection, ids)
    stood, languages = _stood(connection, ids), _languages(connection, ids)
    return tuple(_card(row, counts.get(row.id), firsts.get(row.id), stood[row.id], languages[row.id]) for row in rows)


def _card(
    row: Row[*tuple[Any, ...]],
    count: Row[*tuple[Any, ...]] | None,
    first: Row[*tuple[Any, ...]] | None,
    stood: Sequence[Stood],
    languages: Sequence[str],
) -> Card:
    answered = {one.government for one in stood if one.stance.is_answer}
    return Card(
        key=StoryKey(row.key),
        title=(first.title if first else "") or row.title or row.key,
        language=first.lang if first else row.lang,
        lead=first.lead if first else "",
        outlet=first.outlet if first else None,
        first_at=row.first_at,
        last_at=row.last_at,
        size=row.size,
        outlets=count.outlets if count else 0,
        copies=count.copies if count else 0,
        languages=tuple(languages),
        answers=tuple(one for one in stood if one.stance.is_answer),
        unanswered=tuple(dict.fromkeys(one.government for one in stood if one.government not in answered)),
    )


def _counts(connection: Connection, ids: Sequence[int]) -> Mapping[int, Row[*tuple[Any, ...]]]:
    own = case((_mention.role != str(Role.COPY), func.coalesce(_mention.publisher, _mention.outlet)))
    copies = func.sum(case((_mention.role == str(Role.COPY), 1), else_=0))
    query = (
        select(_mention.story_id, func.count(own.distinct()).label("outlets"), copies.label("copies"))
        .where(_mention.story_id.in_(ids))
        .group_by(_mention.story_id)
    )
    return {row.story_id: row for row in connection.execute(query)}


def _firsts(connection: Connection, ids: Sequence[int]) -> Mapping[int, Row[*tuple[Any, ...]]]:
    first = tables.mention.alias("first")
    earliest = (
        select(first.c.entry_id)
        .where(first.c.story_id == _story.id)
        .order_by(first.c.seen_at, first.c.entry_id)
        .limit(1)
        .correlate(tables.story)
        .scalar_subquery()
    )
    query = (
        select(_mention.story_id, _mention.title, _mention.lead, _mention.lang, _mention.outlet)
        .select_from(tables.story.join(tables.mention, _mention.entry_id == earliest))
        .where(_story.id.in_(ids))
    )
    return {row.story_id: row for row in connection.execute(query)}


def _languages(connection: Connection, ids: Sequence[int]) -> Mapping[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    query = (
        select(_mention.story_id, _mention.lang)
        .where(_mention.story_id.in_(ids), _mention.lang.is_not(None))
        .group_by(_mention.story_id, _mention.lang)
        .order_by(_mention.story_id, func.count().desc(), _mention.lang)
    )
    for row in connection.execute(query):
        language = languages.base(row.lang)
        if language and language not in found[row.story_id]:
            found[row.story_id].append(language)
    return found


def _stood(connection: Connection, ids: Sequence[int]) -> Mapping[int, list[Stood]]:
    """Who did what, background and weak findings left out, as on the story's page."""
    found: dict[int, list[Stood]] = defaultdict(list)
    query = (
        select(_response.story_id, _response.government, _response.stance)
        .where(
            _response.story_id.in_(ids),
            _response.background.is_(False),
            _response.certainty != str(Certainty.WEAK),
        )
        .group_by(_response.story_id, _response.government, _response.stance)
        .order_by(_response.story_id, func.min(_response.said_at), _response.government, _response.stance)
    )
    for row in connection.execute(query):
        found[row.story_id].append(Stood(row.government, Stance(row.stance)))
    return found
