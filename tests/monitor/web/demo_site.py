"""The demo's invented story as a database for pages: replayed, with its own watch and outlets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

from sqlalchemy import update

from monitor import replay, wiring
from monitor.config import api
from monitor.demo.server import story
from monitor.store import engine as engines
from monitor.store import tables
from monitor.web import wired
from monitor.web.sources import Sources
from tests.monitor.web.site import index

NOW = datetime(2025, 6, 13, 9, tzinfo=UTC)
FIRST = "US presses Serbia and other Balkan states to accept deportees"


def sources(folder: Path) -> Sources:
    """Play the story into `folder` and hand it to the pages."""
    text = resources.files("monitor.demo").joinpath("config.yaml").read_text(encoding="utf-8")
    config = api.parse_text(f"{text}\nchannels: {{console: {{type: stdout}}}}\nfeeds: []\n", {})
    rows = [
        replay.row(
            {
                "id": scene.id,
                "at": scene.at.isoformat(),
                "feed": scene.feed,
                "lang": scene.lang,
                "url": f"https://{scene.host}/{scene.slug}",
                "title": scene.title,
                "summary": scene.summary,
                "text": scene.text,
            }
        )
        for scene in story()
    ]
    replay.play(rows, config, folder, lambda _line: None)
    engine = engines.open_engine(f"sqlite:///{folder / 'replay.db'}")
    with engine.begin() as connection:  # a replay polls nothing; the pages shall not call that blindness
        polled = {"last_ok_at": NOW, "last_attempt_at": NOW, "next_at": NOW + timedelta(minutes=15)}
        connection.execute(update(tables.feed).values(polled))
    index(engine)
    context = wiring.context(engine, wiring.knowledge(config, config_rev=1), config, now=NOW)
    return wired.sources(config, engine, context, host="127.0.0.1", now=lambda: NOW, ready=lambda: None, environ={})
