"""What one entry means: which watches want it, which story it belongs to, what it adds, and what of that is told.

    match -> outlet -> attribution -> responses -> story -> events -> outbox

`arrive` does it for a new entry, `reread` for one whose text has changed or grown; `tell` puts what they decided into
the outbox, for a whole document at once; `withdraw` is for an entry that was taken back. The decisions are pure
functions of `match`, `detect` and `cluster`; this module reads what they need and applies what they say, inside its
caller's transaction. Called by `pipeline`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from alerts import outbox, route
from alerts.values import Event
from monitor.cluster import index, item
from monitor.detect import attribution, corrections, credits, events, late, lexicon, outlets, responses
from monitor.match import matcher, scopes
from monitor.parse import links
from monitor.store import articles, entries, stories, story_facts
from monitor.store import engine as engines
from monitor.values import (
    Assignment,
    Domain,
    Entry,
    EntryId,
    EntryText,
    Evidence,
    Match,
    Outlet,
    Role,
    StoryFacts,
    StoryKey,
)

_LEAD_CHARACTERS = 300
TEASER_CHARACTERS = 1500
"""An entry with less text than this is taken for a teaser of its page."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the configuration and the shipped data know; replaced as a whole by a reload.

    `scopes` says where watches look, `asked` which words each asks for, `full_text` which of them want the pages of
    their entries; pages of `unread` outlets are never read.
    """

    matcher: matcher.Matcher
    outlets: outlets.OutletTable
    credits: credits.Credits
    lexicon: lexicon.Lexicon
    rules: Mapping[str, events.WatchRule]
    governments: Mapping[str, str]
    plan: route.Plan
    max_item_age: timedelta
    config_rev: int
    scopes: Mapping[str, scopes.Scope] = field(default_factory=dict)
    asked: Mapping[str, frozenset[str]] = field(default_factory=dict)
    full_text: frozenset[str] = frozenset()
    unread: frozenset[Domain] = frozenset()


@dataclass(slots=True)
class Context:
    """Where the pipeline works: the database, the live window of stories, and what is known.

    The first requests of a daemon are on their way before it knows anything: `know` and `look_at` come later, and
    nothing is understood before. `watches` is how many look, as servers are told.
    """

    engine: Engine
    watches: int = 0
    knowledge: Knowledge = field(init=False)
    window: index.Index = field(init=False)
    changes: int = field(init=False, default=0)
    """The newest change of a mention that the window knows of, made by whatever process."""

    @classmethod
    def of(cls, engine: Engine, window: index.Index, knowledge: Knowledge) -> Context:
        """One that has everything."""
        made = cls(engine)
        made.know(knowledge)
        made.look_at(window)
        return made

    def know(self, knowledge: Knowledge) -> None:
        """Go by this knowledge from now on."""
        self.knowledge, self.watches = knowledge, len(knowledge.rules)

    def look_at(self, window: index.Index, changes: int = 0) -> None:
        """Go by this window from now on, which knows of changes up to this one."""
        self.window, self.changes = window, changes


@dataclass(slots=True)
class Journal:
    """What a transaction did to the window, so that it can be undone with it.

    `facts` are the stories as the transaction has read and written them. Only for one that takes new entries and reads
    known ones again: whoever changes stories in other ways leaves it None, and every story is read anew.
    """

    placed: list[EntryId] = field(default_factory=list)
    replaced: list[tuple[item.Item, StoryKey, Assignment]] = field(default_factory=list)
    facts: dict[StoryKey, StoryFacts] | None = None

    def known(self, tx: Connection, key: StoryKey) -> StoryFacts:
        """The story as it is: a document with many entries of one story reads it once."""
        found = self.facts.get(key) if self.facts else None
        return story_facts.of(tx, key) if found is None else found

    def grown(self, before: StoryFacts, arrived: events.Arrived, now: datetime) -> None:
        """Remember what a story has become by an entry that was seen first just now."""
        if self.facts is not None:
            after = events.after(before, arrived, now) if arrived.entry.first_seen == now else None
            self.changed(before.key) if after is None else self.facts.update({before.key: after})

    def changed(self, key: StoryKey) -> None:
        """Read a story anew the next time."""
        if self.facts is not None:
            self.facts.pop(key, None)

    def undo(self, window: index.Index) -> None:
        """Leave the window as it was."""
        window.remove([*self.placed, *(EntryId(before.id) for before, _, _ in self.replaced)])
        for before, key, decided in self.replaced:
            window.add(before, key, decided)


@dataclass(frozen=True, slots=True)
class Moment:
    """When and how an entry is decided. `tags` are those of its feed; a `baseline` is recorded and never told."""

    now: datetime
    baseline: bool = False
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one entry that matched a watch. `events` were decided; `tell` leaves those that are new."""

    entry: Entry
    outlet: Outlet | None
    matches: tuple[Match, ...]
    evidence: Evidence
    assignment: Assignment
    story: StoryKey
    events: tuple[Event, ...]


def matches_of(entry: Entry, knowledge: Knowledge, tags: frozenset[str]) -> tuple[Match, ...]:
    """The watches that want an entry, with the spans that did it."""
    outlet = knowledge.outlets.by_domain(entry.outlet) if entry.outlet else None
    found = knowledge.matcher.match(
        matcher.Document(
            title=entry.title,
            text=entry.text,
            language=entry.language,
            outlet=outlet.name if outlet else None,
            domain=entry.outlet,
            country=outlet.country if outlet else None,
        )
    )
    return tuple(
        match for match in found if knowledge.scopes.get(match.watch, scopes.EVERYWHERE).takes(tags, entry.outlet)
    )


def read(entry: Entry, outlet: Outlet | None, knowledge: Knowledge) -> Evidence:
    """Read what an entry says about sources and governments: who has it from whom, who answered, who did not."""
    date = entry.published or entry.first_seen
    text = EntryText(entry.title, entry.text, entry.language, outlet, date)
    return Evidence(
        findings=responses.findings_of(text, knowledge.lexicon, knowledge.outlets),
        citations=attribution.citations(text, knowledge.outlets, knowledge.credits),
    )


def arrive(
    tx: Connection, entry: Entry, matches: tuple[Match, ...], moment: Moment, ctx: Context, journal: Journal
) -> Taken:
    """Find out what a new matching entry adds to which story, and decide what of it is worth telling."""
    knowledge, now = ctx.knowledge, moment.now
    entries.record_matches(tx, entry.id, matches, config_rev=knowledge.config_rev, now=now)
    outlet = knowledge.outlets.by_domain(entry.outlet) if entry.outlet else None
    evidence = read(entry, outlet, knowledge)
    engines.lock_stories(tx)
    assignment, key = _place(entry, outlet, asked_for(matches, knowledge), ctx, now, journal)
    before = StoryFacts(key) if assignment.joined is None else journal.known(tx, key)
    story = stories.record(tx, entry, outlet, assignment, key, now, lead(entry))
    stories.record_evidence(tx, entry, story, evidence, now)
    arrived = events.Arrived(entry, outlet, assignment, matches, evidence)
    journal.grown(before, arrived, now)
    decided = events.decide(before, arrived, knowledge.rules, circumstances_of(knowledge, moment))
    if not moment.baseline:
        _want_page(tx, entry, matches, knowledge, now)
    return Taken(entry, outlet, matches, evidence, assignment, key, decided)


def reread(
    tx: Connection, entry: Entry, before: Entry, revision: bytes | None, moment: Moment, ctx: Context, journal: Journal
) -> Taken | None:
    """Read an entry of a story again and decide what its new text adds; None for an entry that is in no story.

    `revision` is the hash of an edited text; without one the text has only grown by the entry's page.
    """
    knowledge, now = ctx.knowledge, moment.now
    mentioned = stories.mention_of(tx, entry.id)
    if mentioned is None:
        return None
    engines.lock_stories(tx)
    journal.changed(mentioned.story)
    known = entries.matches_of(tx, entry.id)
    watches = {match.watch for match in known}
    joining = tuple(match for match in matches_of(entry, knowledge, moment.tags) if match.watch not in watches)
    if joining:
        entries.record_matches(tx, entry.id, joining, config_rev=knowledge.config_rev, now=now)
    outlet = knowledge.outlets.by_domain(entry.outlet) if entry.outlet else None
    evidence = read(entry, outlet, knowledge)
    story = story_facts.of(tx, mentioned.story)
    asked = asked_for((*known, *joining), knowledge)
    assignment = _judge_again(entry, before, outlet, asked, mentioned, story, ctx, now, journal)
    arrived = events.Arrived(entry, outlet, assignment, known, evidence)
    circumstances = circumstances_of(knowledge, moment)
    was_copy = mentioned.assignment.role is Role.COPY
    decided = late.decide(story, arrived, knowledge.rules, circumstances, was_copy=was_copy)
    if revision is not None:
        edited = corrections.corrected(story, before, arrived, knowledge.rules, circumstances, revision.hex())
        decided = (*edited, *decided)
    if joining:
        ahead = late.before(story, entry.id)
        decided += events.decide(ahead, replace(arrived, matches=joining), knowledge.rules, circumstances)
    stories.add_evidence(tx, entry, mentioned.story_id, evidence, now)
    if assignment.role is not mentioned.assignment.role:
        stories.change_role(tx, entry.id, assignment)
    if revision is not None:
        stories.retitle(tx, entry)
        articles.again(tx, entry.id, now)
    return Taken(entry, outlet, (*known, *joining), evidence, assignment, mentioned.story, decided)


def tell(tx: Connection, taken: Sequence[Taken], knowledge: Knowledge) -> tuple[Taken, ...]:
    """Put what was decided into the outbox; returns the same with only the events that are new, as they were stored."""
    stored = {event.key: event for event in outbox.put(tx, [e for one in taken for e in one.events], knowledge.plan)}
    return tuple(
        replace(one, events=tuple(stored.pop(event.key) for event in one.events if event.key in stored))
        for one in taken
    )


def withdraw(tx: Connection, entry: Entry, moment: Moment, ctx: Context) -> tuple[Event, ...]:
    """Tell that an entry that was told is gone from where it stood."""
    knowledge = ctx.knowledge
    mentioned = stories.mention_of(tx, entry.id)
    if mentioned is None:
        return ()
    outlet = knowledge.outlets.by_domain(entry.outlet) if entry.outlet else None
    arrived = events.Arrived(entry, outlet, mentioned.assignment, entries.matches_of(tx, entry.id))
    story = story_facts.of(tx, mentioned.story)
    decided = corrections.withdrawn(story, arrived, knowledge.rules, circumstances_of(knowledge, moment))
    return outbox.put(tx, decided, knowledge.plan)


def circumstances_of(knowledge: Knowledge, moment: Moment) -> events.Circumstances:
    """What a decision on events goes by, beside the story and the entry."""
    return events.Circumstances(
        now=moment.now,
        config_rev=knowledge.config_rev,
        baseline=moment.baseline,
        max_item_age=knowledge.max_item_age,
        governments=knowledge.governments,
        outlets=knowledge.outlets,
    )


def asked_for(matches: Iterable[Match], knowledge: Knowledge) -> list[frozenset[str]]:
    """The words that the watches of these matches ask for."""
    return [knowledge.asked[match.watch] for match in matches if match.watch in knowledge.asked]


def _place(
    entry: Entry, outlet: Outlet | None, asked: list[frozenset[str]], ctx: Context, now: datetime, journal: Journal
) -> tuple[Assignment, StoryKey]:
    placing = item_of(entry, outlet, now)
    assignment = ctx.window.assign(placing, now, asked)
    key = assignment.joined or item.story_key(f"{entry.feed}:{entry.entry_key}")
    journal.placed.append(entry.id)
    ctx.window.add(placing, key, assignment)
    return assignment, key


def _judge_again(
    entry: Entry,
    before: Entry,
    outlet: Outlet | None,
    asked: list[frozenset[str]],
    mentioned: stories.Mentioned,
    story: StoryFacts,
    ctx: Context,
    now: datetime,
    journal: Journal,
) -> Assignment:
    """Whose text it is, now that more of it is known. The story stays: moving entries is not this function's to do."""
    if entry.id not in ctx.window:
        return mentioned.assignment
    placing = item_of(entry, outlet, mentioned.seen_at)
    journal.replaced.append((item_of(before, outlet, mentioned.seen_at), mentioned.story, mentioned.assignment))
    ctx.window.remove([entry.id])
    judged = ctx.window.assign(placing, now, asked)
    ctx.window.add(placing, mentioned.story, mentioned.assignment)
    if judged.joined != mentioned.story:
        return mentioned.assignment
    ahead = {mention.entry for mention in late.before(story, entry.id).mentions}
    if judged.role is Role.COPY and judged.copy_of not in ahead:
        return mentioned.assignment  # what came first is no copy of what came later
    if mentioned.assignment.role not in (Role.COPY, Role.REPORT):
        return mentioned.assignment
    return replace(mentioned.assignment, role=judged.role, copy_of=judged.copy_of, containment=judged.containment)


def _want_page(tx: Connection, entry: Entry, matches: tuple[Match, ...], knowledge: Knowledge, now: datetime) -> None:
    """Ask for the page of a teaser that is news, where a watch wants it and it has an address to read."""
    if len(entry.text) >= TEASER_CHARACTERS or entry.url is None or entry.outlet in knowledge.unread:
        return
    if now - (entry.published or entry.first_seen) > knowledge.max_item_age:
        return
    host = links.host_of(entry.url)
    if host and entry.via is None and any(match.watch in knowledge.full_text for match in matches):
        articles.want(tx, articles.Wanted(entry.id, entry.url, entry.url_key or entry.url, host), now)


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
