"""When two told stories become one, or one becomes two: nothing is told again, and readers hear where it goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import outbox
from alerts.values import Event, EventState, Kind
from tests.alerts.house import House, at, event
from tests.alerts.test_faults import World, db, world

__all__ = ["db", "world"]

OLD, NEW = "st_harbour", "st_docks"


def first(clock: str, story: str, outlet: str, title: str, **changes: Any) -> Event:
    return event(Kind.NEW_STORY, at(clock), outlet, story=story, mention={"title": title}, **changes)


def merged(clock: str, watch: str = "harbour") -> Event:
    return outbox.merged_event(watch, OLD, NEW, "Walk-out in the harbour", at(clock), 7)


@pytest.fixture
def folder(tmp_path: Path) -> dict[str, Any]:
    return {"channels": {"desk": {"type": "folder", "path": str(tmp_path / "out")}}}


async def two_told(engine: sa.Engine, raw: dict[str, Any]) -> House:
    """A house in which two stories were told."""
    made = House(engine, raw, now=at("10:00"))
    made.put(first("10:00", OLD, "gazette.example", "Walk-out in the harbour"))
    made.put(first("10:00", NEW, "courier.example", "Strike at the docks"))
    await made.until(at("10:05"))
    assert len(made.sent()) == 2
    return made


def text(made: House, number: int) -> str:
    return str(json.loads(made.body(made.rows()[number]))[".txt"])


async def test_a_merged_story_says_so_in_its_next_message_and_makes_none_of_its_own(
    engine: sa.Engine, folder: dict[str, Any]
) -> None:
    made = await two_told(engine, folder)
    made.put(merged("10:20"))
    await made.until(at("12:00"))
    assert len(made.rows()) == 2
    made.put(event(Kind.NEW_OUTLET, at("12:00"), "radio.example", story=OLD))
    await made.until(at("13:00"))
    last = " ".join(text(made, -1).split())
    assert "“Strike at the docks” turned out to be this one" in last
    assert "3 outlets" in last
    assert "Message 3" in last


async def test_an_outlet_told_in_a_story_that_was_merged_is_not_told_again(
    engine: sa.Engine, folder: dict[str, Any]
) -> None:
    made = await two_told(engine, folder)
    told = event(
        Kind.NEW_OUTLET, at("10:06"), "radio.example", story=NEW, key=f"new_outlet:harbour:{NEW}:radio.example"
    )
    assert made.put(told) == (told,)
    made.put(merged("10:20"))
    again = event(
        Kind.NEW_OUTLET, at("10:30"), "radio.example", story=OLD, key=f"new_outlet:harbour:{OLD}:radio.example"
    )
    other = event(Kind.NEW_OUTLET, at("10:30"), "herald.example", key=f"new_outlet:harbour:{OLD}:herald.example")
    assert made.put(again, other) == (other,)


async def test_news_that_waited_for_a_story_that_was_merged_is_told_with_the_other(
    engine: sa.Engine, folder: dict[str, Any]
) -> None:
    made = await two_told(engine, folder)
    made.put(event(Kind.NEW_OUTLET, at("10:06"), "radio.example", story=NEW))
    made.put(merged("10:20"))
    await made.until(at("12:00"))
    assert sorted(row.story for row in made.rows()) == sorted([NEW, OLD, OLD])
    assert "Radio" in text(made, -1)


async def test_a_merge_that_two_watches_saw_is_said_once(engine: sa.Engine, folder: dict[str, Any]) -> None:
    made = await two_told(engine, folder)
    made.put(merged("10:20"), merged("10:20", "mines"))
    made.put(event(Kind.NEW_OUTLET, at("10:30"), "radio.example", story=OLD))
    await made.until(at("12:00"))
    assert text(made, -1).count("turned out to be") == 1
    assert "Message 3" in text(made, -1)


async def test_a_merge_with_a_story_nobody_was_told_of_is_no_news(engine: sa.Engine, folder: dict[str, Any]) -> None:
    made = House(engine, folder, now=at("10:00"))
    made.put(first("10:00", OLD, "gazette.example", "Walk-out in the harbour"))
    made.put(first("10:00", NEW, "courier.example", "Strike at the docks", state=EventState.BASELINE))
    await made.until(at("10:05"))
    made.put(merged("10:20"), event(Kind.NEW_OUTLET, at("10:30"), "radio.example", story=OLD))
    await made.until(at("12:00"))
    assert "turned out to be" not in text(made, -1)


async def test_the_old_thread_of_a_merged_story_says_where_it_goes_on(db: sa.Engine, world: World) -> None:
    made = House(db, world.channels("slack"), now=at("10:00"))
    world.slack.now = lambda: made.now.timestamp()
    made.put(first("10:00", OLD, "gazette.example", "Walk-out in the harbour"))
    await made.until(at("10:05"))
    made.put(first("10:05", NEW, "courier.example", "Strike at the docks"))
    await made.until(at("10:15"))
    made.put(merged("10:20"))
    await made.until(at("10:25"))
    kept, gone = world.slack.messages
    assert "This story continues in “Walk-out in the harbour”." in json.dumps(gone.body, ensure_ascii=False)
    assert "Strike at the docks" in json.dumps(gone.body, ensure_ascii=False)
    assert "2 outlets" in json.dumps(kept.body, ensure_ascii=False)
    made.put(event(Kind.NEW_OUTLET, at("11:00"), "radio.example", story=OLD))
    await made.until(at("12:00"))
    *_, reply = world.slack.messages
    assert len(world.slack.messages) == 3
    assert reply.thread_ts == kept.ts


async def test_a_reply_that_waits_for_a_merged_story_goes_to_its_own_thread(db: sa.Engine, world: World) -> None:
    made = House(db, world.channels("slack"), now=at("10:00"))
    world.slack.now = lambda: made.now.timestamp()
    made.put(first("10:00", NEW, "courier.example", "Strike at the docks"))
    await made.until(at("10:15"))
    made.put(first("10:15", OLD, "gazette.example", "Walk-out in the harbour"), merged("10:15"))
    made.put(event(Kind.NEW_OUTLET, at("10:40"), "radio.example", story=OLD))
    await made.until(at("11:30"))
    root, *replies = world.slack.messages
    assert replies
    assert {reply.thread_ts for reply in replies} == {root.ts}


async def test_what_was_told_before_a_split_is_not_told_again_by_the_new_story(
    engine: sa.Engine, folder: dict[str, Any]
) -> None:
    made = House(engine, folder, now=at("10:00"))
    key = "new_outlet:harbour:{}:radio.example"
    made.put(first("10:00", OLD, "gazette.example", "Walk-out in the harbour", key=f"new_story:harbour:{OLD}"))
    made.put(event(Kind.NEW_OUTLET, at("10:01"), "radio.example", story=OLD, key=key.format(OLD)))
    await made.until(at("10:05"))
    made.put(outbox.split_event("harbour", OLD, NEW, "Walk-out in the harbour", at("10:20"), 7))
    again = event(Kind.NEW_OUTLET, at("10:30"), "radio.example", story=NEW, key=key.format(NEW))
    start = first("10:30", NEW, "gazette.example", "Another one", key=f"new_story:harbour:{NEW}")
    fresh = event(
        Kind.NEW_OUTLET, at("10:30"), "herald.example", story=NEW, key=f"new_outlet:harbour:{NEW}:herald.example"
    )
    assert made.put(again, start, fresh) == (fresh,)
    await made.until(at("12:00"))
    assert "This was told as part of “Walk-out in the harbour”" in " ".join(text(made, -1).split())
