"""The stages of one article's way, each as a value: matching, story, outlet and sources, answers, events, messages.

Runs the functions of the pipeline, writes nothing. For a stored entry the story, the events and what became of them
are those on record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from alerts import route
from alerts.outbox import admin
from alerts.values import Event
from monitor import understanding, wiring
from monitor.cluster import item
from monitor.config import stored
from monitor.config.values import Config
from monitor.detect import attribution, events, late, responses
from monitor.detect import explain as spans
from monitor.detect.provenance import Origin
from monitor.explain.subject import Subject
from monitor.match import explain as matching
from monitor.match import matcher, query, scopes
from monitor.store import entries, feeds, stories, story_facts
from monitor.understanding import Context
from monitor.values import Assignment, Entry, EntryText, Evidence, Outlet, Role, StoryFacts, StoryKey

_WORDS = 3


@dataclass(frozen=True, slots=True)
class WatchLine:
    """One watch against the entry: `why` names what was found, or what is missing and what came near it.

    `tree` is its query part by part.
    """

    watch: str
    matches: bool
    why: str
    spans: tuple[tuple[str, int, int, str], ...] = ()
    tree: str = ""


@dataclass(frozen=True, slots=True)
class StoryLine:
    """The story the entry is in, or would join. `others` is how many mentions it has beside the entry."""

    key: str
    title: str
    assignment: Assignment
    starts: bool
    others: int


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event the entry raised or would raise; `steps` say what became of it, or would, for each recipient."""

    key: str
    kind: str
    state: str
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """Everything. `stored` says whether story and events are on record or only what would happen."""

    subject: Subject
    outlet: Outlet | None
    polled: str | None
    watches: tuple[WatchLine, ...]
    story: StoryLine | None
    origin: Origin | None
    sources: tuple[str, ...]
    answers: tuple[str, ...]
    evidence: Evidence
    events: tuple[EventLine, ...]

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        entry, story = self.subject.entry, self.story
        return {
            "stored": self.subject.stored,
            "origin": self.subject.origin,
            "entry": entry.id or None,
            "title": entry.title,
            "title_only": not entry.text.strip(),
            "url": entry.url,
            "language": entry.language or "und",
            "outlet": entry.outlet,
            "polled": self.polled,
            "watches": [
                {"watch": one.watch, "matches": one.matches, "why": one.why, "spans": [list(s) for s in one.spans]}
                for one in self.watches
            ],
            "story": None if story is None else _story_dict(story),
            "reporting": str(self.origin.label) if self.origin else None,
            "chain": list(self.origin.chain) if self.origin else [],
            "sources": [{"source": c.source, "domain": c.domain, "kind": c.kind} for c in self.evidence.citations],
            "answers": [responses.as_lab(finding) for finding in self.evidence.findings],
            "spans": list(self.answers),
            "events": [
                {"key": one.key, "kind": one.kind, "state": one.state, "steps": list(one.steps)} for one in self.events
            ],
        }


def explain(connection: Connection, subject: Subject, config: Config, ctx: Context, now: datetime) -> Explained:
    """Work through all stages."""
    entry, knowledge = subject.entry, ctx.knowledge
    outlet = knowledge.outlets.by_domain(entry.outlet) if entry.outlet else None
    tags = _tags(connection, subject, config)
    watches = tuple(_watch_lines(entry, outlet, config, tags))
    matches = understanding.matches_of(entry, knowledge, tags)
    evidence = understanding.read(entry, outlet, knowledge)
    text = EntryText(entry.title, entry.text, entry.language, outlet, entry.published or entry.first_seen)
    placed = _placed(connection, subject, outlet, understanding.asked_for(matches, knowledge), ctx, now)
    facts = _facts(connection, placed.key, entry)
    arrived = events.Arrived(entry, outlet, placed.assignment, matches, evidence)
    is_taken = bool(matches) or placed.recorded
    return Explained(
        subject=subject,
        outlet=outlet,
        polled=_polled(connection, subject),
        watches=watches,
        story=_story_line(placed, facts) if is_taken else None,
        origin=events.origin_of(facts, arrived, knowledge.outlets) if is_taken else None,
        sources=attribution.explain(text, knowledge.outlets, knowledge.credits),
        answers=tuple(spans.lines(responses.read(text, knowledge.lexicon, knowledge.outlets))),
        evidence=evidence,
        events=tuple(_event_lines(connection, subject, placed, facts, arrived, ctx, now)) if is_taken else (),
    )


# ------------------------------------------------------------------------------------------------------ matching


def _watch_lines(entry: Entry, outlet: Outlet | None, config: Config, tags: frozenset[str]) -> Iterator[WatchLine]:
    concepts = wiring.concepts_of(config)
    document = matcher.Document(
        title=entry.title,
        text=entry.text,
        language=entry.language,
        outlet=outlet.name if outlet else None,
        domain=entry.outlet,
        country=outlet.country if outlet else None,
    )
    for watch in config.watches:
        if watch.paused:
            yield WatchLine(watch.name, False, "the watch is paused")
            continue
        compiled = matcher.WatchQuery(watch.name, query.parse(watch.query_text, concepts), watch.languages)
        found = matching.explain(compiled, document, concepts)
        scope = scopes.Scope(watch.feed_tags, watch.outlets, watch.exclude)
        if found.matches and not scope.takes(tags, entry.outlet):
            yield WatchLine(watch.name, False, _out_of_scope(scope, tags, entry.outlet), tree=matching.render(found))
            continue
        placed = tuple((span.field, span.start, span.end, span.term) for span in found.spans)
        yield WatchLine(watch.name, found.matches, _why(found, document), placed, matching.render(found))


def _out_of_scope(scope: scopes.Scope, tags: frozenset[str], outlet: str | None) -> str:
    if outlet in scope.exclude:
        return f"the words match, but the watch excludes {outlet}"
    if scope.feed_tags is not None and not scope.feed_tags & tags:
        wanted, has = ", ".join(sorted(scope.feed_tags)), ", ".join(sorted(tags)) or "none"
        return f"the words match, but the watch looks into feeds tagged {wanted}; this one's tags: {has}"
    return f"the words match, but the watch looks at other outlets than {outlet or 'an unknown one'}"


def _why(found: matching.Explanation, document: matcher.Document) -> str:
    missing = found.first_failure
    if missing is not None:
        near = f": {missing.reason}" if missing.reason else ""
        return f"lacks {missing.text}{near}{_but(found)}"
    fields = {"title": document.title, "text": document.text}
    words = dict.fromkeys(f'{span.term} "{fields[span.field][span.start : span.end]}"' for span in found.spans)
    shown = list(words)
    more = f" and {len(shown) - 2 * _WORDS} more" if len(shown) > 2 * _WORDS else ""
    return ", ".join(shown[: 2 * _WORDS]) + more


def _but(found: matching.Explanation) -> str:
    """What of the query was there all the same."""
    there = [word for line in found.lines if line.holds for word in line.words]
    return f"; has {', '.join(dict.fromkeys(there[:_WORDS]))}" if there else ""


# --------------------------------------------------------------------------------------------------------- story


@dataclass(frozen=True, slots=True)
class _Placed:
    key: StoryKey
    assignment: Assignment
    recorded: bool


def _placed(
    connection: Connection,
    subject: Subject,
    outlet: Outlet | None,
    asked: list[frozenset[str]],
    ctx: Context,
    now: datetime,
) -> _Placed:
    """Where the entry is; where it would be, if it is nowhere."""
    if subject.stored:
        known = stories.mention_of(connection, subject.entry.id)
        if known is not None:
            return _Placed(known.story, known.assignment, True)
    assignment = ctx.window.assign(understanding.item_of(subject.entry, outlet, now), now, asked)
    key = assignment.joined or item.story_key(f"{subject.entry.feed}:{subject.entry.entry_key}")
    return _Placed(key, assignment, False)


def _facts(connection: Connection, key: StoryKey, entry: Entry) -> StoryFacts:
    """The story without the entry: as it was when the entry came."""
    return late.before(story_facts.of(connection, key), entry.id)


def _story_line(placed: _Placed, facts: StoryFacts) -> StoryLine:
    title = facts.mentions[0].title if facts.mentions else ""
    return StoryLine(placed.key, title, placed.assignment, not facts.mentions, len(facts.mentions))


def _story_dict(story: StoryLine) -> dict[str, Any]:
    decided = story.assignment
    return {
        "key": story.key,
        "title": story.title or None,
        "starts": story.starts,
        "mentions_before": story.others,
        "score": decided.score,
        "threshold": decided.threshold,
        "runner_up": decided.runner_up,
        "runner_up_score": decided.runner_up_score,
        "shared": [list(pair) for pair in decided.shared],
        "role": str(decided.role),
        "copy_of": decided.copy_of,
        "containment": decided.containment,
        "is_copy": decided.role is Role.COPY,
        "reason": decided.reason,
    }


# -------------------------------------------------------------------------------------------------------- events


def _event_lines(
    connection: Connection,
    subject: Subject,
    placed: _Placed,
    facts: StoryFacts,
    arrived: events.Arrived,
    ctx: Context,
    now: datetime,
) -> Iterable[EventLine]:
    if placed.recorded:
        return list(_recorded(connection, placed.key, subject.entry))
    circumstances = events.Circumstances(
        now=now,
        outlets=ctx.knowledge.outlets,
        config_rev=ctx.knowledge.config_rev,
        max_item_age=ctx.knowledge.max_item_age,
        governments=ctx.knowledge.governments,
    )
    decided = events.decide(facts, arrived, ctx.knowledge.rules, circumstances)
    return [EventLine(e.key, str(e.kind), str(e.state), tuple(_would_go(e, ctx.knowledge.plan))) for e in decided]


def _recorded(connection: Connection, group: StoryKey, entry: Entry) -> Iterator[EventLine]:
    """What the entry raised, under whichever key its story had then: stories grow together, and are taken apart."""
    told = [pair for key in stories.keys_told(connection, group) for pair in admin.events_of(connection, key)]
    for event, state in sorted(told, key=lambda pair: pair[0].decided_at):
        if event.mention is not None and event.mention.entry == str(entry.id):
            steps = tuple(_step(step) for step in admin.ladder(connection, event.key))
            yield EventLine(event.key, str(event.kind), state, steps)


def _step(step: admin.Step) -> str:
    said = f"{step.recipient}: {step.state}"
    if step.reason:
        said += f" ({step.reason})"
    if step.due_at is not None and step.delivery_id is None:
        said += f", due {step.due_at:%d %b %H:%M} UTC"
    if step.schedule and step.delivery_id is None:
        said += f", digest {step.schedule}"
    return said + (f", {step.delivery_id}" if step.delivery_id else "")


def _would_go(event: Event, plan: route.Plan) -> Iterator[str]:
    for target in route.targets(event, plan):
        if target.prompt and not route.rides_along(event, plan):
            yield f"{target.recipient.key}: would be told {route.due_at(event, plan, None):%d %b %H:%M} UTC"
        elif target.schedule:
            yield f"{target.recipient.key}: would stand in the digest {target.schedule}"
        else:
            yield f"{target.recipient.key}: would ride along with the next message of its story"


# -------------------------------------------------------------------------------------------------------- origin


def _tags(connection: Connection, subject: Subject, config: Config) -> frozenset[str]:
    """The tags of the entry's feed; all there may be for a text that came from none, so that no watch is left out."""
    if subject.stored:
        row = feeds.by_id(connection, subject.entry.feed)
        configured = {feed.url: feed for feed in config.feeds}
        return stored.tags_of(configured, row.url, row.settings) if row is not None else frozenset()
    wanted = frozenset(tag for watch in config.watches for tag in watch.feed_tags or ())
    return wanted.union(*(feed.tags for feed in config.feeds))


def _polled(connection: Connection, subject: Subject) -> str | None:
    if not subject.stored:
        return None
    entry = subject.entry
    row = feeds.by_id(connection, entry.feed)
    published = f"{entry.published:%d %b %Y %H:%M} UTC" if entry.published else "undated"
    text = f"{len(entry.text):,} characters" + (" (its page was read)" if entry.article else "")
    taken = entries.matches_of(connection, entry.id)
    state = "matched" if taken else "no watch wanted it"
    return (
        f"{row.url if row else 'a feed that is gone'}, first seen {entry.first_seen:%d %b %Y %H:%M} UTC; "
        f"published {published}; {text}; {state}"
    )
