"""Merges, splits and labels of stories in the database: what is written, and what may not be undone by machine.

A key is never taken away: a merged story's key becomes an alias of the survivor, and so do the keys that led to it,
so that one hop is always enough. Called by `monitor.stories`, under the story lock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, and_, func, insert, literal, null, or_, select, update

from alerts import tables as alert_tables
from monitor.store import stories, tables
from monitor.values import EntryId, StoryKey

BY_HAND, BY_LIKENESS = "by hand", "by likeness"
"""Why a key became an alias."""

_STORY, _ALIAS, _MENTION, _LABEL = tables.story.c, tables.story_alias.c, tables.mention.c, tables.label.c


class Verdict(StrEnum):
    """What a person says of a story or an entry. The last two are corrections, and stand for themselves."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSED = "missed"
    MERGED = "merged"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class Changed:
    """Where entries stand by now; `gone` are the keys that lead there from now on, or they left `parted_from`."""

    story: StoryKey
    entries: tuple[EntryId, ...]
    gone: tuple[StoryKey, ...] = ()
    parted_from: StoryKey | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """An open story, found by one of its keys."""

    id: int
    key: StoryKey
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Mentioned:
    """An entry of a story: enough to say which came first and to name a story after it."""

    entry: EntryId
    story: StoryKey
    name: str


@dataclass(frozen=True, slots=True)
class Label:
    """What a person said, with what it was said about."""

    at: datetime
    who: str
    verdict: Verdict
    subject: str
    story: StoryKey | None
    entry: EntryId | None
    note: str
    title: str | None = None
    url: str | None = None


# ------------------------------------------------------------------------------------------------------ reading


def standing(connection: Connection, key: StoryKey) -> Standing | None:
    """The story a key leads to."""
    row = connection.execute(
        select(_STORY.id, _STORY.key, _STORY.first_at).where(_STORY.key == stories.resolve(connection, key))
    ).one_or_none()
    return None if row is None else Standing(row.id, StoryKey(row.key), row.first_at)


def mentions(connection: Connection, story: StoryKey) -> tuple[Mentioned, ...]:
    """The entries of a story, first one first."""
    return _mentioned(connection, _STORY.key == story)


def mentioned(connection: Connection, entries: Collection[EntryId]) -> tuple[Mentioned, ...]:
    """Those of some entries that stand in a story, first one first."""
    return _mentioned(connection, _MENTION.entry_id.in_(entries))


def _mentioned(connection: Connection, which: Any) -> tuple[Mentioned, ...]:
    entry = tables.entry.c
    rows = connection.execute(
        select(_MENTION.entry_id, _STORY.key, entry.feed_id, entry.entry_key)
        .join(tables.story, _STORY.id == _MENTION.story_id)
        .join(tables.entry, entry.id == _MENTION.entry_id)
        .where(which)
        .order_by(_MENTION.seen_at, _MENTION.entry_id)
    )
    return tuple(Mentioned(EntryId(r.entry_id), StoryKey(r.key), f"{r.feed_id}:{r.entry_key}") for r in rows)


def is_known(connection: Connection, key: StoryKey) -> bool:
    """Whether a key leads, or led, to a story: it may not be given again."""
    return connection.execute(select(_STORY.id).where(_STORY.key == key)).first() is not None


def are_apart(connection: Connection, one: int, other: int) -> bool:
    """Whether one of two stories was split from the other: the machine leaves them so."""
    pairs = or_(and_(_STORY.id == one, _STORY.split_from == other), and_(_STORY.id == other, _STORY.split_from == one))
    return connection.execute(select(_STORY.id).where(pairs)).first() is not None


def is_whole(connection: Connection, story: int, since: datetime) -> bool:
    """Whether the machine leaves a story in one piece: a person put it together, or it was split since then."""
    joined = select(_ALIAS.alias_key).where(_ALIAS.story_id == story, _ALIAS.why == BY_HAND)
    parted = select(_STORY.id).where(_STORY.split_from == story, _STORY.split_at >= since)
    return connection.execute(joined).first() is not None or connection.execute(parted).first() is not None


# ------------------------------------------------------------------------------------------------------ writing


def merge(connection: Connection, survivor: Standing, loser: Standing, why: str, now: datetime) -> Changed:
    """Make one story of two; every key of the loser leads to the survivor."""
    moved = tuple(row.entry for row in mentions(connection, loser.key))
    moving = update(tables.mention).where(_MENTION.story_id == loser.id)
    connection.execute(moving.values(story_id=survivor.id, change_no=stories.next_change()))
    answered = tables.response.c.story_id
    connection.execute(update(tables.response).where(answered == loser.id).values(story_id=survivor.id))
    connection.execute(update(tables.story_alias).where(_ALIAS.story_id == loser.id).values(story_id=survivor.id))
    connection.execute(insert(tables.story_alias).values(alias_key=loser.key, story_id=survivor.id, since=now, why=why))
    again = or_(_STORY.id == loser.id, _STORY.merged_into == loser.id)
    connection.execute(update(tables.story).where(again).values(state="merged", merged_into=survivor.id, size=0))
    # What was split from the loser stays apart from the survivor; a story is never its own parent.
    parted = update(tables.story).where(_STORY.split_from == loser.id, _STORY.id != survivor.id)
    connection.execute(parted.values(split_from=survivor.id))
    _measure(connection, survivor.id)
    return Changed(survivor.key, moved, (loser.key,))


def split(connection: Connection, story: Standing, leaving: Sequence[EntryId], key: StoryKey, now: datetime) -> Changed:
    """Give some entries of a story, first one first, a story of their own under a new key."""
    first = connection.execute(select(tables.mention).where(_MENTION.entry_id == leaving[0])).one()
    values = {
        "key": key,
        "first_at": first.seen_at,
        "last_at": first.seen_at,
        "title": first.title,
        "lang": first.lang,
        "size": len(leaving),
        "state": "open",
        "split_from": story.id,
        "split_at": now,
        "algo": stories.ALGO,
    }
    new = int(connection.execute(insert(tables.story).values(**values).returning(_STORY.id)).scalar_one())
    moving = update(tables.mention).where(_MENTION.entry_id.in_(leaving))
    connection.execute(moving.values(story_id=new, change_no=stories.next_change()))
    answered = tables.response.c.entry_id
    connection.execute(update(tables.response).where(answered.in_(leaving)).values(story_id=new))
    _measure(connection, story.id)
    _measure(connection, new)
    return Changed(key, tuple(leaving), parted_from=story.key)


def _measure(connection: Connection, story: int) -> None:
    """Set a story's size and times from its mentions."""
    counted = select(func.count(), func.min(_MENTION.seen_at), func.max(_MENTION.seen_at))
    size, first_at, last_at = connection.execute(counted.where(_MENTION.story_id == story)).one()
    connection.execute(
        update(tables.story).where(_STORY.id == story).values(size=size, first_at=first_at, last_at=last_at)
    )


# ------------------------------------------------------------------------------------------------------- labels


def label(connection: Connection, label: Label) -> int:
    """Keep a label; returns its number."""
    values = {
        "subject": label.subject,
        "story_key": label.story,
        "entry_id": label.entry,
        "verdict": str(label.verdict),
        "who": label.who,
        "note": label.note,
        "at": label.at,
    }
    return int(connection.execute(insert(tables.label).values(**values).returning(_LABEL.id)).scalar_one())


def is_said(connection: Connection, subject: str, verdict: str, who: str, note: str) -> bool:
    """Whether a person has said just this before."""
    same = select(_LABEL.id).where(_LABEL.subject == subject, _LABEL.verdict == verdict, _LABEL.note == note)
    return connection.execute(same.where(_LABEL.who == who).limit(1)).first() is not None


BY_LINK = "by the link in a message"
"""The note of what a reader said from a message: that is kept with the telling half, one word by reader and story."""


def labels(connection: Connection) -> Iterator[Label]:
    """All labels in the order in which they were given, with title and address of what they are about.

    Those given on the pages and by command, and those that readers gave by the links in their messages.
    """
    said = select(_LABEL.at, _LABEL.who, _LABEL.verdict, _LABEL.subject, _LABEL.story_key, _LABEL.entry_id, _LABEL.note)
    given = connection.execute(said.order_by(_LABEL.id)).all()
    for row in sorted((*given, *_from_messages(connection)), key=lambda row: row.at):
        story = None if row.story_key is None else stories.resolve(connection, StoryKey(row.story_key))
        shown = _shown(connection, row.entry_id, story)
        yield Label(
            at=row.at,
            who=row.who,
            verdict=Verdict(row.verdict),
            subject=row.subject,
            story=story,
            entry=None if row.entry_id is None else EntryId(row.entry_id),
            note=row.note,
            title=None if shown is None else shown.title,
            url=None if shown is None else shown.url,
        )


def _from_messages(connection: Connection) -> Sequence[Any]:
    """What readers said by the links in their messages, in the columns of a label."""
    said = alert_tables.feedback.c
    return connection.execute(
        select(
            said.at,
            said.recipient.label("who"),
            said.label.label("verdict"),
            said.story.label("subject"),
            said.story.label("story_key"),
            null().label("entry_id"),
            literal(BY_LINK).label("note"),
        ).order_by(said.at, said.recipient, said.story)
    ).all()


def _shown(connection: Connection, entry: int | None, story: StoryKey | None) -> Any:
    """The row with title and address of an entry, or of a story's first one; None without either."""
    found = select(_MENTION.title, _MENTION.url).join(tables.story, _STORY.id == _MENTION.story_id)
    if entry is not None:
        found = found.where(_MENTION.entry_id == entry)
    elif story is not None:
        found = found.where(_STORY.key == story)
    else:
        return None
    return connection.execute(found.order_by(_MENTION.seen_at, _MENTION.entry_id).limit(1)).first()


def by_address(connection: Connection, url: str) -> Mentioned | None:
    """The last entry with this address that stands in a story."""
    found = _mentioned(connection, _MENTION.url == url)
    return found[-1] if found else None


def placed(connection: Connection, since: datetime) -> dict[EntryId, StoryKey]:
    """The story of every entry seen since a time."""
    rows = connection.execute(
        select(_MENTION.entry_id, _STORY.key)
        .join(tables.story, _STORY.id == _MENTION.story_id)
        .where(_MENTION.seen_at >= since)
    )
    return {EntryId(row.entry_id): StoryKey(row.key) for row in rows}
