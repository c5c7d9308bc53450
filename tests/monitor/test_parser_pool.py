"""Parser processes: a body that hangs, eats memory or kills its worker is one failed body, and no more."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from monitor.errors import ParseError
from monitor.parse.publishers import HostTable
from monitor.parser_pool import Body, Page, ParserPool
from monitor.values import Domain, ParsedFeed

NOW = datetime(2025, 6, 6, 8, 0, tzinfo=UTC)


def body(text: str, url: str = "https://glasnik.example.rs/rss") -> Body:
    return Body(text.encode(), url, {}, NOW)


def good(n: int = 1) -> Body:
    return body(f"<rss><channel><title>G</title><item><title>Vest {n}</title></item></channel></rss>")


ENDLESS = body(
    "<rss><channel><title>G</title><item><description>" + "<b>" * 600_000 + "</description></item></channel></rss>"
)
"""Mixed-up markup that feedparser's tag soup parser needs minutes for."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[ParserPool]:
    async with ParserPool(1) as running:
        await running.parse(good())
        yield running


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_bodies_are_parsed_in_another_process(pool: ParserPool) -> None:
    parsed = await pool.parse(good(7))
    assert [entry.title for entry in parsed.entries] == ["Vest 7"]


async def test_only_what_is_new_is_parsed_where_the_rest_is_remembered(pool: ParserPool) -> None:
    def document(*numbers: int) -> Body:
        items = "".join(f"<item><title>Vest {n}</title><guid>{n}</guid></item>" for n in numbers)
        return body(f"<rss><channel><title>G</title>{items}</channel></rss>")

    first = await pool.parse_new(document(1, 2), None)
    second = await pool.parse_new(document(3, 1, 2), first.memory)
    assert ([entry.id for entry in second.feed.entries], second.positions, second.whole) == (["3"], (0,), None)


async def test_a_reason_crosses_the_border(pool: ParserPool) -> None:
    with pytest.raises(ParseError) as caught:
        await pool.parse(body("<redirect><newLocation>https://b.example/rss</newLocation></redirect>"))
    assert (caught.value.reason, caught.value.found) == ("moved", ("https://b.example/rss",))


async def test_a_body_out_of_time_fails_alone() -> None:
    async with ParserPool(1, cpu_s=1.5) as pool:
        await _one_out_of_time(pool)


async def _one_out_of_time(pool: ParserPool) -> None:
    answers = await asyncio.gather(
        pool.parse(good(1)), pool.parse(ENDLESS), pool.parse(good(2)), return_exceptions=True
    )
    assert isinstance(answers[0], ParsedFeed)
    assert isinstance(answers[2], ParsedFeed)
    assert isinstance(answers[1], ParseError)
    assert answers[1].reason == "parse_timeout"


async def test_a_killed_worker_is_replaced_and_its_bodies_are_parsed(pool: ParserPool) -> None:
    (worker,) = pool.process_ids
    os.kill(worker, signal.SIGKILL)
    answers = await asyncio.gather(*(pool.parse(good(n)) for n in range(10)))
    assert [answer.entries[0].title for answer in answers] == [f"Vest {n}" for n in range(10)]
    assert pool.process_ids != (worker,)


class Deadly(dict[str, str]):
    """Headers that end the process that unpacks them, as a fault in C would."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (9,)


async def test_hosts_are_known_by_the_table_of_the_moment(pool: ParserPool) -> None:
    item = "<item><title>Vest</title><link>https://glasnik.example.rs/1</link></item>"
    document = body(f"<rss><channel><title>G</title>{item}</channel></rss>")
    before = await pool.parse(document)
    pool.use(HostTable(hosts={"glasnik.example.rs": Domain("novi-glasnik.example")}))
    after = await pool.parse(document)
    assert [one.entries[0].outlet for one in (before, after)] == ["example.rs", "novi-glasnik.example"]


async def test_a_body_that_kills_twice_is_given_up_and_the_others_are_parsed(pool: ParserPool) -> None:
    deadly = Body(b"<rss/>", "https://glasnik.example.rs/rss", Deadly(), NOW)
    asked = [good(1), good(2), deadly, good(3)]
    answers = await asyncio.gather(*map(pool.parse, asked), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ParsedFeed, ParsedFeed, ParseError, ParsedFeed]
    assert getattr(answers[2], "reason", None) == "parse_timeout"


async def test_an_article_is_read_in_the_same_process(pool: ParserPool) -> None:
    paragraph = "The minister said on Thursday that no agreement had been signed with anybody. " * 3
    page = (
        f"<html><body><nav><p>Menu</p></nav><article><p>{paragraph}</p><p>{paragraph[::-1]}</p></article></body></html>"
    )
    found = await pool.extract(Page(page.encode(), "https://glasnik.example.rs/1"))
    assert found is not None
    assert paragraph.strip() in found.text
    assert "Menu" not in found.text


async def test_without_workers_bodies_are_parsed_here() -> None:
    async with ParserPool(0) as inline:
        assert (await inline.parse(good(3))).entries[0].title == "Vest 3"
        with pytest.raises(ParseError):
            await inline.parse(body(""))
        assert inline.process_ids == ()


async def test_a_pool_that_is_ready_has_all_its_processes() -> None:
    async with ParserPool(2) as fresh:
        await fresh.ready()
        assert len(fresh.process_ids) == 2


async def test_a_closed_pool_leaves_no_process() -> None:
    pool = ParserPool(1)
    await pool.parse(good())
    (worker,) = pool.process_ids
    await pool.close()
    assert pool.process_ids == ()
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


async def test_closing_cancels_what_waits() -> None:
    pool = ParserPool(1)
    waiting = [asyncio.ensure_future(pool.parse(good(n))) for n in range(3)]
    await asyncio.sleep(0)
    await pool.close()
    assert all(
        isinstance(answer, asyncio.CancelledError) for answer in await asyncio.gather(*waiting, return_exceptions=True)
    )
