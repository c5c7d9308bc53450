"""/api/v1: what the pages show, for programs; described at /api/v1/openapi.json. It only reads."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from pydantic import BaseModel, TypeAdapter
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

import monitor
from monitor.values import Domain
from monitor.views import drawing, government, listing, outlet, revisions, story, told, watching
from monitor.web import asked, pages, problems
from monitor.web.asked import Filters
from monitor.web.models import actors, operation, stories
from monitor.web.sources import Sources

PREFIX = "/api/v1"
Answers = dict[int | str, dict[str, Any]]


def _problem(said: str) -> dict[str, Any]:
    return {
        "description": said,
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


_EVERYWHERE: Answers = {
    304: {"description": "You have it already: If-None-Match names what you would get."},
    401: _problem("A login is wanted: name and password of web.login."),
    421: _problem("The name in the Host header is not ours."),
    422: _problem("A part of the address cannot be read."),
    429: _problem("Too many requests."),
}
_MISSING: Answers = {404: _problem("There is no such thing.")}


def router(sources: Sources) -> APIRouter:
    """The routes of the data."""
    data = _Data(sources)
    routes = APIRouter(prefix=PREFIX, responses=_EVERYWHERE)

    def get(path: str, handler: Any, shape: Any, *, may_miss: bool = False) -> None:
        summary = (handler.__doc__ or "").strip().rstrip(".")
        extra: Answers = _MISSING if may_miss else {}
        routes.get(path, response_model=shape, summary=summary, description="", responses=extra)(handler)

    get("/stories", data.stories, stories.Stories)
    get("/stories/{key}", data.story, stories.Story, may_miss=True)
    get("/outlets/{domain:path}", data.outlet, actors.Outlet, may_miss=True)
    get("/governments", data.governments, list[actors.Total])
    get("/governments/{code}", data.government, actors.Government, may_miss=True)
    get("/feeds", data.feeds, operation.Feeds)
    get("/deliveries", data.deliveries, operation.Deliveries)
    get("/silences", data.silences, list[operation.SilenceMade])
    get("/configuration", data.configuration, list[operation.Revision])
    routes.add_api_route("/openapi.json", _described(routes.routes), include_in_schema=False)
    return routes


def _described(routes: list[BaseRoute]) -> Any:
    document = get_openapi(title="storywatch", version=monitor.__version__, routes=list(routes))
    schemas = document["components"]["schemas"]
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Problem"] = problems.Problem.model_json_schema()

    async def openapi() -> JSONResponse:
        """The description of the data."""
        return JSONResponse(document)

    return openapi


class _Data:
    """The handlers. They run in threads and only read."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def stories(self, request: Request, wish: Annotated[Filters, Depends(asked.filters)]) -> Response:
        """Stories, newest first, filtered as on the page."""
        wanted, after = asked.wanted(wish, self._sources), asked.cursor_of(wish.after)
        with self._sources.reading() as connection:
            listed = listing.page(connection, wanted, after)
        lines = [stories.StoryLine.of(card) for card in listed.cards]
        return _told(request, stories.Stories(stories=lines, next=asked.cursor_text(listed.further)))

    def story(self, request: Request, key: asked.Key) -> Response:
        """One story with everything its page shows."""
        with self._sources.reading() as connection:
            page = story.read(connection, key, self._sources.outlets)
        if page is None:
            raise HTTPException(404, f"There is no story {key}.")
        return _told(request, stories.Story.of(page, drawing.draw(page, self._sources.outlets)))

    def outlet(self, request: Request, domain: asked.DomainName, before: pages.Before = None) -> Response:
        """What one outlet carried, and who cites it."""
        with self._sources.reading() as connection:
            page = outlet.read(connection, Domain(domain), asked.instant_of(before))
        if page is None:
            raise HTTPException(404, f"No story has an entry of {domain[:100]}, and none names it.")
        further = asked.micros_of(page.further)
        return _told(request, actors.Outlet.of(page, self._sources.outlet_name(domain), further))

    def governments(self, request: Request) -> Response:
        """All governments that are in stories."""
        with self._sources.reading() as connection:
            totals = government.totals(connection)
        name = self._sources.government_name
        return _told_all(
            request,
            [
                actors.Total(
                    government=one.government,
                    name=name(one.government),
                    answers=one.answers,
                    silences=one.silences,
                    last_at=one.last_at,
                )
                for one in totals
            ],
        )

    def government(self, request: Request, code: asked.Country2, before: pages.Before = None) -> Response:
        """What one government said, and where it was asked in vain."""
        with self._sources.reading() as connection:
            page = government.read(connection, code, asked.instant_of(before))
        if page is None:
            raise HTTPException(404, f"{code} is in no story.")
        made = actors.Government(
            government=code,
            name=self._sources.government_name(code),
            answers=[actors.Said.of(said) for said in page.answers],
            asked_no_answer=[actors.Said.of(said) for said in page.silences],
            next=asked.micros_of(page.further),
        )
        return _told(request, made)

    def feeds(self, request: Request, q: asked.Address = None, limit: asked.AtMost = 1000) -> Response:
        """Feeds with their health, the worst first, and how well each watch sees."""
        watches = {watch.name: watch.feeds for watch in self._sources.watches}
        with self._sources.reading() as connection:
            seen = watching.read(connection, self._sources.now(), watches, self._sources.insecure, part=q, most=limit)
        return _told(request, operation.Feeds.of(seen))

    def deliveries(self, request: Request, state: pages.State = None, after: pages.Delivery = None) -> Response:
        """What was sent to whom, newest first."""
        with self._sources.reading() as connection:
            page = told.deliveries(connection, state, after)
        made = [operation.Delivery.of(one) for one in page.deliveries]
        return _told(request, operation.Deliveries(deliveries=made, next=page.further))

    def silences(self, request: Request) -> Response:
        """What is muted, until when, and how much it muted."""
        with self._sources.reading() as connection:
            rows = told.silences(connection, self._sources.now())
        return _told_all(request, [operation.SilenceMade.of(silence, muted) for silence, muted in rows])

    def configuration(self, request: Request) -> Response:
        """The states of the configuration, newest first, without their text."""
        with self._sources.reading() as connection:
            rows = revisions.listed(connection)
        return _told_all(request, [operation.Revision.of(row) for row in rows])


def _told(request: Request, made: BaseModel) -> Response:
    return pages.revalidated(request, Response(made.model_dump_json(), media_type="application/json"))


_MANY: TypeAdapter[list[Any]] = TypeAdapter(list[Any])


def _told_all(request: Request, made: list[Any]) -> Response:
    return pages.revalidated(request, Response(_MANY.dump_json(made), media_type="application/json"))
