"""Own reporting, a relay and a copy are three things: what a watch that waits for the first is told."""

from __future__ import annotations

from monitor import status
from monitor.store import engine as engines
from tests.fakes.feed_server import Step
from tests.scenarios.polls import FIRST, HOUR, MINUTE, NEWS, NOW, PRESS, Feed, House, item, old, open_house, rss

BOTH = """\
  - {name: all, query: "deport* AND Serbia", full_text: false}
  - {name: own, query: "deport* AND Serbia", full_text: false, independent: own}"""
STORY = item(FIRST, NOW, text=NEWS, guid="s1")
PRESSED = "Serbia pressed by Washington to take deported migrants"
RELAY = "Washington wants Serbia to accept migrants deported from the United States, Harbour Wire reported on Thursday."
OWN = "Washington wants Serbia to accept migrants deported from the United States, two diplomats told Northern Press."


async def joined_by(house: House, *pieces: str) -> Feed:
    """A story of one outlet, joined by further entries, one each poll."""
    documents = [rss(*pieces[:n], STORY, *old(*range(5))) for n in range(len(pieces) + 1)]
    house.script("/a", Step(body=rss(*old(*range(5)))), *(Step(body=body) for body in documents))
    feed = house.feed("/a")
    await feed.polls(2 + len(pieces), 30 * MINUTE)
    return feed


def new_outlets(house: House) -> list[tuple[str, str, bool]]:
    return [(told["watch"], told["mention"]["outlet"], told["own_reporting"]) for told in house.events("new_outlet")]


async def test_a_watch_that_waits_for_own_reporting_is_told_of_no_relay(storage_url: str) -> None:
    relay = item(PRESSED, NOW + HOUR, text=RELAY, host=PRESS)
    own = item(f"{PRESSED}: diplomats", NOW + 2 * HOUR, text=OWN, host=PRESS)
    async with open_house(storage_url, "/a", watches=BOTH) as house:
        await joined_by(house, relay, own)
        assert new_outlets(house) == [("all", PRESS, False), ("own", PRESS, True)]


async def test_an_edit_that_shows_own_reporting_is_told_where_only_that_counts(database: str) -> None:
    relay = item(PRESSED, NOW + HOUR, text=RELAY, host=PRESS, guid="p1")
    async with open_house(database, "/a", watches=BOTH) as house:
        feed = await joined_by(house, relay)
        edited = item(PRESSED, NOW + HOUR, text=OWN, host=PRESS, guid="p1")
        house.script("/a", Step(body=rss(edited, STORY, *old(*range(5)))))
        await feed.polls(2, 30 * MINUTE)
        assert new_outlets(house) == [("all", PRESS, False), ("own", PRESS, True)]


async def test_an_entry_without_text_is_matched_on_its_title_and_marked(database: str) -> None:
    async with open_house(database, "/a", watches=BOTH) as house:
        await joined_by(house, item(PRESSED, NOW + HOUR, host=PRESS))
        (told,) = house.events("new_outlet")
        assert told["facts"] == [["text", "none"]]
        (first, *_) = house.events("new_story")
        assert "facts" not in first
        with engines.reading(house.engine) as connection:
            shown = status.story(connection, told["group"])
        assert shown is not None
        assert [mention["title_only"] for mention in shown.as_dict()["mentions"]] == [False, True]
        assert shown.as_text().count("(title only)") == 1
