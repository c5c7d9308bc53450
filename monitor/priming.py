"""Looks through stored entries for a watch that is new or looks for something else: recorded, and nothing is told.

The watch sleeps meanwhile. When all that was stored before its activation is recorded as baseline, what came since is
decided like any arrival, and the watch wakes. One step is one transaction, so that polls go on in between; a step that
was done stays done when the process ends. Called by `reloading` on the writer's thread and by `backtest`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from alerts import outbox
from monitor import stories as second_thoughts
from monitor import understanding, wiring
from monitor.config import changes, stored
from monitor.config.values import Config
from monitor.detect import events, late
from monitor.store import engine as engines
from monitor.store import entries, listed, live_mentions, past, revisions, stories, story_facts
from monitor.understanding import Context, Journal, Moment
from monitor.values import Entry, EntryId, Match

REACH = timedelta(days=30)
"""How far back a new watch is run; a watch that left and comes back sooner is not primed again."""
_STEP = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new state of the configuration means for its watches: rows to write; who is primed, active since when."""

    states: tuple[revisions.WatchState, ...]
    primes: Mapping[str, datetime]


def wanted(
    config: Config, known: Mapping[str, revisions.WatchState], before: Collection[str] | None, now: datetime
) -> Wanted:
    """Decide which watches are to be primed. Pure.

    `before` names the watches that were there, None at a start, when nobody knows how long one was away.
    """
    rows: list[revisions.WatchState] = []
    primes: dict[str, datetime] = {}
    for watch in config.watches:
        if watch.paused:
            continue
        state, mark = known.get(watch.name), changes.fingerprint(watch)
        is_same = state is not None and state.fingerprint == mark
        was_there = state is not None and (before is None or watch.name in before)
        if not known and before is None:  # a new database: there is nothing to look through
            rows.append(revisions.WatchState(watch.name, mark, now, now))
        elif state is not None and is_same and state.primed_at and (was_there or now - state.since <= REACH):
            rows += [] if was_there else [replace(state, since=now)]
        else:
            since = state.since if state is not None and is_same and was_there else now
            primes[watch.name] = since
            rows.append(revisions.WatchState(watch.name, mark, since))
    gone = set(before or ()) - {watch.name for watch in config.watches}
    rows += [replace(known[name], since=now) for name in sorted(gone) if name in known]
    return Wanted(tuple(rows), primes)


@dataclass(slots=True)
class Primed:
    """What was found for one watch."""

    entries: int = 0
    stories: set[str] = field(default_factory=set)


class Priming:
    """One look through stored entries, for some watches at once. All times come from the entries.

    `since` is the activation by watch: what was first seen before it is baseline.
    """

    def __init__(self, engine: Engine, config: Config, since: Mapping[str, datetime], config_rev: int) -> None:
        self._engine = engine
        self._since = dict(since)
        self._start = min(since.values()) - REACH
        self._configured = {feed.url: feed for feed in config.feeds}
        self._feeds: dict[int, listed.Named] = {}
        others = [watch.name for watch in config.watches if watch.name not in since]
        awake = wiring.knowledge(wiring.without(config, others), config_rev=config_rev)
        self._ctx = Context.of(engine, wiring.empty_window(config), awake)
        self._after = EntryId(0)
        self._mentions: deque[live_mentions.Live] = deque()
        self.found = {name: Primed() for name in since}
        with engines.reading(engine) as connection:
            reach = wiring.reach(config, self._start)
            self._mentions.extend(live_mentions.since(connection, reach))

    def step(self, until: datetime | None = None, now: datetime | None = None) -> bool:
        """Look through the next entries; whether there may be more.

        With `now` given entries are decided at that time, as arrivals, where they came after the activation.
        """
        journal = Journal()
        try:
            with self._engine.begin() as tx:
                page = past.entries_between(tx, self._start, until, self._after, _STEP)
                known = past.taken_by(tx, [entry.id for entry in page])
                self._feeds = listed.by_id(tx, sorted({entry.feed for entry in page}))
                touched = {key for entry in page if (key := self._one(tx, entry, known, journal, now)) is not None}
                past.mend_stories(tx, touched)
        except BaseException:
            journal.undo(self._ctx.window)
            raise
        if page:
            self._after = page[-1].id
        return len(page) == _STEP

    def _tags(self, entry: Entry) -> frozenset[str]:
        """The tags of the feed that brought an entry of this step."""
        feed = self._feeds.get(entry.feed)
        return stored.tags_of(self._configured, feed.url, feed.settings) if feed else frozenset()

    def _one(
        self, tx: Connection, entry: Entry, known: frozenset[tuple[int, str]], journal: Journal, now: datetime | None
    ) -> str | None:
        """Record one entry for the watches that want it and have not got it; the key of its story."""
        tags = self._tags(entry)
        found = understanding.matches_of(entry, self._ctx.knowledge, tags)
        matches = tuple(match for match in found if (entry.id, match.watch) not in known)
        if not matches:
            return None
        self._catch_up(entry)
        early = tuple(match for match in matches if now is None or entry.first_seen < self._since[match.watch])
        fresh = tuple(match for match in matches if match not in early)
        key = None
        for part, baseline in ((early, True), (fresh, False)):
            if part:
                at = entry.first_seen if baseline or now is None else now
                key = self._record(tx, entry, part, Moment(at, baseline, tags), journal)
        for match in matches:
            self.found[match.watch].entries += 1
            self.found[match.watch].stories.add(key or "")
        return key

    def _record(
        self, tx: Connection, entry: Entry, matches: tuple[Match, ...], moment: Moment, journal: Journal
    ) -> str:
        mentioned = stories.mention_of(tx, entry.id)
        if mentioned is None:
            taken = understanding.arrive(tx, entry, matches, moment, self._context(moment), journal)
            understanding.tell(tx, (taken,), self._ctx.knowledge)
            return taken.story
        _join(tx, entry, matches, mentioned, moment, self._ctx)
        return mentioned.story

    def _context(self, moment: Moment) -> Context:
        """Pages of old entries are not asked for: hundreds at once would be a burden, and nothing of them is told."""
        if not moment.baseline:
            return self._ctx
        quiet = replace(self._ctx.knowledge, full_text=frozenset())
        return Context.of(self._engine, self._ctx.window, quiet)

    def _catch_up(self, entry: Entry) -> None:
        """Let the window hold what was known when the entry came."""
        while self._mentions and (self._mentions[0].seen_at, self._mentions[0].entry) <= (entry.first_seen, entry.id):
            row = self._mentions.popleft()
            self._ctx.window.add(second_thoughts.live_item(row), row.story)


def _join(
    tx: Connection,
    entry: Entry,
    matches: tuple[Match, ...],
    mentioned: stories.Mentioned,
    moment: Moment,
    ctx: Context,
) -> None:
    """An entry that another watch took: what it adds to its story for these watches too."""
    knowledge = ctx.knowledge
    entries.record_matches(tx, entry.id, matches, config_rev=knowledge.config_rev, now=moment.now)
    outlet = knowledge.outlets.by_domain(entry.outlet) if entry.outlet else None
    engines.lock_stories(tx)
    story = story_facts.of(tx, mentioned.story)
    evidence = understanding.read(entry, outlet, knowledge)
    arrived = events.Arrived(entry, outlet, mentioned.assignment, matches, evidence)
    around = understanding.circumstances_of(knowledge, moment)
    decided = events.decide(late.before(story, entry.id), arrived, knowledge.rules, around)
    outbox.put(tx, decided, knowledge.plan)
