"""The data mirrors the pages: filters, cursors, ETags, feeds; and what the list shows for which wish."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, insert, update

from monitor import status
from monitor.store import tables
from tests.monitor.web.site import HOSTILE, HTML, NOW, client, sources, story_of


@pytest.fixture
async def pages(site: Engine) -> AsyncIterator[httpx.AsyncClient]:
    async with client(sources(site, syndicated=True)) as asked:
        yield asked


WISHES = {
    "nothing": ("", 2),
    "a word of a title": ("q=orchard", 1),
    "a word of a text": ("q=harvest", 1),
    "the beginning of a word": ("q=orch", 1),
    "another script": ("q=Сербиа", 1),
    "two words of one entry": ("q=plum+topola", 1),
    "two words of two entries": ("q=plum+serbia", 0),
    "a word nobody wrote": ("q=zeppelin", 0),
    "the watch": ("watch=flights", 2),
    "a watch that is not there": ("watch=none", 0),
    "a language": ("language=en", 2),
    "a language nobody used": ("language=sq", 0),
    "a country with an outlet": ("country=US", 1),
    "a country without": ("country=RS", 0),
    "since a day": ("since=2025-06-06", 1),
    "until a day, which counts": ("until=2025-06-05", 1),
    "the last 24 hours": ("within=24h", 1),
    "an empty form": ("q=&watch=&language=&country=&within=&since=&until=", 2),
    "all at once": ("q=deported&watch=flights&language=en&country=US&since=2025-06-01", 1),
}


@pytest.mark.parametrize(("query", "number"), WISHES.values(), ids=WISHES)
async def test_page_and_data_show_the_stories_that_were_asked_for(
    pages: httpx.AsyncClient, query: str, number: int
) -> None:
    told = await pages.get(f"/api/v1/stories?{query}")
    assert (told.status_code, len(told.json()["stories"])) == (200, number)
    assert (await pages.get(f"/?{query}", headers=HTML)).text.count("<article>") == number


async def test_an_empty_list_says_what_to_do(pages: httpx.AsyncClient) -> None:
    assert "Show all stories" in (await pages.get("/?q=zeppelin", headers=HTML)).text


async def test_a_story_tells_all_that_its_page_does(pages: httpx.AsyncClient, site: Engine) -> None:
    told = (await pages.get(f"/api/v1/stories/{story_of(site, HOSTILE)}")).json()
    assert told["title"] == HOSTILE
    assert [entry["outlet"] for entry in told["entries"]] == ["wire.example"]
    assert [(row["government"], row["what"]) for row in told["asked_no_answer"]] == [("RS", "declined")]
    assert told["watches"][0]["watch"] == "flights"


async def test_feeds_have_the_colours_and_reasons_of_the_command_line(site: Engine) -> None:
    failed: dict[str, Any] = {"count": 3, "first_at": NOW.timestamp(), "reason": "timeout"}
    states = {
        "https://well.example/": {"last_ok_at": NOW},
        "https://failing.example/": {"fail_reason": "timeout", "first_fail_at": NOW, "schedule": {"fail": failed}},
        "https://paused.example/": {"state": "paused"},
        "https://bare.example/": {"last_ok_at": NOW},
    }
    with site.begin() as connection:
        for n, (url, state) in enumerate(states.items()):
            row = {"id": 90 + n, "url": url, "host": url, "next_at": NOW, "next_reason": "adaptive", "schedule": {}}
            connection.execute(insert(tables.feed).values({**row, "last_attempt_at": NOW, **state}))
        insecure = frozenset({"https://bare.example/"})
        lines = {one.url: (one.colour, one.reasons, one.fail_reason) for one in status.feeds(connection, NOW, insecure)}
    async with client(sources(site, insecure=insecure)) as pages:
        told = (await pages.get("/api/v1/feeds")).json()["feeds"]
        shown = (await pages.get("/feeds", headers=HTML)).text
    expected = {url: (colour, [r for r in why if r != fail]) for url, (colour, why, fail) in lines.items()}
    assert {one["url"]: (one["colour"], one["reasons"]) for one in told} == expected
    assert expected["https://bare.example/"] == ("amber", ["insecure_tls"])
    assert "insecure tls" in shown


async def test_what_one_has_already_is_not_sent_again(pages: httpx.AsyncClient) -> None:
    for path in ("/api/v1/stories", "/api/v1/feeds", "/", "/watch/flights/feed.atom"):
        first = await pages.get(path, headers=HTML)
        again = await pages.get(path, headers=HTML | {"If-None-Match": first.headers["etag"]})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def many(site: Engine, number: int) -> None:
    """Stories beside those of the replay, a minute apart."""
    with site.begin() as connection:
        rows = [
            {
                "key": f"st_many{n:06}",
                "first_at": NOW - timedelta(minutes=n),
                "last_at": NOW - timedelta(minutes=n // 2),
                "title": f"Number {n}",
                "size": 1,
                "state": "open",
                "algo": 1,
            }
            for n in range(number)
        ]
        connection.execute(insert(tables.story), rows)


async def test_the_cursor_leads_through_all_stories_once(pages: httpx.AsyncClient, site: Engine) -> None:
    many(site, 60)
    seen: list[str] = []
    after = ""
    while True:
        told: dict[str, Any] = (await pages.get(f"/api/v1/stories?after={after}")).json()
        seen += [story["key"] for story in told["stories"]]
        after = told["next"] or ""
        if not after:
            break
    assert len(seen) == len(set(seen)) == 62


async def test_a_rare_wish_looks_at_a_bounded_number_of_stories_and_goes_on(
    pages: httpx.AsyncClient, site: Engine
) -> None:
    many(site, 600)  # all of them newer than the one that fits
    first: dict[str, Any] = (await pages.get("/api/v1/stories?country=US")).json()
    assert (first["stories"], first["next"] is not None) == ([], True)
    second: dict[str, Any] = (await pages.get(f"/api/v1/stories?country=US&after={first['next']}")).json()
    assert [story["title"] for story in second["stories"]] == [HOSTILE]


async def test_feeds_of_a_watch_and_a_story_are_well_formed(pages: httpx.AsyncClient, site: Engine) -> None:
    for path in ("/watch/flights/feed", f"/story/{story_of(site, HOSTILE)}/feed"):
        atom = await pages.get(f"{path}.atom")
        assert atom.headers["content-type"].startswith("application/atom+xml")
        root = ET.fromstring(atom.content)
        assert root.findall("{http://www.w3.org/2005/Atom}entry")
        told = (await pages.get(f"{path}.json")).json()
        assert told["version"] == "https://jsonfeed.org/version/1.1"
        assert told["items"]


async def test_feeds_are_not_there_unless_they_are_wanted(site: Engine) -> None:
    async with client(sources(site)) as pages:
        assert (await pages.get("/watch/flights/feed.atom")).status_code == 404


async def test_outlets_governments_and_revisions_have_pages(pages: httpx.AsyncClient) -> None:
    for path, said in {
        "/outlet/wire.example": "Harbour &lt;Wire&gt;",
        "/governments": "Serbia",
        "/government/RS": "declined to comment",
        "/configuration": "No revision yet",
        "/deliveries": "Nothing is muted",
    }.items():
        answer = await pages.get(path, headers=HTML)
        assert (answer.status_code, said in answer.text) == (200, True), path


async def test_an_outlet_that_is_a_section_of_a_site_has_a_page(pages: httpx.AsyncClient, site: Engine) -> None:
    with site.begin() as connection:
        connection.execute(update(tables.mention).values(outlet="bbc.com/serbian"))
    shown = (await pages.get(f"/story/{story_of(site, HOSTILE)}", headers=HTML)).text
    assert 'href="/outlet/bbc.com%2Fserbian"' in shown
    for path in ("/outlet/bbc.com%2Fserbian", "/outlet/bbc.com/serbian", "/api/v1/outlets/bbc.com%2Fserbian"):
        assert (await pages.get(path, headers=HTML)).status_code == 200
