"""The shapes of /api/v1: what programs may rely on. Fields are only added; times are UTC, names as on the pages."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from alerts.values import Silence as Muted
from monitor.values import StanceFact
from monitor.views import drawing, government, listing, revisions, story, told, watching
from monitor.views.outlet import OutletPage


class Stood(BaseModel):
    """A government and what it did."""

    government: str
    stance: str


class StoryLine(BaseModel):
    """A story in the list. `outlets` counts publishers with a piece of their own."""

    key: str
    title: str
    language: str | None
    lead: str
    outlet: str | None
    first_at: datetime
    last_at: datetime
    entries: int
    outlets: int
    copies: int
    languages: list[str]
    answers: list[Stood]
    unanswered: list[str]
    url: str

    @classmethod
    def of(cls, card: listing.Card) -> StoryLine:
        """Shape a card."""
        return cls(
            key=card.key,
            title=card.title,
            language=card.language,
            lead=card.lead,
            outlet=card.outlet,
            first_at=card.first_at,
            last_at=card.last_at,
            entries=card.size,
            outlets=card.outlets,
            copies=card.copies,
            languages=list(card.languages),
            answers=[Stood(government=one.government, stance=one.stance) for one in card.answers],
            unanswered=list(card.unanswered),
            url=f"/api/v1/stories/{card.key}",
        )


class Stories(BaseModel):
    """One page of the list. `next` is given as `after` to go on; null on the last page."""

    stories: list[StoryLine]
    next: str | None


class Entry(BaseModel):
    """An entry of a story. `part`: own, relay, unknown, copy; `sources` are named in it; `title_only`: without text."""

    id: int
    outlet: str | None
    title: str
    url: str | None
    language: str | None
    seen_at: datetime
    published_at: datetime | None
    role: str
    part: str
    sources: list[str]
    copy_of: str | None
    title_only: bool

    @classmethod
    def of(cls, line: story.Line) -> Entry:
        """Shape a line of the timeline."""
        return cls(
            id=line.entry,
            outlet=line.outlet,
            title=line.title,
            url=line.url,
            language=line.language,
            seen_at=line.seen_at,
            published_at=line.published_at,
            role=line.role,
            part=line.part,
            sources=list(line.sources),
            copy_of=line.copied,
            title_only=line.title_only,
        )


class Member(BaseModel):
    """An outlet of a story. `confirms`: an independent confirmation."""

    outlet: str
    part: str
    since: datetime
    entries: int
    sources: list[str]
    confirms: bool


class Link(BaseModel):
    """`to` has it from `source`, or copies it."""

    source: str
    to: str
    copied: bool


class Answer(BaseModel):
    """A body's stance with the sentence that says it."""

    government: str
    body: str
    office: str
    stance: str
    quote: str
    language: str | None
    outlet: str | None
    url: str | None
    said_at: datetime
    first_hand: bool

    @classmethod
    def of(cls, fact: StanceFact, url: str | None, language: str | None) -> Answer:
        """Shape an answer."""
        return cls(
            government=fact.government,
            body=fact.body,
            office=fact.office,
            stance=fact.stance,
            quote=fact.quote,
            language=language,
            outlet=fact.outlet,
            url=url,
            said_at=fact.said_at,
            first_hand=fact.first_hand,
        )


class Silence(BaseModel):
    """A question that was not answered; `answered_at` when it was in the end."""

    government: str
    body: str
    what: str
    asker: str | None
    since: datetime
    told_by: list[str]
    partial: bool
    answered_at: datetime | None

    @classmethod
    def of(cls, one: story.Silence) -> Silence:
        """Shape a row of the ledger."""
        row = one.row
        return cls(
            government=row.government,
            body=row.office or row.voice,
            what=row.form,
            asker=(row.asker.domain or row.asker.name) if row.asker else None,
            since=row.first_seen,
            told_by=list(one.outlets),
            partial=row.partial,
            answered_at=row.answered_at,
        )


class Headline(BaseModel):
    """A headline that changed."""

    outlet: str | None
    was: str
    became: str
    at: datetime


class Why(BaseModel):
    """Which words of how many entries satisfied a watch."""

    watch: str
    entries: int
    words: list[str]


class Story(BaseModel):
    """A story with everything its page shows."""

    key: str
    title: str
    language: str | None
    lead: str
    first_at: datetime
    last_at: datetime
    origins: int
    outlets: list[Member]
    provenance: list[Link]
    answers: list[Answer]
    asked_no_answer: list[Silence]
    entries: list[Entry]
    headlines: list[Headline]
    watches: list[Why]

    @classmethod
    def of(cls, page: story.StoryPage, drawn: drawing.Drawing) -> Story:
        """Shape a story's page."""
        return cls(
            key=page.key,
            title=page.title,
            language=page.language,
            lead=page.lead,
            first_at=page.first_at,
            last_at=page.last_at,
            origins=page.origins,
            outlets=[
                Member(
                    outlet=one.outlet,
                    part=one.part,
                    since=one.since,
                    entries=one.entries,
                    sources=list(one.sources),
                    confirms=one.independent,
                )
                for one in page.members
            ],
            provenance=[Link(source=one.source, to=one.to, copied=one.copied) for one in drawn.links],
            answers=[Answer.of(one.fact, one.url, one.language) for one in page.answers],
            asked_no_answer=[Silence.of(one) for one in page.silences],
            entries=[Entry.of(line) for line in page.lines],
            headlines=[
                Headline(outlet=one.outlet, was=one.was, became=one.became, at=one.until) for one in page.revisions
            ],
            watches=[Why(watch=why.watch, entries=why.entries, words=list(why.words)) for why in page.whys],
        )


class Carried(BaseModel):
    """An entry of an outlet."""

    id: int
    story: str
    title: str
    url: str | None
    language: str | None
    seen_at: datetime
    role: str


class Cited(BaseModel):
    """Who names an outlet, how often, and when last."""

    outlet: str
    times: int
    last_at: datetime


class Outlet(BaseModel):
    """What an outlet carried, newest first. `next` is given as `before` to go on."""

    outlet: str
    name: str
    total: int
    first_at: datetime | None
    entries: list[Carried]
    cited_by: list[Cited]
    next: str | None

    @classmethod
    def of(cls, page: OutletPage, name: str, further: str | None) -> Outlet:
        """Shape an outlet's page."""
        return cls(
            outlet=page.outlet,
            name=name,
            total=page.total,
            first_at=page.first_at,
            entries=[
                Carried(
                    id=one.entry,
                    story=one.story,
                    title=one.title,
                    url=one.url,
                    language=one.language,
                    seen_at=one.seen_at,
                    role=one.role,
                )
                for one in page.entries
            ],
            cited_by=[Cited(outlet=one.outlet, times=one.times, last_at=one.last_at) for one in page.cited_by],
            next=further,
        )


class Total(BaseModel):
    """How often a government answered or not, lately."""

    government: str
    name: str
    answers: int
    silences: int
    last_at: datetime


class Said(BaseModel):
    """A statement or an unanswered question, the first time in its story."""

    story: str
    body: str
    office: str
    stance: str
    quote: str
    language: str | None
    asker: str | None
    outlet: str | None
    url: str | None
    said_at: datetime
    entries: int

    @classmethod
    def of(cls, said: government.Said) -> Said:
        """Shape a statement."""
        return cls(
            story=said.story,
            body=said.body,
            office=said.office,
            stance=said.stance,
            quote=said.quote,
            language=said.language,
            asker=said.asker,
            outlet=said.outlet,
            url=said.url,
            said_at=said.said_at,
            entries=said.times,
        )


class Government(BaseModel):
    """What a government said, and where it was asked in vain; newest first. `next` is given as `before` to go on."""

    government: str
    name: str
    answers: list[Said]
    asked_no_answer: list[Said]
    next: str | None


class Feed(BaseModel):
    """A feed and its health."""

    url: str
    state: str
    colour: str
    last_ok: datetime | None
    last_new: datetime | None
    next_at: datetime
    next_reason: str
    delay_s: float | None
    fail_reason: str | None
    fail_message: str | None

    @classmethod
    def of(cls, one: watching.FeedSeen) -> Feed:
        """Shape a feed."""
        return cls(
            url=one.url,
            state=one.state,
            colour=one.colour,
            last_ok=one.last_ok,
            last_new=one.last_new,
            next_at=one.next_at,
            next_reason=one.next_reason,
            delay_s=one.delay.total_seconds() if one.delay else None,
            fail_reason=one.fail_reason,
            fail_message=one.fail_message,
        )


class WatchSeen(BaseModel):
    """How many of a watch's feeds answer."""

    watch: str
    healthy: int
    feeds: int
    low_since: datetime | None


class Feeds(BaseModel):
    """All feeds, worst first, and how well we see."""

    healthy: int
    polled: int
    worst_delay_s: float | None
    watches: list[WatchSeen]
    feeds: list[Feed]

    @classmethod
    def of(cls, seen: watching.Seen) -> Feeds:
        """Shape the page of feeds."""
        slowest = seen.coverage.slowest
        return cls(
            healthy=seen.coverage.healthy,
            polled=seen.coverage.feeds,
            worst_delay_s=slowest.total_seconds() if slowest else None,
            watches=[
                WatchSeen(watch=one.watch, healthy=one.healthy, feeds=one.feeds, low_since=one.low_since)
                for one in seen.watches
            ],
            feeds=[Feed.of(one) for one in seen.feeds],
        )


class Delivery(BaseModel):
    """A message: to whom, about which story, and how it went."""

    delivery_id: str
    kind: str
    channel: str
    recipient: str
    story: str
    subject: str
    state: str
    created_at: datetime
    sent_at: datetime | None
    events: int
    body_sha256: str

    @classmethod
    def of(cls, one: told.Sent) -> Delivery:
        """Shape a delivery."""
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class Deliveries(BaseModel):
    """One page of messages, newest first. `next` is given as `after` to go on."""

    deliveries: list[Delivery]
    next: str | None


class SilenceMade(BaseModel):
    """A silence: what it mutes, until when, and how much it muted."""

    id: str
    mutes: dict[str, list[str]]
    starts: datetime
    until: datetime
    comment: str
    author: str
    muted: int

    @classmethod
    def of(cls, one: Muted, muted: int) -> SilenceMade:
        """Shape a silence."""
        return cls(
            id=one.silence_id,
            mutes={name: list(values) for name, values in one.matchers.conditions},
            starts=one.starts,
            until=one.until,
            comment=one.comment,
            author=one.author,
            muted=muted,
        )


class Revision(BaseModel):
    """A state of the configuration."""

    no: int
    sha256: str
    who: str
    at: datetime
    outcome: str
    problems: list[str]

    @classmethod
    def of(cls, one: revisions.Revision) -> Revision:
        """Shape a revision."""
        return cls(
            no=one.no, sha256=one.sha256, who=one.who, at=one.at, outcome=one.outcome, problems=list(one.problems)
        )
