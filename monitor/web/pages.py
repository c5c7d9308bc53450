"""The pages for people: each reads one view and fills one template. They run in threads and only read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy import Connection
from starlette.exceptions import HTTPException

from alerts.values import Coverage
from monitor import status
from monitor.store import claims, search
from monitor.values import Domain
from monitor.views import drawing, government, listing, outlet, revisions, story, told, watching
from monitor.web import asked, sessions
from monitor.web.asked import Filters
from monitor.web.rendering import Pages
from monitor.web.sources import Sources

TIMELINE = 80
_COVERED_FOR = timedelta(seconds=20)
_SPOTS = 20
"""Feeds that do not answer, by name; the rest is a number."""
_LANGUAGES = "ar bg bs de el en es fr hr hu it mk nl pl pt ro ru sl sq sr tr uk"
"""What the list offers; an address may ask for any."""
State = Annotated[str | None, Query(pattern="^(ready|sending|sent|held|dead|superseded|discarded)$"), asked.Blank]
Before = Annotated[str | None, Query(pattern="^[0-9]{1,17}$"), asked.Blank]
Delivery = Annotated[str | None, Query(pattern="^[A-Za-z0-9_]{1,40}$"), asked.Blank]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the timeline with the day it stands under."""

    line: story.Line
    day: str


def router(sources: Sources, pages: Pages, desk: sessions.Desk) -> APIRouter:
    """The routes of the pages."""
    shown = _Shown(sources, pages, desk)
    routes = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    routes.get("/")(shown.stories)
    routes.get("/story/{key}")(shown.story)
    routes.get("/outlet/{domain:path}")(shown.outlet)
    routes.get("/governments")(shown.governments)
    routes.get("/government/{code}")(shown.government)
    routes.get("/feeds")(shown.feeds)
    routes.get("/deliveries")(shown.deliveries)
    routes.get("/configuration")(shown.configuration)
    return routes


class _Shown:
    """The handlers."""

    def __init__(self, sources: Sources, pages: Pages, desk: sessions.Desk) -> None:
        self._sources = sources
        self._pages = pages
        self._desk = desk
        countries = {row.country for row in sources.outlets.hosts.values() if row.country}
        self._covered: tuple[datetime, Coverage] | None = None
        self._countries = sorted(countries, key=sources.government_name)

    def stories(self, request: Request, wish: Annotated[Filters, Depends(asked.filters)]) -> Response:
        """The stories, newest first."""
        wanted, after = asked.wanted(wish, self._sources), asked.cursor_of(wish.after)
        with self._sources.reading() as connection:
            listed = listing.page(connection, wanted, after)
            coverage = self._coverage(connection)
            ready = search.is_ready(connection)
        values = {
            "listed": listed,
            "coverage": coverage,
            "search_ready": ready,
            "asked": wish,
            "further": asked.cursor_text(listed.further),
            "watches": self._sources.watches,
            "languages": _LANGUAGES.split(),
            "countries": self._countries,
            "syndicated": self._sources.syndicated,
        }
        return self._page(request, "stories.html", "/", values)

    def _coverage(self, connection: Connection) -> Coverage:
        """How many feeds answer, remembered for a while: it changes slowly, and every list shows it."""
        now = self._sources.now()
        known = self._covered
        if known is None or not timedelta() <= now - known[0] < _COVERED_FOR:
            known = self._covered = (now, status.coverage(connection, now))
        return known[1]

    def story(
        self, request: Request, key: str, start: Annotated[int, Query(alias="from", ge=0, le=1_000_000)] = 0
    ) -> Response:
        """One story."""
        with self._sources.reading() as connection:
            page = story.read(connection, key, self._sources.outlets)
            if page is None:
                raise HTTPException(
                    404, f"There is no story {key[:40]}. It may never have been, or its key is misspelt."
                )
            names = (page.key, *sorted(page.facts.aliases))
            messages = told.of_story(connection, names)
            silences = told.muting(connection, names, self._sources.now())
        lines = page.lines[start : start + TIMELINE]
        session = self._desk.session(request)
        values = {
            "story": page,
            "now": self._sources.now(),
            "drawing": drawing.draw(page, self._sources.outlets),
            "lines": [Entry(line, f"{line.seen_at:%Y-%m-%d}") for line in lines],
            "first": start,
            "before": max(0, start - TIMELINE) if start else None,
            "after": start + TIMELINE if start + TIMELINE < len(page.lines) else None,
            "told": messages,
            "muting": silences,
            "mark": self._desk.mark(session) if session else None,
            "can_correct": self._sources.corrections is not None,
            "has_evidence": self._sources.evidence_key is not None,
            "syndicated": self._sources.syndicated,
        }
        return self._page(request, "story.html", "/", values)

    def outlet(self, request: Request, domain: asked.DomainName, before: Before = None) -> Response:
        """One outlet."""
        with self._sources.reading() as connection:
            page = outlet.read(connection, Domain(domain), asked.instant_of(before))
        if page is None:
            raise HTTPException(404, f"No story has an entry of {domain[:100]}, and none names it.")
        listed = self._sources.outlets.by_domain(Domain(domain))
        return self._page(request, "outlet.html", "/", {"page": page, "listed": listed})

    def governments(self, request: Request) -> Response:
        """All governments that are in stories."""
        with self._sources.reading() as connection:
            totals = government.totals(connection)
        return self._page(request, "governments.html", "/governments", {"totals": totals})

    def government(self, request: Request, code: asked.Country2, before: Before = None) -> Response:
        """One government."""
        with self._sources.reading() as connection:
            page = government.read(connection, code, asked.instant_of(before))
        if page is None:
            name = self._sources.government_name(code)
            raise HTTPException(404, f"In no story has {name} answered or been asked.")
        return self._page(request, "government.html", "/governments", {"page": page})

    def feeds(self, request: Request, q: asked.Address = None) -> Response:
        """Feeds with their health, the worst first, and what cannot be seen."""
        watches = {watch.name: watch.feeds for watch in self._sources.watches}
        with self._sources.reading() as connection:
            seen = watching.read(connection, self._sources.now(), watches, self._sources.insecure, part=q)
            due = claims.due_count(connection, self._sources.now())
        return self._page(request, "feeds.html", "/feeds", {"seen": seen, "due": due, "q": q, "spots": _SPOTS})

    def deliveries(self, request: Request, state: State = None, after: Delivery = None) -> Response:
        """What was sent to whom, and what is muted."""
        now = self._sources.now()
        with self._sources.reading() as connection:
            page = told.deliveries(connection, state, after)
            counts = told.counts(connection)
            silences = told.silences(connection, now)
        session = self._desk.session(request)
        values = {
            "page": page,
            "counts": counts,
            "silences": silences,
            "state": state,
            "now": now,
            "mark": self._desk.mark(session) if session else None,
        }
        return self._page(request, "deliveries.html", "/deliveries", values)

    def configuration(
        self, request: Request, revision: Annotated[int | None, Query(ge=1, le=10**9), asked.Blank] = None
    ) -> Response:
        """The states of the configuration, without secrets."""
        with self._sources.reading() as connection:
            rows = revisions.listed(connection)
            chosen = revision or next((row.no for row in rows if row.outcome == "accepted"), None)
            text = revisions.text_of(connection, chosen) if chosen is not None else None
        if revision is not None and text is None:
            raise HTTPException(404, f"There is no revision {revision} of the configuration.")
        values = {"rows": rows, "chosen": chosen, "text": text}
        return self._page(request, "configuration.html", "/configuration", values)

    def _page(self, request: Request, template: str, here: str, values: dict[str, Any]) -> Response:
        session = self._desk.session(request)
        body = self._pages.make(template, {"here": here, "session": session, "feed": self._desk.feed, **values})
        return revalidated(request, HTMLResponse(body))


def revalidated(request: Request, answer: Response) -> Response:
    """Name an answer by its bytes; who has it already is told so in a line."""
    tag = f'"{hashlib.sha256(answer.body).hexdigest()[:24]}"'
    known = [name.strip().removeprefix("W/") for name in request.headers.get("if-none-match", "").split(",")]
    kept = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in known or "*" in known:
        return Response(status_code=304, headers=kept)
    answer.headers.update(kept)
    return answer
