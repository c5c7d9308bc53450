"""Outlets and governments as /api/v1 tells them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from monitor.views import government
from monitor.views.outlet import OutletPage


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
