"""READ FIRST: one document, from parsed entries to events in the outbox, in one transaction.

    parse -> new entries -> match -> outlet -> attribution -> responses -> story -> events -> outbox

Parsing happens before, in a parser process; fetching before that, in `jobs`. Whatever goes wrong inside rolls back
everything: entries, stories, events and the feed's validators are committed together or not at all. The decisions
are pure functions of `match`, `detect` and `cluster`; this module reads what they need and applies what they say.
Called by `jobs` (a live poll) and `replay` (a recorded stream), from the one thread that writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from alerts import outbox, route
from alerts.values import Event
from monitor.cluster import index, item
from monitor.detect import attribution, credits, events, lexicon, outlets, responses
from monitor.match import matcher
from monitor.parse import identity
from monitor.store import engine as engines
from monitor.store import entries, feeds, stories
from monitor.values import (
    Assignment,
    Claim,
    Entry,
    EntryId,
    EntryText,
    Evidence,
    KeyedEntry,
    Match,
    Outlet,
    ParsedFeed,
    StoryKey,
)

_LEAD_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the configuration and the shipped data know; replaced as a whole by a reload."""

    matcher: matcher.Matcher
    outlets: outlets.OutletTable
    credits: credits.Credits
    lexicon: lexicon.Lexicon
    rules: Mapping[str, events.WatchRule]
    governments: Mapping[str, str]
    plan: route.Plan
    max_item_age: timedelta
    config_rev: int


@dataclass(slots=True)
class Context:
    """Where the pipeline works: the database, the live window of stories, and what is known."""

    engine: Engine
    window: index.Index
    knowledge: Knowledge


@dataclass(frozen=True, slots=True)
class Turn:
    """One poll of one feed whose document is to be recorded.

    `settle` decides, from what was new, what the feed row says next. A `baseline` is stored and never told. `log` is
    the fetch as the log keeps it, None for a stream that was not fetched.
    """

    claim: Claim
    outlet: str | None
    gen: int
    baseline: bool
    settle: Callable[[Novelty], feeds.Settlement]
    log: feeds.FetchRecord | None = None


@dataclass(frozen=True, slots=True)
class Novelty:
    """How much of a document was new: `known` entries were there before, `published` dates the new ones."""

    new: int
    known: int
    published: tuple[datetime | None, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one entry that matched a watch."""

    entry: Entry
    outlet: Outlet | None
    matches: tuple[Match, ...]
    evidence: Evidence
    assignment: Assignment
    story: StoryKey
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What one document brought: counts, and every entry that matched."""

    entries: int
    new: int
    revised: int
    taken: tuple[Taken, ...]

    @property
    def events(self) -> tuple[Event, ...]:
        """The events that were stored, in the order in which they were decided."""
        return tuple(event for taken in self.taken for event in taken.events)


def process(parsed: ParsedFeed, turn: Turn, ctx: Context, now: datetime) -> Report:
    """Record one document of a feed: entries, stories, events and the feed's next poll, in one transaction.

    Errors: LeaseLost when another worker has the feed; any error leaves database and window as they were.
    """
    placed: list[EntryId] = []
    try:
        with ctx.engine.begin() as tx:
            feeds.fence(tx, turn.claim)
            keyed = identity.keyed(parsed)
            fresh, revised = _new_entries(tx, keyed, turn, ctx, now)
            taken = tuple(
                _understand(tx, entry, matches, turn, ctx, now, placed)
                for entry in fresh
                if (matches := _matches(entry, ctx.knowledge))
            )
            novelty = Novelty(len(fresh), len(keyed) - len(fresh), tuple(entry.published for entry in fresh))
            feeds.settle(tx, turn.claim, turn.settle(novelty))
            if turn.log is not None:
                feeds.log_fetch(tx, turn.claim.feed, replace(turn.log, new=novelty.new))
    except BaseException:
        ctx.window.remove(placed)
        raise
    return Report(len(keyed), len(fresh), revised, taken)


def _new_entries(
    tx: Connection, keyed: Sequence[KeyedEntry], turn: Turn, ctx: Context, now: datetime
) -> tuple[tuple[Entry, ...], int]:
    novelty = identity.sort(keyed, entries.recall(tx, turn.claim.feed, keyed))
    arrivals = [_arrival(item, turn, ctx.knowledge) for item in novelty.new]
    fresh = entries.add(tx, turn.claim.feed, arrivals, gen=turn.gen, now=now)
    revised = entries.revise(tx, turn.claim.feed, novelty.seen, now)
    entries.mark_seen(tx, turn.claim.feed, keyed, turn.gen)
    return fresh, len(revised)


def _arrival(item: KeyedEntry, turn: Turn, knowledge: Knowledge) -> entries.Arrival:
    """Decide whose entry it is: what the entry says, else its address, else the feed's outlet; never an aggregator."""
    parsed = item.entry
    named = parsed.outlet or (parsed.url if parsed.via is None else None) or turn.outlet
    outlet = knowledge.outlets.by_url(named) if named else None
    if outlet is not None and outlet.kind == "aggregator":
        return entries.Arrival(item, parsed.language, None, outlet.domain)
    return entries.Arrival(item, parsed.language, outlet.domain if outlet else None, parsed.via)


def _matches(entry: Entry, knowledge: Knowledge) -> tuple[Match, ...]:
    outlet = knowledge.outlets.by_domain(entry.outlet) if entry.outlet else None
    return knowledge.matcher.match(
        matcher.Document(
            title=entry.title,
            text=entry.text,
            language=entry.language,
            outlet=outlet.name if outlet else None,
            domain=entry.outlet,
            country=outlet.country if outlet else None,
        )
    )


def _understand(
    tx: Connection,
    entry: Entry,
    matches: tuple[Match, ...],
    turn: Turn,
    ctx: Context,
    now: datetime,
    placed: list[EntryId],
) -> Taken:
    """Find out what a matching entry adds to which story, and write events for what is worth telling."""
    knowledge = ctx.knowledge
    entries.record_matches(tx, entry.id, matches, config_rev=knowledge.config_rev, now=now)
    outlet = knowledge.outlets.by_domain(entry.outlet) if entry.outlet else None
    evidence = read(entry, outlet, knowledge)
    engines.lock_stories(tx)
    assignment, key = _place(entry, outlet, ctx, now, placed)
    before = stories.facts(tx, key)
    story = stories.record(tx, entry, outlet, assignment, key, now, lead(entry))
    stories.record_evidence(tx, entry, story, evidence, now)
    decided = events.decide(
        before,
        events.Arrived(entry, outlet, assignment, matches, evidence),
        knowledge.rules,
        events.Circumstances(
            now=now,
            config_rev=knowledge.config_rev,
            baseline=turn.baseline,
            max_item_age=knowledge.max_item_age,
            governments=knowledge.governments,
            outlets=knowledge.outlets,
        ),
    )
    stored = outbox.put(tx, decided, knowledge.plan, now)
    return Taken(entry, outlet, matches, evidence, assignment, key, stored)


def read(entry: Entry, outlet: Outlet | None, knowledge: Knowledge) -> Evidence:
    """Read what an entry says about sources and governments: who has it from whom, who answered, who did not."""
    date = entry.published or entry.first_seen
    text = EntryText(entry.title, entry.text, entry.language, outlet, date)
    return Evidence(
        findings=responses.findings_of(text, knowledge.lexicon, knowledge.outlets),
        citations=attribution.citations(text, knowledge.outlets, knowledge.credits),
    )


def _place(
    entry: Entry, outlet: Outlet | None, ctx: Context, now: datetime, placed: list[EntryId]
) -> tuple[Assignment, StoryKey]:
    placing = item_of(entry, outlet, now)
    assignment = ctx.window.assign(placing, now)
    key = assignment.joined or item.story_key(f"{entry.feed}:{entry.entry_key}")
    placed.append(entry.id)
    ctx.window.add(placing, key)
    return assignment, key


def item_of(entry: Entry, outlet: Outlet | None, seen_at: datetime) -> item.Item:
    """The entry as the clusterer sees it."""
    return item.Item(
        id=entry.id,
        language=entry.language,
        seen_at=seen_at,
        published_at=entry.published,
        outlet=entry.outlet,
        publisher=outlet.publisher if outlet else None,
        title=entry.title,
        text=entry.text,
        url=entry.url,
    )


def lead(entry: Entry) -> str:
    """The start of an entry's text, cut at a word."""
    text = " ".join(entry.text.split())
    if len(text) <= _LEAD_CHARACTERS:
        return text
    return text[:_LEAD_CHARACTERS].rsplit(" ", 1)[0] + " …"


def load_window(ctx: Context, since: datetime) -> int:
    """Take up the live window from the store after a start; returns the number of mentions."""
    count = 0
    with engines.reading(ctx.engine) as connection:
        for row in stories.live(connection, since):
            live = item.Item(
                id=row.entry,
                language=row.language,
                seen_at=row.seen_at,
                published_at=row.published,
                outlet=row.outlet,
                publisher=row.publisher,
                title=row.title,
                text=row.text,
                url=row.url,
            )
            ctx.window.add(live, row.story)
            count += 1
    return count
