"""Further faults of far sides, clocks and people: spec rows that need a story of their own."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import config
from alerts.channels.webhook import Settings, WebhookChannel
from alerts.errors import ChannelBroken
from alerts.outbox import acts, admin, deliveries, mark
from alerts.values import ChannelHealth, Event, EventState, Kind
from tests.alerts.house import House, answer, at, event
from tests.alerts.test_faults import World, db, health, house, world
from tests.fakes.scripted import Step

__all__ = ["db", "world"]


def rendered(made: House) -> str:
    """Everything that was made, as text."""
    return "\n".join(made.body(row).decode("utf-8", "replace") for row in made.rows())


def flood(made: House, number: int, watch: str = "harbour") -> None:
    """So many matches within a minute."""
    made.put(
        *(event(Kind.NEW_STORY, at("10:00"), f"p{n}.example", story=f"st_{n:05}", watch=watch) for n in range(number))
    )


@pytest.mark.slow
async def test_ten_thousand_matches_in_a_minute_are_one_flood_and_a_digest(db: sa.Engine, world: World) -> None:
    made = House(db, world.channels("folder"), now=at("10:00"))
    flood(made, 10_000)
    made.put(event(Kind.RESPONSE, at("10:00"), "radio.example", story="st_mine", watch="mines", answer=answer()))
    await made.until(at("10:59"))
    prompt = [row.subject for row in made.rows()]
    assert len(prompt) == 2, prompt
    assert sum("harbour matched 100" in subject for subject in prompt) == 1
    assert any("Norway denied" in subject for subject in prompt)
    await made.until(at("11:05"))
    digest = made.rows()[-1]
    assert "10000 stories" in digest.subject
    assert len(made.rows()) == 3


async def test_a_brake_opens_after_half_an_hour_of_calm(db: sa.Engine, world: World) -> None:
    made = House(db, world.channels("folder"), now=at("10:00"))
    flood(made, 120)
    await made.until(at("10:20"))
    made.put(event(Kind.NEW_STORY, at("10:20"), story="st_early"))
    made.now = at("10:45")
    made.put(event(Kind.NEW_STORY, at("10:45"), story="st_late"))
    await made.until(at("10:50"))
    assert made.reasons()["new_story:harbour:st_early:gazette.example:gazette.example-102000"] == ["pending flood"]
    assert [row.story for row in made.rows()][-1] == "st_late"


def usual(made: House, a_day: int, days: int) -> None:
    """So many matches in the hour before ten on each of some days, all told long ago."""
    for day in range(1, days + 1):
        then = at("09:30") - timedelta(days=day)
        made.put(
            *(
                event(Kind.NEW_STORY, then, f"p{n}.example", story=f"st_{day}_{n}", state=EventState.BASELINE)
                for n in range(a_day)
            )
        )


UNUSUAL = {
    "sixty in an hour of a watch that has two are a flood": (2, 10, 60, True),
    "sixty in an hour of a watch that has five are none": (5, 10, 60, False),
    "under fifty are none, however quiet the watch is": (1, 10, 49, False),
    "in its first week a watch has no usual rate": (1, 6, 60, False),
}


@pytest.mark.parametrize(("a_day", "days", "number", "is_flood"), UNUSUAL.values(), ids=UNUSUAL.keys())
async def test_twenty_times_the_usual_rate_of_the_hour_pulls_the_brake(
    a_day: int, days: int, number: int, is_flood: bool, engine: sa.Engine, world: World
) -> None:
    made = House(engine, world.channels("folder"), now=at("09:15"))
    usual(made, a_day, days)
    for n in range(number):  # one a minute is far under the limit of a hundred in sixty seconds
        when = at("09:15") + timedelta(seconds=45 * n)
        made.put(event(Kind.NEW_STORY, when, f"q{n}.example", story=f"st_today_{n}"))
    made.put(event(Kind.NEW_STORY, at("10:00"), story="st_last"))
    states = made.reasons()
    assert any(key.startswith("flood:harbour") for key in states) is is_flood
    assert ("flood" in states["new_story:harbour:st_last:gazette.example:gazette.example-100000"][0]) is is_flood


async def test_thirty_reports_due_together_are_one_message(db: sa.Engine, world: World) -> None:
    made = House(db, world.channels("folder"), now=at("10:00"))
    for n in range(30):
        facts = (("message", f"feed{n}.example works again"), ("feed", f"https://feed{n}.example/rss"), ("state", "ok"))
        made.put(Event(f"feed_state:{n}", Kind.FEED_STATE, "", f"feed:{n}", at("10:00"), facts=facts))
    await made.until(at("11:00"))
    (row,) = made.rows()
    assert row.subject == "[storywatch] feed0.example works again and 29 more"
    assert "https://feed29.example/rss" in rendered(made)


async def test_after_a_restore_nothing_is_sent_until_a_person_has_looked(
    db: sa.Engine, world: World, tmp_path: Path
) -> None:
    place = tmp_path / "delivery.mark"
    made = with_mark(house(db, world.channels("slack", "folder")), place)
    file = Path(str(db.url.database))
    made.desk.build_due(at("10:02"))
    backup = tmp_path / "backup.db"
    with sqlite3.connect(file) as source, sqlite3.connect(backup) as target:
        source.backup(target)
    await made.until(at("10:10"))
    assert len(world.slack.messages) == 1
    assert mark.read(place) is not None
    db.dispose()
    with sqlite3.connect(backup) as source, sqlite3.connect(file) as target:
        source.backup(target)
    again = with_mark(House(db, world.channels("slack", "folder"), now=at("10:11")), place)
    assert again.courier.hold_after_restore(at("10:11")) == 2
    await again.until(at("10:30"))
    assert stories_in_slack(world) == 1
    assert any("older copy" in row.subject for row in again.rows())
    with db.begin() as connection:
        assert admin.resolve(connection, ["slack"], again.now) == 2
    await again.until(at("11:00"))
    assert stories_in_slack(world) == 1


def stories_in_slack(world: World) -> int:
    """How many messages about the story Slack has."""
    return sum("[harbour]" in message.body["text"] for message in world.slack.messages)


def with_mark(made: House, place: Path) -> House:
    """The same, with a courier that keeps the mark."""
    from alerts.courier import Courier

    made.courier = Courier(made.engine, made.plan, made.channels, jitter=lambda: 0.5, mark_at=place)
    return made


async def test_an_address_refused_on_three_days_is_set_aside_and_told_elsewhere(db: sa.Engine, world: World) -> None:
    made = House(db, world.channels("mail", "folder"), now=at("10:00"))
    world.smtp.script.forever("rcpt", Step(reply="550 5.1.1 no such user"))
    for day in range(4):
        when = at("10:00") + timedelta(days=day)
        made.put(event(Kind.NEW_STORY, when, story=f"st_{day}"))
        await made.until(when + timedelta(hours=1))
    with db.begin() as connection:
        assert list(acts.aside(connection)) == ["mail/ana@desk.example"]
    assert "was refused on three days" in rendered(made)
    assert sum(command.startswith("RCPT") for command in world.smtp.commands) == 3


async def test_an_unknown_state_is_left_alone(db: sa.Engine, world: World) -> None:
    made = house(db, world.channels("folder"))
    made.desk.build_due(at("10:02"))
    with db.begin() as connection:
        connection.execute(sa.text("update outbox set state = 'from_tomorrow'"))
    await made.until(at("12:00"))
    assert [row.state for row in made.rows()] == ["from_tomorrow"]


async def test_a_retry_asked_for_twice_is_one_more_delivery_at_most(db: sa.Engine, world: World) -> None:
    world.hook.script.add("hook", Step(status=400, times=2))
    made = house(db, world.channels("hook"))
    await made.until(at("10:10"))
    with db.begin() as connection:
        assert admin.retry(connection, made.now, channel="hook") == 1
        assert admin.retry(connection, made.now, channel="hook") == 0
    await made.until(at("10:20"))
    assert len(world.hook.posts) == 1


async def test_a_poison_digest_is_rendered_compactly_once_then_parked_and_reported_elsewhere(
    db: sa.Engine, world: World
) -> None:
    world.slack.script.forever("chat.postMessage", Step(error="msg_blocks_too_long"))
    made = house(db, world.channels("slack", "folder"))
    await made.until(at("10:30"))
    (row,) = made.rows(channel="slack")
    assert (row.state, row.error) == ("dead", "msg_blocks_too_long")
    assert made.body(row)
    with db.begin() as connection:
        shown = admin.show(connection, row.delivery_id)
    assert shown is not None
    assert len(shown.attempts) == 2
    assert any("given up" in row.subject for row in made.rows(channel="folder"))


async def test_a_421_after_the_first_mail_waits_and_sends_the_second_once(db: sa.Engine, world: World) -> None:
    raw = world.channels("mail")
    raw["channels"]["mail"]["recipients"].append({"to": "joe@desk.example"})
    world.smtp.script.add("mail", Step(), Step(reply="421 4.3.2 slow down"))
    await house(db, raw).until(at("10:10"))
    assert sorted(mail.to for mail in world.smtp.mails) == ["ana@desk.example", "joe@desk.example"]


async def test_a_post_that_slack_shows_late_is_found_at_the_second_look(db: sa.Engine, world: World) -> None:
    world.slack.script.add("chat.postMessage", Step(drop=True, take=True))
    made = house(db, world.channels("slack"))
    await made.until(at("10:02:01"))
    world.slack.hidden = {message.ts for message in world.slack.messages}
    await made.until(at("10:02:20"))
    world.slack.hidden = set()
    await made.until(at("10:10"))
    assert len(world.slack.messages) == 1
    assert len(world.slack.asked) == 2


def test_one_mailbox_in_two_spellings_is_one_recipient() -> None:
    raw = {
        "channels": {
            "mail": {
                "type": "email",
                "smtp": {"host": "127.0.0.1", "tls": "none"},
                "from": "a@b.example",
                "recipients": [{"to": "Ana@DESK.example"}, {"to": "Ana@desk.example"}],
            }
        }
    }
    assert [one.to for one in config.from_raw(raw).recipients] == ["Ana@desk.example"]


async def test_a_name_that_turns_inside_at_its_second_lookup_is_refused_then() -> None:
    answers = iter([("93.184.215.14",), ("169.254.169.254",)])

    async def ask(host: str, port: int) -> tuple[str, ...]:
        return next(answers)

    from alerts.channels import addresses

    assert await addresses.checked("hook", "hook.example", 443, (), ask) == "93.184.215.14"
    with pytest.raises(ChannelBroken):
        await WebhookChannel("hook", Settings("https://hook.example/"), ask).send(None, at("10:00"))  # type: ignore[arg-type]


async def test_what_is_baseline_or_stale_is_kept_and_never_told(db: sa.Engine, world: World) -> None:
    made = House(db, world.channels("folder"), now=at("10:00"))
    made.put(
        *(event(Kind.NEW_STORY, at("10:00"), story=f"st_{n}", state=EventState.BASELINE) for n in range(400)),
        event(Kind.NEW_STORY, at("10:00"), story="st_old", state=EventState.STALE),
    )
    await made.until(at("12:00"))
    assert made.rows() == ()


TELLS = {
    "a headline": (("title_was", "Minister considers it"), 'changed its headline; before: "Minister considers it"'),
    "a quote": (("quote_gone", "We did not say that."), 'took back: "We did not say that."'),
    "a stance": (("stance_new", "RS foreign ministry denied"), "now says: RS foreign ministry DENIED"),
}


@pytest.mark.parametrize(("fact", "says"), TELLS.values(), ids=TELLS.keys())
async def test_a_correction_says_what_was_changed(
    fact: tuple[str, str], says: str, db: sa.Engine, world: World
) -> None:
    made = house(db, world.channels("folder"))
    await made.until(at("10:05"))
    made.put(event(Kind.CORRECTION, at("10:40"), facts=(fact,)))
    await made.until(at("11:00"))
    row = made.rows()[-1]
    assert row.subject.endswith("correction")
    assert says in " ".join(json.loads(made.body(row))[".txt"].split())


@pytest.mark.slow
@pytest.mark.long
async def test_five_hundred_queued_rows_keep_one_a_second_and_delay_nobody_else(db: sa.Engine, world: World) -> None:
    raw = world.channels("slack", "folder")
    raw["caps"] = {"per_hour": 1000, "per_day": 1000, "flood": {"matches": 1000}}
    made = House(db, raw, now=at("10:00"))
    made.put(*(event(Kind.NEW_STORY, at("10:00"), f"p{n}.example", story=f"st_{n:03}") for n in range(500)))
    times: list[Any] = []
    world.slack.now = lambda: (times.append(made.now), made.now.timestamp())[1]
    world.slack.script.add("chat.postMessage", Step(), Step(status=429, headers=(("Retry-After", "30"),), body=b""))
    await made.until(at("10:02:05"), most=100)
    assert sum(row.channel == "folder" for row in made.sent()) == 500
    paused = [when for when in times if when > at("10:02")]
    await made.until(at("10:40"), most=4000)  # what a slow machine takes for a call counts as time that passed
    assert len(world.slack.messages) == 500
    after = sorted(when for when in times if when > at("10:02:05"))
    assert not paused
    assert (after[0] - at("10:02")).total_seconds() >= 30
    assert (after[-1] - after[0]).total_seconds() / len(world.slack.messages) >= 0.99


async def test_a_dead_delivery_colours_the_whole_for_a_day_and_until_its_news_went_out(
    db: sa.Engine, world: World
) -> None:
    world.hook.script.add("hook", Step(status=400, times=2))
    made = house(db, world.channels("hook"))
    await made.until(at("10:10"))

    def words() -> list[str]:
        with db.begin() as connection:
            return [trouble.word for trouble in admin.troubles(connection, made.now)]

    assert words() == ["dead"]
    made.put(event(Kind.NEW_OUTLET, at("10:40"), "courier.example"))
    await made.until(at("11:00"))
    assert words() == []
    assert health(made, "hook") is ChannelHealth.OK
    assert deliveries.WAITING


async def test_a_receiver_that_answers_late_keeps_nobody_else_waiting(db: sa.Engine, world: World) -> None:
    world.hook.script.add("hook", Step(delay_s=1.0))
    made = house(db, world.channels("hook", "folder"))
    made.desk.build_due(at("10:02"))
    slow = asyncio.create_task(made.courier.send_due(at("10:02")))
    await asyncio.sleep(0.3)
    assert [row.channel for row in made.sent()] == ["folder"]
    made.put(event(Kind.NEW_STORY, at("10:00:10"), story="st_next"))
    made.desk.build_due(at("10:02:10"))
    await made.courier.send_due(at("10:02:10"))
    assert [row.channel for row in made.sent()] == ["folder", "folder"]
    await slow
    assert {row.channel for row in made.sent()} == {"folder", "hook"}


async def test_names_that_cannot_be_resolved_open_the_circuit_and_burn_nothing(db: sa.Engine, world: World) -> None:
    known = [False]

    async def ask(host: str, port: int) -> tuple[str, ...]:
        if not known[0]:
            raise OSError("no answer")
        return ("127.0.0.1",)

    made = House(db, world.channels("hook"), now=at("10:00"))
    made.put(*(event(Kind.NEW_STORY, at("10:00"), story=f"st_{n}") for n in range(6)))
    made.channels["hook"] = WebhookChannel("hook", Settings(world.hook.url, (), ("127.0.0.1",)), ask)
    await made.until(at("10:12"))
    assert health(made, "hook") is ChannelHealth.OPEN
    spent = [row.tries for row in made.rows()]
    assert sum(spent) <= 6
    known[0] = True
    await made.until(at("10:20"))
    assert {row.state for row in made.rows()} == {"sent"}
    assert len(world.hook.posts) == 6
