"""What whoever runs storywatch is told: how a feed stands, that the network is down, that a watch sees too little."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from monitor.schedule.reasons import OWN_NETWORK
from tests.fakes.feed_server import Step
from tests.scenarios.polls import (
    DAY,
    FIRST,
    HOUR,
    MINUTE,
    NEWS,
    NOW,
    SECOND,
    WIRE,
    House,
    item,
    old,
    open_house,
    rss,
)

V1 = rss(*old(1, 2, 3))

# -------------------------------------------------------------------------------------------- one feed's standing


async def test_a_feed_that_fails_for_a_day_is_told_once_and_once_when_it_works_again(storage_url: str) -> None:
    async with open_house(storage_url, "/a") as house:
        house.script("/a", lambda *_: Step(500) if NOW < house.clock.now < NOW + 60 * HOUR else Step(body=V1))
        feed = house.feed("/a")
        while feed.row.next_at < NOW + DAY:
            await feed.poll()
        assert (house.standings(), feed.state.fail.count > 4) == ([], True)
        while house.clock.now < NOW + 4 * DAY:
            await feed.poll()
        assert house.standings() == ["failing", "ok"]
        first, last = house.events("feed_state")
        assert dict(map(tuple, first["facts"]))["message"].endswith("has not been read for a day (server_error)")
        assert dict(map(tuple, last["facts"]))["message"].endswith("works again")


async def test_one_410_loses_nothing(database: str) -> None:
    async with open_house(database, "/a") as house:
        late = rss(item(FIRST, NOW, text=NEWS), *old(1, 2, 3))
        house.script("/a", Step(body=V1), Step(410), Step(body=late))
        await house.feed("/a").polls(3)
        assert (house.told(), house.standings()) == (["new_story"], [])


async def test_two_410_a_day_apart_are_told_once_and_the_feed_is_asked_again_after_30_days(database: str) -> None:
    async with open_house(database, "/a") as house:
        back = rss(item(FIRST, NOW + 31 * DAY, text=NEWS), *old(1, 2, 3))
        house.script("/a", lambda *_: Step(410) if NOW < house.clock.now < NOW + 25 * DAY else Step(body=back))
        house.script("/a", Step(body=V1), Step(410), Step(410), Step(410), Step(410), Step(body=back))
        feed = house.feed("/a")
        await feed.poll()
        await feed.poll()
        await feed.poll(25 * HOUR)
        assert (feed.row.state, house.standings()) == ("gone", ["gone"])
        assert 30 * DAY - MINUTE <= feed.waits <= 30 * DAY
        await feed.polls(2)
        assert house.standings() == ["gone"]
        await feed.poll()
        assert (feed.row.state, house.standings()) == ("active", ["gone", "ok"])
        assert (FIRST in feed.titles, house.told()) == (True, [])  # a feed that was gone comes back with a baseline


async def test_a_newspaper_that_falls_silent_at_noon_is_told_and_a_ministry_is_not(database: str) -> None:
    async with open_house(database, "/paper", "ministry.example/m") as house:
        noon = NOW + DAY + 4 * HOUR

        def paper(*_: Any) -> Step:
            now = min(house.clock.now, noon)
            hours = int((now - NOW + 2 * DAY) / (20 * MINUTE))
            newest = [item(f"Item {n}", NOW - 2 * DAY + n * 20 * MINUTE) for n in range(hours, max(hours - 40, 0), -1)]
            return Step(body=rss(*newest))

        house.script("/paper", paper)
        house.script("/m", Step(body=rss(*(item(f"Statement {n}", NOW - n * 12 * HOUR) for n in range(10)))))
        await house.run(DAY + 10 * HOUR, tick=5 * MINUTE)
        assert house.standings(house.feed("/paper")) == ["silent"]
        await house.run(DAY, tick=5 * MINUTE)
        assert house.standings(house.feed("/m", "ministry.example")) == []
        noon += HOUR
        await house.run(3 * HOUR, tick=5 * MINUTE)
        assert house.standings(house.feed("/paper")) == ["silent", "ok"]


async def test_a_window_that_was_outrun_is_told_once_and_its_older_page_is_read_once(database: str) -> None:
    watches = '  - {name: flights, query: "deport* AND Serbia", feeds: [wires], full_text: false}'
    async with open_house(database, "  - {url: '@/a', tags: [wires]}", watches=watches) as house:
        window = [item(f"Fresh {n}", NOW + HOUR - n * SECOND) for n in range(20)]
        missed = [item(FIRST, NOW + 30 * MINUTE, text=NEWS), *(item(f"Missed {n}", NOW) for n in range(19))]
        channel = "<generator>https://wordpress.org/?v=6</generator>"
        house.script("/a", Step(body=rss(*old(*range(20)))), Step(body=rss(*window, channel=channel)))
        house.script("/a?paged=2", Step(body=rss(*missed)))
        feed = house.feed("/a")
        await feed.poll()
        await feed.poll(HOUR)
        assert house.standings() == ["overflowing"]
        assert len(house.server.of("/a?paged=2")) == 1
        assert len(feed.titles) == 60
        assert house.told() == ["new_story"]
        await feed.polls(3)
        assert len(house.server.of("/a?paged=2")) == 1
        assert house.standings() == ["overflowing"]


async def test_an_older_page_that_cannot_be_read_costs_nothing(database: str) -> None:
    async with open_house(database, "/a") as house:
        channel = "<generator>https://wordpress.org/?v=6</generator>"
        window = rss(*(item(f"Fresh {n}", NOW) for n in range(20)), channel=channel)
        house.script("/a", Step(body=rss(*old(*range(20)))), Step(body=window))
        feed = house.feed("/a")
        await feed.polls(3)
        assert len(house.server.of("/a?paged=2")) == 1
        assert (feed.row.fail_reason, len(feed.titles), len(feed.asked)) == (None, 40, 3)


async def test_three_hundred_old_entries_shown_again_are_held_back_and_told_to_the_operator_once(
    storage_url: str,
) -> None:
    async with open_house(storage_url, "/a") as house:
        matching = [item(f"{FIRST}, part {n}", NOW - 90 * DAY, text=NEWS) for n in range(5)]
        news = [*matching, *old(*range(10, 305), at=NOW - 90 * DAY)]
        house.script("/a", Step(body=V1), Step(body=rss(*news, *old(1, 2, 3))), Step(body=rss(*news, *old(0, 1))))
        feed = house.feed("/a")
        await feed.polls(2)
        assert (len(feed.titles), house.told(), house.standings()) == (303, [], ["mass_change"])
        await feed.polls(2)
        assert house.standings() == ["mass_change"]


async def test_entries_redated_to_today_are_no_news(database: str) -> None:
    async with open_house(database, "/a") as house:

        def dated(at: datetime) -> Step:
            return Step(body=rss(item(FIRST, at, text=NEWS), *old(*range(299), at=at)))

        house.script("/a", dated(NOW - 90 * DAY), dated(NOW))
        feed = house.feed("/a")
        await feed.polls(3)
        assert (len(feed.titles), house.told()) == (300, [])


async def test_an_empty_document_between_good_ones_retires_and_repeats_nothing(database: str) -> None:
    async with open_house(database, "/a") as house:
        full = rss(item(FIRST, NOW, text=NEWS), *old(1, 2, 3))
        house.script("/a", Step(body=V1), Step(body=full), Step(body=rss()), Step(body=full))
        feed = house.feed("/a")
        await feed.polls(3)
        assert feed.waits <= 17 * MINUTE  # 15 and the jitter
        await feed.polls(2)
        assert (house.told(), len(feed.titles)) == (["new_story"], 4)


async def test_a_first_poll_of_500_entries_is_a_baseline(storage_url: str) -> None:
    async with open_house(storage_url, "/a") as house:
        news = [item(f"{FIRST} {n}", NOW - n * MINUTE, text=NEWS) for n in range(5)]
        house.script("/a", Step(body=rss(*news, *old(*range(495)))))
        feed = house.feed("/a")
        await feed.poll()
        assert (len(feed.titles), house.told()) == (500, [])
        assert feed.row.baseline_at == NOW


async def test_a_partial_answer_adds_its_entries_and_nothing_is_missed_or_gone(database: str) -> None:
    async with open_house(database, "/a") as house:
        told = rss(item(FIRST, NOW, text=NEWS), *old(*range(5)))
        more = rss(item("Fresh 1", NOW + HOUR), item("Fresh 2", NOW + HOUR))
        house.script("/a", Step(body=rss(*old(*range(5)))), Step(body=told), Step(226, {}, more), Step(226, {}, more))
        feed = house.feed("/a")
        await feed.polls(4, 40 * MINUTE)
        assert (len(feed.titles), house.told(), house.standings()) == (8, ["new_story"], [])
        assert feed.state.items == 6


# ------------------------------------------------------------------------------------------------ our own network


async def test_half_an_hour_without_a_network_blames_nobody(storage_url: str) -> None:
    hosts = [f"h{n}.example" for n in range(14)]
    async with open_house(storage_url, *(f"{host}/f" for host in hosts), own=False) as house:
        house.script("/f", Step(body=V1))
        await house.round()
        before = len(house.server.requests)
        down = house.clock.now = NOW + HOUR + 10 * MINUTE
        await house.server.vanish()
        await house.run(30 * MINUTE)
        assert [_words(event)[:22] for event in house.events("own_network")] == ["The network of this ma"]
        assert len(house.server.requests) == before
        tried = [at for times in house.gate.starts.values() for at in times if at > down + 10 * MINUTE]
        assert 18 <= len(tried) <= 21  # one host a minute
        assert all(feed.row.fail_reason is None and feed.state.fail.count == 0 for feed in house.feeds)
        await house.server.come_back()
        await house.run(2 * MINUTE)
        assert [_words(event)[:23] for event in house.events("own_network")][1:] == ["The network is back. Po"]
        times = sorted(feed.row.next_at - house.clock.now for feed in house.feeds)
        assert times[-1] - times[0] > 5 * MINUTE  # spread
        await house.run(15 * MINUTE)
        assert all((feed.row.last_ok_at or NOW) >= down + 30 * MINUTE for feed in house.feeds)
        assert house.standings() == []


def _words(event: dict[str, Any]) -> str:
    return str(dict(map(tuple, event["facts"]))["message"])


async def test_three_hosts_without_names_are_to_blame_themselves(database: str) -> None:
    hosts = [f"h{n}.example" for n in range(12)]
    async with open_house(database, *(f"{host}/f" for host in hosts), own=False) as house:
        house.script("/f", Step(body=V1))
        house.names.failing |= set(hosts[:3])
        await house.round()
        assert house.events("own_network") == []
        failed = [feed for feed in house.feeds if feed.row.fail_reason]
        assert {feed.row.fail_reason for feed in failed} <= {str(reason) for reason in OWN_NETWORK}
        assert len(failed) == 3


# -------------------------------------------------------------------------------------------- what a watch sees


async def test_a_watch_that_sees_too_little_for_a_quarter_of_an_hour_is_told_and_told_when_it_sees_again(
    storage_url: str,
) -> None:
    async with open_house(storage_url, "/a", "/b", "/c") as house:
        for path in ("/a", "/b", "/c"):
            house.script(path, Step(body=V1))
        await house.round()
        house.watch_the_watching()
        assert house.events("coverage") == []
        house.script("/a", Step(500))
        await house.run(5 * HOUR, tick=10 * MINUTE)
        house.watch_the_watching()
        house.watch_the_watching(14 * MINUTE)
        assert house.events("coverage") == []
        for _ in range(3):
            house.watch_the_watching(MINUTE)
        (low,) = house.events("coverage")
        assert _words(low).startswith("flights sees only 2 of its 3 feeds")
        house.script("/a", Step(body=V1))
        await house.run(10 * HOUR, tick=10 * MINUTE)
        for _ in range(3):
            house.watch_the_watching(MINUTE)
        assert [_words(event) for event in house.events("coverage")][1:] == ["flights sees 3 of its 3 feeds again"]


# ---------------------------------------------------------------------------------------------- where a watch looks

SCOPES = {
    "everywhere": ("", ["wire.example", "press.example", "glas.example"]),
    "in feeds with a tag": ("feeds: [wires], ", ["wire.example", "press.example"]),
    "at an outlet": ("outlets: [glas.example], ", ["glas.example"]),
    "everywhere but at an outlet": ("exclude: [wire.example], ", ["press.example", "glas.example"]),
}


@pytest.mark.parametrize(("scope", "taken"), SCOPES.values(), ids=SCOPES)
async def test_a_watch_looks_where_it_was_told_to(database: str, scope: str, taken: list[str]) -> None:
    hosts = (WIRE, "press.example", "glas.example")
    tags = {WIRE: "[wires]", "press.example": "[wires]", "glas.example": "[press]"}
    rows = [f"  - {{url: '@{host}/{host}', tags: {tags[host]}}}" for host in hosts]
    watches = f'  - {{name: flights, {scope}query: "deport* AND Serbia", full_text: false}}'
    async with open_house(database, *rows, watches=watches) as house:
        for n, host in enumerate(hosts):
            words = f"{NEWS} Officials of {n} more capitals spoke to {host}."
            late = rss(item(FIRST, NOW, text=words, host=host), *old(n * 10, n * 10 + 1))
            house.script(f"/{host}", Step(body=rss(*old(n * 10, n * 10 + 1))), Step(body=late))
        await house.round()
        for host in hosts:
            await house.feed(f"/{host}", host).poll(20 * MINUTE)
        assert _matched(house) == taken


def _matched(house: House) -> list[str]:
    from sqlalchemy import select

    from monitor.store import engine as engines
    from monitor.store import tables

    with engines.reading(house.engine) as connection:
        rows = connection.execute(
            select(tables.entry.c.outlet)
            .join(tables.match, tables.match.c.entry_id == tables.entry.c.id)
            .order_by(tables.entry.c.id)
        )
        return [row[0] for row in rows]
