"""Which entries are one over many polls, and that polls by parts store what whole polls store."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from monitor.parse import delta
from monitor.store import engine as engines
from monitor.store import feeds, tables
from tests.fakes.feed_server import Step
from tests.scenarios.polls import (
    DAY,
    DENIED,
    FIRST,
    HOUR,
    MINUTE,
    NEWS,
    NOW,
    WIRE,
    House,
    item,
    old,
    open_house,
    rss,
)

TITLES = ("Rain in the north", "A bridge is closed", "The mayor resigns", "Schools open late", "A record harvest")
HERE = f"https://{WIRE}"


def each(guid: Callable[[int], str], link: Callable[[int], str], count: int = 5) -> bytes:
    return rss(*(item(TITLES[n], NOW - n * HOUR, guid=guid(n), link=link(n)) for n in range(count)))


SAME_AGAIN: dict[str, tuple[Callable[[int], bytes], int]] = {
    "one id for all, links of their own": (
        lambda poll: each(lambda _: "g", lambda n: f"{HERE}/{n}") + b" " * poll, 5,
    ),
    "one link for all and no id": (lambda poll: each(lambda _: "", lambda _: f"{HERE}/all") + b" " * poll, 5),
    "one id and one link for unlike titles": (
        lambda poll: each(lambda _: "g", lambda _: f"{HERE}/all") + b" " * poll, 5,
    ),
    "neither id nor link": (lambda poll: each(lambda _: "", lambda _: "") + b" " * poll, 5),
    "ids made anew at each poll": (lambda poll: each(lambda n: f"p{poll}-{n}", lambda n: f"{HERE}/{n}"), 5),
    "a new host with the same paths": (
        lambda poll: each(
            lambda n: f"https://h{min(poll, 1)}.example/news/article-{n}",
            lambda n: f"https://h{min(poll, 1)}.example/news/article-{n}",
        ) + b" " * poll,
        5,
    ),
    "three ids for one address with trackers": (
        lambda poll: rss(*(item(FIRST, NOW, guid=f"{poll}{n}", link=f"{HERE}/1?utm_source={n}") for n in range(3))), 1,
    ),
    "schemes and trackers that change": (
        lambda poll: each(lambda n: f"{poll}.{n}", lambda n: f"http{'s' * (poll % 2)}://{WIRE}/{n}?utm_source={poll}"),
        5,
    ),
    "another order": (
        lambda poll: rss(*random.Random(poll).sample([item(t, NOW) for t in TITLES], 5)), 5,
    ),
    "a live blog": (lambda poll: rss(item(f"Live: update {poll}", NOW, guid="live", link=f"{HERE}/live")), 1),
    "WordPress ids in the query": (
        lambda poll: each(lambda n: f"{HERE}/?p={n}", lambda n: f"{HERE}/?p={n}") + b" " * poll, 5,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("document", "count"), SAME_AGAIN.values(), ids=SAME_AGAIN)
async def test_entries_are_stored_once_over_many_polls(
    database: str, document: Callable[[int], bytes], count: int
) -> None:
    async with open_house(database, "/a") as house:
        feed = house.feed("/a")
        house.script("/a", *(Step(body=document(poll)) for poll in range(8)))
        await feed.poll()
        assert len(feed.titles) == count
        await feed.polls(7, 40 * MINUTE)
        assert len(feed.titles) == count
        assert house.told() == []


async def test_a_policy_that_changes_takes_a_baseline_even_from_a_server_that_says_304(database: str) -> None:
    """Three documents with moving ids: the fourth is asked for whole, and what it brings is not told."""
    async with open_house(database, "/a") as house:
        feed = house.feed("/a")

        def answer(request: Any, n: int) -> Step:
            if request.header("if-none-match"):
                return Step(304)
            return Step(200, {}, each(lambda i: f"p{n}-{i}", lambda i: f"{HERE}/{i}"))

        house.script("/a", answer)
        await feed.polls(3, 40 * MINUTE)
        tagged = Step(200, {"ETag": '"a"'}, each(lambda i: f"q-{i}", lambda i: f"{HERE}/{i}"))
        house.script("/a", *[tagged] * 4, Step(200, {"ETag": '"b"'}, rss(item(FIRST, NOW, text=NEWS), *old(1))))
        await feed.poll(40 * MINUTE)
        assert feed.row.trust.policy == "url"
        assert (feed.row.validators.etag, feed.row.items, feed.row.body_sha256) == (None, None, None)
        await feed.poll(40 * MINUTE)
        assert feed.asked[-1].header("if-none-match") is None
        assert feed.row.baseline_at == feed.row.last_attempt_at
        assert (feed.titles[5:], house.told()) == (["Item number 1", FIRST], [])


async def test_entries_whose_ids_differ_behind_the_number_sign_are_all_told(database: str) -> None:
    async with open_house(database, "/a") as house:

        def numbered(*numbers: int) -> list[str]:
            return [item(TITLES[n], NOW, guid=f"{HERE}/overview/news#{n}", link=f"{HERE}/{n}") for n in numbers]

        late = item(FIRST, NOW, text=NEWS, guid=f"{HERE}/overview/news#late")
        house.script("/a", Step(body=rss(*numbered(0, 1))), Step(body=rss(late, *numbered(2, 0, 1))))
        feed = house.feed("/a")
        await feed.polls(2)
        assert (len(feed.titles), house.told()) == (4, ["new_story"])


async def test_a_feed_of_one_id_goes_by_addresses_and_stays_there(database: str) -> None:
    async with open_house(database, "/a") as house:
        feed = house.feed("/a")
        numbers = iter(range(100))

        def answer(*_: Any) -> Step:
            count = next(numbers) + 3
            return Step(body=rss(*(item(f"Item {n}", NOW, guid="g", link=f"{HERE}/{n}") for n in range(count, 0, -1))))

        house.script("/a", answer)
        await feed.polls(12, 40 * MINUTE)
        assert feed.row.trust.policy == "url"
        assert len(feed.titles) == 14


async def test_two_like_titles_under_one_id_are_one_entry_with_a_revision(database: str) -> None:
    async with open_house(database, "/a") as house:
        earlier = item("Kosovo agrees to take deportees", NOW - HOUR, guid="g", link=f"{HERE}/1")
        later = item("UPDATE: Kosovo agrees to take 50 deportees", NOW, guid="g", link=f"{HERE}/1")
        house.script("/a", Step(body=rss(later, earlier)))
        feed = house.feed("/a")
        await feed.poll()
        assert feed.titles == ["UPDATE: Kosovo agrees to take 50 deportees"]
        with engines.reading(house.engine) as connection:
            kept = connection.execute(select(tables.entry_revision.c.title)).scalars().all()
        assert kept == ["Kosovo agrees to take deportees"]


async def test_an_entry_dated_back_is_new_although_the_newest_date_stands_still(database: str) -> None:
    async with open_house(database, "/a") as house:
        late = item(FIRST, NOW - 20 * HOUR, text=NEWS)
        house.script("/a", Step(body=rss(*old(1, 2, 3))), Step(body=rss(*old(1, 2, 3), late)))
        await house.feed("/a").polls(2)
        assert house.told() == ["new_story"]


async def test_an_entry_dated_two_hours_ahead_is_stored_and_told_by_when_it_was_seen(database: str) -> None:
    async with open_house(database, "/a") as house:
        ahead = item(FIRST, NOW + 3 * HOUR, text=NEWS)
        house.script("/a", Step(body=rss(*old(1, 2))), Step(body=rss(ahead, *old(1, 2))))
        await house.feed("/a").polls(2)
        (told,) = house.events("new_story")
        assert told["state"] == "open"
        assert house.entries()[-1].first_seen_at < NOW + HOUR
        with engines.reading(house.engine) as connection:
            from monitor.store import stories

            (line,) = stories.newest(connection)
        assert line.last_at < NOW + HOUR


async def test_an_entry_that_comes_back_after_its_text_was_deleted_is_no_news(database: str) -> None:
    async with open_house(database, "/a") as house:
        told, without = rss(item(FIRST, NOW, text=NEWS), *old(1, 2)), rss(*old(0, 1, 2))
        house.script("/a", Step(body=rss(*old(1, 2))), Step(body=told), Step(body=without), Step(body=told))
        feed = house.feed("/a")
        await feed.polls(3)
        with house.engine.begin() as connection:  # what a prune leaves: keys without texts
            gone = tables.entry.c.title == FIRST
            connection.execute(update(tables.entry).where(gone).values(summary="", content=""))
        await feed.poll(60 * DAY)
        assert (house.told(), len(feed.titles)) == (["new_story"], 4)


async def test_an_archive_of_705_entries_is_imported_once(database: str) -> None:
    archive = [
        item(f"From the archive {n}", datetime(1901, 1, 1, tzinfo=NOW.tzinfo) + n * 30 * DAY) for n in range(705)
    ]
    async with open_house(database, "/a") as house:
        house.script("/a", *(Step(body=rss(*archive, title=f"Day {n}")) for n in range(5)))
        feed = house.feed("/a")
        await feed.polls(5, DAY)
        assert (len(feed.titles), house.told()) == (705, [])


# ------------------------------------------------------------------------------- by parts as whole, and shuffled


def changing(seed: int, polls: int) -> Iterable[bytes]:
    """A feed that gains, loses, edits, re-dates and shuffles entries and sometimes is broken or shares addresses."""
    dice = random.Random(seed)
    entries: list[tuple[str, str, str]] = [(f"Item {n}", f"g{n}", f"{HERE}/{n}") for n in range(15)]
    for poll in range(polls):
        for _ in range(dice.randrange(4)):
            at, fresh = dice.randrange(len(entries)), f"{poll}-{dice.randrange(10**6)}"
            kind = dice.choice(["new", "new", "edit", "drop", "move", "reid", "share", "match"])
            title, guid, link = entries[at]
            if kind == "new":
                entries.insert(0, (f"Fresh item {fresh}", f"n{fresh}", f"{HERE}/n{fresh}"))
            elif kind == "match":
                entries.insert(0, (f"{FIRST} {fresh}", f"m{fresh}", f"{HERE}/m{fresh}"))
            elif kind == "edit":
                entries[at] = (f"{title} again", guid, link)
            elif kind == "drop" and len(entries) > 8:
                del entries[at]
            elif kind == "move":
                entries.insert(dice.randrange(len(entries)), entries.pop(at))
            elif kind == "reid":
                entries[at] = (title, f"r{fresh}", link)
            elif kind == "share":
                entries.insert(at, (f"{title} in other words", f"s{fresh}", link))
        body = rss(*(item(title, NOW, text=DENIED, guid=guid, link=link) for title, guid, link in entries))
        yield body.replace(b"</rss>", b"") if dice.random() < 0.1 else body


async def stored(database: str, documents: Iterable[bytes], *, forget: bool) -> list[tuple[Any, ...]]:
    """What many polls leave in the store; `forget` makes each of them a whole one."""
    async with open_house(database, "/a") as house:
        house.script("/a", *(Step(body=body) for body in documents))
        feed = house.feed("/a")
        for _ in documents if isinstance(documents, list) else ():
            if forget:
                with house.engine.begin() as connection:
                    connection.execute(update(tables.feed).values(items=None))
            await feed.poll(20 * MINUTE)
        return [
            *((row.entry_key, row.url_key, row.title, row.summary, row.outlet, row.gen) for row in house.entries()),
            *((event["key"].partition(":")[0], event["state"]) for event in house.events()),
            *sorted(house.seen_keys()),
            *_revisions(house),
        ]


def _revisions(house: House) -> list[tuple[Any, ...]]:
    revision = tables.entry_revision
    with engines.reading(house.engine) as connection:
        return [tuple(row) for row in connection.execute(select(revision).order_by(revision.c.entry_id, revision.c.n))]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_polls_by_parts_store_what_whole_polls_store(new_database: Callable[[str], str], seed: int) -> None:
    documents = list(changing(seed, 12))
    by_parts = await stored(new_database("parts"), documents, forget=False)
    whole = await stored(new_database("whole"), documents, forget=True)
    assert _without_withdrawals(by_parts) == _without_withdrawals(whole)


def _without_withdrawals(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Who forgets the document before cannot see that something was taken out of it."""
    return [row for row in rows if row[0] != "withdrawn"]


async def test_most_polls_of_a_well_formed_feed_are_by_parts(database: str) -> None:
    async with open_house(database, "/a") as house:
        house.script("/a", *(Step(body=rss(*old(*range(30 - n, 60 - n)))) for n in range(6)))
        feed = house.feed("/a")
        await feed.polls(6, 20 * MINUTE)
        remembered = delta.Memory.unpack(feed.row.items)
        assert remembered is not None
        assert len(remembered.items) == 30
        assert len(feed.titles) == 35


async def test_the_same_bytes_are_kept_once_and_come_back_as_they_were(database: str) -> None:
    from monitor.store import documents

    async with open_house(database, "/a") as house:
        first, second = rss(*old(1, 2)), rss(*old(0, 1, 2))
        house.script("/a", Step(body=first), Step(body=first), Step(body=second), Step(200, {}, b"<html>oh</html>"))
        feed = house.feed("/a")
        await feed.polls(4, HOUR)
        with engines.reading(house.engine) as connection:
            row = feeds.by_url(connection, feed.url)
            assert row is not None
            kept = documents.of_feed(connection, row.id)
            bodies = [documents.body(connection, row.id, document.at) for document in kept]
        assert bodies == [b"<html>oh</html>", second, first]
        assert [document.reason for document in kept] == ["html", None, None]
