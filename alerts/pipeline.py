"""READ SECOND. From stored events to sent messages.

    Desk.build_due       items due --lock recipient--> silences --> quiet hours --> caps --> digest --> render
                                                                            '--> outbox row WITH BYTES, cursor   TX2
    Courier.send_due     outbox row --claim--> 'sending'                                                         TX3
                                       --> ONE network call, no transaction open
                                       --> 'sent' + receipt | again at | held | dead                             TX4

The desk decides what is told and stores the bytes; the courier carries bytes and decides nothing about them. Both are
safe to kill at any point and to run several times at once. Every time is an argument. Called by `monitor.jobs`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from alerts import mute, outbox, retry, route
from alerts.channels.base import Channel
from alerts.digest import message, slots, story
from alerts.errors import ChannelBroken, DeliveryError
from alerts.outbox import deliveries, groups, ids, muted, sick
from alerts.outbox.groups import Changes, Cursor, Item, SlotRow, View
from alerts.values import (
    ChannelHealth,
    ChannelState,
    Coverage,
    Delivery,
    DeliveryKind,
    Digest,
    DigestForm,
    Doubt,
    Event,
    EventClass,
    Heartbeat,
    Kind,
    Links,
    Recipient,
    StoryPart,
)

log = logging.getLogger(__name__)

BATCH = 50
REFRESH_EVERY = timedelta(minutes=1)
LinksOf = Callable[[str, Recipient, datetime], Links | None]


def no_links(group: str, recipient: Recipient, now: datetime) -> Links | None:
    """Make no links: the daemon has no public address."""
    return None


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a transaction that only reads and keeps no writer waiting."""
    with engine.connect().execution_options(reads=True) as connection, connection.begin():
        yield connection


class Desk:
    """Turns due groups and slots into rendered deliveries. Holds no state that a restart would miss."""

    def __init__(
        self,
        engine: sa.Engine,
        plan: route.Plan,
        channels: Mapping[str, Channel],
        *,
        entropy: Callable[[int], bytes] = os.urandom,
        links: LinksOf = no_links,
    ) -> None:
        self._engine = engine
        self._plan = plan
        self._channels = channels
        self._ids = ids.DeliveryIds(entropy)
        self._links = links

    def build_due(self, now: datetime, coverage: Coverage | None = None) -> int:
        """Tell every group and slot that is due at `now`; return the number of deliveries made."""
        with reading(self._engine) as connection:
            first = groups.next_due(connection)
            away = sick.away(connection, now)
        made = 0
        if first is not None and first <= now:
            self._end_silences(now)
            made += sum(self._run_slot(row, now, coverage) for row in self._due_slots(now))
            made += sum(self._tell_due(key, now, coverage) for key in self._recipients_due(now))
        for channel, since, reason in away:
            made += self._fall_back(channel, since, reason, now, coverage)
        return made

    def next_due(self) -> datetime | None:
        """Say when the next group, slot, silence or fallback falls due."""
        with reading(self._engine) as connection:
            times = (groups.next_due(connection), sick.next_fallback(connection, tuple(self._plan.fallback)))
        return min((at for at in times if at is not None), default=None)

    def open_slots(self, now: datetime) -> int:
        """Plan the next slot of every schedule a route sends to; return how many are new."""
        with self._engine.begin() as connection:
            return sum(self._open_slot(connection, one, name, now) for one, name in route.planned(self._plan))

    # ------------------------------------------------------------------------------------------- prompt messages

    def _recipients_due(self, now: datetime) -> tuple[str, ...]:
        with reading(self._engine) as connection:
            return groups.recipients_due(connection, now)

    def _tell_due(self, key: str, now: datetime, coverage: Coverage | None) -> int:
        """Tell one recipient's due groups, a batch per transaction, until none is left."""
        made, recipient = 0, self._plan.recipient(key)
        while True:
            with self._engine.begin() as connection:
                if recipient is None or recipient.channel not in self._channels:
                    groups.forget_recipient(connection, key)
                    return made
                if not groups.lock(connection, key):
                    return made
                due = groups.due_groups(connection, key, now, BATCH)
                if not due:
                    return made
                view = groups.view(connection, key, due, now)
                changes = Changes()
                for group in due:
                    told = self._tell_group(connection, recipient, group, view, changes, now, coverage)
                    made += told is not None
                    view = replace(view, told=(*view.told, told)) if told is not None else view
                changes.apply(connection)

    def _tell_group(
        self,
        connection: sa.Connection,
        recipient: Recipient,
        group: str,
        view: View,
        changes: Changes,
        now: datetime,
        coverage: Coverage | None,
    ) -> mute.Told | None:
        """Walk one group down the ladder: silenced, held, over a cap, or told."""
        loud = self._unsilenced(recipient, view.items[group], view, changes, now)
        if not any(item.due_at is not None and item.due_at <= now for item in loud):
            return None
        verdict = mute.verdict([item.event for item in loud], recipient, view.told, group, now)
        match verdict:
            case mute.Held(until):
                self._put_off(recipient, loud, self._flush_slot(recipient, until), "held", changes)
            case mute.Demoted(reason):
                self._put_off(recipient, loud, self._next_slot(recipient, now), reason, changes)
            case mute.Wait(until):
                for item in loud:
                    if item.due_at is not None:
                        changes.item(recipient.key, item, due_at=max(until, item.due_at), reason=verdict.reason)
            case mute.Tell():
                told, later = mute.through(loud, recipient, now)
                if later:
                    until = mute.quiet_until(recipient.quiet, recipient.timezone, now) or now
                    self._put_off(recipient, later, self._flush_slot(recipient, until), "held", changes)
                return self._message(connection, recipient, group, told, view, changes, now, coverage)
        return None

    def _message(
        self,
        connection: sa.Connection,
        recipient: Recipient,
        group: str,
        items: Sequence[Item],
        view: View,
        changes: Changes,
        now: datetime,
        coverage: Coverage | None,
    ) -> mute.Told:
        """Render one group's message and store it with everything that says it was told."""
        cursor = view.cursors.get(group, Cursor())
        envelope = self._envelope(recipient, group, now, coverage)
        events = [item.event for item in items]
        if all(event.event_class is EventClass.OPERATOR or event.kind is Kind.TEST for event in events):
            digest = message.operator(envelope, events)
        else:
            part = self._part(group, view, events, self._notes(connection, items, recipient))
            digest = message.prompt(envelope, part)
        self._enqueue(connection, digest, group, items, cursor, now)
        self._settle_items(recipient, group, items, digest, cursor, changes, now)
        return mute.Told(now, group, digest.urgent)

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

    def _settle_items(
        self,
        recipient: Recipient,
        group: str,
        items: Sequence[Item],
        digest: Digest,
        cursor: Cursor,
        changes: Changes,
        now: datetime,
        slot_id: str | None = None,
    ) -> None:
        hidden = story.inhibited([item.event for item in items])
        for item in items:
            reason = "inhibited" if item.event.key in hidden else None
            changes.item(
                recipient.key,
                item,
                state="enqueued",
                reason=reason,
                due_at=None,
                delivery_id=digest.delivery_id,
                slot_id=slot_id,
            )
        moved: dict[str, object] = {
            "event_id": max([cursor.event_id, *(item.event_id for item in items)]),
            "told_at": now,
            "messages": cursor.messages + 1,
        }
        threaded = self._channels[recipient.channel].manners.threads and digest.form is DigestForm.PROMPT
        if threaded and cursor.root is None and cursor.root_delivery is None:
            moved["root_delivery"] = digest.delivery_id
        changes.cursor(recipient.key, group, **moved)

    # -------------------------------------------------------------------------------------------- what holds back

    def _unsilenced(
        self, recipient: Recipient, items: Sequence[Item], view: View, changes: Changes, now: datetime
    ) -> list[Item]:
        loud = []
        for item in items:
            silence = mute.silenced_by(item.event, view.silences, now) if item.is_open else None
            if silence is None:
                loud.append(item)
            else:
                changes.item(
                    recipient.key,
                    item,
                    state="closed",
                    reason="silenced",
                    due_at=None,
                    silence_id=silence.silence_id,
                )
        return loud

    def _put_off(
        self, recipient: Recipient, items: Sequence[Item], slot: slots.Slot, reason: str, changes: Changes
    ) -> None:
        changes.slots[slot.slot_id] = slot
        for item in items:
            state = "held" if reason == "held" else "pending"
            changes.item(recipient.key, item, state=state, reason=reason, due_at=None, slot_id=slot.slot_id)

    def _flush_slot(self, recipient: Recipient, until: datetime) -> slots.Slot:
        """Find the digest that tells what quiet hours held: a planned one that follows soon, else one at their end."""
        return slots.flush(recipient, route.schedules_of(recipient, self._plan), until)

    def _next_slot(self, recipient: Recipient, now: datetime) -> slots.Slot:
        return slots.demoted(recipient, route.schedules_of(recipient, self._plan), now)

    # ---------------------------------------------------------------------------------------------- planned digests

    def _due_slots(self, now: datetime) -> tuple[SlotRow, ...]:
        with reading(self._engine) as connection:
            return groups.due_slots(connection, now)

    def _run_slot(self, row: SlotRow, now: datetime, coverage: Coverage | None) -> int:
        """Make one planned digest, or put it off, or fold it into the next; plan the one after it."""
        slot, recipient = row.slot, self._plan.recipient(row.slot.recipient)
        with self._engine.begin() as connection:
            if recipient is None or recipient.channel not in self._channels:
                groups.close_slot(connection, slot.slot_id, "gone", now)
                return 0
            if not groups.lock(connection, recipient.key):
                return 0
            schedule = self._plan.schedule(slot.schedule)
            if schedule is not None and slots.is_too_late(slot.due_at, now):
                self._open_slot(connection, recipient, slot.schedule, now)
                return 0
            quiet = mute.quiet_until(recipient.quiet, recipient.timezone, now)
            if quiet is not None:
                groups.move_slot(connection, slot.slot_id, quiet)
                return 0
            if not groups.close_slot(connection, slot.slot_id, "run", now):
                return 0
            made = self._planned(connection, recipient, row, now, coverage)
            if schedule is not None:
                self._open_slot(connection, recipient, slot.schedule, now)
            return made

    def _open_slot(self, connection: sa.Connection, recipient: Recipient, name: str, now: datetime) -> int:
        """Plan a schedule's next slot; an open one that is too late hands its items on and is said to be missed."""
        schedule = self._plan.schedule(name)
        last = groups.last_slot(connection, recipient.key, name)
        if schedule is None or (
            last is not None and last.state == "open" and not slots.is_too_late(last.slot.due_at, now)
        ):
            return 0
        planned = slots.plan_next(schedule, recipient, last.slot.due_at if last else None, now)
        if planned is None:
            return 0
        note = planned.note
        if last is not None and last.state == "open":
            groups.close_slot(connection, last.slot.slot_id, "folded", now)
            groups.unbind(connection, last.slot.slot_id, planned.slot.slot_id)
            note = slots.missed_note(last.slot, recipient)
        groups.open_slot(connection, planned.slot, note)
        return 1

    def _planned(
        self, connection: sa.Connection, recipient: Recipient, row: SlotRow, now: datetime, coverage: Coverage | None
    ) -> int:
        view = groups.slot_view(connection, row.slot, now)
        changes, parts = Changes(), []
        envelope = self._envelope(recipient, "", now, coverage)
        told: list[tuple[str, list[Item]]] = []
        for group, items in view.items.items():
            loud = self._unsilenced(recipient, items, view, changes, now)
            fresh = [item for item in loud if item.is_open]
            for item in loud:
                if not item.is_open:
                    changes.item(recipient.key, item, slot_id=row.slot.slot_id)
            if fresh:
                told.append((group, fresh))
                notes = self._notes(connection, fresh, recipient)
                parts.append(self._part(group, view, [item.event for item in fresh], notes))
            elif loud:
                parts.append(self._part(group, view, [item.event for item in loud], (), already=True))
        if not parts and not row.note and not self._beats(connection, recipient, row, now):
            changes.apply(connection)
            return 0
        schedule = self._plan.schedule(row.slot.schedule)
        new = [item for _, one_story in told for item in one_story]
        reasons = [(item.event.group, item.reason, item.event.kind) for item in new]
        envelope = replace(envelope, notes=slots.notes(row.note, reasons))
        digest = message.planned(envelope, parts, schedule.max_stories if schedule else slots.MAX_STORIES)
        self._enqueue_planned(connection, digest, new, row, now)
        for group, fresh in told:
            cursor = view.cursors.get(group, Cursor())
            self._settle_items(recipient, group, fresh, digest, cursor, changes, now, row.slot.slot_id)
        changes.apply(connection)
        sick.superseded_by(connection, row.slot.slot_id, digest.delivery_id)
        return 1

    def _enqueue_planned(
        self, connection: sa.Connection, digest: Digest, items: Sequence[Item], row: SlotRow, now: datetime
    ) -> None:
        draft = self._channels[digest.recipient.channel].render(digest, first=True)
        age = max((item.max_age for item in items), default=route.DIGEST_AGE)
        lane = deliveries.Lane("", f"{digest.recipient.key} {row.slot.schedule}", now + age)
        deliveries.enqueue(connection, digest, draft, lane, [item.event for item in items], now)

    def _beats(self, connection: sa.Connection, recipient: Recipient, row: SlotRow, now: datetime) -> bool:
        """Tell whether an empty slot is worth a message that says so."""
        if recipient.heartbeat is Heartbeat.OFF or self._plan.schedule(row.slot.schedule) is None:
            return False
        if recipient.heartbeat is Heartbeat.EVERY_SLOT:
            return True
        return not groups.heartbeat_today(connection, recipient.key, slots.day_start(recipient, now))

    # ---------------------------------------------------------------------------------------------- around the two

    def _end_silences(self, now: datetime) -> None:
        with self._engine.begin() as connection:
            for event, recipient in muted.ended(connection, now):
                muted.tell(connection, event, recipient, int(route.PROMPT_AGE.total_seconds()), now)

    def _fall_back(self, channel: str, since: datetime, reason: str, now: datetime, coverage: Coverage | None) -> int:
        """Hand a sick channel's urgent deliveries to its fallback, and tell them there at once."""
        to = self._plan.of_channel(self._plan.fallback.get(channel, ""))
        if not to:
            return 0
        with self._engine.begin() as connection:
            handed = sick.fall_back(connection, channel, to, now)
        return sum(self._tell_due(one.key, now, coverage) for one in to) if handed else 0

    def _envelope(self, recipient: Recipient, group: str, now: datetime, coverage: Coverage | None) -> message.Envelope:
        return message.Envelope(
            recipient,
            self._ids.make(now),
            now,
            coverage,
            self._plan.config_rev,
            self._plan.watches,
            self._links(group, recipient, now) if group else None,
        )

    def _part(
        self, group: str, view: View, fresh: Sequence[Event], notes: tuple[str, ...], *, already: bool = False
    ) -> StoryPart:
        cursor = view.cursors.get(group, Cursor())
        told = story.Told(cursor.reached_at, cursor.messages)
        stale = view.stale.get(group, 0)
        return story.part(group, view.known.get(group, ()), fresh, told, stale=stale, already=already, notes=notes)

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


class Courier:
    """Carries stored bytes: one claim, one call, one settlement. Keeps the pace of each channel."""

    def __init__(
        self,
        engine: sa.Engine,
        plan: route.Plan,
        channels: Mapping[str, Channel],
        *,
        owner: str | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._engine = engine
        self._plan = plan
        self._channels = channels
        self._owner = owner or ids.owner()
        self._jitter = jitter
        self._buckets: dict[str, datetime] = {}
        self._busy: set[str] = set()
        self._stopping = False

    async def send_due(self, now: datetime) -> int:
        """Send what is due at `now` over every channel that is not still busy; return how many attempts were made.

        May be called again before it returned: a channel that is slow keeps nobody else waiting.
        """
        self.recover(now)
        self._expire(now)
        idle = [channel for name, channel in self._channels.items() if name not in self._busy]
        return sum(await asyncio.gather(*(self._drain(channel, now) for channel in idle)))

    def recover(self, now: datetime) -> int:
        """Take over deliveries that a dead process was sending, and leases that ran out."""
        askable = {name for name, channel in self._channels.items() if channel.manners.can_ask}
        with self._engine.begin() as connection:
            return deliveries.recover(connection, askable, now)

    def next_due(self) -> datetime | None:
        """Say when the next delivery may be sent, with the channels' pauses and pace counted in."""
        with reading(self._engine) as connection:
            waiting = deliveries.next_send(connection)
            states = {name: deliveries.channel(connection, name) for name in {name for name, _, _ in waiting}}
        times = [
            max(at, *self._not_before(name, recipient, states[name], at))
            for name, recipient, at in waiting
            if name in self._channels
        ]
        return min(times, default=None)

    def stop(self) -> None:
        """Claim nothing more; what is in flight may end."""
        self._stopping = True

    def _not_before(self, name: str, recipient: str, state: ChannelState, at: datetime) -> tuple[datetime, ...]:
        bucket = self._buckets.get(recipient)
        free = retry.paced(bucket, self._channels[name].manners.pace, at)[0] if bucket else at
        return free, retry.opens_at(state) or at

    async def _drain(self, channel: Channel, now: datetime) -> int:
        """Send one channel's due deliveries with as many workers as it allows."""
        self._busy.add(channel.name)
        try:
            return sum(await asyncio.gather(*(self._work(channel, now) for _ in range(channel.manners.at_once))))
        finally:
            self._busy.discard(channel.name)

    async def _work(self, channel: Channel, now: datetime) -> int:
        loop, done = asyncio.get_running_loop(), 0
        began = loop.time()
        while not self._stopping:
            at = now + timedelta(seconds=loop.time() - began)
            delivery = self._claim(channel, now, at)
            if delivery is None:
                break
            end = await self._attempt(channel, delivery, at)
            self._settle(channel, delivery, end, now + timedelta(seconds=loop.time() - began))
            done += 1
        return done

    def _claim(self, channel: Channel, now: datetime, at: datetime) -> Delivery | None:
        """TX3: mark the next delivery as being sent, unless its recipient had enough for this moment."""
        pace = channel.manners.pace
        blocked = [key for key, bucket in self._buckets.items() if retry.paced(bucket, pace, at)[0] > at]
        with self._engine.begin() as connection:
            delivery = deliveries.claim(connection, channel.name, self._owner, channel.manners.total * 2, at, blocked)
        if delivery is not None and pace.every:
            key = f"{delivery.channel}/{delivery.to}"
            self._buckets[key] = retry.paced(self._buckets.get(key), pace, at)[1]
        return delivery

    async def _attempt(self, channel: Channel, delivery: Delivery, at: datetime) -> retry.Done | DeliveryError | None:
        """Make the one network call: send, or ask first when the last end was in doubt. None: asked and not there."""
        try:
            if delivery.doubt is Doubt.AMBIGUOUS:
                found = await channel.find(delivery, at)
                return retry.Done(found) if found is not None else None
            return retry.Done(await channel.send(delivery, at))
        except DeliveryError as error:
            return error
        except Exception:
            log.exception("a channel failed in a way it does not name", extra={"channel": channel.name})
            return DeliveryError(channel.name, "unknown")

    def _settle(
        self, channel: Channel, delivery: Delivery, end: retry.Done | DeliveryError | None, now: datetime
    ) -> None:
        """TX4: write what became of it, and what that says about the channel."""
        with self._engine.begin() as connection:
            before = deliveries.channel(connection, channel.name)
            settlement = self._judge(channel, delivery, end, before, now)
            if not deliveries.settle(connection, delivery, settlement, now):
                log.warning("a delivery was settled by somebody else", extra={"delivery": delivery.delivery_id})
                return
            after = self._channel_after(delivery, end, before, now)
            if after != before:
                deliveries.store_channel(connection, after)
            if isinstance(end, DeliveryError) and end.reason in channel.manners.root_gone:
                deliveries.lose_root(connection, delivery)
            self._channel_changed(connection, before, after, now)
            if isinstance(settlement, retry.Dead) and delivery.kind is not DeliveryKind.UPDATE:
                self._report_dead(connection, channel.name, settlement.reason, now)

    def _judge(
        self,
        channel: Channel,
        delivery: Delivery,
        end: retry.Done | DeliveryError | None,
        state: ChannelState,
        now: datetime,
    ) -> retry.Settlement:
        manners = channel.manners
        match end:
            case retry.Done():
                return end
            case None:
                return retry.asked(delivery, None, now)
            case _ if delivery.doubt is Doubt.AMBIGUOUS and not isinstance(end, ChannelBroken):
                return retry.cannot_ask(delivery, end, now, resend=manners.resend)
        if end.reason in manners.root_gone and delivery.kind is DeliveryKind.REPLY:
            return retry.Again(now, end.reason, "poison", spent=False)
        can_ask = manners.can_ask and delivery.kind is not DeliveryKind.UPDATE
        return retry.settle(delivery, end, state, now, self._jitter(), can_ask=can_ask)

    def _channel_after(
        self, delivery: Delivery, end: retry.Done | DeliveryError | None, before: ChannelState, now: datetime
    ) -> ChannelState:
        if isinstance(end, DeliveryError):
            asking = delivery.doubt is Doubt.AMBIGUOUS
            return before if asking and not isinstance(end, ChannelBroken) else retry.after_error(before, end, now)
        return retry.after_success(before, now)

    def _channel_changed(
        self, connection: sa.Connection, before: ChannelState, after: ChannelState, now: datetime
    ) -> None:
        """Hold, release or fold the other rows of a channel whose health changed, and report it elsewhere."""
        if before.health is after.health:
            return
        if after.health is ChannelHealth.BROKEN:
            sick.hold(connection, after.channel)
        if after.health is ChannelHealth.OK:
            since = f" since {before.since:%d %b %H:%M} UTC" if before.since else ""
            sick.catch_up(connection, after.channel, f"{after.channel} could not be reached{since}", now)
            sick.release(connection, after.channel, now)
        if ChannelHealth.BROKEN in (before.health, after.health):
            self._report(connection, outbox.channel_event(after, now, self._plan.config_rev), now)

    def _expire(self, now: datetime) -> None:
        with self._engine.begin() as connection:
            for channel in dict.fromkeys(channel for _, channel in deliveries.expire(connection, now)):
                self._report_dead(connection, channel, "too_old", now)

    def _report_dead(self, connection: sa.Connection, channel: str, reason: str, now: datetime) -> None:
        self._report(connection, outbox.dead_event(channel, reason, now, self._plan.config_rev), now)

    def _report(self, connection: sa.Connection, event: Event, now: datetime) -> None:
        outbox.put(connection, [event], self._plan, now)
