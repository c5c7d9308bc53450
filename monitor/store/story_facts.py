"""A story as decisions see it: who carried it, who answered, what it was told under. Read only; `stories` writes.

Asked for every matching entry, so its statements are built once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, or_, select

from monitor.store import tables
from monitor.values import (
    Asker,
    Certainty,
    Citation,
    Domain,
    EntryId,
    MentionFact,
    Role,
    Stance,
    StanceFact,
    StoryFacts,
    StoryKey,
)

_MENTION, _STORY, _ALIAS = tables.mention.c, tables.story.c, tables.story_alias.c
_BY_KEY = select(tables.story).where(_STORY.key == bindparam("key"))
_KEYS_OF = select(_ALIAS.alias_key).where(_ALIAS.story_id == bindparam("story"))
_MENTIONED = (
    select(tables.mention)
    .where(_MENTION.story_id.in_(bindparam("parts", expanding=True)))
    .order_by(_MENTION.seen_at, _MENTION.entry_id)
)
_MENTIONED_UNTIL = _MENTIONED.where(_MENTION.seen_at <= bindparam("until"))
_WATCHES = select(tables.match.c.entry_id, tables.match.c.watch).where(
    tables.match.c.entry_id.in_(bindparam("entries", expanding=True))
)
_CITED = (
    select(tables.attribution)
    .where(tables.attribution.c.entry_id.in_(bindparam("entries", expanding=True)))
    .order_by(tables.attribution.c.entry_id, tables.attribution.c.n)
)
_ANSWERED = (
    select(tables.response)
    .where(tables.response.c.story_id.in_(bindparam("parts", expanding=True)))
    .order_by(tables.response.c.entry_id, tables.response.c.n)
)


def of(connection: Connection, key: StoryKey) -> StoryFacts:
    """All a decision needs to know of a story, in the order in which it was recorded."""
    row = connection.execute(_BY_KEY, {"key": key}).one_or_none()
    if row is None:
        return StoryFacts(key)
    aliases = connection.execute(_KEYS_OF, {"story": row.id}).scalars()
    mentions, stances = _recorded(connection, (row.id,))
    parted = None
    if row.split_from is not None:
        parted = StoryFacts(key, *_recorded(connection, _other_parts(connection, row.id), until=row.split_at))
    return StoryFacts(key, mentions, stances, frozenset(StoryKey(a) for a in aliases), parted)


def _other_parts(connection: Connection, story: int) -> tuple[int, ...]:
    """The stories that were one with this one: what it was split from, and what was split from that."""
    part, parts = tables.story.c, {story}
    while True:
        linked = or_(part.id.in_(parts), part.split_from.in_(parts))
        rows = connection.execute(select(part.id, part.split_from).where(linked)).all()
        found = parts | {row.id for row in rows} | {row.split_from for row in rows if row.split_from is not None}
        if found == parts:
            return tuple(sorted(parts - {story}))
        parts = found


def _recorded(
    connection: Connection, parts: Sequence[int], *, until: datetime | None = None
) -> tuple[tuple[MentionFact, ...], tuple[StanceFact, ...]]:
    """Mentions and stances of stories, up to a time if one is given."""
    mentions = tuple(_mention_facts(connection, parts, until))
    by_entry = {mention.entry: mention for mention in mentions}
    stances = _stance_facts(connection, parts, by_entry)
    return mentions, tuple(fact for fact in stances if until is None or fact.entry in by_entry)


def _mention_facts(connection: Connection, parts: Sequence[int], until: datetime | None) -> Iterator[MentionFact]:
    if until is None:
        rows = connection.execute(_MENTIONED, {"parts": parts}).all()
    else:
        rows = connection.execute(_MENTIONED_UNTIL, {"parts": parts, "until": until}).all()
    ids = [row.entry_id for row in rows]
    watches, citations = _watches(connection, ids), _citations(connection, ids)
    for row in rows:
        yield MentionFact(
            entry=EntryId(row.entry_id),
            outlet=None if row.outlet is None else Domain(row.outlet),
            publisher=row.publisher,
            role=Role(row.role),
            seen_at=row.seen_at,
            watches=frozenset(watches[row.entry_id]),
            citations=tuple(citations[row.entry_id]),
            url=row.url,
            title=row.title,
            title_only=not row.lead,
        )


def _watches(connection: Connection, entries: Sequence[int]) -> Mapping[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for row in connection.execute(_WATCHES, {"entries": entries}):
        found[row.entry_id].add(row.watch)
    return found


def _citations(connection: Connection, entries: Sequence[int]) -> Mapping[int, list[Citation]]:
    found: dict[int, list[Citation]] = defaultdict(list)
    for row in connection.execute(_CITED, {"entries": entries}):
        domain = None if row.domain is None else Domain(row.domain)
        found[row.entry_id].append(
            Citation(row.source, domain, row.kind, row.field, row.start, row.end, row.background)
        )
    return found


def _stance_facts(
    connection: Connection, parts: Sequence[int], mentions: Mapping[EntryId, MentionFact]
) -> Iterator[StanceFact]:
    for row in connection.execute(_ANSWERED, {"parts": parts}):
        mention = mentions.get(EntryId(row.entry_id))
        yield StanceFact(
            government=row.government,
            voice=row.voice,
            body=row.body,
            stance=Stance(row.stance),
            asker=_asker(row),
            said_at=row.said_at,
            entry=EntryId(row.entry_id),
            outlet=mention.outlet if mention else None,
            quote=row.quote,
            partial=row.partial,
            first_hand=row.hand == "first",
            from_copy=mention is not None and mention.role is Role.COPY,
            background=row.background,
            certainty=Certainty(row.certainty),
            office=row.office or "",
        )


def _asker(row: Row[Any]) -> Asker | None:
    if row.asker_name is None:
        return None
    return Asker(row.asker_name, None if row.asker_domain is None else Domain(row.asker_domain))
