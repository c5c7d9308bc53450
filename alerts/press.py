"""Makes one message of the items a recipient is told, and stores its bytes with everything that says it was told.

The writing half of TX2: digest, rendering, the outbox row, the cursor, the items. Which items are told, and when, was
decided before by `pipeline` and `planned`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from alerts import mute, route
from alerts.channels.base import Channel
from alerts.digest import message, slots, story
from alerts.outbox import deliveries, groups, ids, regroup
from alerts.outbox.changes import Changes
from alerts.outbox.groups import Cursor, Item, View
from alerts.outbox.slot_rows import SlotRow
from alerts.values import (
    Coverage,
    DeliveryKind,
    Digest,
    DigestForm,
    Event,
    Links,
    Recipient,
    Silence,
    StoryPart,
)

REFRESH_EVERY = timedelta(minutes=1)
OPERATOR = "operator"
"""The lane of reports about the daemon."""
LinksOf = Callable[[str, Recipient, datetime], Links | None]


def no_links(group: str, recipient: Recipient, now: datetime) -> Links | None:
    """Make no links: the daemon has no public address."""
    return None


@dataclass(slots=True)
class Sitting:
    """One recipient's turn in one transaction: what was read at its begin, and what is written at its end."""

    connection: sa.Connection
    recipient: Recipient
    view: View
    now: datetime
    coverage: Coverage | None = None
    changes: Changes = field(default_factory=Changes)

    def cursor(self, group: str) -> Cursor:
        """Where the recipient stands with a story."""
        return self.view.cursors.get(group, Cursor())

    def change(self, item: Item, **change: object) -> None:
        """Change some columns of an item."""
        self.changes.item(self.recipient.key, item, **change)

    def unsilenced(self, items: Sequence[Item]) -> list[Item]:
        """Part what may be told from what a silence keeps back."""
        loud = []
        for item in items:
            silence = self._silence_of(item)
            if silence is None:
                loud.append(item)
            else:
                self.change(item, state="closed", reason="silenced", due_at=None, silence_id=silence.silence_id)
        return loud

    def _silence_of(self, item: Item) -> Silence | None:
        silences = self.view.silences
        return mute.silenced_by(item.event, silences, self.recipient.key, self.now) if item.is_open else None

    def put_off(self, items: Sequence[Item], slot: slots.Slot, reason: str) -> None:
        """Let items wait for a digest."""
        self.changes.slots[slot.slot_id] = slot
        state = "held" if reason == "held" else "pending"
        for item in items:
            self.change(item, state=state, reason=reason, due_at=None, slot_id=slot.slot_id)


class Press:
    """Makes messages for the recipients of a plan."""

    def __init__(
        self,
        plan: route.Plan,
        channels: Mapping[str, Channel],
        entropy: Callable[[int], bytes],
        links: LinksOf = no_links,
    ) -> None:
        self._plan = plan
        self._channels = channels
        self._ids = ids.DeliveryIds(entropy)
        self._links = links

    def prompt(self, sitting: Sitting, group: str, items: Sequence[Item]) -> mute.Told:
        """Make one group's message."""
        notes = self._notes(sitting.connection, items, sitting.recipient)
        part = self._part(sitting, group, [item.event for item in items], notes)
        digest = message.prompt(self._envelope(sitting, group), part)
        self._enqueue(sitting.connection, digest, group, items, sitting.cursor(group), sitting.now)
        self._settle_items(sitting, group, items, digest)
        return mute.Told(sitting.now, group, digest.urgent)

    def operator(self, sitting: Sitting, reports: Mapping[str, Sequence[Item]]) -> None:
        """Make one message of all that is to be reported about the daemon, whatever it is about."""
        items = [item for found in reports.values() for item in found]
        digest = message.operator(self._envelope(sitting, ""), [item.event for item in items])
        self._enqueue(sitting.connection, digest, OPERATOR, items, Cursor(), sitting.now)
        for group, found in reports.items():
            self._settle_items(sitting, group, found, digest)

    def week(self, sitting: Sitting, note: Event) -> None:
        """Make the message that sums up a recipient's week."""
        digest = message.operator(self._envelope(sitting, ""), [note])
        self._enqueue(sitting.connection, digest, OPERATOR, (), Cursor(), sitting.now)

    def planned(
        self, sitting: Sitting, row: SlotRow, fresh: Mapping[str, list[Item]], told: Mapping[str, list[Item]]
    ) -> Digest:
        """Make a slot's digest of what is new, with a line for each story that was told promptly."""
        parts = [
            self._part(sitting, group, [item.event for item in items], notes)
            for group, items in fresh.items()
            for notes in (self._notes(sitting.connection, items, sitting.recipient),)
        ]
        parts += [
            self._part(sitting, group, [item.event for item in items], (), already=True)
            for group, items in told.items()
        ]
        schedule = self._plan.schedule(row.slot.schedule)
        new = [item for items in fresh.values() for item in items]
        reasons = [(item.event.group, item.reason, item.event.kind) for item in new]
        envelope = replace(self._envelope(sitting, ""), notes=slots.notes(row.note, reasons))
        digest = message.planned(envelope, parts, schedule.max_stories if schedule else slots.MAX_STORIES)
        self._enqueue_planned(sitting, digest, new, row)
        for group, items in fresh.items():
            self._settle_items(sitting, group, items, digest, row.slot.slot_id)
        return digest

    def continued(self, sitting: Sitting, group: str, merged: Event) -> None:
        """Edit the roots of two stories that became one: the old one says where it goes on, the other holds all."""
        gone, known = regroup.other(merged), sitting.view.known.get(group, ())
        whole = self._part(sitting, group, (), ())
        before = groups.cursors(sitting.connection, sitting.recipient.key, (gone,)).get(gone, Cursor())
        told = story.Told(before.reached_at, max(before.messages - 1, 0))
        notes = (slots.continued_note(whole.headline),)
        part = story.part(group, [event for event in known if event.group == gone], (), told, notes=notes)
        for root, cursor, shown in (
            (gone, before, replace(part, page=whole.page)),
            (group, sitting.cursor(group), replace(whole, number=max(whole.number - 1, 1))),
        ):
            if cursor.root_delivery is not None:
                digest = message.prompt(self._envelope(sitting, group), shown)
                self._refresh_root(sitting.connection, digest, cursor.root_delivery, root, sitting.now)

    # ------------------------------------------------------------------------------------------------- what is said

    def _envelope(self, sitting: Sitting, group: str) -> message.Envelope:
        recipient, now = sitting.recipient, sitting.now
        return message.Envelope(
            recipient,
            self._ids.make(now),
            now,
            sitting.coverage,
            self._plan.config_rev,
            self._plan.watches,
            self._links(group, recipient, now),
        )

    def _part(
        self, sitting: Sitting, group: str, fresh: Sequence[Event], notes: tuple[str, ...], *, already: bool = False
    ) -> StoryPart:
        cursor, view = sitting.cursor(group), sitting.view
        told = story.Told(cursor.reached_at, cursor.messages)
        stale = view.stale.get(group, 0)
        part = story.part(group, view.known.get(group, ()), fresh, told, stale=stale, already=already, notes=notes)
        made = self._links(group, sitting.recipient, sitting.now)
        return replace(part, page=made.story if made else "")

    def _notes(self, connection: sa.Connection, items: Sequence[Item], recipient: Recipient) -> tuple[str, ...]:
        """Say what the reader must know about how these items came to be told now."""
        notes = []
        lost = [item.delivery_id for item in items if item.reason == "undelivered" and item.delivery_id]
        at = groups.made_at(connection, lost) if lost else None
        if at is not None:
            notes.append(slots.undelivered_note(at, recipient))
        replaced = next((item.fallback_of for item in items if item.fallback_of), None)
        if replaced is not None:
            notes.append(slots.fallback_note(*deliveries.channel_of(connection, replaced), recipient))
        return tuple(notes)

    # ----------------------------------------------------------------------------------------------- what is stored

    def _enqueue(
        self,
        connection: sa.Connection,
        digest: Digest,
        group: str,
        items: Sequence[Item],
        cursor: Cursor,
        now: datetime,
    ) -> None:
        channel = self._channels[digest.recipient.channel]
        draft = channel.render(digest, first=cursor.root is None and cursor.root_delivery is None)
        lane = deliveries.Lane(
            group,
            f"{digest.recipient.key} {group}",
            now + max((item.max_age for item in items), default=route.DIGEST_AGE),
            waits_for=cursor.root_delivery if draft.kind is DeliveryKind.REPLY else None,
            fallback_of=next((item.fallback_of for item in items if item.fallback_of), None),
        )
        deliveries.enqueue(connection, digest, draft, lane, [item.event for item in items], now)
        if draft.kind is DeliveryKind.REPLY and cursor.root_delivery is not None:
            self._refresh_root(connection, digest, cursor.root_delivery, group, now)

    def _refresh_root(self, connection: sa.Connection, digest: Digest, root: str, group: str, now: datetime) -> None:
        """Bring a story's root up to date, at most once a minute; an older refresh that waits is dropped."""
        fresh_id = self._ids.make(now)
        draft = self._channels[digest.recipient.channel].refresh(replace(digest, delivery_id=fresh_id, urgent=False))
        if draft is None:
            return
        order_key = f"{digest.recipient.key} {group} root"
        at = deliveries.drop_refreshes(connection, order_key, fresh_id, now, REFRESH_EVERY)
        lane = deliveries.Lane(group, order_key, now + route.DIGEST_AGE, waits_for=root, next_at=at)
        deliveries.enqueue(connection, replace(digest, delivery_id=fresh_id, urgent=False), draft, lane, (), now)

    def _enqueue_planned(self, sitting: Sitting, digest: Digest, items: Sequence[Item], row: SlotRow) -> None:
        draft = self._channels[digest.recipient.channel].render(digest, first=True)
        age = max((item.max_age for item in items), default=route.DIGEST_AGE)
        lane = deliveries.Lane("", f"{digest.recipient.key} {row.slot.schedule}", sitting.now + age)
        deliveries.enqueue(sitting.connection, digest, draft, lane, [item.event for item in items], sitting.now)

    def _settle_items(
        self, sitting: Sitting, group: str, items: Sequence[Item], digest: Digest, slot_id: str | None = None
    ) -> None:
        hidden = story.inhibited([item.event for item in items])
        for item in items:
            sitting.change(
                item,
                state="enqueued",
                reason="inhibited" if item.event.key in hidden else None,
                due_at=None,
                delivery_id=digest.delivery_id,
                slot_id=slot_id,
            )
        cursor = sitting.cursor(group)
        moved: dict[str, object] = {
            "event_id": max([cursor.event_id, *(item.event_id for item in items)]),
            "told_at": sitting.now,
            "messages": cursor.messages + 1,
        }
        threaded = self._channels[sitting.recipient.channel].manners.threads and digest.form is DigestForm.PROMPT
        if threaded and cursor.root is None and cursor.root_delivery is None:
            moved["root_delivery"] = digest.delivery_id
        sitting.changes.cursor(sitting.recipient.key, group, **moved)
