"""Evidence of a story from its page: the same signed files that `storywatch evidence` writes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from monitor import evidence
from monitor.web.sources import Sources

Form = Annotated[str, Path(pattern="^(html|json)$")]


def router(sources: Sources) -> APIRouter:
    """The route; none where nothing can be signed."""
    routes = APIRouter(include_in_schema=False)
    seed = sources.evidence_key
    if seed is None:
        return routes

    def export(key: str, form: Form) -> Response:
        """One signed file to keep."""
        with sources.reading() as connection:
            content = evidence.gather(connection, key, sources.outlets, sources.governments, sources.now())
        if content is None:
            raise HTTPException(404, f"There is no story {key[:40]}.")
        made, kind = (
            (evidence.as_html(content, seed), "text/html; charset=utf-8")
            if form == "html"
            else (evidence.as_json(content, seed), "application/json")
        )
        name = f'attachment; filename="{content["story"]["key"]}.{form}"'
        return Response(made, media_type=kind, headers={"Content-Disposition": name})

    routes.get("/story/{key}/evidence.{form}")(export)
    return routes
