"""What the digest builder reads: due groups, their events, cursors, silences. It writes by `changes` and `slot_rows`.

One transaction works for one recipient, whose row in `cursor` with the empty group is the lock: caps and cursors of a
recipient change in one hand. No decision is made here.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from alerts import tables
from alerts.digest.slots import Slot
from alerts.mute import Told
from alerts.outbox import codec
from alerts.outbox.events import insert
from alerts.values import DeliveryState, DigestForm, Event, EventClass, EventState, Matchers, Silence

OPEN = ("pending", "held")
HIDDEN = (EventState.BASELINE,)
KNOWN_PER_GROUP = 2000
TOLD_WINDOW = timedelta(hours=25)
LOOKED_AT = 10_000
"""Due items that are looked at to find whose turn it is."""


@dataclass(frozen=True, slots=True)
class Item:
    """An event that one recipient is to be told, or was told."""

    event_id: int
    event: Event
    state: str
    reason: str | None
    due_at: datetime | None
    schedule: str | None
    slot_id: str | None
    delivery_id: str | None
    max_age: timedelta
    returned: bool
    fallback_of: str | None

    @property
    def is_open(self) -> bool:
        """Whether it still waits to be told."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a recipient stands with a story."""

    event_id: int = 0
    told_at: datetime | None = None
    reached_at: datetime | None = None
    messages: int = 0
    root: str | None = None
    root_delivery: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    """All that decisions about some groups of one recipient need, read at once."""

    items: dict[str, tuple[Item, ...]]
    known: dict[str, tuple[Event, ...]]
    stale: dict[str, int]
    cursors: dict[str, Cursor]
    told: tuple[Told, ...]
    silences: tuple[Silence, ...]


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that only reads and keeps no writer waiting."""
    with engine.connect().execution_options(reads=True) as connection, connection.begin():
        yield connection


def recipients_due(connection: sa.Connection, now: datetime) -> tuple[str, ...]:
    """List the recipients with a group that falls due, the longest overdue first; of many items the first decide."""
    item = tables.item.c
    due = sa.select(item.recipient, item.due_at).where(tables.OPEN_ITEM, item.due_at <= now)
    first = due.order_by(item.due_at).limit(LOOKED_AT).subquery().c
    rows = connection.execute(
        sa.select(first.recipient).group_by(first.recipient).order_by(sa.func.min(first.due_at), first.recipient)
    )
    return tuple(row.recipient for row in rows)


def lock(connection: sa.Connection, recipient: str) -> bool:
    """Take a recipient for this transaction; False while another worker has it."""
    connection.execute(
        insert(connection, tables.cursor)
        .values({"recipient": recipient, "group_key": "", "messages": 0})
        .on_conflict_do_nothing(index_elements=["recipient", "group_key"])
    )
    row = connection.execute(
        sa.select(tables.cursor.c.recipient)
        .where(tables.cursor.c.recipient == recipient, tables.cursor.c.group_key == "")
        .with_for_update(skip_locked=True)
    ).first()
    return row is not None


def due_groups(connection: sa.Connection, recipient: str, now: datetime, limit: int) -> tuple[str, ...]:
    """List a recipient's groups that fall due, in the order of their due times."""
    item = tables.item.c
    rows = connection.execute(
        sa.select(item.group_key, sa.func.min(item.due_at).label("first"))
        .where(item.recipient == recipient, item.state.in_(OPEN), item.due_at <= now)
        .group_by(item.group_key)
        .order_by("first", item.group_key)
        .limit(limit)
    )
    return tuple(row.group_key for row in rows)


def reports(connection: sa.Connection, recipient: str, due: Sequence[str]) -> tuple[str, ...]:
    """List a recipient's groups that report about the daemon, once one of them is due: the others ride along."""
    item, event = tables.item.c, tables.event.c
    rows = connection.execute(
        sa.select(item.group_key)
        .distinct()
        .join_from(tables.item, tables.event, event.id == item.event_id)
        .where(
            item.recipient == recipient,
            item.state.in_(OPEN),
            item.due_at.is_not(None),
            event["class"] == EventClass.OPERATOR,
        )
        .order_by(item.group_key)
    )
    found = tuple(row.group_key for row in rows)
    return found if set(found) & set(due) else ()


def view(connection: sa.Connection, recipient: str, groups: Sequence[str], now: datetime) -> View:
    """Read the open items of some groups and everything a message about them needs."""
    condition = tables.item.c.group_key.in_(groups) & tables.item.c.state.in_(OPEN)
    return _view(connection, recipient, condition, now)


def slot_view(connection: sa.Connection, slot: Slot, now: datetime) -> View:
    """Read the items of a slot: those bound to it, and those of its schedule that no slot has taken yet."""
    item = tables.item.c
    bound = (item.slot_id == slot.slot_id) & item.state.in_(OPEN)
    scheduled = (item.schedule == slot.schedule) & item.slot_id.is_(None) & item.state.in_((*OPEN, "enqueued"))
    return _view(connection, slot.recipient, bound | scheduled, now)


def _view(connection: sa.Connection, recipient: str, condition: sa.ColumnElement[bool], now: datetime) -> View:
    item, event = tables.item.c, tables.event.c
    rows = connection.execute(
        sa.select(tables.item, event.payload)
        .join_from(tables.item, tables.event, event.id == item.event_id)
        .where(item.recipient == recipient, condition)
        .order_by(event.decided_at, event.id)
    ).all()
    items: dict[str, list[Item]] = defaultdict(list)
    read: dict[int, Event] = {}
    for row in rows:
        read[row.event_id] = codec.load(row.payload)
        items[row.group_key].append(_item(row, read[row.event_id]))
    known, stale = _known(connection, tuple(items), read)
    return View(
        {group: tuple(found) for group, found in items.items()},
        known,
        stale,
        cursors(connection, recipient, tuple(items)),
        _told(connection, recipient, now),
        active_silences(connection, now),
    )


def _item(row: sa.Row[tuple[object, ...]], event: Event) -> Item:
    return Item(
        row.event_id,
        event,
        row.state,
        row.reason,
        row.due_at,
        row.schedule,
        row.slot_id,
        row.delivery_id,
        timedelta(seconds=row.max_age_s),
        bool(row.returned),
        row.fallback_of,
    )


def _known(
    connection: sa.Connection, groups: Sequence[str], read: dict[int, Event]
) -> tuple[dict[str, tuple[Event, ...]], dict[str, int]]:
    """Read all events of the groups that may be shown; count those that came too late to be told."""
    event = tables.event.c
    rows = connection.execute(
        sa.select(event.id, event.group_key, event.state, event.payload)
        .where(event.group_key.in_(groups), event.state.not_in(HIDDEN))
        .order_by(event.decided_at, event.id)
        .limit(KNOWN_PER_GROUP * max(len(groups), 1))
    )
    known: dict[str, list[Event]] = defaultdict(list)
    stale: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.state == EventState.STALE:
            stale[row.group_key] += 1
        else:
            known[row.group_key].append(read.get(row.id) or codec.load(row.payload))
    return {group: tuple(events) for group, events in known.items()}, dict(stale)


def cursors(connection: sa.Connection, recipient: str, groups: Sequence[str]) -> dict[str, Cursor]:
    """Say where a recipient stands with some stories."""
    cursor = tables.cursor.c
    rows = connection.execute(
        sa.select(tables.cursor).where(cursor.recipient == recipient, cursor.group_key.in_(groups))
    )
    return {
        row.group_key: Cursor(row.event_id or 0, row.told_at, row.reached_at, row.messages, row.root, row.root_delivery)
        for row in rows
    }


def _told(connection: sa.Connection, recipient: str, now: datetime) -> tuple[Told, ...]:
    outbox = tables.outbox.c
    rows = connection.execute(
        sa.select(outbox.created_at, outbox.story_id, outbox.urgent).where(
            outbox.recipient == recipient,
            outbox.created_at > now - TOLD_WINDOW,
            outbox.form == DigestForm.PROMPT,
            outbox.kind != "update",
            outbox.state != DeliveryState.DISCARDED,
        )
    )
    return tuple(Told(row.created_at, row.story_id, row.urgent) for row in rows)


def active_silences(connection: sa.Connection, now: datetime) -> tuple[Silence, ...]:
    """List the silences that hold now."""
    silence = tables.silence.c
    rows = connection.execute(
        sa.select(tables.silence).where(silence.starts <= now, silence.until > now, silence.ended_at.is_(None))
    )
    return tuple(silence_of(row) for row in rows)


def silence_of(row: sa.Row[tuple[object, ...]]) -> Silence:
    """Make a value of a row of `silence`."""
    conditions = tuple((name, tuple(patterns)) for name, patterns in json.loads(row.matchers))
    return Silence(
        row.id,
        Matchers(conditions),
        row.starts,
        row.until,
        row.comment,
        row.author,
        row.responses,
        row.ended_by,
        row.recipient,
    )


def unbind(connection: sa.Connection, slot_id: str, to: str) -> None:
    """Hand the open items of a slot that is not run to another one."""
    item = tables.item.c
    connection.execute(tables.item.update().where(item.slot_id == slot_id, item.state.in_(OPEN)).values(slot_id=to))


def told_events(connection: sa.Connection, recipient: str, since: datetime) -> tuple[tuple[Event, ...], ...]:
    """List what each prompt message of a recipient told since an instant, message by message."""
    outbox, item, event = tables.outbox.c, tables.item.c, tables.event.c
    rows = connection.execute(
        sa.select(outbox.delivery_id, event.payload)
        .join_from(tables.outbox, tables.item, item.delivery_id == outbox.delivery_id)
        .join(tables.event, event.id == item.event_id)
        .where(
            outbox.recipient == recipient,
            outbox.created_at >= since,
            outbox.form == DigestForm.PROMPT,
            item.recipient == recipient,
        )
        .order_by(outbox.created_at, outbox.delivery_id, event.id)
    )
    found: dict[str, list[Event]] = defaultdict(list)
    for row in rows:
        found[row.delivery_id].append(codec.load(row.payload))
    return tuple(tuple(events) for events in found.values())


def forget_recipient(connection: sa.Connection, recipient: str, reason: str = "recipient_gone") -> int:
    """Close the open items of a recipient that left the configuration or is told nothing more."""
    item = tables.item.c
    done = connection.execute(
        tables.item.update()
        .where(item.recipient == recipient, item.state.in_(OPEN))
        .values(state="closed", reason=reason, due_at=None)
    )
    return done.rowcount


def made_at(connection: sa.Connection, deliveries: Iterable[str]) -> datetime | None:
    """Say when the first of some deliveries was made."""
    outbox = tables.outbox.c
    return connection.execute(
        sa.select(sa.func.min(outbox.created_at)).where(outbox.delivery_id.in_(list(deliveries)))
    ).scalar_one_or_none()


NEXT_DUE = sa.select(
    sa.select(sa.func.min(tables.item.c.due_at))
    .where(tables.OPEN_ITEM, tables.item.c.due_at.is_not(None))
    .scalar_subquery()
    .label("item"),
    sa.select(sa.func.min(tables.slot.c.due_at)).where(tables.OPEN_SLOT).scalar_subquery().label("slot"),
    sa.select(sa.func.min(tables.silence.c.until))
    .where(tables.silence.c.ended_at.is_(None))
    .scalar_subquery()
    .label("silence"),
)
"""Asked on every tick: one statement, built once."""


def next_due(connection: sa.Connection) -> datetime | None:
    """Say when the next item, slot or silence falls due."""
    row = connection.execute(NEXT_DUE).one()
    return min((at for at in row if at is not None), default=None)
