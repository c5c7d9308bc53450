"""Feeds that move: what is learnt of redirects, when, and what a move leaves behind. And what no redirect may reach."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.store import engine as engines
from monitor.store import moves
from tests.fakes.feed_server import Seen, Step, validating
from tests.scenarios.polls import DAY, FIRST, HOUR, MINUTE, NEWS, NOW, WIRE, House, item, old, open_house, rss

V1 = rss(*old(1, 2, 3))
TO_NEW = Step(301, {"Location": "/new"})


def history(house: House, path: str) -> list[tuple[str, str, str]]:
    with engines.reading(house.engine) as connection:
        made = moves.of_feed(connection, house.feed(path).row.id)
    return [(move.old.rpartition("/")[2], move.new.rpartition("/")[2], move.why) for move in made]


async def test_a_301_of_seven_days_is_learnt_and_its_history_kept(database: str) -> None:
    async with open_house(database, "/old") as house:
        house.script("/old", TO_NEW)
        house.script("/new", validating(V1, '"a"'))
        feed = house.feed("/old")
        await feed.polls(7, DAY)
        assert feed.row.moved_to is None
        assert len(feed.titles) == 3
        await feed.poll(DAY)
        assert history(house, "/old") == [("old", "new", "redirect")]
        await feed.poll(DAY)
        assert (len(feed.asked), len(house.server.of("/new"))) == (8, 9)
        assert house.server.of("/new")[-1].header("if-none-match") is None


async def test_the_first_document_after_a_move_is_a_baseline(database: str) -> None:
    async with open_house(database, "/old") as house:
        house.script("/old", TO_NEW)

        def answer(*_: Any) -> Step:
            fresh = [item(FIRST, house.clock.now, text=NEWS)] if house.clock.now > NOW + 8.5 * DAY else []
            return Step(body=rss(*fresh, *old(1, 2, 3)))

        house.script("/new", answer)
        feed = house.feed("/old")
        await feed.polls(9, DAY)
        assert (feed.titles[-1], house.told()) == (FIRST, [])
        assert [event["state"] for event in house.events("new_story")] == ["baseline"]


async def test_a_301_that_stops_on_the_third_day_is_forgotten(database: str) -> None:
    async with open_house(database, "/old") as house:
        house.script("/old", TO_NEW, TO_NEW, TO_NEW, Step(body=V1))
        house.script("/new", Step(body=V1))
        feed = house.feed("/old")
        await feed.polls(10, DAY)
        assert (feed.row.moved_to, feed.state.redirect) == (None, None)


async def test_a_301_to_a_login_page_is_an_error_and_is_not_learnt(database: str) -> None:
    async with open_house(database, "/old") as house:
        house.script("/old", TO_NEW)
        house.script("/new", Step(body=V1), Step(200, {"Content-Type": "text/html"}, b"<html>please log in</html>"))
        feed = house.feed("/old")
        await feed.polls(10, DAY)
        assert (feed.row.moved_to, feed.state.redirect, feed.row.fail_reason) == (None, None, "html")


CHAINS = {
    "302 A-B, 301 B-C teaches nothing": (302, 301, None),
    "301 A-B, 302 B-C teaches B": (301, 302, "/b"),
}


@pytest.mark.parametrize(("first", "second", "learnt"), CHAINS.values(), ids=CHAINS)
async def test_only_the_permanent_beginning_of_a_chain_is_learnt(
    database: str, first: int, second: int, learnt: str | None
) -> None:
    async with open_house(database, "/a") as house:
        house.script("/a", Step(first, {"Location": "/b"}))
        house.script("/b", Step(second, {"Location": "/c"}))
        house.script("/c", Step(body=V1))
        feed = house.feed("/a")
        await feed.polls(8, DAY)
        assert feed.row.moved_to == (house.server.url(learnt, WIRE) if learnt else None)


async def test_a_301_to_a_feed_of_ours_merges_both_and_tells_nothing_twice(database: str) -> None:
    rows = ("  - {url: '@/old', tags: [press]}", "  - {url: '@/new'}")
    watches = '  - {name: flights, query: "deport* AND Serbia", feeds: [press], full_text: false}'
    async with open_house(database, *rows, watches=watches) as house:
        late = item("Migrants deported to Serbia arrive", NOW + 9 * DAY, text=NEWS)

        def answer(*_: Any) -> Step:
            fresh = [late] if house.clock.now > NOW + 9 * DAY else []
            return Step(body=rss(*fresh, item(FIRST, NOW + DAY, text=NEWS), *old(1, 2, 3)))

        house.script("/old", TO_NEW)
        house.script("/new", answer)
        merged, kept = house.feed("/old"), house.feed("/new")
        for _ in range(8):
            await merged.poll(DAY)
        assert (merged.row.state, house.told()) == ("merged", [])
        await kept.polls(3, DAY)
        assert len(merged.asked) == 8
        (told,) = house.events(state="open")
        assert told["mention"]["title"] == "Migrants deported to Serbia arrive"


async def test_a_learnt_move_can_be_undone(database: str) -> None:
    async with open_house(database, "/old") as house:
        house.script("/old", *[TO_NEW] * 8, Step(body=V1))
        house.script("/new", Step(body=V1))
        feed = house.feed("/old")
        await feed.polls(8, DAY)
        assert feed.row.moved_to is not None
        with house.engine.begin() as connection:
            assert moves.undo(connection, feed.row.id, house.clock.now) == feed.url
        await feed.poll(HOUR)
        assert (feed.row.moved_to, len(feed.asked)) == (None, 9)
        assert [why for _, _, why in history(house, "/old")] == ["undone", "redirect"]


# ---------------------------------------------------------------------------- redirects written into documents


def moved_to(url: str) -> bytes:
    return f"<redirect><newLocation>{url}</newLocation></redirect>".encode()


async def test_a_document_that_names_its_new_address_is_followed_and_watched_like_a_301(database: str) -> None:
    async with open_house(database, "/old") as house:
        house.script("/old", Step(body=moved_to("/new")))
        house.script("/new", Step(body=V1))
        feed = house.feed("/old")
        await feed.poll()
        assert (feed.row.fail_reason, len(feed.titles)) == (None, 3)
        await feed.polls(7, DAY)
        assert feed.row.moved_to == house.server.url("/new", WIRE)


async def test_a_feed_that_names_its_new_address_in_its_channel_is_watched_like_a_301(database: str) -> None:
    namespace = 'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    async with open_house(database, "/old") as house:
        new = house.server.url("/new", WIRE)
        channel = f"<itunes:new-feed-url {namespace}>{new}</itunes:new-feed-url>"
        house.script("/old", lambda *_: Step(body=rss(*old(1, 2), channel=f"{channel}<!-- {house.clock.now} -->")))
        feed = house.feed("/old")
        await feed.polls(8, DAY)
        assert feed.row.moved_to == new


async def test_documents_that_lead_on_and_on_are_followed_five_times(database: str) -> None:
    async with open_house(database, "/n/0") as house:
        for n in range(12):
            house.script(f"/n/{n}", Step(body=moved_to(f"/n/{n + 1}")))
        feed = house.feed("/n/0")
        await feed.poll()
        assert feed.row.fail_reason == "too_many_redirects"
        assert len(house.server.requests) == 6


@pytest.mark.parametrize("to", ["/a", "/b"])
async def test_documents_that_lead_in_a_circle_are_an_error(database: str, to: str) -> None:
    async with open_house(database, "/a") as house:
        house.script("/a", Step(body=moved_to(to)))
        house.script("/b", Step(body=moved_to("/a")))
        feed = house.feed("/a")
        await feed.poll()
        assert feed.row.fail_reason == "redirect_loop"
        assert len(feed.asked) == 1


INSIDE = ("http://127.0.0.2/", "http://169.254.169.254/latest/")


@pytest.mark.parametrize("inside", INSIDE)
async def test_no_document_leads_inside(database: str, inside: str) -> None:
    async with open_house(database, "/a") as house:
        house.script("/a", Step(body=moved_to(inside)))
        feed = house.feed("/a")
        await feed.poll()
        assert feed.row.fail_reason == "refused_address"
        assert feed.waits > 23 * HOUR


SECRETS = "headers: {X-Key: {env: PASSWORD}}, auth: {user: me, password: {env: PASSWORD}}"


def secrets_of(requests: list[Seen]) -> list[bool]:
    return [bool(request.header("x-key") or request.header("authorization")) for request in requests]


async def test_secrets_of_a_feed_stay_at_its_origin_wherever_its_document_leads(database: str) -> None:
    async with open_house(database, f"  - {{url: '@/a', {SECRETS}}}", more_hosts=["stranger.example"]) as house:
        there = house.server.url("/b", "stranger.example")
        house.script("/a", Step(body=moved_to(there)))
        house.script("/b", Step(body=V1))
        await house.feed("/a").poll()
        assert secrets_of(house.server.of("/a")) == [True]
        assert secrets_of(house.server.of("/b")) == [False]


async def test_secrets_of_a_feed_do_not_go_to_an_older_page_elsewhere(database: str) -> None:
    async with open_house(database, f"  - {{url: '@/a', {SECRETS}}}", more_hosts=["stranger.example"]) as house:
        older = house.server.url("/b", "stranger.example")
        channel = f'<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="prev-archive" href="{older}"/>'
        house.script("/a", Step(body=V1), Step(body=rss(*old(*range(50, 70)), channel=channel)))
        house.script("/b", Step(body=rss(*old(*range(70, 90)))))
        await house.feed("/a").polls(2)
        assert secrets_of(house.server.of("/a")) == [True, True]
        assert secrets_of(house.server.of("/b")) == [False]


async def test_a_host_in_capitals_and_https_on_the_same_path_are_learnt_at_once(database: str) -> None:
    """Where TLS is wanted the scripted server has none: only what is decided is looked at here."""
    from monitor.schedule import redirects

    assert redirects.is_upgrade("http://WIRE.example/feed", "https://wire.example/feed")
    async with open_house(database, "/a") as house:
        house.script("/a", Step(301, {"Location": f"https://{WIRE}/a"}))
        feed = house.feed("/a")
        await feed.poll(MINUTE)
        assert feed.row.fail_reason in ("connect", "connect_timeout")
