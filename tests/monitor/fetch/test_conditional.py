"""Conditional requests on the wire: what was given comes back byte for byte, and nothing else is sent."""

from __future__ import annotations

import pytest

from monitor.fetch.client import validators
from monitor.fetch.limits import Agent
from monitor.values import FeedId, Fetched, FetchFailed, NotModified, Validators
from tests.fakes.feed_server import FeedServer, Step, validating
from tests.monitor.fetch.conftest import Get

MODIFIED = "Sun, 01 Mar 2026 08:00:00 GMT"
BODY = b"<rss version='2.0'><channel><title>t</title></channel></rss>"


async def test_validators_of_a_200_are_sent_with_the_next_request_and_a_304_comes_back(
    server: FeedServer, get: Get
) -> None:
    server.script("/feed", validating(BODY, '"a"', {"Last-Modified": MODIFIED}))
    first = await get("/feed")
    assert isinstance(first, Fetched)
    for _ in range(2):
        assert isinstance(await get("/feed", validators=first.validators), NotModified)
    assert server.requests[0].header("if-none-match") is None
    for request in server.requests[1:]:
        assert request.header("if-none-match") == b'"a"'
        assert request.header("if-modified-since") == MODIFIED.encode()


ODD = {
    "a weak tag": b'W/"x"',
    "a tag without quotes": b"x",
    "an empty quoted tag": b'""',
    "a tag with a comma": b'"a,b"',
    "a tag in UTF-8": '"č"'.encode(),
    "an empty tag": b"",
    "a tag with inner spaces": b'"a  b"',
}


@pytest.mark.parametrize("etag", ODD.values(), ids=ODD)
async def test_an_odd_etag_is_sent_back_byte_for_byte(server: FeedServer, get: Get, etag: bytes) -> None:
    server.script("/feed", Step(200, {"ETag": etag}, BODY), Step(304))
    first = await get("/feed")
    assert isinstance(first, Fetched)
    assert first.validators.etag == etag
    assert isinstance(await get("/feed", validators=first.validators), NotModified)
    assert server.requests[1].header("if-none-match") == etag


async def test_an_etag_that_is_no_utf8_is_kept_and_never_sent_changed(server: FeedServer, get: Get) -> None:
    server.script("/feed", Step(200, {"ETag": b'"caf\xe9"', "Last-Modified": MODIFIED}, BODY))
    first = await get("/feed")
    assert isinstance(first, Fetched)
    assert first.validators.etag == b'"caf\xe9"'
    await get("/feed", validators=first.validators)
    assert server.requests[1].header("if-none-match") is None
    assert server.requests[1].header("if-modified-since") == MODIFIED.encode()


async def test_of_two_etag_headers_the_last_is_kept(server: FeedServer, get: Get) -> None:
    server.script("/feed", Step(200, (("ETag", '"a"'), ("ETag", '"b"')), BODY))
    first = await get("/feed")
    assert isinstance(first, Fetched)
    assert first.validators == Validators(b'"b"', None)


def test_a_validator_over_8_kib_is_not_kept() -> None:
    assert validators((("etag", b"x" * 8193), ("last-modified", b"y"))) == Validators(None, b"y")


async def test_a_200_with_the_same_etag_and_another_body_is_read(server: FeedServer, get: Get) -> None:
    server.script("/feed", Step(200, {"ETag": '"a"'}, BODY), Step(200, {"ETag": '"a"'}, BODY + b" "))
    bodies = [outcome.body for outcome in (await get("/feed"), await get("/feed")) if isinstance(outcome, Fetched)]
    assert bodies == [BODY, BODY + b" "]


async def test_a_304_carries_only_the_validators_it_names(server: FeedServer, get: Get) -> None:
    server.script("/feed", Step(304), Step(304, {"ETag": '"new"'}))
    old = Validators(b'"old"', MODIFIED.encode())
    bare, named = await get("/feed", validators=old), await get("/feed", validators=old)
    assert isinstance(bare, NotModified)
    assert isinstance(named, NotModified)
    assert bare.validators == Validators()
    assert named.validators == Validators(b'"new"', None)


async def test_a_304_to_an_unconditional_request_is_an_error(server: FeedServer, get: Get) -> None:
    server.script("/feed", Step(304, {"ETag": '"a"'}))
    outcome = await get("/feed")
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == "unexpected_304"


async def test_a_226_is_read_like_a_200(server: FeedServer, get: Get) -> None:
    server.script("/feed", Step(226, {"IM": "feed"}, BODY))
    outcome = await get("/feed")
    assert isinstance(outcome, Fetched)
    assert (outcome.status, outcome.body) == (226, BODY)


async def test_a_request_has_no_cookie_no_referer_and_no_cache_busting(server: FeedServer, get: Get) -> None:
    many = tuple((f"X-Filler-{i}", "x" * 100) for i in range(150))
    server.script("/feed", Step(200, (("Set-Cookie", "id=1; Path=/"), *many), BODY))
    assert isinstance(await get("/feed"), Fetched)
    assert isinstance(await get("/feed", feed=FeedId(7), watches=2), Fetched)
    names = {name for name, _ in server.requests[1].headers}
    assert names == {"host", "user-agent", "accept", "accept-encoding"}
    assert server.requests[1].path == "/feed"
    agent = b"storywatch/1.0 feed:7 (+https://newsroom.example/storywatch; 2 watches)"
    assert server.requests[1].header("user-agent") == agent


AGENTS = {
    "a mail address stands as it is": (Agent("2", "desk@n.example"), "storywatch/2 feed:1 (desk@n.example; 1 watch)"),
    "home and contact both stand": (
        Agent("2", "desk@n.example", "https://storywatch.example"),
        "storywatch/2 feed:1 (+https://storywatch.example; desk@n.example; 1 watch)",
    ),
}


@pytest.mark.parametrize(("agent", "header"), AGENTS.values(), ids=AGENTS)
def test_the_user_agent_says_who_asks(agent: Agent, header: str) -> None:
    assert agent.header(1, 1) == header


async def test_a_query_with_escapes_arrives_as_it_was_written(server: FeedServer, get: Get) -> None:
    await get("/feed?sig=a%2Cb%2f%7E&x=%20+y")
    assert server.requests[0].path == "/feed?sig=a%2Cb%2f%7E&x=%20+y"
