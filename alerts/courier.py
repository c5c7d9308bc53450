"""Carries stored bytes: one claim, one network call, one settlement. TX3 and TX4 of `pipeline`.

    outbox row --claim--> 'sending'                                  TX3, committed before anything goes out
               --> ONE network call, no transaction open
               --> 'sent' + receipt | again at | held | dead         TX4

It decides nothing about what is told; what follows an attempt is decided in `retry`. Safe to kill at any point and to
run several times at once. Its transactions run on the `writer`, so that the event loop waits for none of them.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

import sqlalchemy as sa

from alerts import outbox, retry, route
from alerts.channels.base import Channel
from alerts.errors import ChannelBroken, DeliveryError, Rejected
from alerts.outbox import acts, admin, deliveries, ends, groups, ids, mark, settling, sick
from alerts.values import ChannelHealth, ChannelState, Delivery, DeliveryKind, Doubt, Event

log = logging.getLogger(__name__)
P = ParamSpec("P")
Result = TypeVar("Result")
End = retry.Done | DeliveryError | None
"""How one call ended; None: asked, and not there."""


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
        writer: Executor | None = None,
        mark_at: Path | None = None,
        on_end: Callable[[ends.End], None] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._plan = plan
        self._channels = channels
        self._owner = owner or ids.owner()
        self._jitter = jitter
        self._writer = writer
        self._mark_at = mark_at
        self._on_end = on_end
        self._buckets: dict[str, datetime] = {}
        self._busy: set[str] = set()
        self._unwritten: list[tuple[Channel, Delivery, End, datetime]] = []
        self._stopping = False

    async def send_due(self, now: datetime) -> int:
        """Send what is due at `now` over every channel that is not still busy; return how many attempts were made.

        May be called again before it returned: a channel that is slow keeps nobody else waiting.
        """
        await self._aside(self._tidy, now)
        idle = [channel for name, channel in self._channels.items() if name not in self._busy]
        return sum(await asyncio.gather(*(self._drain(channel, now) for channel in idle)))

    async def _aside(self, work: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
        """Do a transaction on the writer's thread; on this one when there is no writer."""
        if self._writer is None:
            return work(*args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._writer, partial(work, *args, **kwargs))

    def _tidy(self, now: datetime) -> None:
        self._settle_late()
        self.recover(now)
        self._expire(now)

    def recover(self, now: datetime) -> int:
        """Take over deliveries that a dead process was sending, and leases that ran out."""
        askable = {name for name, channel in self._channels.items() if channel.manners.can_ask}
        with self._engine.begin() as connection:
            return deliveries.recover(connection, askable, now)

    def hold_after_restore(self, now: datetime) -> int:
        """Hold what waits when the database is an older copy of the one that was sent from; report it."""
        with groups.reading(self._engine) as connection:
            if not mark.is_older_copy(self._mark_at, admin.newest_sent(connection)):
                return 0
        with self._engine.begin() as connection:
            held = admin.hold_unsent(connection)
            outbox.put(connection, [outbox.restored_event(held, now, self._plan.config_rev)], self._plan)
        log.error("the database is an older copy: deliveries are held", extra={"held": held})
        return held

    def next_due(self) -> datetime | None:
        """Say when the next delivery may be sent, with the channels' pauses and pace counted in."""
        with groups.reading(self._engine) as connection:
            waiting = deliveries.next_send(connection)
            states = {name: deliveries.channel(connection, name) for name in {name for name, _, _ in waiting}}
        times = [
            max(at, *self._not_before(name, recipient, states[name], at))
            for name, recipient, at in waiting
            if name in self._channels
        ]
        return min(times, default=None)

    def succeed(self, before: Courier) -> None:
        """Take over: keep the pace, write what could not be written, leave alone where the other still sends."""
        self._buckets, self._busy, self._unwritten = before._buckets, before._busy, before._unwritten

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
            delivery = await self._aside(self._claim, channel, now, at)
            if delivery is None:
                break
            end = await self._attempt(channel, delivery, at)
            at = now + timedelta(seconds=loop.time() - began)
            done += 1
            if not await self._aside(self._written, channel, delivery, end, at):
                break
        if done:
            await self._aside(self._move_mark)
        return done

    def _move_mark(self) -> None:
        with groups.reading(self._engine) as connection:
            newest = admin.newest_sent(connection)
        if newest is not None and not mark.is_older_copy(self._mark_at, newest):
            mark.write(self._mark_at, newest)

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

    async def _attempt(self, channel: Channel, delivery: Delivery, at: datetime) -> End:
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

    def _written(self, channel: Channel, delivery: Delivery, end: End, at: datetime) -> bool:
        """Write the end of an attempt; keep it in mind when the database cannot be written now.

        Until it is written nothing more is claimed, and the row stays `sending`: nobody sends it a second time.
        """
        try:
            self._settle(channel, delivery, end, at)
        except sa.exc.OperationalError:
            log.exception("the end of a delivery cannot be written", extra={"delivery": delivery.delivery_id})
            self._unwritten.append((channel, delivery, end, at))
            return False
        return True

    def _settle_late(self) -> None:
        """Write the ends that could not be written when they came. Errors: those of a database that still cannot."""
        while self._unwritten:
            self._settle(*self._unwritten[0])
            del self._unwritten[0]

    def _settle(self, channel: Channel, delivery: Delivery, end: End, now: datetime) -> None:
        """TX4: write what became of it, and what that says about the channel."""
        with self._engine.begin() as connection:
            before = deliveries.channel(connection, channel.name)
            settlement = self._judge(channel, delivery, end, before, now)
            if not settling.settle(connection, delivery, settlement, now):
                log.warning("a delivery was settled by somebody else", extra={"delivery": delivery.delivery_id})
                self._on_end(ends.End(delivery, "lost", now))
                return
            ended = ends.end(connection, delivery, settlement, now)
            after = self._channel_after(delivery, end, before, now)
            if after != before:
                deliveries.store_channel(connection, after)
            if isinstance(end, DeliveryError) and end.reason in channel.manners.root_gone:
                settling.lose_root(connection, delivery)
            self._recipient_after(connection, delivery, end, now)
            self._channel_changed(connection, before, after, now)
            if isinstance(settlement, retry.Dead) and delivery.kind is not DeliveryKind.UPDATE:
                self._report_dead(connection, channel.name, settlement.reason, now)
        self._on_end(ended)

    def _judge(
        self,
        channel: Channel,
        delivery: Delivery,
        end: End,
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

    def _channel_after(self, delivery: Delivery, end: End, before: ChannelState, now: datetime) -> ChannelState:
        if isinstance(end, DeliveryError):
            asking = delivery.doubt is Doubt.AMBIGUOUS
            return before if asking and not isinstance(end, ChannelBroken) else retry.after_error(before, end, now)
        return retry.after_success(before, now)

    def _recipient_after(self, connection: sa.Connection, delivery: Delivery, end: End, now: datetime) -> None:
        """Count the days on which an address is refused."""
        recipient = f"{delivery.channel}/{delivery.to}"
        match end:
            case retry.Done():
                acts.reached(connection, recipient)
            case Rejected():
                acts.refused(connection, recipient, self._plan, now)

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
            self._report(connection, outbox.channel_event(after, now, self._plan.config_rev))

    def _expire(self, now: datetime) -> None:
        with self._engine.begin() as connection:
            for channel in dict.fromkeys(channel for _, channel in deliveries.expire(connection, now)):
                self._report_dead(connection, channel, "too_old", now)

    def _report_dead(self, connection: sa.Connection, channel: str, reason: str, now: datetime) -> None:
        self._report(connection, outbox.dead_event(channel, reason, now, self._plan.config_rev))

    def _report(self, connection: sa.Connection, event: Event) -> None:
        outbox.put(connection, [event], self._plan)
