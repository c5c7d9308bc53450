"""READ SECOND. From stored events to sent messages.

    Desk.build_due       items due --lock recipient--> silences --> quiet hours --> caps --> digest --> render
                                                                            '--> outbox row WITH BYTES, cursor   TX2
    Courier.send_due     outbox row --claim--> 'sending'                                                         TX3
                                       --> ONE network call, no transaction open
                                       --> 'sent' + receipt | again at | held | dead                             TX4

The desk decides what is told and stores the bytes: a story's news here, planned digests in `planned`, both written by
`press`. The courier (`courier`) carries bytes and decides nothing about them. All of it is safe to kill at any point
and to run several times at once. Every time is an argument. Called by `monitor.telling`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from alerts import mute, route
from alerts.channels.base import Channel
from alerts.digest import slots, story
from alerts.outbox import acts, groups, muted, sick
from alerts.outbox.groups import Item
from alerts.planned import Planner
from alerts.press import LinksOf, Press, Sitting, no_links
from alerts.values import Coverage, Kind, Recipient, Schedule

BATCH = 50


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
        self._press = Press(plan, channels, entropy, links)
        self._planner = Planner(engine, plan, channels, self._press)

    def build_due(self, now: datetime, coverage: Coverage | None = None) -> int:
        """Tell every group and slot that is due at `now`; return the number of deliveries made."""
        with groups.reading(self._engine) as connection:
            first = groups.next_due(connection)
            away = sick.away(connection, now)
        made = 0
        if first is not None and first <= now:
            self._end_silences(now)
            made += self._planner.run_due(now, coverage)
            made += sum(self._tell_due(key, now, coverage) for key in self._recipients_due(now))
        for channel, since, reason in away:
            made += self._fall_back(channel, since, reason, now, coverage)
        return made

    def is_idle(self, now: datetime) -> bool:
        """Whether `build_due` would do nothing now: what it is to be given need not be found out."""
        with groups.reading(self._engine) as connection:
            first = groups.next_due(connection)
            return (first is None or first > now) and not sick.away(connection, now)

    def next_due(self) -> datetime | None:
        """Say when the next group, slot, silence or fallback falls due."""
        with groups.reading(self._engine) as connection:
            times = (groups.next_due(connection), sick.next_fallback(connection, tuple(self._plan.fallback)))
        return min((at for at in times if at is not None), default=None)

    def open_slots(self, now: datetime) -> int:
        """Plan the next slot of every schedule a route sends to; return how many are new."""
        return self._planner.open_slots(now)

    def _recipients_due(self, now: datetime) -> tuple[str, ...]:
        with groups.reading(self._engine) as connection:
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
                if key in acts.aside(connection):
                    groups.forget_recipient(connection, key, "set_aside")
                    return made
                due = groups.due_groups(connection, key, now, BATCH)
                if not due:
                    return made
                reports = groups.reports(connection, key, due)
                view = groups.view(connection, key, (*due, *reports), now)
                sitting = Sitting(connection, recipient, view, now, coverage)
                made += self._report(sitting, reports)
                made += sum(self._tell_group(sitting, group) for group in due if group not in reports)
                sitting.changes.apply(connection)

    def _report(self, sitting: Sitting, reports: Sequence[str]) -> int:
        """Tell who runs the daemon, at once and in one message, all that is to be told about it."""
        found = {group: sitting.unsilenced(sitting.view.items[group]) for group in reports}
        loud = {group: items for group, items in found.items() if items}
        if loud:
            self._press.operator(sitting, loud)
        return bool(loud)

    def _tell_group(self, sitting: Sitting, group: str) -> bool:
        """Walk one group down the ladder: silenced, held, over a cap, or told."""
        recipient, now = sitting.recipient, sitting.now
        loud = self._in_time(sitting, group, sitting.unsilenced(sitting.view.items[group]))
        loud = [self._edited(sitting, group, item) for item in loud]
        if not any(item.due_at is not None and item.due_at <= now for item in loud):
            return False
        verdict = mute.verdict([item.event for item in loud], recipient, sitting.view.told, group, now)
        match verdict:
            case mute.Held(until):
                sitting.put_off(loud, self._flush_slot(recipient, until), "held")
            case mute.Demoted(reason):
                sitting.put_off(loud, slots.demoted(recipient, self._schedules(recipient), now), reason)
            case mute.Wait(until):
                for item in loud:
                    if item.due_at is not None:
                        sitting.change(item, due_at=max(until, item.due_at), reason=verdict.reason)
            case mute.Tell():
                now_told, later = mute.through(loud, recipient, now)
                if later:
                    until = mute.quiet_until(recipient.quiet, recipient.timezone, now) or now
                    sitting.put_off(later, self._flush_slot(recipient, until), "held")
                told = self._press.prompt(sitting, group, now_told)
                sitting.view = replace(sitting.view, told=(*sitting.view.told, told))
                return True
        return False

    def _edited(self, sitting: Sitting, group: str, item: Item) -> Item:
        """Let the old root of a story that is part of another now say so; the news of it rides along later."""
        if item.event.kind is not Kind.MERGED or item.due_at is None or item.due_at > sitting.now:
            return item
        self._press.continued(sitting, group, item.event)
        sitting.change(item, due_at=None)
        return replace(item, due_at=None)

    def _in_time(self, sitting: Sitting, group: str, items: Sequence[Item]) -> list[Item]:
        """Leave out reminders before their time, and close those of bodies that have answered."""
        waiting = [item for item in items if not story.is_early(item.event, item.due_at, sitting.now)]
        known = sitting.view.known.get(group, ())
        for item in waiting:
            if story.is_answered(item.event, known):
                sitting.change(item, state="closed", reason="answered", due_at=None)
        return [item for item in waiting if not story.is_answered(item.event, known)]

    def _flush_slot(self, recipient: Recipient, until: datetime) -> slots.Slot:
        """Find the digest that tells what quiet hours held: a planned one that follows soon, else one at their end."""
        return slots.flush(recipient, self._schedules(recipient), until)

    def _schedules(self, recipient: Recipient) -> tuple[Schedule, ...]:
        return route.schedules_of(recipient, self._plan)

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
