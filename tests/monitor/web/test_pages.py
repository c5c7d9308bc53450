"""The pages, asked in process: what they show, how they escape, what they refuse."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, update

from monitor import replay
from monitor.config import api
from monitor.store import engine as engines
from monitor.store import tables
from monitor.web import app, binding

CONFIG = """\
version: 1
contact: https://newsroom.example/storywatch
governments: {watch: [US, RS]}
watches:
  - {name: flights, query: "(deport* AND Serbia) OR plum*"}
outlets:
  wire.example: {name: Harbour <Wire>, country: US, kind: wire}
channels:
  console: {type: stdout}
"""
HOSTILE = '<script>alert("x")</script> Serbia & deported "people"'
ROWS = [
    {
        "id": "a",
        "at": "2025-06-05T08:00:00Z",
        "lang": "en",
        "url": "https://wire.example/1?a=1&b=%22",
        "title": HOSTILE,
        "text": "Serbia was asked to accept people deported from the United States, <b>three officials</b> said. "
        "Serbia's Foreign Ministry declined to comment.",
    },
    {
        "id": "b",
        "at": "2025-06-06T08:00:00Z",
        "lang": "en",
        "url": "javascript:alert(1)",
        "domain": "other.example",
        "title": "Orchard prizes handed out at the yearly plum fair",
        "text": "The growers of Topola closed on Friday with a record harvest and a brass band.",
    },
]
NOW = datetime(2025, 6, 7, tzinfo=UTC)
HTML = {"Accept": "text/html"}
Asking = Callable[..., Any]


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    """A database that a replay of our rows has filled."""
    rows = [replay.row(json.loads(json.dumps(row))) for row in ROWS]
    replay.play(rows, api.parse_text(CONFIG, {}), tmp_path, lambda _: None)
    opened = engines.open_engine(f"sqlite:///{tmp_path / 'replay.db'}")
    yield opened
    opened.dispose()


def sources(engine: Engine, *, not_ready: str | None = None) -> app.Sources:
    return app.Sources(
        reading=lambda: engines.reading(engine),
        now=lambda: NOW,
        ready=lambda: not_ready,
        outlet_name=lambda domain: {"wire.example": "Harbour <Wire>"}.get(domain, domain),
        government_name=lambda code: {"RS": "Serbia"}.get(code, code),
        hosts=binding.local_names("127.0.0.1"),
    )


def client(told: app.Sources) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app.build(told), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")


@pytest.fixture
async def pages(engine: Engine) -> AsyncIterator[httpx.AsyncClient]:
    async with client(sources(engine)) as asked:
        yield asked


def story_of(engine: Engine, title: str) -> str:
    with engine.connect() as connection:
        return str(connection.execute(tables.story.select().where(tables.story.c.title == title)).one().key)


async def test_the_list_shows_stories_newest_first_and_escapes_their_titles(pages: httpx.AsyncClient) -> None:
    shown = (await pages.get("/", headers=HTML)).text
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert shown.index("Orchard prizes") < shown.index("&lt;script&gt;")
    assert "2 entries stored, 2 stories" in shown


async def test_a_story_without_a_title_can_still_be_opened(pages: httpx.AsyncClient, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(tables.story).values(title=""))
        keys = connection.execute(tables.story.select()).all()
    shown = (await pages.get("/", headers=HTML)).text
    for row in keys:
        assert f">{row.key}</a>" in shown


async def test_a_story_page_tells_outlets_and_silences_with_everything_escaped(
    pages: httpx.AsyncClient, engine: Engine
) -> None:
    answer = await pages.get(f"/story/{story_of(engine, HOSTILE)}", headers=HTML)
    assert answer.status_code == 200
    assert "<script>" not in answer.text
    assert "Harbour &lt;Wire&gt;" in answer.text
    assert 'href="https://wire.example/1?a=1&amp;b=%22"' in answer.text
    assert "Asked, no answer" in answer.text
    assert "No government has answered." in answer.text


async def test_an_address_that_is_no_web_address_becomes_no_link(pages: httpx.AsyncClient, engine: Engine) -> None:
    answer = await pages.get(f"/story/{story_of(engine, ROWS[1]['title'])}", headers=HTML)
    assert "javascript:" not in answer.text
    assert "Orchard prizes" in answer.text


async def test_the_feeds_page_names_each_feed_and_its_fault(pages: httpx.AsyncClient, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(update(tables.feed).values(fail_reason="not_found", fail_message="<i>404</i>"))
    shown = (await pages.get("/feeds", headers=HTML)).text
    assert "not found: &lt;i&gt;404&lt;/i&gt;" in shown
    assert "feeds are being read" in shown


@pytest.mark.parametrize("path", ["/story/st_nothing00", "/nowhere", "/story/%3Cscript%3E"])
async def test_what_is_not_there_is_a_page_for_people_and_json_for_programs(
    pages: httpx.AsyncClient, path: str
) -> None:
    page = await pages.get(path, headers=HTML)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "All stories" in page.text
    assert "<script>" not in page.text
    data = await pages.get(path, headers={"Accept": "application/json"})
    assert (data.status_code, list(data.json())) == (404, ["error"])


@pytest.mark.parametrize("path", ["/", "/feeds", "/story/none", "/nowhere", "/live", "/health", "/static/style.css"])
async def test_every_answer_carries_the_security_headers(pages: httpx.AsyncClient, path: str) -> None:
    headers = (await pages.get(path, headers=HTML)).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "script-src" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/", "/feeds"])
async def test_a_page_asks_no_third_party_and_runs_no_script(pages: httpx.AsyncClient, path: str) -> None:
    shown = (await pages.get(path, headers=HTML)).text
    assert "<script" not in shown
    assert "src=" not in shown
    assert 'rel="stylesheet" href="/static/' in shown


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
async def test_who_is_not_ready_says_why_and_is_still_healthy_to_ask(engine: Engine, why: str) -> None:
    async with client(sources(engine, not_ready=why)) as pages:
        ready = await pages.get("/ready")
        assert (ready.status_code, ready.json()["reason"]) == (503, why)
        health = await pages.get("/health")
        assert (health.status_code, health.json()["message"]) == (200, why)


async def test_a_database_that_cannot_be_reached_is_red_and_no_traceback(tmp_path: Path) -> None:
    lost = engines.open_engine(f"sqlite:///{tmp_path}/empty.db")
    async with client(sources(lost, not_ready="database_unreachable")) as pages:
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
