"""Runs slots: plans the next one of every schedule, makes the digest of one that is due, folds one that is too late.

A slot's id is unique in the database; that alone keeps a digest from being made twice. Called by `pipeline.Desk`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from alerts import mute, route
from alerts.channels.base import Channel
from alerts.digest import slots, week
from alerts.outbox import acts, groups, sick, slot_rows
from alerts.outbox.groups import Item
from alerts.outbox.slot_rows import SlotRow
from alerts.press import Press, Sitting
from alerts.values import Coverage, Heartbeat, Kind, Recipient


class Planner:
    """Makes planned digests."""

    def __init__(self, engine: sa.Engine, plan: route.Plan, channels: Mapping[str, Channel], press: Press) -> None:
        self._engine = engine
        self._plan = plan
        self._channels = channels
        self._press = press

    def open_slots(self, now: datetime) -> int:
        """Plan the next slot of every schedule a route sends to; return how many are new."""
        with self._engine.begin() as connection:
            opened = sum(self._open_slot(connection, one, name, now) for one, name in route.planned(self._plan))
            return opened + sum(self._open_week(connection, one, now) for one in self._plan.recipients)

    def _open_week(self, connection: sa.Connection, recipient: Recipient, now: datetime) -> int:
        """Plan the next note on a recipient's week, if it wants one."""
        if not recipient.weekly_note:
            return 0
        last = slot_rows.last_slot(connection, recipient.key, slots.WEEKLY)
        following = slots.next_run(slots.WEEK, recipient, now)
        if following is None or (last is not None and (last.state == "open" or last.slot.due_at >= following.due_at)):
            return 0
        slot_rows.open_slot(connection, following)
        return 1

    def run_due(self, now: datetime, coverage: Coverage | None) -> int:
        """Run the slots that are due; return the number of digests made."""
        with groups.reading(self._engine) as connection:
            due = slot_rows.due_slots(connection, now)
        return sum(self._run_slot(row, now, coverage) for row in due)

    def _run_slot(self, row: SlotRow, now: datetime, coverage: Coverage | None) -> int:
        """Make one planned digest, or put it off, or fold it into the next; plan the one after it."""
        slot, recipient = row.slot, self._plan.recipient(row.slot.recipient)
        with self._engine.begin() as connection:
            if recipient is None or recipient.channel not in self._channels:
                slot_rows.close_slot(connection, slot.slot_id, "gone", now)
                return 0
            if not groups.lock(connection, recipient.key):
                return 0
            schedule = self._plan.schedule(slot.schedule)
            if schedule is not None and slots.is_too_late(slot.due_at, now):
                self._open_slot(connection, recipient, slot.schedule, now)
                return 0
            quiet = mute.quiet_until(recipient.quiet, recipient.timezone, now)
            if quiet is not None:
                slot_rows.move_slot(connection, slot.slot_id, quiet)
                return 0
            if not slot_rows.close_slot(connection, slot.slot_id, "run", now):
                return 0
            if recipient.key in acts.aside(connection):
                groups.forget_recipient(connection, recipient.key, "set_aside")
            sitting = Sitting(connection, recipient, groups.slot_view(connection, slot, now), now, coverage)
            made = self._sum_up(sitting, row) if slot.schedule == slots.WEEKLY else self._make(sitting, row)
            sitting.changes.apply(connection)
            if schedule is not None:
                self._open_slot(connection, recipient, slot.schedule, now)
            return made

    def _open_slot(self, connection: sa.Connection, recipient: Recipient, name: str, now: datetime) -> int:
        """Plan a schedule's next slot; an open one that is too late hands its items on and is said to be missed."""
        schedule = self._plan.schedule(name)
        last = slot_rows.last_slot(connection, recipient.key, name)
        if schedule is None or (
            last is not None and last.state == "open" and not slots.is_too_late(last.slot.due_at, now)
        ):
            return 0
        planned = slots.plan_next(schedule, recipient, last.slot.due_at if last else None, now)
        if planned is None:
            return 0
        note = planned.note
        if last is not None and last.state == "open":
            slot_rows.close_slot(connection, last.slot.slot_id, "folded", now)
            groups.unbind(connection, last.slot.slot_id, planned.slot.slot_id)
            note = slots.missed_note(last.slot, recipient)
        slot_rows.open_slot(connection, planned.slot, note)
        return 1

    def _sum_up(self, sitting: Sitting, row: SlotRow) -> int:
        """Say what the week of a recipient was made of; nothing when it had no message."""
        recipient, now = sitting.recipient, sitting.now
        if not recipient.weekly_note or recipient.key in acts.aside(sitting.connection):
            return 0
        told = groups.told_events(sitting.connection, recipient.key, now - week.PER)
        note = week.note(row.slot.slot_id, told, now, self._plan.config_rev)
        if note is None:
            return 0
        self._press.week(sitting, note)
        return 1

    def _make(self, sitting: Sitting, row: SlotRow) -> int:
        """Make a slot's digest, unless there is nothing to say in it."""
        fresh: dict[str, list[Item]] = {}
        told: dict[str, list[Item]] = {}
        for group, items in sitting.view.items.items():
            loud = [item for item in sitting.unsilenced(items) if item.event.kind is not Kind.REMINDER or item.slot_id]
            new = [item for item in loud if item.is_open]
            for item in loud:
                if not item.is_open:
                    sitting.change(item, slot_id=row.slot.slot_id)
            if new:
                fresh[group] = new
            elif loud:
                told[group] = loud
        if not fresh and not told and not row.note and not self._beats(sitting, row):
            return 0
        digest = self._press.planned(sitting, row, fresh, told)
        sick.superseded_by(sitting.connection, row.slot.slot_id, digest.delivery_id)
        return 1

    def _beats(self, sitting: Sitting, row: SlotRow) -> bool:
        """Tell whether an empty slot is worth a message that says so."""
        recipient = sitting.recipient
        if recipient.key in acts.aside(sitting.connection):
            return False
        if recipient.heartbeat is Heartbeat.OFF or self._plan.schedule(row.slot.schedule) is None:
            return False
        if recipient.heartbeat is Heartbeat.EVERY_SLOT:
            return True
        return not slot_rows.heartbeat_today(sitting.connection, recipient.key, slots.day_start(recipient, sitting.now))
