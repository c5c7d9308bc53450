"""Events into the outbox: each key once, with one item per recipient it is routed to.

    put     unknown keys --> brake --> routes --> rows of events --> one item per recipient
                                             '--> a merge or split first moves what was told (`regroup`)

Runs inside the producer's transaction, so that an event and the entry it came from are stored together or not at all.
A batch costs a handful of statements, whatever its size. It sends nothing and renders nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from alerts import route, tables
from alerts.outbox import brake, regroup
from alerts.outbox.brake import SILENT
from alerts.outbox.events import known, last_told, store_all
from alerts.outbox.reports import flood_event
from alerts.values import Event, EventState, Kind

INSERT_ITEM = tables.item.insert()


def put(connection: sa.Connection, events: Sequence[Event], plan: route.Plan) -> tuple[Event, ...]:
    """Store the events whose key is new with the items they make, and return them. Known keys change nothing.

    It is as late as the latest of them was decided.
    """
    if not events:
        return ()
    batch = _Batch(connection, plan, max(event.decided_at for event in events))
    for event in _unknown(connection, events):
        batch.take(event)
    batch.flush()
    return tuple(batch.stored)


def _unknown(connection: sa.Connection, events: Sequence[Event]) -> Iterator[Event]:
    """Leave out events whose key is stored, or was stored under the name of a story that is now part of theirs."""
    former = regroup.former_keys(connection, events)
    names = [event.key for event in events] + [key for keys in former.values() for key in keys]
    stored = set(known(connection, names))
    for event in events:
        if event.key not in stored and stored.isdisjoint(former.get(event.key, ())):
            stored.add(event.key)
            yield event


class _Batch:
    """Events on their way into the database: gathered, then written together."""

    def __init__(self, connection: sa.Connection, plan: route.Plan, now: datetime) -> None:
        self._connection = connection
        self._plan = plan
        self._now = now
        self._brakes = brake.Brakes(connection, plan, now)
        self._waiting: dict[str, tuple[Event, tuple[route.Target, ...], bool]] = {}
        self.stored: list[Event] = []

    def take(self, event: Event) -> None:
        """Take up one event, with the reminder that a body asked in vain is owed."""
        if event.kind in (Kind.MERGED, Kind.SPLIT):
            self._mend(event)
            return
        held = self._brakes.holds(event, lambda why: self._pull(event.watch, why))
        told = replace(event, state=EventState.FLOOD) if held else event
        self._queue(told, asked=True)
        reminder = _reminder(told, self._plan)
        if reminder is not None:
            self._queue(reminder)

    def flush(self) -> None:
        """Write what was gathered."""
        waiting, self._waiting = self._waiting, {}
        rows = [(event, _state(event, targets)) for event, targets, _ in waiting.values()]
        ids = store_all(self._connection, rows)
        fresh = [(ids[key], *found) for key, found in waiting.items() if key in ids]
        self.stored += [event for _, event, _, asked in fresh if asked]
        self._give(fresh)

    def _queue(self, event: Event, *, asked: bool = False) -> None:
        targets = () if event.state in SILENT else route.targets(event, self._plan)
        self._waiting.setdefault(event.key, (event, targets, asked))

    def _give(self, fresh: Sequence[tuple[int, Event, tuple[route.Target, ...], bool]]) -> None:
        """Write one item for each event and recipient."""
        groups = dict.fromkeys(event.group for _, event, _, _ in fresh)
        keys = dict.fromkeys(target.recipient.key for _, _, targets, _ in fresh for target in targets)
        told = last_told(self._connection, tuple(groups), tuple(keys)) if keys else {}
        digests: dict[str, str | None] = {}
        rows = []
        for event_id, event, targets, _ in fresh:
            for target in targets:
                key = target.recipient.key
                row = _item(event_id, event, target, self._plan, told.get((event.group, key)))
                if event.state is EventState.FLOOD:
                    if key not in digests:
                        digests[key] = brake.next_slot(self._connection, key, self._plan, self._now)
                    row["slot_id"] = digests[key]
                rows.append(row)
        if rows:
            self._connection.execute(INSERT_ITEM, rows)

    def _pull(self, watch: str, why: str) -> None:
        """Take back what a watch was about to tell promptly, and report that."""
        self.flush()
        brake.take_back(self._connection, watch, self._plan, self._now)
        self._queue(flood_event(watch, why, self._now, self._plan.config_rev))

    def _mend(self, event: Event) -> None:
        """Move what was told to the story it belongs to now, and tell those who were told of it."""
        self.flush()
        mended = regroup.mend(self._connection, event)
        told = (one for one in self._plan.recipients if one.key in mended.recipients)
        targets = tuple(route.riding(one, self._plan) for one in told)
        self._waiting[mended.event.key] = (mended.event, targets, True)
        self.flush()
        regroup.edit_at_once(self._connection, mended.event, mended.roots, self._now)


def _state(event: Event, targets: Sequence[route.Target]) -> EventState:
    return EventState.UNROUTED if event.state is EventState.OPEN and not targets else event.state


def _reminder(event: Event, plan: route.Plan) -> Event | None:
    """Plan the reminder of a body that was asked in vain; its time is a row, and whether it answered is asked then."""
    after = plan.timers.get(event.watch, route.Timers()).remind_after
    if event.kind is not Kind.NON_ANSWER or event.answer is None or after is None or event.state in SILENT:
        return None
    said = event.answer
    key = f"reminder:{event.watch}:{event.group}:{said.government}:{said.body}".lower()
    return replace(event, key=key, kind=Kind.REMINDER)


def _item(
    event_id: int, event: Event, target: route.Target, plan: route.Plan, last_message: datetime | None
) -> dict[str, Any]:
    prompt = target.prompt and not route.rides_along(event, plan)
    return {
        "event_id": event_id,
        "recipient": target.recipient.key,
        "group_key": event.group,
        "state": "pending",
        "reason": "flood" if event.state is EventState.FLOOD else None,
        "due_at": route.due_at(event, plan, last_message) if prompt else None,
        "schedule": target.schedule,
        "slot_id": None,
        "max_age_s": int(target.max_age.total_seconds()),
        "returned": 0,
    }
