"""What an entry adds to a story that is worth telling, as events with unique keys.

`decide` is a pure function of what the story knew before and what the entry says; the pipeline calls it for each
matching entry inside the transaction that stores it and puts the events into the outbox, whose unique keys drop what
was told before. A copy is no new outlet, a non-answer no response; nothing here knows recipients, routes or timers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from alerts.values import AnswerSnapshot, Event, EventState, Kind
from monitor.detect import ledger, provenance, snapshots, spikes, stances
from monitor.detect.event_keys import key, quote_hash
from monitor.detect.outlets import OutletTable
from monitor.detect.provenance import Origin
from monitor.detect.spikes import Spike as Spike
from monitor.detect.stances import Verdict
from monitor.values import (
    Assignment,
    Domain,
    Entry,
    Evidence,
    Finding,
    Match,
    MentionFact,
    Outlet,
    Role,
    StanceFact,
    StoryFacts,
)

DEFAULT_ALERT_ON = frozenset(
    (
        Kind.NEW_STORY,
        Kind.NEW_OUTLET,
        Kind.RESPONSE,
        Kind.STANCE_CHANGE,
        Kind.SILENCE_BROKEN,
        Kind.CORRECTION,
        Kind.WITHDRAWN,
        Kind.SPIKE,
    )
)
_ALWAYS = frozenset((Kind.NON_ANSWER, Kind.FURTHER_QUOTE, Kind.COPY))
"""Facts that only ride along in digests; a watch cannot ask for them and cannot refuse them."""


@dataclass(frozen=True, slots=True)
class WatchRule:
    """What a watch wants told. `governments` None means all; what `ignored` ones say is recorded and never told.

    `own_reporting_only` tells of new outlets only when they spoke to somebody themselves: a relay is no news then, also
    one of an origin that the story did not know. Without a `spike` none is looked for.
    """

    name: str
    title: str = ""
    alert_on: frozenset[Kind] = DEFAULT_ALERT_ON
    governments: frozenset[str] | None = None
    ignored: frozenset[str] = frozenset()
    own_reporting_only: bool = False
    spike: Spike | None = None

    def tells_of(self, government: str) -> bool:
        """Whether answers of a government are told to this watch."""
        watched = self.governments is None or government in self.governments
        return watched and government not in self.ignored and government != stances.UNRESOLVED


@dataclass(frozen=True, slots=True)
class Arrived:
    """A matching entry with all that was found out about it."""

    entry: Entry
    outlet: Outlet | None
    assignment: Assignment
    matches: tuple[Match, ...]
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When and under what an entry is decided. A `baseline` is recorded and never told; `governments` are names.

    `usual` is, by watch, the usual number of independent outlets within a spike's window.
    """

    now: datetime
    outlets: OutletTable
    config_rev: int = 0
    baseline: bool = False
    max_item_age: timedelta = timedelta(hours=48)
    governments: Mapping[str, str] = field(default_factory=dict)
    usual: Mapping[str, float] = field(default_factory=dict)


def decide(
    before: StoryFacts, arrived: Arrived, rules: Mapping[str, WatchRule], circumstances: Circumstances
) -> tuple[Event, ...]:
    """Decide what to tell of an entry, for each watch it matches, the strongest first.

    `before` is the story without this entry, empty when the entry starts it. Events that are not to be told at all
    (baseline, too old, shown inside a stronger one) are returned too, with that state: they keep their keys.
    """
    origin = origin_of(before, arrived, circumstances.outlets)
    found: list[Event] = []
    for match in arrived.matches:
        rule = rules.get(match.watch)
        if rule is not None:
            decision = _Decision(_seen_by(before, rule.name), arrived, rule, match, origin, circumstances, before)
            found.extend(decision.events())
    return tuple(found)


def plain(
    kind: Kind,
    before: StoryFacts,
    arrived: Arrived,
    match: Match,
    rule: WatchRule,
    circumstances: Circumstances,
    *parts: str | int | None,
) -> Event:
    """One event about an entry, with its snapshot and no judgement; `parts` end its key."""
    origin = origin_of(before, arrived, circumstances.outlets)
    decision = _Decision(_seen_by(before, rule.name), arrived, rule, match, origin, circumstances, before)
    return decision.event(kind, *parts)


def origin_of(before: StoryFacts, arrived: Arrived, table: OutletTable) -> Origin:
    """Where the entry has it from, judged against the story before it."""
    entry, assignment = arrived.entry, arrived.assignment
    source = provenance.Source(
        entry.id,
        entry.outlet,
        arrived.evidence.citations,
        _is_asker(arrived, table),
        assignment.copy_of if assignment.role is Role.COPY else None,
    )
    return provenance.origin_of(source, before, table)


def record(arrived: Arrived) -> tuple[StanceFact, ...]:
    """What the entry adds to the story's stances, non-answers and background included."""
    entry = arrived.entry
    return tuple(
        StanceFact(
            government=finding.government,
            voice=finding.voice,
            body=finding.body,
            stance=finding.stance,
            asker=finding.asker,
            said_at=stances.said_at(finding, entry),
            entry=entry.id,
            outlet=entry.outlet,
            quote=finding.quote,
            partial=finding.partial,
            first_hand=finding.hand == "first",
            from_copy=arrived.assignment.role is Role.COPY,
            background=finding.background,
            certainty=finding.certainty,
            office=finding.actor,
        )
        for finding in arrived.evidence.findings
    )


def mention(arrived: Arrived, seen_at: datetime) -> MentionFact:
    """The entry as a mention of its story."""
    entry = arrived.entry
    return MentionFact(
        entry=entry.id,
        outlet=entry.outlet,
        publisher=arrived.outlet.publisher if arrived.outlet else entry.outlet,
        role=arrived.assignment.role,
        seen_at=seen_at,
        watches=frozenset(match.watch for match in arrived.matches),
        citations=arrived.evidence.citations,
        url=entry.url,
        title=entry.title,
        title_only=not entry.text.strip(),
    )


def after(before: StoryFacts, arrived: Arrived, seen_at: datetime) -> StoryFacts | None:
    """The story with an entry that is seen now; None when the entry does not come last in it."""
    if before.mentions and before.mentions[-1].entry >= arrived.entry.id:
        return None
    mentions = (*before.mentions, mention(arrived, seen_at))
    return replace(before, mentions=mentions, stances=(*before.stances, *record(arrived)))


def reporters(facts: StoryFacts, table: OutletTable) -> frozenset[str]:
    """The publishers that spoke to somebody themselves: they credit their own outlet, or were refused an answer."""
    credited = (
        mention.outlet
        for mention in facts.mentions
        if mention.role is not Role.COPY and provenance.is_first_hand(mention.citations, mention.outlet, table)
    )
    told = {table.by_domain(outlet).publisher for outlet in credited if outlet}
    asked = ((fact.outlet, ledger.publisher(fact.asker, table)) for fact in facts.stances if not fact.from_copy)
    return frozenset(told) | {who for outlet, who in asked if outlet and who == table.by_domain(outlet).publisher}


def _is_asker(arrived: Arrived, table: OutletTable) -> bool:
    """Whether a body refused to answer this very outlet: then it asked, and the text is its own."""
    if arrived.outlet is None:
        return False
    askers = (finding.asker for finding in arrived.evidence.findings if finding.asker)
    return any(ledger.publisher(asker, table) == arrived.outlet.publisher for asker in askers)


def _seen_by(facts: StoryFacts, watch: str) -> StoryFacts:
    """The story as one watch knows it: what its readers may have been told."""
    mentions = tuple(mention for mention in facts.mentions if watch in mention.watches)
    entries = {mention.entry for mention in mentions}
    told = tuple(fact for fact in facts.stances if fact.entry in entries)
    parted = None if facts.parted is None else _seen_by(facts.parted, watch)
    return StoryFacts(facts.key, mentions, told, facts.aliases, parted)


@dataclass(frozen=True, slots=True)
class _Decision:
    """One entry decided for one watch. `facts` is the story as the watch knows it, `story` the whole of it."""

    facts: StoryFacts
    arrived: Arrived
    rule: WatchRule
    match: Match
    origin: Origin
    at: Circumstances
    story: StoryFacts

    def events(self) -> Iterator[Event]:
        book = ledger.rows(self.facts, self.at.outlets) if self.arrived.evidence.findings else ()
        told = [*self._answers(book), *self._coverage(), *self._spikes(), *self._non_answers(book)]
        for event in told:
            if event.kind in self.rule.alert_on or event.kind in _ALWAYS:
                yield replace(event, state=_weaker(event, told, self.rule.alert_on) or self._state())

    def _state(self) -> EventState:
        if self.at.baseline:
            return EventState.BASELINE
        entry = self.arrived.entry
        is_old = self.at.now - (entry.published or entry.first_seen) > self.at.max_item_age
        return EventState.STALE if is_old else EventState.OPEN

    # ------------------------------------------------------------------------------------------ coverage

    def _coverage(self) -> Iterator[Event]:
        """A new story, a new outlet or a copy; further entries of a known outlet are mentions only."""
        role, outlet = self.arrived.assignment.role, self.arrived.outlet
        if not self.facts.told.mentions:
            yield self.event(Kind.NEW_STORY)
        elif role is Role.COPY:
            copied = replace(self.event(Kind.COPY, str(self.arrived.entry.id)), copy_of=self._copied_outlet())
            yield copied
        elif outlet is not None and self._is_news(outlet.publisher):
            yield self.event(Kind.NEW_OUTLET, outlet.domain)

    def _spikes(self) -> Iterator[Event]:
        """The outlet that makes it enough; further ones in the same window have the same key."""
        rule, role = self.rule.spike, self.arrived.assignment.role
        if rule is None or self.arrived.outlet is None or role is Role.COPY:
            return
        mentions = (*self.facts.mentions, mention(self.arrived, self.at.now))
        count = spikes.outlets_within(mentions, self.at.now, rule.within)
        joins = self.arrived.outlet.publisher not in self._publishers()
        if joins and spikes.is_spike(rule, count, self.at.usual.get(self.rule.name)):
            start = spikes.window_start(self.at.now, rule.within)
            event = self.event(Kind.SPIKE, start.strftime("%Y-%m-%dT%H"))
            yield replace(event, facts=(("outlets", str(count)), ("since", start.isoformat())))

    def _publishers(self) -> frozenset[str]:
        """Who is in the story with more than a copy; sister services are one."""
        return frozenset(
            mention.publisher or mention.outlet or ""
            for mention in self.facts.told.mentions
            if mention.role is not Role.COPY
        )

    def _is_news(self, publisher: str) -> bool:
        """Whether a publisher is new to the story; with its own reporting, where only that counts."""
        if not self.rule.own_reporting_only:
            return publisher not in self._publishers()
        told = self.facts.told
        first = told.mentions[0].publisher
        return self.origin.own_reporting and publisher != first and publisher not in reporters(told, self.at.outlets)

    def _copied_outlet(self) -> str | None:
        original = next(
            (one for one in self.story.mentions if one.entry == self.arrived.assignment.copy_of and one.outlet), None
        )
        return self._outlet_name(original.outlet) if original and original.outlet else None

    # ------------------------------------------------------------------------------------------- answers

    def _answers(self, book: tuple[ledger.Row, ...]) -> Iterator[Event]:
        is_copy = self.arrived.assignment.role is Role.COPY
        telling = [
            finding
            for finding in self.arrived.evidence.findings
            if stances.may_alert(finding)
            and self.rule.tells_of(finding.government)
            # A copy may add to what it copies, but a bare ministry in it is not the copying outlet's own.
            and not (is_copy and finding.via == "outlet")
        ]
        for verdict in stances.judge(telling, self.arrived.entry, self.facts.told, book, self.origin, self.at.outlets):
            yield from self._told(verdict, is_copy)

    def _told(self, verdict: Verdict, is_copy: bool) -> Iterator[Event]:
        finding = verdict.finding
        whose = (finding.government, finding.voice)
        if verdict.was is not None:
            change = f"{verdict.was}>{finding.stance}"
            changed = self.event(Kind.STANCE_CHANGE, *whose, verdict.changes, change)
            yield replace(changed, answer=replace(self._answer(finding), was=str(verdict.was)))
        elif verdict.broken:
            broken = self.event(Kind.SILENCE_BROKEN, *whose, verdict.breaks)
            yield replace(broken, answer=self._breaking(verdict), facts=_silent_since(verdict.broken))
        if not verdict.known:
            yield replace(self.event(Kind.RESPONSE, *whose, str(finding.stance)), answer=self._answer(finding))
        elif verdict.new_quote and verdict.was is None and not is_copy:
            event = self.event(Kind.FURTHER_QUOTE, *whose, str(finding.stance), quote_hash(finding.quote))
            facts = (("earlier", verdict.said_at.isoformat()),) if verdict.earlier else ()
            yield replace(event, answer=self._answer(finding), facts=facts)

    def _breaking(self, verdict: Verdict) -> AnswerSnapshot:
        askers = (snapshots.asker_name(row.asker, self.at.outlets) for row in verdict.broken if row.asker)
        return replace(self._answer(verdict.finding), asked_by=tuple(dict.fromkeys(askers)))

    def _non_answers(self, book: tuple[ledger.Row, ...]) -> Iterator[Event]:
        if self.arrived.assignment.role is Role.COPY:
            return
        for finding in self.arrived.evidence.findings:
            if finding.stance.is_answer or finding.background or not self.rule.tells_of(finding.government):
                continue
            if stances.is_known_silence(finding, book, self.at.outlets):
                continue
            asker = finding.asker.domain or finding.asker.name if finding.asker else None
            parts = (finding.government, finding.voice, str(finding.stance), asker)
            yield replace(self.event(Kind.NON_ANSWER, *parts), answer=self._answer(finding))

    def _answer(self, finding: Finding) -> AnswerSnapshot:
        return snapshots.answer(finding, self.arrived.entry, self.at.governments, self.at.outlets)

    def event(self, kind: Kind, *parts: str | int | None) -> Event:
        origin = self.origin
        return Event(
            key=key(kind, self.rule.name, self.facts.key, *parts),
            kind=kind,
            watch=self.rule.name,
            group=self.facts.key,
            decided_at=self.at.now,
            mention=snapshots.mention(self.arrived.entry, self.arrived.outlet),
            why=snapshots.why(self.rule.name, self.rule.title, self.match, self.arrived.entry),
            story_title=self.story.mentions[0].title if self.story.mentions else self.arrived.entry.title,
            chain=origin.chain,
            origin=str(origin.label),
            origin_name=origin.name,
            own_reporting=origin.own_reporting,
            config_rev=self.at.config_rev,
            facts=() if self.arrived.entry.text.strip() else (("text", "none"),),
        )

    def _outlet_name(self, domain: Domain) -> str:
        return self.at.outlets.by_domain(domain).name


def _weaker(event: Event, told: Iterable[Event], alert_on: frozenset[Kind]) -> EventState | None:
    """A response is shown inside the broken silence or change of stance that it is."""
    if event.kind is not Kind.RESPONSE or event.answer is None:
        return None
    for other in told:
        if other.kind in (Kind.SILENCE_BROKEN, Kind.STANCE_CHANGE) and other.kind in alert_on and other.answer:
            same = (other.answer.government, other.answer.body, other.answer.stance)
            if same == (event.answer.government, event.answer.body, event.answer.stance):
                return EventState.INHIBITED
    return None


def _silent_since(rows: tuple[ledger.Row, ...]) -> tuple[tuple[str, str], ...]:
    return (("silent_since", min(row.first_seen for row in rows).isoformat()),)
