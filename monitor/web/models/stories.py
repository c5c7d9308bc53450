"""Stories as /api/v1 tells them: in the list, and one with everything its page shows."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from monitor.values import StanceFact
from monitor.views import drawing, listing, story


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
