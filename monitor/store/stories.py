"""Stories, mentions, attributions and responses: written under the story lock; `story_facts` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    ScalarSelect,
    bindparam,
    func,
    insert,
    select,
    update,
)

from monitor.store import plain, tables
from monitor.values import (
    Assignment,
    Citation,
    Domain,
    Entry,
    EntryId,
    Evidence,
    Finding,
    Outlet,
    Role,
    StoryKey,
)

_MENTION, _STORY = tables.mention.c, tables.story.c
ALGO = 1
"""Version of features and thresholds that decides; old mentions are never rewritten when it moves."""


@dataclass(frozen=True, slots=True)
class Mentioned:
    """A mention: its story's key and row, when it was seen, and how it was decided."""

    story: StoryKey
    story_id: int
    seen_at: datetime
    assignment: Assignment


@dataclass(frozen=True, slots=True)
class StoryRow:
    """A story as lists show it."""

    key: StoryKey
    title: str
    language: str | None
    first_at: datetime
    last_at: datetime
    size: int


def keys_told(connection: Connection, key: StoryKey) -> tuple[StoryKey, ...]:
    """The keys under which entries of a story may have been told: its own, those that lead to it by now, and those of
    the stories it was split from.
    """
    alias, story = tables.story_alias.c, tables.story.c
    found: dict[StoryKey, None] = {}
    row = connection.execute(select(story.id, story.key, story.split_from).where(story.key == key)).one_or_none()
    while row is not None and row.key not in found:
        joined = connection.execute(select(alias.alias_key).where(alias.story_id == row.id).order_by(alias.alias_key))
        found |= dict.fromkeys((StoryKey(row.key), *map(StoryKey, joined.scalars())))
        parent = select(story.id, story.key, story.split_from).where(story.id == row.split_from)
        row = connection.execute(parent).one_or_none()
    return tuple(found) or (key,)


def resolve(connection: Connection, key: StoryKey) -> StoryKey:
    """The key a story is known by now: a merged story's key leads to its survivor in one hop."""
    alias, story = tables.story_alias.c, tables.story.c
    found = connection.execute(
        select(story.key).join(tables.story_alias, alias.story_id == story.id).where(alias.alias_key == key)
    ).scalar_one_or_none()
    return key if found is None else StoryKey(found)


def record(
    connection: Connection,
    entry: Entry,
    outlet: Outlet | None,
    assignment: Assignment,
    key: StoryKey,
    now: datetime,
    lead: str,
) -> int:
    """Write the mention of an entry, and its story when it starts one; returns the story's id."""
    story = _start(connection, entry, key, now) if assignment.joined is None else _join(connection, key, now)
    values = {
        "entry_id": entry.id,
        "story_id": story,
        "outlet": entry.outlet,
        "publisher": outlet.publisher if outlet else None,
        "seen_at": now,
        "published_at": entry.published,
        "lang": entry.language,
        "url": entry.url,
        "title": entry.title,
        "lead": lead,
        "role": str(assignment.role),
        "copy_of": assignment.copy_of,
        "score": assignment.score,
        "threshold": assignment.threshold,
        "runner_up": assignment.runner_up,
        "runner_up_score": assignment.runner_up_score,
        "containment": assignment.containment,
        "shared": [list(pair) for pair in assignment.shared],
        "reason": assignment.reason,
        "algo": ALGO,
    }
    _MENTION_OF.run(connection, values)
    return story


def next_change() -> ScalarSelect[int]:
    """The number of a change to a mention. Drawn under the story lock, so that numbers show in their order."""
    return select(func.coalesce(func.max(tables.mention.c.change_no), 0) + 1).scalar_subquery()


def newest_change(connection: Connection) -> int:
    """The number of the newest change to a mention, 0 before the first."""
    ((newest,),) = _NEWEST_CHANGE.rows(connection, {})
    return int(newest)


# What every matching entry asks.
_NEWEST_CHANGE = plain.Statement(select(func.coalesce(func.max(_MENTION.change_no), 0)))
_MENTION_OF = plain.Statement(
    insert(tables.mention).values(change_no=next_change()), [one.name for one in _MENTION if one.name != "change_no"]
)
_START = plain.Statement(
    insert(tables.story).returning(_STORY.id),
    ("key", "first_at", "last_at", "title", "lang", "size", "state", "algo"),
)
_JOIN = plain.Statement(
    update(tables.story)
    .where(_STORY.key == bindparam("joined"))
    .values(size=_STORY.size + 1, last_at=bindparam("now"))
    .returning(_STORY.id)
)
_CITE = plain.Statement(insert(tables.attribution), tables.attribution.c.keys())
_ANSWER = plain.Statement(insert(tables.response), tables.response.c.keys())


def _start(connection: Connection, entry: Entry, key: StoryKey, now: datetime) -> int:
    values = {
        "key": key,
        "first_at": now,
        "last_at": now,
        "title": entry.title,
        "lang": entry.language,
        "size": 1,
        "state": "open",
        "algo": ALGO,
    }
    ((story,),) = _START.rows(connection, values)
    return int(story)


def _join(connection: Connection, key: StoryKey, now: datetime) -> int:
    ((story,),) = _JOIN.rows(connection, {"joined": key, "now": now})
    return int(story)


def record_evidence(connection: Connection, entry: Entry, story: int, evidence: Evidence, now: datetime) -> None:
    """Keep what the entry says about sources and governments, background included."""
    if evidence.citations:
        _CITE.each(connection, [_citation_row(entry.id, n, c) for n, c in enumerate(evidence.citations)])
    if evidence.findings:
        rows = [_finding_row(entry, story, n, finding, now) for n, finding in enumerate(evidence.findings)]
        _ANSWER.each(connection, rows)


def _citation_row(entry: EntryId, n: int, citation: Citation) -> dict[str, Any]:
    return {
        "entry_id": entry,
        "n": n,
        "source": citation.source,
        "domain": citation.domain,
        "kind": citation.kind,
        "field": citation.field,
        "start": citation.start,
        "end": citation.end,
        "background": citation.background,
    }


def _finding_row(entry: Entry, story: int, n: int, finding: Finding, now: datetime) -> dict[str, Any]:
    return {
        "entry_id": entry.id,
        "n": n,
        "story_id": story,
        "government": finding.government,
        "voice": finding.voice,
        "body": finding.body,
        "office": finding.actor,
        "stance": str(finding.stance),
        "asker_name": finding.asker.name if finding.asker else None,
        "asker_domain": finding.asker.domain if finding.asker else None,
        "quote": finding.quote,
        "field": finding.field,
        "start": finding.start,
        "end": finding.end,
        "lang": entry.language,
        "via": finding.via,
        "hand": finding.hand,
        "certainty": str(finding.certainty),
        "partial": finding.partial,
        "background": finding.background,
        "rule": finding.rule,
        "said_at": finding.said_at or entry.published or now,
    }


def decided(row: Row[Any]) -> Assignment:
    """The decision that made a mention, as its row has it."""
    role = Role(row.role)
    return Assignment(
        joined=None if role is Role.ORIGINAL else StoryKey(row.key),
        score=row.score,
        threshold=row.threshold,
        role=role,
        copy_of=None if row.copy_of is None else EntryId(row.copy_of),
        containment=row.containment,
        runner_up=None if row.runner_up is None else StoryKey(row.runner_up),
        runner_up_score=row.runner_up_score,
        shared=tuple((name, product) for name, product in row.shared),
        reason=row.reason,
    )


def mention_of(connection: Connection, entry: EntryId) -> Mentioned | None:
    """The mention of an entry with the decision that made it; None for an entry that is in no story."""
    mention, story = tables.mention.c, tables.story.c
    row = connection.execute(
        select(tables.mention, story.key)
        .join(tables.story, story.id == mention.story_id)
        .where(mention.entry_id == entry)
    ).one_or_none()
    return None if row is None else Mentioned(StoryKey(row.key), row.story_id, row.seen_at, decided(row))


def change_role(connection: Connection, entry: EntryId, assignment: Assignment) -> None:
    """Write what an entry is to its story, judged again by more of its text."""
    connection.execute(
        update(tables.mention)
        .where(tables.mention.c.entry_id == entry)
        .values(
            role=str(assignment.role),
            copy_of=assignment.copy_of,
            containment=assignment.containment,
            change_no=next_change(),
        )
    )


def retitle(connection: Connection, entry: Entry) -> None:
    """Let the mention of a revised entry say what the entry says now."""
    mended = update(tables.mention).where(tables.mention.c.entry_id == entry.id)
    connection.execute(mended.values(title=entry.title, change_no=next_change()))


def add_evidence(connection: Connection, entry: Entry, story: int, evidence: Evidence, now: datetime) -> None:
    """Add what an entry says now: sources are those of its newest text, answers it gave before stay on record."""
    cited, response = tables.attribution, tables.response
    connection.execute(cited.delete().where(cited.c.entry_id == entry.id))
    if evidence.citations:
        _CITE.each(connection, [_citation_row(entry.id, n, c) for n, c in enumerate(evidence.citations)])
    rows = connection.execute(select(response).where(response.c.entry_id == entry.id)).all()
    known = {(row.government, row.voice, row.stance, row.asker_name) for row in rows}
    fresh = [finding for finding in evidence.findings if _finding_key(finding) not in known]
    if fresh:
        first = max((row.n for row in rows), default=-1) + 1
        made = [_finding_row(entry, story, n, finding, now) for n, finding in enumerate(fresh, start=first)]
        _ANSWER.each(connection, made)


def _finding_key(finding: Finding) -> tuple[str, str, str, str | None]:
    return finding.government, finding.voice, str(finding.stance), finding.asker.name if finding.asker else None


def live_outlets(connection: Connection, since: datetime, least: int) -> frozenset[Domain]:
    """Outlets of stories that were joined since a time and that at least so many outlets carry."""
    mention = tables.mention.c
    moving = (
        select(mention.story_id)
        .where(mention.outlet.is_not(None), mention.role != str(Role.COPY))
        .group_by(mention.story_id)
        .having(func.max(mention.seen_at) >= since, func.count(mention.outlet.distinct()) >= least)
    )
    recent = select(mention.story_id).where(mention.seen_at >= since)
    rows = connection.execute(
        select(mention.outlet)
        .distinct()
        .where(mention.outlet.is_not(None), mention.story_id.in_(recent), mention.story_id.in_(moving))
    )
    return frozenset(Domain(row[0]) for row in rows)


def newest(connection: Connection, limit: int = 50) -> tuple[StoryRow, ...]:
    """The stories with the latest mentions first."""
    story = tables.story.c
    rows = connection.execute(
        select(tables.story).where(story.state == "open").order_by(story.last_at.desc(), story.id.desc()).limit(limit)
    )
    return tuple(StoryRow(StoryKey(r.key), r.title, r.lang, r.first_at, r.last_at, r.size) for r in rows)
