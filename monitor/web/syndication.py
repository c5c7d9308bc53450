"""Atom and JSON feeds: the stories of a watch, the news of a story. Only where `web.feeds` is on.

Where a login is wanted, the address carries a key that nobody can guess. Source: RFC 4287, JSON Feed 1.1.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from monitor.views import listing, story
from monitor.views.safe import link_of
from monitor.views.story import Answer, Line
from monitor.web import pages
from monitor.web.rendering import STANCES, Pages
from monitor.web.sources import Sources

_ITEMS = 50
Form = Annotated[str, Path(pattern="^(atom|json)$")]


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a feed."""

    id: str
    url: str
    title: str
    text: str
    language: str | None
    at: datetime
    author: str


def router(sources: Sources, made: Pages) -> APIRouter:
    """The routes of the feeds; none where they are off."""
    routes = APIRouter(include_in_schema=False)
    if sources.syndicated:
        feeds = _Feeds(sources, made)
        routes.get("/watch/{name}/feed.{form}")(feeds.watch)
        routes.get("/story/{key}/feed.{form}")(feeds.story)
    return routes


class _Feeds:
    def __init__(self, sources: Sources, made: Pages) -> None:
        self._sources = sources
        self._made = made

    def watch(self, request: Request, name: str, form: Form) -> Response:
        """The newest stories of a watch."""
        watch = next((watch for watch in self._sources.watches if watch.name == name), None)
        if watch is None:
            raise HTTPException(404, f"There is no watch {name[:40]}.")
        with self._sources.reading() as connection:
            listed = listing.page(connection, listing.Wanted(watch=name), limit=_ITEMS)
        base = self._base(request)
        items = [
            Item(
                f"{base}/story/{card.key}",
                f"{base}/story/{card.key}",
                card.title,
                card.lead,
                card.language,
                card.last_at,
                self._sources.outlet_name(card.outlet) if card.outlet else "unknown outlet",
            )
            for card in listed.cards
        ]
        return self._feed(request, form, watch.title or watch.name, f"{base}/?watch={name}", items)

    def story(self, request: Request, key: str, form: Form) -> Response:
        """What joined a story and who answered in it, newest first."""
        with self._sources.reading() as connection:
            page = story.read(connection, key, self._sources.outlets)
        if page is None:
            raise HTTPException(404, f"There is no story {key[:40]}.")
        base = f"{self._base(request)}/story/{page.key}"
        items = [*(self._entry(base, line) for line in page.lines), *(self._answer(base, one) for one in page.answers)]
        newest = sorted(items, key=lambda item: (item.at, item.id), reverse=True)[:_ITEMS]
        return self._feed(request, form, page.title, base, newest)

    def _entry(self, base: str, line: Line) -> Item:
        name = self._sources.outlet_name(line.outlet) if line.outlet else "unknown outlet"
        text = f"{name}: {line.part}" + (f", from {', '.join(line.sources)}" if line.sources else "")
        return Item(
            f"{base}#entry-{line.entry}", link_of(line.url) or base, line.title, text, line.language, line.seen_at, name
        )

    def _answer(self, base: str, one: Answer) -> Item:
        fact = one.fact
        name = self._sources.outlet_name(fact.outlet) if fact.outlet else "unknown outlet"
        title = f"{self._sources.government_name(fact.government)} {STANCES[fact.stance]}"
        return Item(
            f"{base}#answer-{fact.entry}-{fact.government}-{fact.stance}",
            link_of(one.url) or base,
            title,
            f"{fact.office or fact.body}: {fact.quote}",
            one.language,
            fact.said_at,
            name,
        )

    def _base(self, request: Request) -> str:
        return self._sources.public_url or f"{request.url.scheme}://{request.headers['host']}"

    def _feed(self, request: Request, form: str, title: str, home: str, items: Sequence[Item]) -> Response:
        at = max((item.at for item in items), default=datetime.fromisoformat("1970-01-01T00:00:00+00:00"))
        here = f"{self._base(request)}{request.url.path}"
        if form == "json":
            body: str = json.dumps(_json(title, home, here, items), ensure_ascii=False)
            return pages.revalidated(request, Response(body, media_type="application/feed+json"))
        values = {"title": title, "home": home, "here": here, "items": items, "updated": at}
        return pages.revalidated(
            request, Response(self._made.make("feed.xml", values), media_type="application/atom+xml")
        )


def _json(title: str, home: str, here: str, items: Sequence[Item]) -> dict[str, Any]:
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title,
        "home_page_url": home,
        "feed_url": here,
        "items": [
            {
                "id": item.id,
                "url": item.url,
                "title": item.title,
                "content_text": item.text,
                "language": item.language or "und",
                "date_published": item.at.isoformat().replace("+00:00", "Z"),
                "authors": [{"name": item.author}],
            }
            for item in items
        ],
    }
