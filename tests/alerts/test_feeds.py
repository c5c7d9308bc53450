"""The feed channel: Atom and JSON Feed of every watch and story, each delivery once. An XML and a feed parser judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import feedparser
import pytest
import sqlalchemy as sa

from alerts.render import feeds
from alerts.values import Kind
from tests.alerts.house import House, answer, at, event
from tests.alerts.test_render import HOSTILE, everyday, hostile

ATOM = "{http://www.w3.org/2005/Atom}"
ADDRESS = "https://feeds.newsroom.example/x7"


def raw(folder: Path, **changes: Any) -> dict[str, Any]:
    return {"channels": {"pages": {"type": "feed", "path": str(folder), "url": ADDRESS, **changes}}}


async def told(engine: sa.Engine, folder: Path, **changes: Any) -> House:
    """A story of two watches with an answer an hour later."""
    house = House(engine, raw(folder, **changes), now=at("10:00"))
    house.put(event(Kind.NEW_STORY, at("10:00")), event(Kind.NEW_STORY, at("10:00"), watch="mines"))
    await house.until(at("11:00"))
    house.put(event(Kind.RESPONSE, at("11:00"), "radio.example", answer=answer()))
    await house.until(at("11:30"))
    return house


async def test_every_watch_and_story_has_its_feeds(engine: sa.Engine, tmp_path: Path) -> None:
    house = await told(engine, tmp_path)
    assert {row.state for row in house.rows()} == {"sent"}
    sizes = {"watch/harbour": 2, "watch/mines": 1, "story/st_harbour": 2}
    for place, size in sizes.items():
        read = feedparser.parse((tmp_path / place / "feed.atom").read_bytes())
        assert not read.bozo
        assert len(read.entries) == size, place
        items = json.loads((tmp_path / place / "feed.json").read_text(encoding="utf-8"))["items"]
        assert [item["id"] for item in items] == [one.id for one in read.entries]
    newest = feedparser.parse((tmp_path / "watch/harbour/feed.atom").read_bytes()).entries[0]
    assert newest.title.endswith("Norway denied")
    assert newest.id.startswith("tag:feeds.newsroom.example,2026:dlv_")
    assert "The foreign ministry denied it." in newest.content[0].value


async def test_writing_a_delivery_twice_leaves_it_there_once(engine: sa.Engine, tmp_path: Path) -> None:
    house = await told(engine, tmp_path)
    with engine.begin() as connection:
        connection.execute(sa.text("update outbox set state = 'ready', next_at = created_at"))
    await house.until(at("12:00"))
    assert len(feedparser.parse((tmp_path / "story/st_harbour/feed.atom").read_bytes()).entries) == 2


async def test_a_feed_keeps_its_newest_fifty_entries(engine: sa.Engine, tmp_path: Path) -> None:
    house = House(engine, raw(tmp_path) | {"caps": {"per_hour": 100, "per_day": 100}}, now=at("10:00"))
    house.put(*(event(Kind.NEW_STORY, at("10:00"), f"p{n}.example", story=f"st_{n:02}") for n in range(55)))
    await house.until(at("10:10"))
    read = feedparser.parse((tmp_path / "watch/harbour/feed.atom").read_bytes())
    assert len(read.entries) == 50


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:20]))
def test_hostile_texts_leave_a_feed_well_formed(text: str) -> None:
    entry = json.loads(json.dumps(feeds.entry(hostile(text), "")).encode("utf-8", "replace"))
    place = feeds.Place(text or "x", "watch/harbour")
    root = ElementTree.fromstring(feeds.atom(place, [entry]).encode("utf-8"))
    assert [child.tag for child in root].count(f"{ATOM}entry") == 1
    json.loads(feeds.json_feed(place, [entry]))


def test_an_entry_shows_nobody_the_links_of_one_recipient() -> None:
    from dataclasses import replace

    from alerts.values import Links
    from tests.alerts.test_render import digest

    links = Links("https://w.example/story/1", *(f"https://w.example/a/{letter}" for letter in "mwxs"))
    shown = json.dumps(feeds.entry(replace(digest(everyday()), links=links), ""))
    assert "w.example/a/" not in shown
