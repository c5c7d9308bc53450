"""One story as its page shows it: who carries it, who has it from whom, who answered, who was asked in vain.

The words for an outlet's part come from `detect.provenance`, the silences from `detect.ledger`: the page counts as the
alerts do. Called by `web` and `evidence`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select

from monitor.detect import ledger, provenance
from monitor.detect.outlets import OutletTable
from monitor.store import stories, story_facts, tables
from monitor.text import languages
from monitor.values import Certainty, Domain, EntryId, Role, StanceFact, StoryFacts, StoryKey

EXPLAINED = 12
"""Of so many entries the matching words are looked up in their texts."""
_WORDS_SHOWN = 12


class Part(StrEnum):
    """What an outlet is to a story, the strongest of its entries."""

    OWN = "own"
    RELAY = "relay"
    UNKNOWN = "unknown"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class Line:
    """One entry on the timeline. `joined`: the first of its outlet; `sources`: whom it copies
    or names; `copied`: whose text it is; `title_only`: it came without any text."""

    entry: EntryId
    outlet: Domain | None
    title: str
    url: str | None
    language: str | None
    seen_at: datetime
    published_at: datetime | None
    role: Role
    part: Part
    joined: bool
    sources: tuple[str, ...]
    copied: Domain | None
    score: float
    threshold: float
    reason: str
    title_only: bool


@dataclass(frozen=True, slots=True)
class Member:
    """An outlet of the story. `publisher` is its house; `sources` are the outlets it names or copies, by name."""

    outlet: Domain
    publisher: str
    part: Part
    since: datetime
    entries: int
    sources: tuple[str, ...]
    independent: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A body's stance with the sentence that says it, and the entry it stands in."""

    fact: StanceFact
    url: str | None
    language: str | None


@dataclass(frozen=True, slots=True)
class Silence:
    """An unanswered question and the outlets that report it."""

    row: ledger.Row
    outlets: tuple[Domain, ...]


@dataclass(frozen=True, slots=True)
class Revision:
    """A headline as it was, until `until`, and as it became."""

    outlet: Domain | None
    was: str
    became: str
    until: datetime
    language: str | None


@dataclass(frozen=True, slots=True)
class Why:
    """Which words of how many entries satisfied a watch."""

    watch: str
    entries: int
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """What a person said of this story or one of its entries."""

    subject: str
    verdict: str
    who: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StoryPage:
    """All of it. `origins` counts publishers the news comes from; `graph` are the attributions."""

    key: StoryKey
    title: str
    language: str | None
    lead: str
    lead_outlet: Domain | None
    lead_url: str | None
    first_at: datetime
    last_at: datetime
    lines: tuple[Line, ...]
    members: tuple[Member, ...]
    origins: int
    graph: provenance.Graph
    answers: tuple[Answer, ...]
    silences: tuple[Silence, ...]
    revisions: tuple[Revision, ...]
    whys: tuple[Why, ...]
    labels: tuple[Label, ...]
    facts: StoryFacts

    def outlets(self, part: str) -> tuple[Member, ...]:
        """The outlets with this part, in the order in which they joined."""
        return tuple(member for member in self.members if member.part == part)

    @property
    def publishers(self) -> int:
        """How many houses have a piece of their own, copies left out: as the list and the alerts count outlets."""
        return len({member.publisher for member in self.members if member.part is not Part.COPY})

    @property
    def shared_houses(self) -> tuple[tuple[Domain, ...], ...]:
        """Outlets with a piece of their own that belong to one house, house by house."""
        houses: dict[str, list[Domain]] = {}
        for member in self.members:
            if member.part is not Part.COPY:
                houses.setdefault(member.publisher, []).append(member.outlet)
        return tuple(tuple(outlets) for outlets in houses.values() if len(outlets) > 1)

    @property
    def copies(self) -> int:
        """How many entries repeat another's text."""
        return sum(line.role is Role.COPY for line in self.lines)

    def silences_by(self, now: datetime) -> tuple[tuple[Silence, ...], tuple[Silence, ...]]:
        """The questions without an answer: those of the last two weeks, and the older ones; still open ones first."""
        ordered = sorted(self.silences, key=lambda one: one.row.answered_at is not None or one.row.partial)
        current = tuple(one for one in ordered if one.row.is_current(now))
        return current, tuple(one for one in ordered if one not in current)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages it is told in, the first teller's first."""
        return tuple(dict.fromkeys(code for line in self.lines if (code := languages.base(line.language))))


def read(connection: Connection, key: str, table: OutletTable) -> StoryPage | None:
    """Read a story; the key of a merged one leads to its survivor. None when there is none."""
    resolved = stories.resolve(connection, StoryKey(key))
    story = connection.execute(select(tables.story).where(tables.story.c.key == resolved)).one_or_none()
    facts = story_facts.of(connection, resolved)
    if story is None or not facts.mentions:
        return None
    rows = _mentions(connection, story.id)
    graph = provenance.graph(facts, table)
    lines = tuple(_lines(rows, facts, graph, table))
    first = rows[0]
    return StoryPage(
        key=resolved,
        title=first.title or story.title or resolved,
        language=first.lang,
        lead=first.lead,
        lead_outlet=first.outlet,
        lead_url=first.url,
        first_at=first.seen_at,
        last_at=rows[-1].seen_at,
        lines=lines,
        members=_members(lines, graph, table),
        origins=graph.origin_count,
        graph=graph,
        answers=_answers(facts, {row.entry_id: row for row in rows}),
        silences=_silences(facts, table),
        revisions=_revisions(connection, rows),
        whys=_whys(connection, facts),
        labels=_labels(connection, resolved, rows),
        facts=facts,
    )


def _mentions(connection: Connection, story: int) -> Sequence[Row[*tuple[Any, ...]]]:
    mention = tables.mention.c
    return connection.execute(
        select(tables.mention).where(mention.story_id == story).order_by(mention.seen_at, mention.entry_id)
    ).all()


def _lines(
    rows: Sequence[Row[*tuple[Any, ...]]], facts: StoryFacts, graph: provenance.Graph, table: OutletTable
) -> Iterator[Line]:
    outlets = {row.entry_id: row.outlet for row in rows}
    mentions = {mention.entry: mention for mention in facts.mentions}
    met: set[str | None] = set()
    for row in rows:
        entry, role = EntryId(row.entry_id), Role(row.role)
        copied = outlets.get(row.copy_of) if role is Role.COPY else None
        named = _sources(mentions[entry].citations, row.outlet, table)
        behind = (table.by_domain(copied).name,) if copied and copied != row.outlet else ()
        yield Line(
            entry=entry,
            outlet=row.outlet,
            title=row.title,
            url=row.url,
            language=row.lang,
            seen_at=row.seen_at,
            published_at=row.published_at,
            role=role,
            part=_part(role, graph.origins.get(entry)),
            joined=row.outlet not in met,
            sources=tuple(dict.fromkeys((*behind, *named))),
            copied=copied,
            score=row.score,
            threshold=row.threshold,
            reason=row.reason,
            title_only=mentions[entry].title_only,
        )
        met.add(row.outlet)


def _part(role: Role, origin: provenance.Origin | None) -> Part:
    if role is Role.COPY:
        return Part.COPY
    if origin is None or origin.label is provenance.Label.UNKNOWN:
        return Part.UNKNOWN
    return Part.OWN if origin.own_reporting else Part.RELAY


def _sources(citations: Sequence[Any], outlet: Domain | None, table: OutletTable) -> tuple[str, ...]:
    """Whom an entry names, by the catalogue's names, itself left out."""
    own = table.by_domain(outlet).publisher if outlet else None
    others = (c for c in citations if c.domain is None or table.by_domain(c.domain).publisher != own)
    return tuple(dict.fromkeys(name_of(c.source, c.domain, table) for c in others))


def name_of(written: str, domain: Domain | None, table: OutletTable) -> str:
    """The catalogue's name of a credited outlet, else as written."""
    if domain is None:
        return written
    name = table.by_domain(domain).name
    return written if name == domain else name


_STRENGTH = (Part.OWN, Part.RELAY, Part.UNKNOWN, Part.COPY)


def _members(lines: Sequence[Line], graph: provenance.Graph, table: OutletTable) -> tuple[Member, ...]:
    confirmed = {confirmation.entry for confirmation in graph.confirmations if confirmation.independent}
    by_outlet: dict[Domain, list[Line]] = {}
    for line in lines:
        if line.outlet:
            by_outlet.setdefault(line.outlet, []).append(line)
    return tuple(
        Member(
            outlet=outlet,
            publisher=table.by_domain(outlet).publisher,
            part=min((line.part for line in own), key=_STRENGTH.index),
            since=own[0].seen_at,
            entries=len(own),
            sources=tuple(dict.fromkeys(name for line in own for name in line.sources)),
            independent=any(line.entry in confirmed for line in own),
        )
        for outlet, own in by_outlet.items()
    )


def _answers(facts: StoryFacts, rows: Mapping[int, Row[*tuple[Any, ...]]]) -> tuple[Answer, ...]:
    """The first time each body took each stance, newest stance last."""
    firsts: dict[tuple[str, str, str], StanceFact] = {}
    for fact in facts.stances:
        if fact.stance.is_answer and not fact.background and fact.certainty is not Certainty.WEAK:
            firsts.setdefault((fact.government, fact.voice, fact.stance), fact)
    ordered = sorted(firsts.values(), key=lambda fact: (fact.said_at, fact.entry))
    return tuple(Answer(fact, *_place(rows.get(fact.entry))) for fact in ordered)


def _place(row: Row[*tuple[Any, ...]] | None) -> tuple[str | None, str | None]:
    return (row.url, row.lang) if row else (None, None)


def _silences(facts: StoryFacts, table: OutletTable) -> tuple[Silence, ...]:
    outlets = {mention.entry: mention.outlet for mention in facts.mentions}
    return tuple(
        Silence(row, tuple(dict.fromkeys(outlet for entry in row.entries if (outlet := outlets.get(entry)))))
        for row in ledger.rows(facts, table)
    )


def _revisions(connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> tuple[Revision, ...]:
    """Headlines that changed; what an entry says now stands in its mention."""
    revision = tables.entry_revision.c
    mentions = {row.entry_id: row for row in rows}
    kept: dict[int, list[Row[*tuple[Any, ...]]]] = {}
    query = (
        select(revision.entry_id, revision.n, revision.at, revision.title)
        .where(revision.entry_id.in_(list(mentions)))
        .order_by(revision.entry_id, revision.n)
    )
    for row in connection.execute(query):
        kept.setdefault(row.entry_id, []).append(row)
    found = [
        Revision(mentions[entry].outlet, old.title, new, old.at, mentions[entry].lang)
        for entry, olds in kept.items()
        for old, new in zip(olds, [*(row.title for row in olds[1:]), mentions[entry].title], strict=True)
        if old.title != new
    ]
    return tuple(sorted(found, key=lambda one: one.until))


def _whys(connection: Connection, facts: StoryFacts) -> tuple[Why, ...]:
    """Per watch, the words as written: of the first entries, which is where a reader looks."""
    match, entry = tables.match.c, tables.entry.c
    counts: dict[str, int] = {}
    for mention in facts.mentions:
        for watch in sorted(mention.watches):
            counts[watch] = counts.get(watch, 0) + 1
    ids = [mention.entry for mention in facts.mentions[:EXPLAINED]]
    rows = connection.execute(
        select(match.watch, match.spans, entry.title, entry.summary, entry.content, entry.article)
        .join(tables.entry, entry.id == match.entry_id)
        .where(match.entry_id.in_(ids))
        .order_by(match.entry_id)
    )
    words: dict[str, dict[str, None]] = {}
    for row in rows:
        texts = {"title": row.title, "text": _text(row)}
        for field, start, end, *_ in row.spans:
            written = " ".join(texts.get(field, "")[start:end].split())
            if written:
                words.setdefault(row.watch, {}).setdefault(written)
    return tuple(Why(watch, count, tuple(words.get(watch, {}))[:_WORDS_SHOWN]) for watch, count in counts.items())


def _text(row: Row[*tuple[Any, ...]]) -> str:
    return "\n\n".join(part for part in (row.summary, row.article or row.content) if part)


def _labels(connection: Connection, key: StoryKey, rows: Sequence[Row[*tuple[Any, ...]]]) -> tuple[Label, ...]:
    label = tables.label.c
    subjects = [str(key), *(str(row.entry_id) for row in rows)]
    found = connection.execute(select(tables.label).order_by(label.at.desc()).limit(_LABELS_READ))
    wanted = frozenset(subjects)
    return tuple(Label(r.subject, r.verdict, r.who, r.note, r.at) for r in found if r.subject in wanted)


_LABELS_READ = 2000
"""Labels are few, made by hand; no index answers whom one is about."""
