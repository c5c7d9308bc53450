"""When stories become one, or one becomes two: what was told moves along, so that nothing is told again.

A merge gives the kept story all events, items and cursors of the one that is gone; keys of the past stay as they are,
and an event counts as known when its key is stored under the name of any story that is part of its own now. The gone
story keeps its cursor for the sake of its thread: its root is edited to say where it goes on. A split lets the new
story know what was told as part of the old one. Called by `producing`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from alerts import tables
from alerts.outbox import codec
from alerts.outbox.events import chunks, insert, known, store_all
from alerts.outbox.reports import merged_event
from alerts.values import Event, EventState, Kind

MERGED = sa.select(tables.event.c.group_key, tables.event.c.payload).where(
    tables.event.c.group_key.in_(sa.bindparam("groups", expanding=True)), tables.event.c.kind == Kind.MERGED
)
FACT = {Kind.MERGED: "gone", Kind.SPLIT: "old"}
"""Where an event of this kind names the other story."""


@dataclass(frozen=True, slots=True)
class Mended:
    """What follows from a merge or split: the event to store, who is told, and whose old root says where it goes on."""

    event: Event
    recipients: frozenset[str] = frozenset()
    roots: frozenset[str] = frozenset()


def former_keys(connection: sa.Connection, events: Sequence[Event]) -> dict[str, tuple[str, ...]]:
    """Give, for events of merged stories, the keys they would have had in the stories that are gone."""
    gone: dict[str, list[str]] = defaultdict(list)
    for groups in chunks(dict.fromkeys(event.group for event in events)):
        for row in connection.execute(MERGED, {"groups": groups}):
            gone[row.group_key].append(other(codec.load(row.payload)))
    return {
        event.key: tuple(_rekeyed(event.key, event.group, name) for name in gone[event.group])
        for event in events
        if event.group in gone
    }


def other(event: Event) -> str:
    """Name the story that a merge ended, or that a split took entries from."""
    return dict(event.facts).get(FACT[event.kind], "")


def _rekeyed(key: str, story: str, instead: str) -> str:
    return ":".join(instead.lower() if part == story.lower() else part for part in key.split(":"))


def mend(connection: sa.Connection, event: Event) -> Mended:
    """Move what was told, and say who was told of it. What nobody was told needs no word: it is stored as baseline."""
    mended = _merge(connection, event) if event.kind is Kind.MERGED else _split(connection, event)
    return mended if mended.recipients else replace(mended, event=replace(mended.event, state=EventState.BASELINE))


def _merge(connection: sa.Connection, event: Event) -> Mended:
    gone, kept = other(event), event.group
    merges = connection.execute(MERGED, {"groups": [kept]})
    if any(other(codec.load(row.payload)) == gone for row in merges):  # on behalf of another watch
        return Mended(event)
    titled = _with_title(connection, event, gone)
    for table in (tables.event, tables.item):
        connection.execute(table.update().where(table.c.group_key == gone).values(group_key=kept))
    cursor = tables.cursor.c
    rows = connection.execute(
        sa.select(tables.cursor).where(cursor.group_key.in_((gone, kept)), cursor.told_at.is_not(None))
    ).all()
    standing = {row.recipient: row for row in rows if row.group_key == kept}
    leaving = {row.recipient: row for row in rows if row.group_key == gone}
    for recipient, row in leaving.items():
        _join_cursors(connection, kept, row, standing.get(recipient))
    roots = {
        recipient
        for recipient, row in leaving.items()
        if row.root_delivery and recipient in standing and standing[recipient].root_delivery
    }
    return Mended(titled, frozenset(leaving), frozenset(roots))


def _with_title(connection: sa.Connection, event: Event, gone: str) -> Event:
    """Name the story that is gone by the headline it was told under, which its readers know."""
    row = tables.event.c
    first = connection.execute(
        sa.select(row.payload)
        .where(row.group_key == gone, row.kind != Kind.MERGED, row.state != EventState.BASELINE)
        .order_by(row.decided_at, row.id)
        .limit(1)
    ).scalar_one_or_none()
    mention = codec.load(first).mention if first is not None else None
    if mention is None or not mention.title:
        return event
    return merged_event(event.watch, event.group, gone, mention.title, event.decided_at, event.config_rev)


def _join_cursors(
    connection: sa.Connection,
    kept: str,
    leaving: sa.Row[tuple[object, ...]],
    standing: sa.Row[tuple[object, ...]] | None,
) -> None:
    both = [row for row in (standing, leaving) if row is not None]
    root = next((row for row in both if row.root_delivery), leaving)
    reached = [row.reached_at for row in both if row.reached_at is not None]
    values = {
        "event_id": max(row.event_id or 0 for row in both),
        "told_at": max(row.told_at for row in both),
        "reached_at": max(reached, default=None),
        "messages": sum(row.messages for row in both),
        "root": root.root,
        "root_delivery": root.root_delivery,
    }
    connection.execute(
        insert(connection, tables.cursor)
        .values({"recipient": leaving.recipient, "group_key": kept, **values})
        .on_conflict_do_update(index_elements=["recipient", "group_key"], set_=values)
    )


def _split(connection: sa.Connection, event: Event) -> Mended:
    old, cursor = other(event), tables.cursor.c
    told = connection.execute(
        sa.select(cursor.recipient).where(cursor.group_key == old, cursor.told_at.is_not(None))
    ).scalars()
    recipients = frozenset(told)
    copies = {one.key: one for one in _inherited(connection, event.watch, old, event.group)}
    fresh = copies.keys() - known(connection, tuple(copies))
    store_all(connection, [(one, EventState.BASELINE) for key, one in copies.items() if key in fresh])
    return Mended(event, recipients)


def _inherited(connection: sa.Connection, watch: str, old: str, new: str) -> Iterator[Event]:
    row = tables.event.c
    rows = connection.execute(sa.select(row.payload).where(row.group_key == old, row.watch == watch).order_by(row.id))
    for payload in rows.scalars().all():
        event = codec.load(payload)
        key = _rekeyed(event.key, event.group, new)
        if key != event.key:
            yield replace(event, key=key, group=new, state=EventState.BASELINE)


def edit_at_once(connection: sa.Connection, event: Event, recipients: Iterable[str], now: datetime) -> None:
    """Let a merge fall due for those whose old root is to be edited; it makes no message of its own."""
    of_event = sa.select(tables.event.c.id).where(tables.event.c.event_key == event.key).scalar_subquery()
    chosen = (tables.item.c.event_id == of_event, tables.item.c.recipient.in_(sorted(recipients)))
    connection.execute(tables.item.update().where(*chosen).values(due_at=now))
