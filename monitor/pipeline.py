"""READ FIRST: one document, from parsed entries to events in the outbox, in one transaction.

    parse -> new entries -> match -> outlet -> attribution -> responses -> story -> events -> outbox

Parsing happens before, in a parser process; fetching before that, in `jobs`. Whatever goes wrong inside rolls back
everything: entries, stories, events and the feed's validators are committed together or not at all. What happens to
one entry that matches is `understanding`. Called by `jobs` (a live poll, a page that was read) and `replay` (a
recorded stream), from the one thread that writes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerts import outbox, route
from alerts.values import Event
from monitor import retelling, schedule, understanding
from monitor import stories as second_thoughts
from monitor.parse import delta, identity
from monitor.store import (
    articles,
    claims,
    corrections,
    documents,
    entries,
    fetch_log,
    live_mentions,
    results,
    stories,
)
from monitor.store import engine as engines
from monitor.understanding import Context, Journal, Knowledge, Moment, Taken, arrive, matches_of, reread, withdraw
from monitor.values import Claim, Entry, EntryId, KeyedEntry

_FOLLOWED = timedelta(hours=6)
"""An entry that leaves its feed so soon was taken back; later it may just have been replaced."""
_MISSING_FOR = timedelta(minutes=30)
"""How long it must be missing: caches show older documents in between (VerifiedJoseph/vigilant #547)."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One poll of one feed whose document is to be recorded.

    `decide` says, from what was new, what the feed row says next; None gives the claim back and leaves the row. A
    `baseline` is stored and never told. `before` is the document recorded last; `sheet` are the bytes to keep.
    """

    claim: Claim
    outlet: str | None
    gen: int
    baseline: bool
    decide: Callable[[Novelty], Decision | None]
    tags: frozenset[str] = frozenset()
    trust: identity.Trust = identity.TRUSTED
    before: delta.Memory | None = None
    state: schedule.FeedState = schedule.NEW_FEED
    sheet: documents.Sheet | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows a poll: the feed's row, the row in the log (None where a line says it all), operator events."""

    settlement: results.Settlement
    log: fetch_log.FetchRecord | None = None
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Novelty:
    """How much of a document was new: `known` entries were there before, `published` dates the new ones.

    `trust` is how far the feed's ids are trusted from now on, `mass_change` that its new entries are not to be told.
    """

    new: int
    known: int
    published: tuple[datetime | None, ...]
    trust: identity.Trust = identity.TRUSTED
    mass_change: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What one document brought: counts, every entry that matched, and those that were read again.

    `others` are events of no single entry of the document: withdrawals, stories that became one or two.
    """

    entries: int
    new: int
    revised: int
    taken: tuple[Taken, ...]
    reread: tuple[Taken, ...] = ()
    others: tuple[Event, ...] = ()

    @property
    def events(self) -> tuple[Event, ...]:
        """The events that were stored, in the order in which they were decided."""
        found = [event for taken in (*self.taken, *self.reread) for event in taken.events]
        return (*found, *self.others)


def process(document: delta.Delta, turn: Turn, ctx: Context, now: datetime) -> Report:
    """Record one document of a feed: entries, stories, events and the feed's next poll, in one transaction.

    Errors: LeaseLost when another worker has the feed; any error leaves database and window as they were.
    """
    journal = Journal(facts={})
    try:
        with ctx.engine.begin() as tx:
            claims.fence(tx, turn.claim)
            keyed = identity.keyed(document.feed, policy=turn.trust.policy)
            fresh, revised, novelty = _sorted(tx, document, keyed, turn, ctx.knowledge, now)
            moment = Moment(now, turn.baseline or novelty.mass_change, turn.tags)
            wanted = [(one, found) for one in fresh if (found := matches_of(one, ctx.knowledge, turn.tags))]
            if wanted or revised:
                ctx.changes = second_thoughts.catch_up(tx, ctx.window, ctx.window.reach_at(now), ctx.changes)
            taken = [arrive(tx, entry, matches, moment, ctx, journal) for entry, matches in wanted]
            again = _read_again(tx, revised, moment, ctx, journal, taken)
            arrived = understanding.tell(tx, taken, ctx.knowledge)
            reread_now = understanding.tell(tx, again, ctx.knowledge)
            changes, told = mend(tx, [one.entry.id for one in taken], ctx, now)
            gone = _taken_back(tx, document, turn, moment, ctx)
            _conclude(tx, turn, turn.decide(novelty), ctx.knowledge)
            known = stories.newest_change(tx) if taken or again or changes else ctx.changes
    except BaseException:
        journal.undo(ctx.window)
        raise
    ctx.changes = max(ctx.changes, known)  # under the lock nobody else could make one in between
    second_thoughts.settle(ctx.window, changes)
    return Report(document.total, len(fresh), len(revised), arrived, reread_now, (*gone, *told))


def process_page(page: articles.Wanted, text: str, ctx: Context, moment: Moment, *, keep: bool) -> Taken | None:
    """Read an entry again with the text of its page; `keep` is false when the publisher wants no copy kept.

    Then only the sentences that are evidence stay. Errors leave database and window as they were.
    """
    journal = Journal()
    try:
        with ctx.engine.begin() as tx:
            before = entries.by_id(tx, page.entry)
            if before is None:
                return None
            if keep:
                entries.put_article(tx, page.entry, text)
            articles.settle(tx, page.entry, "read", moment.now)
            since = ctx.window.reach_at(moment.now)
            ctx.changes = second_thoughts.catch_up(tx, ctx.window, since, ctx.changes)
            again = reread(tx, replace(before, article=text), before, None, moment, ctx, journal)
            return None if again is None else understanding.tell(tx, (again,), ctx.knowledge)[0]
    except BaseException:
        journal.undo(ctx.window)
        raise


def _sorted(
    tx: Connection,
    document: delta.Delta,
    keyed: Sequence[KeyedEntry],
    turn: Turn,
    knowledge: Knowledge,
    now: datetime,
) -> tuple[tuple[Entry, ...], tuple[entries.Revised, ...], Novelty]:
    """Tell new entries from known ones, store both, and judge the document by how many there were."""
    feed = turn.claim.feed
    keys = entries.hashed(keyed)
    found = identity.sort(keyed, entries.recall(tx, feed, keys))
    oldest_first = sorted(found.new, key=lambda one: one.entry.published or now)  # a copy comes after its original
    arrivals = [_arrival(one, turn, knowledge) for one in oldest_first]
    fresh = entries.add(tx, feed, arrivals, gen=turn.gen, now=now)
    revised = entries.revise(tx, feed, found.seen, found.aliases, now)
    entries.mark_seen(tx, feed, keys, turn.gen)
    ids = max(identity.repeated_share(document.feed), len(found.aliases) / max(document.total, 1))
    addresses = identity.shared_share(keyed, document.total)
    published = tuple(one.entry.published for one in found.new)
    merged = len(document.positions) - len(keyed)  # items of one entry, seen once
    novelty = Novelty(
        new=len(found.new),
        known=max(document.total - merged - len(found.new), 0),
        published=published,
        trust=identity.reconsider(turn.trust, ids, now, addresses=addresses) if document.total else turn.trust,
        mass_change=schedule.is_mass_change(turn.state, document.total, len(found.new), published, now),
    )
    return fresh, revised, novelty


def _arrival(one: KeyedEntry, turn: Turn, knowledge: Knowledge) -> entries.Arrival:
    """Decide whose entry it is: what the entry says, else its address, else the feed's outlet; never an aggregator."""
    parsed = one.entry
    named = parsed.outlet or (parsed.url if parsed.via is None else None) or turn.outlet
    outlet = knowledge.outlets.by_url(named) if named else None
    if outlet is not None and outlet.kind == "aggregator":
        return entries.Arrival(one, parsed.language, None, outlet.domain)
    return entries.Arrival(one, parsed.language, outlet.domain if outlet else None, parsed.via)


def _read_again(
    tx: Connection,
    revised: Sequence[entries.Revised],
    moment: Moment,
    ctx: Context,
    journal: Journal,
    taken: list[Taken],
) -> tuple[Taken, ...]:
    """Read edited entries again; one that matches for the first time only now is an arrival like any other."""
    again: list[Taken] = []
    for one in revised:
        reread_now = reread(tx, one.entry, one.before, one.sha256, moment, ctx, journal)
        if reread_now is not None:
            again.append(reread_now)
        elif matches := matches_of(one.entry, ctx.knowledge, moment.tags):
            taken.append(arrive(tx, one.entry, matches, moment, ctx, journal))
    return tuple(again)


def _taken_back(tx: Connection, document: delta.Delta, turn: Turn, moment: Moment, ctx: Context) -> tuple[Event, ...]:
    """Notice entries that left the document soon after they came, while older ones stayed."""
    if turn.before is None or document.memory is None:
        return ()
    out = delta.taken_out(turn.before, document.memory)
    followed = entries.followed(tx, turn.claim.feed, moment.now - _FOLLOWED, only_missing=not out)
    if not followed:
        return ()
    left, there = delta.Present(out), delta.Present(document.memory.items)
    told: list[Event] = []
    for one in followed:
        is_there = there.holds(one.entry_key, one.url_key)
        if one.missing_since is None and left.holds(one.entry_key, one.url_key) and not is_there:
            entries.mark_missing(tx, one.entry, moment.now)
        elif one.missing_since is not None and is_there:
            entries.mark_missing(tx, one.entry, None)
        elif one.missing_since is not None and moment.now - one.missing_since >= _MISSING_FOR:
            entry = entries.by_id(tx, one.entry)
            told += withdraw(tx, entry, moment, ctx) if entry is not None else ()
    return tuple(told)


def _conclude(tx: Connection, turn: Turn, decision: Decision | None, knowledge: Knowledge) -> None:
    """Write what follows: the bytes, the feed's row, the line in the log, and what its operator should hear."""
    if turn.sheet is not None:
        documents.keep(tx, turn.claim.feed, turn.sheet)
    if decision is None:
        claims.release(tx, (turn.claim,))
        return
    results.settle(tx, turn.claim, decision.settlement)
    if decision.log is not None:
        fetch_log.write(tx, turn.claim.feed, decision.log)
    tell(tx, decision.events, knowledge.plan)


def mend(
    tx: Connection, new: Sequence[EntryId], ctx: Context, now: datetime
) -> tuple[tuple[corrections.Changed, ...], tuple[Event, ...]]:
    """Make one of stories, or two of one, as new entries have shown; the window is to be told after the commit."""
    changes = second_thoughts.repair(tx, ctx.window, new, now)
    return changes, retelling.tell(tx, changes, ctx.knowledge.plan, now)


def tell(tx: Connection, events: Sequence[Event], plan: route.Plan) -> tuple[Event, ...]:
    """Put what belongs to no single entry into the outbox; returns the events that are new."""
    return outbox.put(tx, events, plan)


def load_window(ctx: Context, since: datetime) -> int:
    """Take up the live window from the store after a start; returns the number of mentions."""
    count = 0
    with engines.reading(ctx.engine) as connection:
        ctx.changes = stories.newest_change(connection)  # first: what comes meanwhile is read twice, and not missed
        for row in live_mentions.since(connection, since):
            ctx.window.add(second_thoughts.live_item(row), row.story, row.decided)
            count += 1
    return count
