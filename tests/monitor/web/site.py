"""What the tests of the page share: a database that a replay of our rows has filled, and the application over it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine

from alerts import route
from alerts.values import Recipient
from monitor import replay, understanding, wiring
from monitor.config import api
from monitor.config.values import Config
from monitor.store import engine as engines
from monitor.store import search, tables
from monitor.web import app, guard, wired
from monitor.web.sources import Sources

CONFIG = """\
version: 1
contact: https://newsroom.example/storywatch
governments: {watch: [US, RS]}
watches:
  - {name: flights, title: Flights, query: "(deport* AND Serbia) OR plum*"}
outlets:
  wire.example: {name: Harbour <Wire>, country: US, kind: wire}
  morning.example: {name: Morning Bell, country: RS, kind: newspaper}
channels:
  console: {type: stdout}
"""
READER = Recipient("desk", "vera")
HOSTILE = '<script>alert("x")</script> Serbia & deported "people"'
ROWS: list[dict[str, Any]] = [
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
KEY = b"a key of links, thirty-two bytes"


def filled(folder: Path, rows: list[dict[str, Any]], config: str = CONFIG) -> Engine:
    """A database that a replay of these rows has filled, with its search index."""
    replay.play([replay.row(json.loads(json.dumps(row))) for row in rows], api.parse_text(config, {}), folder, _ignore)
    engine = engines.open_engine(f"sqlite:///{folder / 'replay.db'}")
    index(engine)
    return engine


def _ignore(_line: Mapping[str, Any]) -> None:
    pass


def index(engine: Engine) -> None:
    """Let the search find everything."""
    with engine.begin() as connection:
        while search.catch_up(connection):
            pass


@cache
def _known(text: str) -> tuple[Config, understanding.Knowledge]:
    config = api.parse_text(text, {})
    return config, wiring.knowledge(config, config_rev=1)


def sources(
    engine: Engine, *, not_ready: str | None = None, config_text: str = CONFIG, own_key: bool = False, **changed: Any
) -> Sources:
    """What the daemon would hand to the page, with the clock at NOW; signed with KEY unless the own key is wanted."""
    config, known = _known(config_text)
    context = wiring.context(engine, known, config, now=NOW)
    made = wired.sources(
        config, engine, context, host="127.0.0.1", now=lambda: NOW, ready=lambda: not_ready, environ={}
    )
    plan = route.Plan(route.Route(), (READER,))
    return replace(made, **({"keys": made.keys if own_key else (KEY,), "plan": lambda: plan} | changed))


def client(told: Sources, pace: guard.Pace | None = None) -> httpx.AsyncClient:
    """Somebody who asks, in process."""
    made = app.build(told, pace or guard.Pace(per_s=1e6, burst=1e6))
    transport = httpx.ASGITransport(app=made, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")


def story_of(engine: Engine, title: str) -> str:
    """The key of the story that began with a title."""
    with engine.connect() as connection:
        return str(connection.execute(tables.story.select().where(tables.story.c.title == title)).one().key)
