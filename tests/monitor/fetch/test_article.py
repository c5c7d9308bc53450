"""Article pages: read once asked, refused with a word."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from monitor.fetch.article import PER_HOST_HOUR, Articles, Page, PageRefused
from monitor.fetch.client import Client
from monitor.fetch.hosts import HostGate
from monitor.schedule.state import Hold
from tests.fakes.feed_server import FeedServer, Step
from tests.monitor.fetch.conftest import AGENT, NOW, PATIENT

HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = b"<html><head><title>t</title></head><body><p>Text.</p></body></html>"
MIB = 1024 * 1024


@pytest.fixture
async def gate() -> HostGate:
    return HostGate(spacing=lambda _: 0.0)


@pytest.fixture
async def articles(server: FeedServer, gate: HostGate) -> AsyncIterator[Articles]:
    async with Client(PATIENT, AGENT, allow_hosts=frozenset({"127.0.0.1"})) as client:
        yield Articles(client, gate, lambda: NOW)


async def test_a_page_is_read_with_its_robots_asked_first(server: FeedServer, articles: Articles) -> None:
    server.script("/a", Step(200, HTML, PAGE))
    page = await articles.read(server.url("/a"))
    assert isinstance(page, Page)
    assert (page.body, page.keep) == (PAGE, True)
    assert [request.path for request in server.requests] == ["/robots.txt", "/a"]
    assert server.requests[1].header("accept") == b"text/html, application/xhtml+xml, */*;q=0.8"


REFUSED = {
    "robots.txt asks not to": ("robots", "/private/a", Step(200, HTML, PAGE)),
    "a redirect leads where robots.txt asks not to": ("robots", "/a", Step(302, {"Location": "/private/a"})),
    "a page of 8 MiB": ("too_large", "/a", Step(200, HTML, length=8 * MIB)),
    "a page of 8 MiB without a length": ("too_large", "/a", Step(200, HTML, chunks=(b"x" * MIB for _ in range(8)))),
    "a redirect to a private address": ("refused_address", "/a", Step(302, {"Location": "http://10.0.0.8/"})),
    "payment is required": ("paywall", "/a", Step(402, HTML, PAGE)),
    "the page says that it is not free": (
        "paywall",
        "/a",
        Step(200, HTML, PAGE + b'<script type="application/ld+json">{"isAccessibleForFree": "False"}</script>'),
    ),
    "a bot wall": ("blocked", "/a", Step(403, {"cf-mitigated": "challenge", **HTML}, PAGE)),
    "a picture": ("not_html", "/a", Step(200, {"Content-Type": "image/png"}, b"x")),
    "a page that is gone": ("not_found", "/a", Step(404)),
}


@pytest.mark.parametrize(("reason", "path", "step"), REFUSED.values(), ids=REFUSED)
async def test_a_page_that_is_not_read_has_its_word(
    server: FeedServer, articles: Articles, reason: str, path: str, step: Step
) -> None:
    server.script("/robots.txt", Step(body=b"User-agent: *\nDisallow: /private\n"))
    server.script(path, step)
    page = await articles.read(server.url(path))
    assert isinstance(page, PageRefused)
    assert page.reason == reason
    assert not server.of("/private/a")


WISHES: dict[str, Callable[[], Step]] = {
    "in a header": lambda: Step(200, {"X-Robots-Tag": "noarchive", **HTML}, PAGE),
    "in the page": lambda: Step(200, HTML, b'<meta name="robots" content="index, noai">' + PAGE),
}


@pytest.mark.parametrize("step", WISHES.values(), ids=WISHES)
async def test_a_wish_that_no_copy_is_kept_is_passed_on(
    server: FeedServer, articles: Articles, step: Callable[[], Step]
) -> None:
    server.script("/a", step())
    page = await articles.read(server.url("/a"))
    assert isinstance(page, Page)
    assert page.keep is False


async def test_a_host_gives_20_pages_an_hour(server: FeedServer, articles: Articles) -> None:
    server.script("/a", Step(200, HTML, PAGE))
    pages = [await articles.read(server.url("/a")) for _ in range(PER_HOST_HOUR + 1)]
    assert all(isinstance(page, Page) for page in pages[:-1])
    assert isinstance(pages[-1], PageRefused)
    assert pages[-1].reason == "page_budget"


async def test_a_held_host_is_not_asked_for_pages(server: FeedServer, articles: Articles, gate: HostGate) -> None:
    server.script("/a", Step(200, HTML, PAGE))
    await articles.read(server.url("/a"))
    gate.hold(Hold("host", "127.0.0.1", NOW + timedelta(hours=1), "rate_limited"))
    page = await articles.read(server.url("/a"))
    assert isinstance(page, PageRefused)
    assert page.reason == "host_hold"
    assert len(server.of("/a")) == 1
