"""A story as decisions see it: who carried it, who answered, what it was told under. Read only; `stories` writes.

Asked for every matching entry, so its statements are built once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, or_, select

from monitor.store import plain, tables
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

_STORY, _ALIAS, _MATCH = tables.story.c, tables.story_alias.c, tables.match.c
_MENTION, _CITATION, _ANSWER = tables.mention.c, tables.attribution.c, tables.response.c


def _each(make: Callable[[str], Select[Any]]) -> plain.Statement:
    return plain.Statement({name: make(name) for name in plain.DATABASES})


_BY_KEY = plain.Statement(select(_STORY.id, _STORY.split_from, _STORY.split_at).where(_STORY.key == bindparam("key")))
_KEYS_OF = plain.Statement(select(_ALIAS.alias_key).where(_ALIAS.story_id == bindparam("story")))
_MENTIONED = _each(
    lambda name: (
        select(
            _MENTION.entry_id,
            _MENTION.outlet,
            _MENTION.publisher,
            _MENTION.role,
            _MENTION.seen_at,
            _MENTION.url,
            _MENTION.title,
            _MENTION.lead,
        )
        .where(plain.among(name, _MENTION.story_id, "parts"), _MENTION.seen_at <= bindparam("until"))
        .order_by(_MENTION.seen_at, _MENTION.entry_id)
    )
)
_WATCHES = _each(
    lambda name: select(_MATCH.entry_id, _MATCH.watch).where(plain.among(name, _MATCH.entry_id, "entries"))
)
_CITED = _each(
    lambda name: (
        select(
            _CITATION.entry_id,
            _CITATION.source,
            _CITATION.domain,
            _CITATION.kind,
            _CITATION.field,
            _CITATION.start,
            _CITATION.end,
            _CITATION.background,
        )
        .where(plain.among(name, _CITATION.entry_id, "entries"))
        .order_by(_CITATION.entry_id, _CITATION.n)
    )
)
_ANSWERED = _each(
    lambda name: (
        select(
            _ANSWER.entry_id,
            _ANSWER.government,
            _ANSWER.voice,
            _ANSWER.body,
            _ANSWER.stance,
            _ANSWER.asker_name,
            _ANSWER.asker_domain,
            _ANSWER.said_at,
            _ANSWER.quote,
            _ANSWER.partial,
            _ANSWER.hand,
            _ANSWER.background,
            _ANSWER.certainty,
            _ANSWER.office,
        )
        .where(plain.among(name, _ANSWER.story_id, "parts"))
        .order_by(_ANSWER.entry_id, _ANSWER.n)
    )
)
_EVER = datetime.max.replace(tzinfo=UTC)


def of(connection: Connection, key: StoryKey) -> StoryFacts:
    """All a decision needs to know of a story, in the order in which it was recorded."""
    found = _BY_KEY.rows(connection, {"key": key})
    if not found:
        return StoryFacts(key)
    story, split_from, split_at = found[0]
    aliases = frozenset(StoryKey(row[0]) for row in _KEYS_OF.rows(connection, {"story": story}))
    mentions, stances = _recorded(connection, (story,))
    parted = None
    if split_from is not None:
        parted = StoryFacts(key, *_recorded(connection, _other_parts(connection, story), until=split_at))
    return StoryFacts(key, mentions, stances, aliases, parted)


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
    rows = _MENTIONED.rows(connection, {"parts": list(parts), "until": until or _EVER})
    ids = [row[0] for row in rows]
    watches, citations = _watches(connection, ids), _citations(connection, ids)
    for entry, outlet, publisher, role, seen_at, url, title, lead in rows:
        yield MentionFact(
            entry=EntryId(entry),
            outlet=None if outlet is None else Domain(outlet),
            publisher=publisher,
            role=Role(role),
            seen_at=seen_at,
            watches=frozenset(watches[entry]),
            citations=tuple(citations[entry]),
            url=url,
            title=title,
            title_only=not lead,
        )


def _watches(connection: Connection, entries: Sequence[int]) -> Mapping[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for some in plain.chunks(entries):
        for entry, watch in _WATCHES.rows(connection, {"entries": some}):
            found[entry].add(watch)
    return found


def _citations(connection: Connection, entries: Sequence[int]) -> Mapping[int, list[Citation]]:
    found: dict[int, list[Citation]] = defaultdict(list)
    for some in plain.chunks(entries):
        for entry, source, domain, *place in _CITED.rows(connection, {"entries": some}):
            found[entry].append(Citation(source, None if domain is None else Domain(domain), *place))
    return found


def _stance_facts(
    connection: Connection, parts: Sequence[int], mentions: Mapping[EntryId, MentionFact]
) -> Iterator[StanceFact]:
    for row in _ANSWERED.rows(connection, {"parts": list(parts)}):
        entry, government, voice, body, stance, name, domain, said_at, quote, partial, hand, background, sure, by = row
        mention = mentions.get(EntryId(entry))
        yield StanceFact(
            government=government,
            voice=voice,
            body=body,
            stance=Stance(stance),
            asker=None if name is None else Asker(name, None if domain is None else Domain(domain)),
            said_at=said_at,
            entry=EntryId(entry),
            outlet=mention.outlet if mention else None,
            quote=quote,
            partial=partial,
            first_hand=hand == "first",
            from_copy=mention is not None and mention.role is Role.COPY,
            background=background,
            certainty=Certainty(sure),
            office=by or "",
        )
