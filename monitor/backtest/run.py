"""One configuration over stored history, under a virtual clock: the pipeline's own functions, the alerts' own desk.

    happening -> what fell due before it is told -> arrive | reread | page | withdraw -> scratch database

No network, nothing is sent; channels record. Groups' waits, slots, quiet hours and caps run as they would have.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, select

from alerts import tables as alert_tables
from alerts.channels.base import Channel
from alerts.outbox import codec
from alerts.values import Delivery, Event, EventState, Kind
from monitor import pipeline, priming, replay, stories, telling, understanding, wiring
from monitor.backtest import scratch
from monitor.backtest.timeline import Arrival, Edit, Happening, Page, Withdrawal
from monitor.config import stored
from monitor.config.values import Config
from monitor.store import articles, entries, listed, tables
from monitor.store import engine as engines
from monitor.store import stories as story_rows
from monitor.understanding import Journal, Moment
from monitor.values import Entry, StoryKey

_AFTER = timedelta(days=1)
"""What still waits at the end is told: a group's wait, the next slot, quiet hours."""
_REVISION = 0


@dataclass(frozen=True, slots=True)
class Alert:
    """One event that was told. `entry` is the entry that raised it, None for what concerns none."""

    key: str
    kind: str
    watch: str
    story: str
    entry: int | None
    at: datetime
    title: str
    whose: str = ""

    @property
    def fact(self) -> tuple[str, str, int | None, str]:
        """What makes it the same under another configuration: stories may begin with another entry there."""
        return self.kind, self.watch, self.entry, self.whose


_BY_THE_WAY = frozenset({Kind.MERGED, Kind.SPLIT})
"""What only explains a message and is no alert."""


@dataclass(frozen=True, slots=True)
class Story:
    """A story of which something was told, with every entry it took."""

    key: str
    title: str
    at: datetime
    watches: tuple[str, ...]
    entries: frozenset[int]
    first: Alert


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it would have been sent."""

    at: datetime
    channel: str
    recipient: str
    form: str
    subject: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one configuration made of it. `per_day` counts prompt messages on each local day of the stretch."""

    entries: int
    matched: int
    decided: frozenset[str]
    alerts: tuple[Alert, ...]
    stories: tuple[Story, ...]
    messages: tuple[Message, ...]
    per_day: tuple[int, ...]
    held: int
    capped: int
    left_out: int

    @property
    def prompt(self) -> int:
        """Messages that were told at once."""
        return sum(one.form != "scheduled" for one in self.messages)

    @property
    def scheduled(self) -> int:
        """Planned digests."""
        return sum(one.form == "scheduled" for one in self.messages)


@dataclass(slots=True)
class _Held:
    """Who was kept waiting, by event and recipient."""

    quiet: set[tuple[int, str]] = field(default_factory=set)
    capped: set[tuple[int, str]] = field(default_factory=set)


class Pass:
    """One configuration at work. Use as a context: the database is dropped with its folder, not before."""

    def __init__(self, config: Config, folder: Path, since: datetime) -> None:
        self.config = config
        self.since = since
        self.engine: Engine = scratch.opened(folder / "backtest.db")
        self._now = since
        self._entries = self._matched = self._left_out = 0
        self._held = _Held()
        self._due: datetime | None = None
        self._loop = asyncio.new_event_loop()
        self._tags: dict[int, frozenset[str] | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.close()
        self.engine.dispose()

    def begin(self, source: Connection, primes: frozenset[str], named: frozenset[str]) -> None:
        """Take over what was known at the start; `primes` are watches that look through what came before.

        `named` are the feeds of the running configuration: one that it does not name is asked all the same.
        """
        scratch.seed(source, self.engine, self.since, entries=bool(primes))
        config = self.config
        configured = {feed.url: feed for feed in config.feeds}
        for number, feed in listed.every(source):
            said = stored.config_of(configured, feed.url, feed.settings)
            is_polled = said is not None and not said.paused
            self._tags[number] = said.tags if said and is_polled else None if feed.url in named else frozenset()
        if primes:
            look = priming.Priming(self.engine, config, dict.fromkeys(primes, self.since), _REVISION)
            while look.step(self.since):
                pass
        known = wiring.knowledge(config, config_rev=_REVISION)
        self._ctx = wiring.context(self.engine, known, config, now=self.since)
        recorders: dict[str, Channel] = {r.channel: replay.Recorder(r.channel, _ignore) for r in known.plan.recipients}
        self._teller = telling.teller(self.engine, known.plan, recorders, lambda: None)
        self._work(self.since)

    @property
    def plan_context(self) -> understanding.Context:
        """Where it worked, for whoever asks why."""
        return self._ctx

    def tags(self, entry: Entry) -> frozenset[str] | None:
        """The tags of an entry's feed; None where this configuration does not poll it."""
        return self._tags.get(entry.feed, frozenset())

    def take(self, happening: Happening) -> None:
        """One happening; what fell due before it comes first."""
        while self._due is not None and self._due <= happening.at:
            self._work(self._due)
        self._now = max(self._now, happening.at)
        if self._happened(happening):
            self._due = self._teller.next_due()

    def _happened(self, happening: Happening) -> bool:
        """Do what the daemon did then; whether anything may be due now."""
        match happening:
            case Arrival(at, entry, baseline):
                self._entries += 1
                return self._arrived(entry, at, baseline)
            case Edit(at, before, entry, sha256):
                return self._edited(before, entry, sha256, at)
            case Page(at, entry_id, url, url_key, host, text):
                page = articles.Wanted(entry_id, url, url_key, host)
                return pipeline.process_page(page, text, self._ctx, Moment(at), keep=True) is not None
            case Withdrawal(at, entry_id):
                with self.engine.begin() as tx:
                    gone = entries.by_id(tx, entry_id)
                    return gone is not None and bool(understanding.withdraw(tx, gone, Moment(at), self._ctx))

    def _arrived(self, entry: Entry, at: datetime, baseline: bool) -> bool:
        tags = self.tags(entry)
        if tags is None:
            self._left_out += 1
            return False
        matches = understanding.matches_of(entry, self._ctx.knowledge, tags)
        if not matches:
            return False
        self._matched += 1
        moment = Moment(at, baseline, tags)

        def write(tx: Connection, journal: Journal) -> None:
            if entries.by_id(tx, entry.id) is None:
                scratch.put_entry(tx, entry)
            taken = understanding.arrive(tx, entry, matches, moment, self._ctx, journal)
            understanding.tell(tx, (taken,), self._ctx.knowledge)

        self._in_transaction(write, at)
        return True

    def _edited(self, before: Entry, entry: Entry, sha256: bytes, at: datetime) -> bool:
        tags = self.tags(entry)
        with engines.reading(self.engine) as connection:
            known = entries.by_id(connection, entry.id)
        if known is None or tags is None:
            return self._arrived(entry, at, baseline=False)

        def write(tx: Connection, journal: Journal) -> None:
            scratch.retell(tx, entry, sha256)
            fresh = entries.by_id(tx, entry.id)
            assert fresh is not None
            again = understanding.reread(tx, fresh, known, sha256, Moment(at, tags=tags), self._ctx, journal)
            understanding.tell(tx, () if again is None else (again,), self._ctx.knowledge)

        self._in_transaction(write, at)
        return True

    def _in_transaction(self, write: Callable[[Connection, Journal], None], at: datetime) -> None:
        journal = Journal()
        try:
            with self.engine.begin() as tx:
                write(tx, journal)
                changes, _ = pipeline.mend(tx, journal.placed, self._ctx, at)
        except BaseException:
            journal.undo(self._ctx.window)
            raise
        stories.settle(self._ctx.window, changes)

    def _work(self, at: datetime) -> None:
        self._now = max(self._now, at)
        self._loop.run_until_complete(self._teller.work(self._now))
        self._note_held()
        due = self._teller.next_due()
        self._due = due if due is None or due > self._now else self._now + timedelta(seconds=1)

    def _note_held(self) -> None:
        item = alert_tables.item.c
        wanted = select(item.event_id, item.recipient, item.reason).where(
            item.state.in_(("pending", "held")), item.reason.is_not(None)
        )
        with engines.reading(self.engine) as connection:
            for row in connection.execute(wanted):
                place = self._held.quiet if row.reason == "held" else self._held.capped
                place.add((row.event_id, row.recipient))

    def finish(self, until: datetime) -> Outcome:
        """Tell what is still due, and sum up."""
        while self._due is not None and self._due <= until + _AFTER:
            self._work(self._due)
        with engines.reading(self.engine) as connection:
            messages = tuple(_messages(connection))
            told = {key for message in messages for key in message.keys}
            found = list(_events(connection, self.since))
            alerts = tuple(_alert(one) for one in found if one.key in told and one.kind not in _BY_THE_WAY)
            stories = tuple(_stories(connection, alerts))
        return Outcome(
            entries=self._entries,
            matched=self._matched,
            decided=frozenset(event.key for event in found if event.state is not EventState.BASELINE),
            alerts=alerts,
            stories=stories,
            messages=messages,
            per_day=tuple(_per_day(messages, self.since, until, ZoneInfo(self.config.timezone))),
            held=len(self._held.quiet),
            capped=len(self._held.capped),
            left_out=self._left_out,
        )

    def bodies(self) -> Iterator[tuple[Message, str]]:
        """Every message with its text, oldest first."""
        row = alert_tables.outbox.c
        with engines.reading(self.engine) as connection:
            bodies = connection.execute(select(row.body).order_by(*_ORDER))
            for message, body in zip(_messages(connection), bodies, strict=True):
                yield message, body.body.decode("utf-8", "replace")


def _ignore(_delivery: Delivery) -> None:
    """Deliveries are read from the outbox at the end."""


_ORDER = (alert_tables.outbox.c.created_at, alert_tables.outbox.c.recipient, alert_tables.outbox.c.event_keys)
"""Not by their ids, which are random."""


def _messages(connection: Connection) -> Iterator[Message]:
    for row in connection.execute(select(alert_tables.outbox).order_by(*_ORDER)):
        keys = tuple(json.loads(row.event_keys))
        yield Message(row.created_at, row.channel, row.recipient, row.form, row.subject, keys)


def _events(connection: Connection, since: datetime) -> Iterator[Event]:
    event = alert_tables.event.c
    wanted = select(event.payload, event.state).where(event.decided_at >= since).order_by(event.id)
    for row in connection.execute(wanted):
        yield codec.load(row.payload)


def _alert(event: Event) -> Alert:
    mention, answer = event.mention, event.answer
    entry = int(mention.entry) if mention is not None and mention.entry.isdigit() else None
    whose = f"{answer.government} {answer.body} {answer.stance}" if answer is not None else ""
    title = mention.title if mention is not None else dict(event.facts).get("message", "")
    return Alert(event.key, str(event.kind), event.watch, event.group, entry, event.decided_at, title, whose)


def _stories(connection: Connection, alerts: tuple[Alert, ...]) -> Iterator[Story]:
    """The stories something was told of, in the order in which that began; merged ones are one."""
    firsts: dict[str, Alert] = {}
    watches: dict[str, dict[str, None]] = {}
    for alert in alerts:
        if alert.entry is not None:
            known_as = story_rows.resolve(connection, StoryKey(alert.story))
            firsts.setdefault(known_as, alert)
            watches.setdefault(known_as, {})[alert.watch] = None
    mention, story = tables.mention.c, tables.story.c
    for key, first in firsts.items():
        rows = connection.execute(
            select(mention.entry_id).join(tables.story, story.id == mention.story_id).where(story.key == key)
        )
        taken = frozenset(int(row.entry_id) for row in rows)
        yield Story(key, first.title, first.at, tuple(watches[key]), taken, first)


def _per_day(messages: tuple[Message, ...], since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[int]:
    counts = Counter(message.at.astimezone(zone).date() for message in messages if message.form != "scheduled")
    day, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    while day <= last:
        yield counts[day]
        day += timedelta(days=1)
