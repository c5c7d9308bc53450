"""The pages, asked in process: what they show, how they escape, what they refuse."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, update

from monitor.store import engine as engines
from monitor.store import feeds, tables
from tests.monitor.web.site import HOSTILE, HTML, NOW, ROWS, client, sources, story_of


@pytest.fixture
async def pages(site: Engine) -> AsyncIterator[httpx.AsyncClient]:
    async with client(sources(site)) as asked:
        yield asked


async def test_the_list_shows_stories_newest_first_and_escapes_their_titles(pages: httpx.AsyncClient) -> None:
    shown = (await pages.get("/", headers=HTML)).text
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert shown.index("Orchard prizes") < shown.index("&lt;script&gt;")


async def test_a_story_without_a_title_can_still_be_opened(pages: httpx.AsyncClient, site: Engine) -> None:
    with site.begin() as connection:
        connection.execute(update(tables.story).values(title=""))
        connection.execute(update(tables.mention).values(title=""))
        keys = connection.execute(tables.story.select()).all()
    shown = (await pages.get("/", headers=HTML)).text
    for row in keys:
        assert f'href="/story/{row.key}"' in shown


async def test_a_story_page_tells_outlets_and_silences_with_everything_escaped(
    pages: httpx.AsyncClient, site: Engine
) -> None:
    answer = await pages.get(f"/story/{story_of(site, HOSTILE)}", headers=HTML)
    assert answer.status_code == 200
    assert "<script>" not in answer.text
    assert "Harbour &lt;Wire&gt;" in answer.text
    assert 'href="https://wire.example/1?a=1&amp;b=%22"' in answer.text
    assert "Asked, no answer" in answer.text
    assert "No government has answered, though some were asked." in answer.text


async def test_a_question_that_nobody_reports_any_more_is_folded_away(site: Engine) -> None:
    key = story_of(site, HOSTILE)
    for days, older in ((1, False), (20, True)):
        async with client(sources(site, now=lambda days=days: NOW + timedelta(days=days))) as later:
            shown = (await later.get(f"/story/{key}", headers=HTML)).text
        assert "Asked, no answer" in shown
        assert ("Older: not reported again" in shown) is older


async def test_an_address_that_is_no_web_address_becomes_no_link(pages: httpx.AsyncClient, site: Engine) -> None:
    answer = await pages.get(f"/story/{story_of(site, ROWS[1]['title'])}", headers=HTML)
    assert "javascript:" not in answer.text
    assert "Orchard prizes" in answer.text


async def test_the_feeds_page_names_each_feed_and_its_fault(pages: httpx.AsyncClient, site: Engine) -> None:
    with site.begin() as connection:
        connection.execute(update(tables.feed).values(fail_reason="not_found", fail_message="<i>404</i>"))
    shown = (await pages.get("/feeds", headers=HTML)).text
    assert "not found: &lt;i&gt;404&lt;/i&gt;" in shown
    assert "Feeds being read" in shown


async def test_of_very_many_feeds_those_in_trouble_are_listed_and_the_others_found_by_their_address(
    pages: httpx.AsyncClient, site: Engine
) -> None:
    with site.begin() as connection:
        before = feeds.count(connection)
        feeds.sync(
            connection, [feeds.Seed(f"https://f{n:03}.example/rss", f"f{n:03}.example") for n in range(600)], NOW
        )
        last = update(tables.feed).where(tables.feed.c.url == "https://f599.example/rss")
        connection.execute(last.values(state="gone", last_attempt_at=NOW, schedule={"gone": True}))
    shown = (await pages.get("/feeds", headers=HTML)).text
    assert f"The first 500 of {before + 600} feeds" in shown
    assert "f599.example" in shown
    assert "f598.example" not in shown
    found = (await pages.get("/feeds", params={"q": "F598.EX"}, headers=HTML)).text
    assert "f598.example" in found
    assert "f597.example" not in found
    nothing = (await pages.get("/feeds", params={"q": "100%_<b>"}, headers=HTML)).text
    assert "has this in its address" in nothing
    assert "<b>" not in nothing
    told = (await pages.get("/api/v1/feeds", params={"limit": 2})).json()
    assert (told["total"], len(told["feeds"])) == (before + 600, 2)
    assert told["feeds"][0]["url"] == "https://f599.example/rss"


@pytest.mark.parametrize("path", ["/story/st_nothing00", "/nowhere", "/story/%3Cscript%3E"])
async def test_what_is_not_there_is_a_page_for_people_and_json_for_programs(
    pages: httpx.AsyncClient, path: str
) -> None:
    page = await pages.get(path, headers=HTML)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "See all stories" in page.text
    assert "<script>" not in page.text
    data = await pages.get(path, headers={"Accept": "application/json"})
    assert (data.status_code, data.headers["content-type"]) == (404, "application/problem+json")
    assert data.json()["status"] == 404


ANY = ("/", "/feeds", "/governments", "/deliveries", "/configuration", "/session", "/story/none", "/nowhere")


@pytest.mark.parametrize(
    "path", [*ANY, "/live", "/health", "/static/style.css", "/api/v1/stories", "/api/v1/openapi.json"]
)
async def test_every_answer_carries_the_security_headers(pages: httpx.AsyncClient, path: str) -> None:
    headers = (await pages.get(path, headers=HTML)).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self' 'sha256-")
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ANY)
async def test_a_page_asks_no_third_party_runs_no_inline_script_and_waits_for_nothing(
    pages: httpx.AsyncClient, path: str
) -> None:
    shown = (await pages.get(path, headers=HTML)).text
    assert all(found.startswith("/static/") for found in re.findall(r'src="([^"]*)"', shown))
    assert all("defer" in tag for tag in re.findall(r"<script[^>]*>", shown))
    assert "<script>" not in shown
    assert 'rel="stylesheet"' not in shown
    assert not re.findall(r"\s(?:style|on[a-z]+)=", shown)


async def test_the_style_in_the_page_is_the_one_the_policy_allows(pages: httpx.AsyncClient) -> None:
    answer = await pages.get("/", headers=HTML)
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in answer.headers["content-security-policy"]


HOSTS = {
    "localhost with a port": ("localhost:8080", 200),
    "the address": ("127.0.0.1", 200),
    "IPv6 with a port": ("[::1]:8080", 200),
    "IPv6 without one": ("[::1]", 200),
    "another case": ("LocalHost", 200),
    "a foreign name": ("evil.example", 421),
    "a name that only begins like ours": ("localhost.evil.example", 421),
    "none": ("", 421),
}


@pytest.mark.parametrize(("host", "code"), HOSTS.values(), ids=HOSTS)
async def test_only_our_own_names_are_answered(pages: httpx.AsyncClient, host: str, code: int) -> None:
    answer = await pages.get("/live", headers={"Host": host})
    assert answer.status_code == code
    assert "content-security-policy" in answer.headers


async def test_machines_learn_how_it_is(pages: httpx.AsyncClient) -> None:
    assert (await pages.get("/live")).json() == {"state": "live"}
    ready = await pages.get("/ready")
    assert (ready.status_code, ready.json()) == (200, {"state": "ready", "reason": None})
    health = (await pages.get("/health")).json()
    assert {"version", "message", "state", "feeds", "entries", "stories"} <= set(health)
    assert (health["entries"], health["stories"]) == (2, 2)
    metrics = (await pages.get("/metrics")).text
    assert "storywatch_polls_total" in metrics
    assert "example" not in metrics


@pytest.mark.parametrize("why", ["stopping", "tick_late"])
async def test_who_is_not_ready_says_why_and_is_still_healthy_to_ask(site: Engine, why: str) -> None:
    async with client(sources(site, not_ready=why)) as pages:
        ready = await pages.get("/ready")
        assert (ready.status_code, ready.json()["reason"]) == (503, why)
        health = await pages.get("/health")
        assert (health.status_code, health.json()["message"]) == (200, why)


async def test_a_database_that_cannot_be_reached_is_red_and_no_traceback(site: Engine, tmp_path: Path) -> None:
    lost = engines.open_engine(f"sqlite:///{tmp_path}/empty.db")
    async with client(sources(site, not_ready="database_unreachable", reading=lambda: engines.reading(lost))) as pages:
        health = await pages.get("/health")
        assert (health.status_code, health.json()["state"]) == (200, "red")
        page = await pages.get("/", headers=HTML)
    lost.dispose()
    assert page.status_code == 500
    assert "Something went wrong" in page.text
    assert "sqlite" not in page.text
    assert "content-security-policy" in page.headers


async def test_nothing_may_be_written_and_no_documentation_is_served(pages: httpx.AsyncClient) -> None:
    assert (await pages.post("/", headers=HTML)).status_code == 405
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert (await pages.get(path)).status_code == 404
