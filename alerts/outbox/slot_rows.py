"""Rows of slots: planned digests, those that demotion and quiet hours ask for, and what became of them.

A slot's id is unique; that alone keeps a digest from being made twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from alerts import tables
from alerts.digest.slots import Slot
from alerts.outbox.events import insert
from alerts.values import DigestForm


def open_slot(connection: sa.Connection, slot: Slot, note: str | None = None) -> None:
    """Plan a slot unless it is known, whatever became of it."""
    connection.execute(
        insert(connection, tables.slot)
        .values(
            {
                "slot_id": slot.slot_id,
                "recipient": slot.recipient,
                "schedule": slot.schedule,
                "due_at": slot.due_at,
                "state": "open",
                "note": note,
            }
        )
        .on_conflict_do_nothing(index_elements=["slot_id"])
    )


@dataclass(frozen=True, slots=True)
class SlotRow:
    """A slot as stored."""

    slot: Slot
    state: str
    note: str | None


def due_slots(connection: sa.Connection, now: datetime) -> tuple[SlotRow, ...]:
    """List the open slots that are due, the oldest first."""
    slot = tables.slot.c
    rows = connection.execute(
        sa.select(tables.slot).where(tables.OPEN_SLOT, slot.due_at <= now).order_by(slot.due_at, slot.slot_id)
    )
    return tuple(_slot_row(row) for row in rows)


def last_slot(connection: sa.Connection, recipient: str, schedule: str) -> SlotRow | None:
    """Find the latest slot of a recipient's schedule."""
    slot = tables.slot.c
    row = connection.execute(
        sa.select(tables.slot)
        .where(slot.recipient == recipient, slot.schedule == schedule)
        .order_by(slot.due_at.desc())
        .limit(1)
    ).first()
    return _slot_row(row) if row is not None else None


def _slot_row(row: sa.Row[tuple[object, ...]]) -> SlotRow:
    return SlotRow(Slot(row.slot_id, row.recipient, row.schedule, row.due_at), row.state, row.note)


def close_slot(connection: sa.Connection, slot_id: str, state: str, now: datetime) -> bool:
    """End a slot as run or folded; False when somebody else did."""
    slot = tables.slot.c
    done = connection.execute(
        tables.slot.update().where(slot.slot_id == slot_id, slot.state == "open").values(state=state, ran_at=now)
    )
    return done.rowcount == 1


def move_slot(connection: sa.Connection, slot_id: str, due_at: datetime) -> None:
    """Put an open slot off."""
    slot = tables.slot.c
    connection.execute(tables.slot.update().where(slot.slot_id == slot_id, slot.state == "open").values(due_at=due_at))


def heartbeat_today(connection: sa.Connection, recipient: str, since: datetime) -> bool:
    """Tell whether a planned message without any news was made for a recipient since the given instant."""
    outbox = tables.outbox.c
    return (
        connection.execute(
            sa.select(outbox.delivery_id)
            .where(
                outbox.recipient == recipient,
                outbox.created_at >= since,
                outbox.form == DigestForm.SCHEDULED,
                outbox.event_keys == "[]",
            )
            .limit(1)
        ).first()
        is not None
    )
