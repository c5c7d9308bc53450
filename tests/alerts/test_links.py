"""Links in messages: what their tokens allow, and that only a confirmed one changes anything."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import links
from alerts.links import Act, Grant, Signer
from alerts.outbox import acts
from alerts.pipeline import Desk
from alerts.values import Kind, Recipient
from tests.alerts.house import House, answer, at, event

NOW = at("10:00")
ANA, JOE = "lawyers/ana@desk.example", "lawyers/joe@desk.example"
SIGNER = Signer((b"new key", b"old key"))
BASE = "https://watch.newsroom.example"


def token(act: Act = Act.MUTE, story: str = "st_harbour") -> str:
    return SIGNER.token(act, ANA, story, NOW)


READ = {
    "a token of its own": (token(), NOW, Grant(Act.MUTE, ANA, "st_harbour")),
    "one signed by the former key": (
        Signer((b"old key",)).token(Act.WRONG, ANA, "st_harbour", NOW),
        NOW,
        Grant(Act.WRONG, ANA, "st_harbour"),
    ),
    "one of a key nobody knows": (Signer((b"x",)).token(Act.MUTE, ANA, "st_harbour", NOW), NOW, None),
    "a mute link a week later": (token(), NOW + timedelta(days=7), Grant(Act.MUTE, ANA, "st_harbour")),
    "a mute link nine days later": (token(), NOW + timedelta(days=9), None),
    "a stop link a year later": (token(Act.STOP, ""), NOW + timedelta(days=365), Grant(Act.STOP, ANA, "")),
    "another act with the same signature": ("s" + token()[1:], NOW, None),
    "another story with the same signature": (token() + "x", NOW, None),
    "a cut one": (token()[:20], NOW, None),
    "nothing": ("", NOW, None),
    "letters of another script": ("м" * 60, NOW, None),
}


@pytest.mark.parametrize(("text", "now", "wanted"), READ.values(), ids=READ.keys())
def test_a_token_allows_one_act_of_one_recipient_for_a_while(text: str, now: Any, wanted: Grant | None) -> None:
    assert SIGNER.read(text, (JOE, ANA), now) == wanted


def test_a_token_of_somebody_who_left_allows_nothing() -> None:
    assert SIGNER.read(token(), (JOE,), NOW) is None


def test_the_stop_link_is_short_enough_for_one_line_of_a_header() -> None:
    made = links.make(BASE, SIGNER.keys, "st_0123456789", Recipient("lawyers", "ana@desk.example"), NOW)
    assert len(made.stop) < 70
    assert made.story == f"{BASE}/story/st_0123456789"


def test_without_keys_a_message_leads_to_its_story_and_changes_nothing() -> None:
    made = links.make(BASE, (), "st_1", Recipient("a", "b"), NOW)
    assert (made.story, made.mute, made.wrong, made.stop) == (f"{BASE}/story/st_1", "", "", "")


# --------------------------------------------------------------------------------------------------- what they do


def pair(engine: sa.Engine, folder: Path) -> House:
    """A house with two folders, both told of everything, and links in their messages."""
    raw = {"channels": {name: {"type": "folder", "path": str(folder / name)} for name in ("ana", "joe")}}
    house = House(engine, raw, now=NOW)

    def make(group: str, recipient: Recipient, now: Any) -> Any:
        return links.make(BASE, SIGNER.keys, group, recipient, now)

    house.desk = Desk(engine, house.plan, house.channels, links=make)
    return house


def confirm(house: House, act: Act, story: str = "st_harbour") -> str:
    """POST one of ana's links."""
    with house.engine.begin() as connection:
        return acts.perform(connection, Grant(act, "ana/ana", story), house.plan, house.now)


def told(house: House, channel: str) -> list[str]:
    return [f"{row.created_at:%H:%M}" for row in house.rows(channel=channel)]


async def test_a_mute_link_mutes_for_one_recipient_only_and_answers_still_come(
    engine: sa.Engine, tmp_path: Path
) -> None:
    house = pair(engine, tmp_path)
    house.put(event(Kind.NEW_STORY, at("10:00")))
    await house.until(at("10:05"))
    confirm(house, Act.MUTE)
    confirm(house, Act.MUTE)
    house.put(event(Kind.NEW_OUTLET, at("10:05"), "courier.example"))
    await house.until(at("11:00"))
    assert (told(house, "ana"), told(house, "joe")) == (["10:02"], ["10:02", "10:32"])
    house.put(event(Kind.RESPONSE, at("11:00"), "radio.example", answer=answer()))
    await house.until(at("11:30"))
    assert told(house, "ana") == ["10:02", "11:01"]
    await house.until(at("10:10") + timedelta(days=1))
    assert [row.subject for row in house.rows(channel="ana")][-1].endswith("no longer muted")


async def test_a_stop_link_sets_one_recipient_aside_and_tells_elsewhere(engine: sa.Engine, tmp_path: Path) -> None:
    house = pair(engine, tmp_path)
    confirm(house, Act.STOP)
    assert confirm(house, Act.STOP) == "You get no more messages at this address."
    house.put(event(Kind.NEW_STORY, at("10:00")))
    await house.until(at("10:30"))
    assert told(house, "ana") == []
    subjects = [row.subject for row in house.rows(channel="joe")]
    assert any("unsubscribed" in subject for subject in subjects)
    assert (
        house.reasons()["new_story:harbour:st_harbour:gazette.example:gazette.example-100000"].count("closed set_aside")
        == 1
    )
    with engine.begin() as connection:
        assert acts.resume(connection, "ana/ana")
        assert not acts.resume(connection, "ana/ana")
    house.put(event(Kind.NEW_STORY, at("10:30"), story="st_other"))
    await house.until(at("11:00"))
    assert told(house, "ana") == ["10:32"]


async def test_opening_a_link_changes_nothing(engine: sa.Engine, tmp_path: Path) -> None:
    house = pair(engine, tmp_path)
    house.put(event(Kind.NEW_STORY, at("10:00")))
    await house.until(at("10:05"))
    body = house.body(house.rows(channel="ana")[0]).decode()
    addresses = [word.strip('\\"') for word in body.replace("\\n", " ").split() if f"{BASE}/a/" in word]
    assert addresses
    found = {SIGNER.read(address.rpartition("/a/")[2], ("ana/ana",), house.now) for address in addresses}
    for grant in found - {None}:
        assert grant is not None
        assert acts.describe(grant)
    with engine.begin() as connection:
        assert acts.aside(connection) == {}


async def test_a_story_called_wrong_is_kept_as_a_label_once(engine: sa.Engine, tmp_path: Path) -> None:
    from alerts import tables

    house = pair(engine, tmp_path)
    assert confirm(house, Act.WRONG) == confirm(house, Act.WRONG)
    with engine.begin() as connection:
        rows = connection.execute(sa.select(tables.feedback)).all()
    assert [(row.recipient, row.story, row.label) for row in rows] == [("ana/ana", "st_harbour", "wrong")]
