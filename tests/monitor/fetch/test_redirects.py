"""Redirects: followed at most five times, checked at every hop, and secrets stay with the origin they belong to."""

from __future__ import annotations

import pytest

from monitor.fetch.client import Client
from monitor.fetch.limits import Request
from monitor.schedule import redirects as learning
from monitor.values import Fetched, FetchFailed, Hop
from tests.fakes.feed_server import FeedServer, Step
from tests.monitor.fetch.conftest import AGENT, NOW, PATIENT, Get, Names

BAD = {
    "a loop of two": ("redirect_loop", {"/a": "/b", "/b": "/a"}),
    "a loop onto itself": ("redirect_loop", {"/a": "/a"}),
    "six hops": ("too_many_redirects", {"/a": "/b", "/b": "/c", "/c": "/d", "/d": "/e", "/e": "/f", "/f": "/g"}),
    "no Location": ("bad_redirect", {"/a": None}),
    "an empty Location": ("bad_redirect", {"/a": " "}),
    "a file": ("bad_scheme", {"/a": "file:///etc/passwd"}),
    "a script": ("bad_scheme", {"/a": "javascript:alert(1)"}),
    "loopback by number": ("refused_address", {"/a": "http://127.0.0.2/"}),
    "loopback in IPv6": ("refused_address", {"/a": "http://[::1]/"}),
    "loopback mapped into IPv6": ("refused_address", {"/a": "http://[::ffff:127.0.0.1]/"}),
    "loopback as one number": ("refused_address", {"/a": "http://2130706433/"}),
    "loopback in hexadecimal": ("refused_address", {"/a": "http://0x7f.1/"}),
    "a host smuggled behind user info": ("refused_address", {"/a": "http://feeds.example@127.0.0.2/"}),
    "cloud metadata": ("refused_address", {"/a": "http://169.254.169.254/latest/meta-data/"}),
    "a URL that is none": ("bad_redirect", {"/a": "http://[::1/"}),
    "a host that cannot be": ("bad_redirect", {"/a": "http://☃.net/".encode()}),
    "an endless URL": ("bad_redirect", {"/a": "/" + "x" * 3000}),
}


@pytest.mark.parametrize(("reason", "chain"), BAD.values(), ids=BAD)
async def test_a_bad_redirect_has_its_own_word_and_nothing_more_is_asked(
    server: FeedServer, get: Get, reason: str, chain: dict[str, str | bytes | None]
) -> None:
    for path, location in chain.items():
        server.script(path, Step(301, {} if location is None else {"Location": location}))
    outcome = await get("/a")
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == reason
    assert len(server.requests) <= 6


async def test_five_hops_are_followed_and_reported(server: FeedServer, get: Get) -> None:
    for path, target in zip("abcde", "bcdef", strict=True):
        server.script(f"/{path}", Step(302, {"Location": f"/{target}"}))
    server.script("/f", Step(body=b"<rss/>"))
    outcome = await get("/a")
    assert isinstance(outcome, Fetched)
    assert outcome.final_url == server.url("/f")
    assert outcome.url == server.url("/a")
    assert outcome.hops[0] == Hop(302, server.url("/a"), server.url("/b"))
    assert len(outcome.hops) == 5


async def test_secrets_go_to_the_configured_origin_only(server: FeedServer) -> None:
    names = Names(**{"feeds.test": ("127.0.0.1",), "cdn.test": ("127.0.0.1",)})
    allowed = frozenset({"feeds.test", "cdn.test"})
    server.script("/feed", Step(301, {"Location": "/moved"}))
    server.script("/moved", Step(302, {"Location": server.url("/cdn", "cdn.test")}))
    server.script("/cdn", Step(body=b"<rss/>"))
    async with Client(PATIENT, AGENT, allow_hosts=allowed, lookup=names) as client:
        outcome = await client.fetch(
            Request(
                server.url("/feed", "feeds.test"),
                auth=("user", "päss"),
                headers=(("X-Api-Key", "secret"),),
                cookie="session=1",
            ),
            lambda: NOW,
        )
    assert isinstance(outcome, Fetched)
    for request in server.requests[:2]:
        assert request.header("authorization") == b"Basic dXNlcjpww6Rzcw=="
        assert request.header("x-api-key") == b"secret"
        assert request.header("cookie") == b"session=1"
    assert {name for name, _ in server.requests[2].headers} == {"host", "user-agent", "accept", "accept-encoding"}


async def test_user_info_of_a_redirect_is_not_used(server: FeedServer, get: Get) -> None:
    server.script("/a", Step(302, {"Location": f"http://user:pass@127.0.0.1:{server.port}/b"}))
    server.script("/b", Step(body=b"<rss/>"))
    assert isinstance(await get("/a"), Fetched)
    assert server.requests[1].header("authorization") is None


LOCATIONS = {
    "a relative path": (b"b", "/dir/b"),
    "a query": (b"?x=1", "/dir/a?x=1"),
    "raw UTF-8": ("/č".encode(), "/%C4%8D"),
    "raw Latin-1": (b"/caf\xe9", "/caf%C3%A9"),
    "a space": (b"/a b", "/a%20b"),
    "escapes as they are": (b"/x%2Cy?z=%7E", "/x%2Cy?z=%7E"),
}


@pytest.mark.parametrize(("location", "path"), LOCATIONS.values(), ids=LOCATIONS)
async def test_a_location_in_any_spelling_is_followed(server: FeedServer, get: Get, location: bytes, path: str) -> None:
    server.script("/dir/a", Step(301, {"Location": location}))
    server.script(path, Step(body=b"<rss/>"))
    assert isinstance(await get("/dir/a"), Fetched)


async def test_a_document_that_names_its_new_place_counts_as_a_hop(server: FeedServer, get: Get) -> None:
    server.script("/new", Step(body=b"<rss/>"))
    told = Hop(301, server.url("/old"), server.url("/new"))
    outcome = await get("/new", hops=(told,))
    assert isinstance(outcome, Fetched)
    assert learning.permanent_target(outcome.hops) == server.url("/new")
