"""What is learnt of an entry after it was told: an edit, a withdrawal, the page behind a teaser. Each told once."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from monitor.store import engine as engines
from monitor.store import tables
from tests.fakes.feed_server import FeedServer, Step
from tests.scenarios.polls import (
    DAY,
    DENIED,
    FIRST,
    HOUR,
    MINUTE,
    NEWS,
    NOW,
    WATCH,
    WIRE,
    Feed,
    House,
    item,
    old,
    open_house,
    rss,
)

BASE = rss(*old(*range(5)))
STORY = item(FIRST, NOW, text=NEWS, guid="s1", link=f"https://{WIRE}/s1")
QUIET = old(*range(5))


async def told_first(house: House, *later: Any) -> Feed:
    """A feed that has told of one story."""
    house.script("/a", Step(body=BASE), Step(body=rss(STORY, *QUIET)), *later)
    feed = house.feed("/a")
    await feed.polls(2, 30 * MINUTE)
    assert house.told() == ["new_story"]
    return feed


# ------------------------------------------------------------------------------------------------- revisions


async def test_an_edit_that_now_says_denies_is_a_correction_and_an_answer_told_once(
    storage_url: str,
) -> None:
    edited = item(
        "Serbia denies it would take deported migrants", NOW, text=DENIED, guid="s1", link=f"https://{WIRE}/s1"
    )
    async with open_house(storage_url, "/a") as house:
        feed = await told_first(house, Step(body=rss(edited, *QUIET)), Step(body=rss(edited, *old(*range(6)))))
        await feed.poll(HOUR)
        assert sorted(house.told()[1:]) == ["correction", "response"]
        (answer,) = house.events("response")
        assert (answer["answer"]["government"], answer["answer"]["stance"]) == ("RS", "denied")
        before = len(house.events())
        await feed.polls(2, HOUR)
        assert len(house.events()) == before


async def test_a_mended_comma_is_no_news(database: str) -> None:
    edited = item(FIRST + "!", NOW, text=NEWS.replace(",", " –"), guid="s1", link=f"https://{WIRE}/s1")
    async with open_house(database, "/a") as house:
        feed = await told_first(house, Step(body=rss(edited, *QUIET)))
        await feed.poll(HOUR)
        assert house.told() == ["new_story"]


async def test_an_edit_taken_back_and_made_again_is_told_once(database: str) -> None:
    edited = item(
        "Serbia denies it would take deported migrants", NOW, text=DENIED, guid="s1", link=f"https://{WIRE}/s1"
    )
    async with open_house(database, "/a") as house:
        turns = [Step(body=rss(edited if n % 2 == 0 else STORY, *old(*range(5 + n)))) for n in range(6)]
        feed = await told_first(house, *turns)
        await feed.poll(HOUR)
        before = house.told()
        await feed.polls(5, HOUR)
        assert [kind for kind in house.told()[len(before) :] if kind != "correction"] == []
        assert house.told().count("correction") <= 2  # there, and back
        assert house.told().count("response") == 1


async def test_an_entry_that_matches_only_after_its_edit_is_an_arrival_like_any_other(database: str) -> None:
    plain = item("Ministers meet in Belgrade", NOW, text="They talked.", guid="m1", link=f"https://{WIRE}/m1")
    edited = item("Ministers meet in Belgrade", NOW, text=NEWS, guid="m1", link=f"https://{WIRE}/m1")
    async with open_house(database, "/a") as house:
        house.script("/a", Step(body=BASE), Step(body=rss(plain, *QUIET)), Step(body=rss(edited, *QUIET)))
        await house.feed("/a").polls(3, 30 * MINUTE)
        assert house.told() == ["new_story"]


# ------------------------------------------------------------------------------------------------ withdrawals


async def test_an_entry_missing_from_two_documents_half_an_hour_apart_is_withdrawn_once(storage_url: str) -> None:
    async with open_house(storage_url, "/a") as house:
        gone = [Step(body=rss(*old(*range(n)))) for n in (6, 7, 8, 9)]
        feed = await told_first(house, *gone)
        await feed.poll(20 * MINUTE)
        assert house.told() == ["new_story"]
        await feed.poll(40 * MINUTE)
        assert house.told() == ["new_story", "withdrawn"]
        await feed.polls(2, HOUR)
        assert house.told() == ["new_story", "withdrawn"]


@pytest.mark.parametrize("answer", [Step(304), Step(body=rss(*old(*range(6))))], ids=["a 304", "the same body"])
async def test_the_same_document_again_is_no_second_one_to_be_missing_from(database: str, answer: Step) -> None:
    """A cache may show one old document for hours; only another one without the entry says that it is gone."""
    async with open_house(database, "/a") as house:
        first, second = Step(200, {"ETag": '"x"'}, rss(*old(*range(6)))), Step(body=rss(*old(*range(7))))
        feed = await told_first(house, first, answer, answer, second)
        await feed.polls(3, 20 * MINUTE)
        assert house.told() == ["new_story"]
        await feed.poll(20 * MINUTE)
        assert house.told() == ["new_story", "withdrawn"]


async def test_a_cache_that_shows_an_older_document_withdraws_and_repeats_nothing(database: str) -> None:
    new, older = rss(STORY, *old(*range(29))), rss(*old(*range(9, 29)))
    async with open_house(database, "/a") as house:
        house.script("/a", Step(body=older), Step(body=new), *[Step(body=older), Step(body=new)] * 6)
        feed = house.feed("/a")
        await feed.polls(14, 11 * MINUTE)
        assert house.told() == ["new_story"]
        assert len(feed.titles) == 30


async def test_an_entry_that_fell_off_the_end_is_not_withdrawn(database: str) -> None:
    async with open_house(database, "/a") as house:
        fresh = [item(f"Fresh {n}", NOW + HOUR) for n in range(5)]
        feed = await told_first(house, Step(body=rss(*fresh)), Step(body=rss(*fresh[1:])))
        await feed.polls(3, 40 * MINUTE)
        assert house.told() == ["new_story"]


async def test_what_leaves_after_a_day_has_just_been_replaced(database: str) -> None:
    async with open_house(database, "/a") as house:
        feed = await told_first(house, Step(body=rss(STORY, *QUIET)), Step(body=rss(*old(*range(6)))))
        await feed.poll(7 * HOUR)
        await feed.polls(3, HOUR)
        assert house.told() == ["new_story"]


# -------------------------------------------------------------------------------------------------- full text

ARTICLE = (
    "The plan has been discussed for months between Washington and several capitals of the region, people with "
    "knowledge of the talks say, and would begin with a small group of people who cannot be sent home."
)


def page(*paragraphs: str, head: str = "") -> bytes:
    body = "".join(f"<p>{text}</p>" for text in (*paragraphs, ARTICLE, NEWS))
    head = f"<head><title>T</title>{head}</head>"
    return f"<html>{head}<body><article><h1>{FIRST}</h1>{body}</article></body></html>".encode()


HTML = {"Content-Type": "text/html; charset=utf-8"}


def teaser(server: FeedServer, host: str = WIRE, path: str = "/page", guid: str = "t1", more: str = "") -> str:
    return item(FIRST, NOW, text=NEWS[:120], guid=guid, link=server.url(path, host), more=more)


async def with_teaser(house: House, *pages: Step, robots: Step = Step(404), host: str = WIRE) -> Feed:  # noqa: B008  frozen
    house.script("/robots.txt", robots)
    house.script("/page", *pages)
    house.script("/a", Step(body=BASE), Step(body=rss(teaser(house.server, host), *QUIET)))
    feed = house.feed("/a")
    await feed.polls(2, 30 * MINUTE)
    assert house.told() == ["new_story"]
    return feed


def articles(engine: Engine) -> list[tuple[str, str | None, int]]:
    with engines.reading(engine) as connection:
        rows = connection.execute(select(tables.article).order_by(tables.article.c.entry_id)).all()
    return [(row.state, row.reason, row.attempts) for row in rows]


async def test_the_page_of_a_teaser_is_read_once_and_its_answer_told_once(storage_url: str) -> None:
    async with open_house(storage_url, "/a", watches=WATCH) as house:
        feed = await with_teaser(house, Step(200, HTML, page(DENIED)))
        assert await house.read_pages(MINUTE) == 1
        assert house.told() == ["new_story", "response"]
        assert [request.path for request in house.server.requests if request.path in ("/robots.txt", "/page")] == [
            "/robots.txt",
            "/page",
        ]
        assert "people with knowledge of the talks" in " ".join(house.entries()[-1].article.split())
        assert articles(house.engine) == [("read", None, 1)]
        assert await house.read_pages(DAY) == 0
        await feed.poll(HOUR)
        assert await house.read_pages(HOUR) == 0
        assert house.told() == ["new_story", "response"]


async def test_robots_is_asked_once_for_many_pages(database: str) -> None:
    async with open_house(database, "/a", watches=WATCH) as house:
        house.script("/robots.txt", Step(404))
        rows = [
            item(f"{FIRST} again {n}", NOW, text=NEWS[:120], link=house.server.url(f"/p{n}", WIRE)) for n in range(5)
        ]
        for n in range(5):
            house.script(f"/p{n}", Step(200, HTML, page()))
        house.script("/a", Step(body=BASE), Step(body=rss(*rows, *QUIET)))
        await house.feed("/a").polls(2, 30 * MINUTE)
        assert await house.read_pages() == 5
        assert len(house.server.of("/robots.txt")) == 1
        assert articles(house.engine) == [("read", None, 1)] * 5


async def test_robots_that_ask_not_to_are_obeyed(database: str) -> None:
    async with open_house(database, "/a", watches=WATCH) as house:
        await with_teaser(house, Step(200, HTML, page()), robots=Step(body=b"User-agent: *\nDisallow: /page"))
        await house.read_pages()
        assert house.server.of("/page") == []
        assert articles(house.engine) == [("refused", "robots", 1)]


async def test_robots_that_cannot_be_read_now_put_the_page_off(database: str) -> None:
    async with open_house(database, "/a", watches=WATCH) as house:
        await with_teaser(house, Step(200, HTML, page(DENIED)))
        house.script("/robots.txt", Step(503), Step(404))
        await house.read_pages()
        assert (house.server.of("/page"), articles(house.engine)) == ([], [("wanted", "robots", 0)])
        await house.read_pages(2 * HOUR)
        assert house.told() == ["new_story", "response"]


async def test_another_entry_with_the_same_address_takes_the_text_that_was_read(database: str) -> None:
    async with open_house(database, "/a", "press.example/b", watches=WATCH) as house:
        source = '<source url="https://press.example/">Northern Press</source>'
        shared, five = teaser(house.server, guid="t2", more=source), old(*range(50, 55))
        house.script("/b", *[Step(body=rss(*five))] * 2, Step(body=rss(shared, *five)))
        await with_teaser(house, Step(200, HTML, page(DENIED)))
        await house.read_pages()
        await house.feed("/b", "press.example").polls(2, 40 * MINUTE)
        assert await house.read_pages() == 1
        assert len(house.server.of("/page")) == 1
        assert articles(house.engine) == [("read", None, 1)] * 2


async def test_a_page_that_fails_is_asked_for_four_times_ever_less_often(database: str) -> None:
    async with open_house(database, "/a", watches=WATCH) as house:
        await with_teaser(house, Step(503))
        times = [house.clock.now for _ in range(24 * 12) if await house.read_pages(5 * MINUTE)]
        assert len(house.server.of("/page")) == 4
        gaps = [after - before for before, after in itertools.pairwise(times)]
        assert gaps == [timedelta(minutes=10), timedelta(minutes=40), timedelta(minutes=160)]
        assert articles(house.engine) == [("refused", "server_error", 4)]


async def test_pages_of_an_outlet_that_is_not_to_be_read_are_never_asked_for(database: str) -> None:
    async with open_house(database, "/a", watches=WATCH, full_text=False, more_hosts=["glas.example"]) as house:
        await with_teaser(house, Step(200, HTML, page()), host="glas.example")
        assert await house.read_pages() == 0
        assert (articles(house.engine), house.server.of("/page")) == ([], [])


async def test_a_watch_that_wants_no_pages_asks_for_none(database: str) -> None:
    async with open_house(database, "/a") as house:
        await with_teaser(house, Step(200, HTML, page()))
        assert (await house.read_pages(), house.server.requests[-1].path) == (0, "/a")


NO_COPY = {
    "in a header": ({**HTML, "X-Robots-Tag": "noarchive"}, ""),
    "in the page": (HTML, '<meta name="robots" content="noarchive">'),
}


@pytest.mark.parametrize(("headers", "head"), NO_COPY.values(), ids=NO_COPY)
async def test_of_a_page_of_which_no_copy_is_to_be_kept_only_the_evidence_stays(
    database: str, headers: dict[str, str], head: str
) -> None:
    async with open_house(database, "/a", watches=WATCH) as house:
        await with_teaser(house, Step(200, headers, page(DENIED, head=head)))
        await house.read_pages()
        assert house.told() == ["new_story", "response"]
        assert house.entries()[-1].article is None


async def test_a_revision_of_an_entry_has_its_page_read_once_more(database: str) -> None:
    async with open_house(database, "/a", watches=WATCH) as house:
        feed = await with_teaser(house, Step(200, HTML, page()), Step(200, HTML, page(DENIED)))
        await house.read_pages()
        edited = item(f"UPDATE: {FIRST}", NOW, text=NEWS[:100], guid="t1", link=house.server.url("/page", WIRE))
        house.script("/a", Step(body=rss(edited, *QUIET)))
        await feed.poll(HOUR)
        assert await house.read_pages() == 1
        assert house.told().count("response") == 1


PAGES: dict[str, tuple[Callable[[FeedServer], Step], str, str]] = {
    "a page one must pay for": (lambda _: Step(402), "refused", "paywall"),
    "a page of eight mebibytes": (lambda _: Step(200, HTML, b"<p>x</p>" * (1024 * 1024)), "refused", "too_large"),
    "a redirect to a private address": (
        lambda _: Step(302, {"Location": "http://127.0.0.2/"}), "refused", "refused_address",
    ),
    "a picture": (lambda _: Step(200, {"Content-Type": "image/png"}, b"x"), "refused", "not_html"),
    "a page without a text": (lambda _: Step(200, HTML, b"<html></html>"), "failed", "no_text"),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "state", "reason"), PAGES.values(), ids=PAGES)
async def test_a_page_that_is_not_read_has_its_word(
    database: str, answer: Callable[[FeedServer], Step], state: str, reason: str
) -> None:
    async with open_house(database, "/a", watches=WATCH) as house:
        await with_teaser(house, answer(house.server))
        await house.read_pages()
        assert articles(house.engine) == [(state, reason, 1)]
        assert house.told() == ["new_story"]


async def test_a_page_is_left_alone_while_its_host_is_held(database: str) -> None:
    async with open_house(database, "/a", "/b", watches=WATCH, own=False) as house:
        house.script("/b", Step(body=BASE), Step(429, {"Retry-After": "3600"}))
        await with_teaser(house, Step(200, HTML, page(DENIED)))
        await house.feed("/b").poll(15 * MINUTE)
        await house.read_pages()
        assert house.server.of("/page") == []
        assert articles(house.engine) == [("wanted", "robots", 0)]  # not even those are asked for
        await house.read_pages(2 * HOUR)
        assert house.told() == ["new_story", "response"]
