"""When a story is told: waits, intervals, restarts, silences, quiet hours, planned digests, caps. A driven clock."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import route
from alerts.outbox import admin, muted
from alerts.values import Coverage, Kind, Matchers, Silence
from tests.alerts.house import MONDAY, House, answer, at, event

TOMORROW = MONDAY + timedelta(days=1)


@pytest.fixture
def folder(tmp_path: Path) -> dict[str, Any]:
    """A configuration of one folder in UTC."""
    return {"channels": {"desk": {"type": "folder", "path": str(tmp_path / "out")}}}


def made(house: House) -> list[str]:
    """The times at which messages were made, in UTC."""
    return [f"{row.created_at:%H:%M}" for row in house.rows()]


def outlet(clock: str, name: str = "courier.example", **changes: Any) -> Any:
    return event(Kind.NEW_OUTLET, at(clock), name, **changes)


def response(clock: str, name: str = "radio.example", **changes: Any) -> Any:
    return event(Kind.RESPONSE, at(clock), name, answer=answer(**changes.pop("said", {})), **changes)


async def told_at_1010(engine: sa.Engine, raw: dict[str, Any]) -> House:
    """A house whose story was told at 10:10."""
    house = House(engine, raw, now=at("10:08"))
    house.put(event(Kind.NEW_STORY, at("10:08")))
    await house.until(at("10:11"))
    assert made(house) == ["10:10"]
    return house


async def test_twelve_entries_of_eight_outlets_within_nine_minutes_are_one_message(
    engine: sa.Engine, folder: dict[str, Any]
) -> None:
    house = House(engine, folder, now=at("10:00"))
    for minute in range(8):
        house.put(outlet(f"10:{minute:02}", f"paper{minute}.example"))
    house.put(*(event(Kind.COPY, at("10:08"), f"paper{n}.example") for n in range(4)))
    await house.until(at("10:40"))
    assert made(house) == ["10:10"]
    assert house.rows()[0].event_keys != ()


async def test_an_answer_brings_the_message_forward_and_takes_the_outlet_along(
    engine: sa.Engine, folder: dict[str, Any]
) -> None:
    house = House(engine, folder, now=at("10:00"))
    house.put(outlet("10:00"))
    await house.until(at("10:03"))
    house.put(response("10:03"))
    await house.until(at("11:00"))
    assert made(house) == ["10:04"]
    assert len(house.rows()[0].event_keys) == 2


async def test_a_routine_event_waits_for_the_interval_since_the_last_message(
    engine: sa.Engine, folder: dict[str, Any]
) -> None:
    house = await told_at_1010(engine, folder)
    house.now = at("10:15")
    house.put(outlet("10:15"))
    await house.until(at("12:00"))
    assert made(house) == ["10:10", "10:40"]


async def test_an_urgent_event_does_not_wait_for_the_interval(engine: sa.Engine, folder: dict[str, Any]) -> None:
    house = await told_at_1010(engine, folder)
    house.now = at("10:15")
    house.put(response("10:15"))
    await house.until(at("12:00"))
    assert made(house) == ["10:10", "10:16"]


async def test_what_fell_due_while_the_daemon_was_stopped_is_sent_once_at_its_start(
    engine: sa.Engine, folder: dict[str, Any]
) -> None:
    house = House(engine, folder, now=at("10:00"))
    house.put(outlet("10:00"))
    await house.until(at("10:05"))
    house.start()
    house.now = at("10:20")
    await house.until(at("11:00"))
    assert made(house) == ["10:20"]


async def test_a_non_answer_alone_makes_no_message_and_rides_along_with_the_next(
    engine: sa.Engine, folder: dict[str, Any]
) -> None:
    house = House(engine, folder, now=at("10:00"))
    house.put(event(Kind.NON_ANSWER, at("10:00"), answer=answer("declined", asker="wire.example")))
    await house.until(at("12:00"))
    assert made(house) == []
    house.put(outlet("12:00"))
    await house.until(at("13:00"))
    assert made(house) == ["12:10"]
    assert b"declined to comment" in house.body(house.rows()[0])


async def test_the_same_event_twice_is_told_once(engine: sa.Engine, folder: dict[str, Any]) -> None:
    house = House(engine, folder, now=at("10:00"))
    assert len(house.put(outlet("10:00"), outlet("10:00"))) == 1
    assert house.put(outlet("10:00")) == ()
    await house.until(at("12:00"))
    assert len(house.rows()) == 1


# ------------------------------------------------------------------------------------------------------ silences


def silence(house: House, begins: str, ends: str, *, responses: bool = False) -> None:
    matchers = Matchers((("story", ("st_harbour",)),))
    with house.engine.begin() as connection:
        muted.add(connection, Silence("", matchers, at(begins), at(ends), "covered", "ana", responses))


async def test_a_silence_made_while_the_group_waits_still_works(engine: sa.Engine, folder: dict[str, Any]) -> None:
    house = House(engine, folder, now=at("10:00"))
    house.put(outlet("10:00"))
    await house.until(at("10:05"))
    silence(house, "10:05", "23:00")
    await house.until(at("12:00"))
    assert made(house) == []
    assert list(house.reasons().values()) == [["closed silenced"]]


async def test_an_answer_passes_the_silence_of_its_story(engine: sa.Engine, folder: dict[str, Any]) -> None:
    house = House(engine, folder, now=at("10:00"))
    silence(house, "09:00", "23:00")
    house.put(response("10:00"))
    await house.until(at("12:00"))
    assert made(house) == ["10:01"]


async def test_the_end_of_a_silence_tells_once_what_it_muted(engine: sa.Engine, folder: dict[str, Any]) -> None:
    house = House(engine, folder, now=at("10:00"))
    silence(house, "09:00", "14:00")
    for n in range(4):
        house.put(outlet(f"10:0{n}", f"paper{n}.example"))
    await house.until(at("18:00"))
    assert made(house) == ["14:00"]
    assert b"While muted: 4 new outlets" in house.body(house.rows()[0])


# --------------------------------------------------------------------------------------------------- quiet hours


def quiet(folder: dict[str, Any], *, breakthrough: bool = False, ends: str = "07:00", **more: Any) -> dict[str, Any]:
    recipient = {"quiet_hours": "nights"} | ({"breakthrough": ["response"]} if breakthrough else {})
    desk = folder["channels"]["desk"] | {"recipients": [recipient]}
    return {"channels": {"desk": desk}, "quiet_hours": {"nights": {"from": "22:00", "to": ends}}, **more}


async def a_night(house: House) -> list[tuple[str, int]]:
    """An outlet at 23:00 and an answer at 02:00; when what was told, and how many events it held."""
    house.now = at("23:00")
    house.put(outlet("23:00"))
    await house.until(at("02:00", TOMORROW))
    house.put(event(Kind.RESPONSE, at("02:00", TOMORROW), "radio.example", answer=answer()))
    await house.until(at("12:00", TOMORROW))
    return [(f"{row.created_at:%H:%M}", len(row.event_keys)) for row in house.rows()]


async def test_quiet_hours_hold_and_are_followed_by_one_digest(engine: sa.Engine, folder: dict[str, Any]) -> None:
    house = House(engine, quiet(folder))
    assert await a_night(house) == [("07:00", 2)]
    assert b"While quiet: 1 new outlet, 1 response" in house.body(house.rows()[0])


async def test_an_answer_breaks_through_where_that_was_asked_for(engine: sa.Engine, folder: dict[str, Any]) -> None:
    assert await a_night(House(engine, quiet(folder, breakthrough=True))) == [("02:01", 1), ("07:00", 1)]


async def test_what_quiet_hours_held_joins_a_digest_planned_soon_after(
    engine: sa.Engine, folder: dict[str, Any]
) -> None:
    raw = quiet(folder, digests={"morning": {"at": ["07:15"]}})
    raw["routes"] = {"to": ["desk"], "send": ["prompt", {"digest": "morning"}]}
    assert await a_night(House(engine, raw)) == [("07:15", 2)]


# ---------------------------------------------------------------------------------------------- planned digests


def daily(folder: dict[str, Any], *times: str, heartbeat: str = "off", **more: Any) -> dict[str, Any]:
    desk = folder["channels"]["desk"] | {"recipients": [{"heartbeat": heartbeat}]}
    return {
        "channels": {"desk": desk},
        "digests": {"plan": {"at": list(times)}},
        "routes": {"to": ["desk"], "send": [{"digest": "plan"}]},
        **more,
    }


async def off_between(house: House, stops: str, starts: str) -> list[str]:
    """An event at 07:00 and a daemon that is off from one time to another."""
    house.now = at("07:00")
    house.put(outlet("07:00"))
    await house.until(at(stops))
    house.start()
    house.now = at(starts)
    await house.until(at("23:00"))
    return made(house)


async def test_a_slot_five_hours_late_still_runs(engine: sa.Engine, folder: dict[str, Any]) -> None:
    assert await off_between(House(engine, daily(folder, "08:00", "17:00")), "07:55", "13:00") == ["13:00"]


async def test_a_slot_seven_hours_late_is_folded_into_the_next_which_says_so(
    engine: sa.Engine, folder: dict[str, Any]
) -> None:
    house = House(engine, daily(folder, "08:00", "17:00"))
    assert await off_between(house, "07:55", "15:00") == ["17:00"]
    assert b"The digest planned for 15 Jun 08:00 was not sent" in house.body(house.rows()[0])


async def test_four_days_off_are_one_digest(engine: sa.Engine, folder: dict[str, Any]) -> None:
    house = House(engine, daily(folder, "08:00", "17:00"))
    house.now = at("07:00")
    house.put(outlet("07:00"))
    await house.until(at("07:55"))
    house.start()
    house.now = at("10:00") + timedelta(days=4)
    await house.until(at("12:00") + timedelta(days=4))
    assert len(house.rows()) == 1


@pytest.mark.parametrize(("heartbeat", "messages"), [("off", 0), ("daily", 1), ("every_slot", 2)])
async def test_an_empty_slot_speaks_only_where_that_was_asked_for(
    heartbeat: str, messages: int, engine: sa.Engine, folder: dict[str, Any]
) -> None:
    house = House(engine, daily(folder, "08:00", "17:00", heartbeat=heartbeat), coverage=Coverage(43, 43))
    await house.until(at("23:00"))
    assert len(house.rows()) == messages


async def test_a_digest_lists_what_was_told_promptly_as_told(engine: sa.Engine, tmp_path: Path) -> None:
    raw = {
        "channels": {name: {"type": "folder", "path": str(tmp_path / name)} for name in ("prompt", "later")},
        "digests": {"plan": {"at": ["17:00"]}},
        "routes": {
            "to": ["prompt"],
            "send": ["prompt", {"digest": "plan"}],
            "routes": [{"to": ["later"], "send": [{"digest": "plan"}], "continue": True}],
        },
    }
    house = House(engine, raw, now=at("10:00"))
    house.put(event(Kind.NEW_STORY, at("10:00")))
    await house.until(at("18:00"))
    shown = {(row.channel, f"{row.created_at:%H:%M}"): house.body(row) for row in house.rows()}
    assert list(shown) == [("prompt", "10:02"), ("prompt", "17:00"), ("later", "17:00")] or len(shown) == 3
    assert b"told already" in shown["prompt", "17:00"]
    assert b"told already" not in shown["later", "17:00"]


async def test_a_blind_daemon_says_so_on_top(engine: sa.Engine, folder: dict[str, Any]) -> None:
    house = House(engine, folder, now=at("10:00"), coverage=Coverage(30, 43))
    house.put(outlet("10:00"))
    await house.until(at("11:00"))
    assert house.rows()[0].subject.startswith("[partly blind]")


# ------------------------------------------------------------------------------------------------ caps and losses


async def test_the_seventh_prompt_message_of_an_hour_goes_to_a_digest_that_says_so(
    engine: sa.Engine, folder: dict[str, Any]
) -> None:
    house = House(engine, folder, now=at("10:00"))
    for n in range(8):
        house.put(event(Kind.NEW_STORY, at(f"10:0{n}"), f"paper{n}.example", story=f"st_{n}"))
    await house.until(at("13:00"))
    assert made(house) == ["10:02", "10:03", "10:04", "10:05", "10:06", "10:07", "11:00"]
    assert b"2 prompt messages moved into this digest (cap of messages per hour)" in house.body(house.rows()[-1])


async def test_the_events_of_a_discarded_message_return_once_and_say_so(
    engine: sa.Engine, folder: dict[str, Any]
) -> None:
    house = House(engine, folder, now=at("10:00"))
    house.put(event(Kind.NEW_STORY, at("10:00")))
    await house.until(at("10:01"))
    house.now = at("10:02")
    house.desk.build_due(house.now)
    with engine.begin() as connection:
        assert admin.discard(connection, "wrong story") == 1
    house.put(outlet("10:30"))
    await house.until(at("12:00"))
    last = house.rows()[-1]
    assert len(last.event_keys) == 2
    assert b"An earlier message of 15 Jun 10:02 did not reach you" in house.body(last)


async def test_one_story_of_two_watches_is_one_message_that_names_both(
    engine: sa.Engine, folder: dict[str, Any]
) -> None:
    house = House(engine, folder, now=at("10:00"))
    house.put(event(Kind.NEW_STORY, at("10:00")), event(Kind.NEW_STORY, at("10:00"), watch="mines"))
    await house.until(at("11:00"))
    assert made(house) == ["10:02"]
    body = house.body(house.rows()[0])
    assert b"watch Harbour" in body
    assert b"watch Mines" in body


async def test_texts_no_database_likes_are_stored_and_told(engine: sa.Engine, folder: dict[str, Any]) -> None:
    house = House(engine, folder, now=at("10:00"))
    title = "nul \x00, half a pair \ud83c, a line\r\nbreak and \u202eturned letters"
    house.put(event(Kind.NEW_STORY, at("10:00"), mention={"title": title, "lead": title, "outlet_name": title}))
    await house.until(at("10:10"))
    assert [row.state for row in house.rows()] == ["sent"]
    assert "\x00" not in house.rows()[0].subject


ASKED = {
    "a body that has not answered after a day is named once more": ((), ["10:02", "10:00"], True),
    "a body that has answered is not": (("confirmed",), ["10:02", "11:01"], False),
}


@pytest.mark.parametrize(("answers", "times", "reminded"), ASKED.values(), ids=ASKED.keys())
async def test_a_watch_may_ask_to_be_reminded(
    answers: tuple[str, ...], times: list[str], reminded: bool, engine: sa.Engine, folder: dict[str, Any]
) -> None:
    timers = {"harbour": route.Timers(remind_after=timedelta(hours=24))}
    house = House(engine, folder, now=at("10:00"), timers=timers)
    house.put(
        event(Kind.NEW_STORY, at("10:00")),
        event(Kind.NON_ANSWER, at("10:00"), answer=answer("declined", asker="wire.example")),
        event(Kind.NON_ANSWER, at("10:00"), "post.example", answer=answer("no_reply", asker="post.example")),
    )
    await house.until(at("11:00"))
    for stance in answers:
        house.put(response("11:00", said={"stance": stance}))
    await house.until(at("12:00") + timedelta(days=1))
    assert made(house) == times
    assert (house.rows()[-1].subject.endswith("still no answer")) is reminded
