"""The door: hostile addresses, floods, exposure. Nothing odd reaches a traceback."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from monitor.views import safe
from monitor.web import binding, guard, sessions
from tests.monitor.web.site import HTML, client, sources


@pytest.fixture
async def pages(site: Engine) -> AsyncIterator[httpx.AsyncClient]:
    async with client(sources(site)) as asked:
        yield asked


ODD = {
    "a script in the search": ("/?q=%3Cscript%3Ealert(1)%3C/script%3E", 200),
    "quotes and operators in the search": ("/?q=%22%20OR%20NEAR(%20*%20AND%20-%5E%3A", 200),
    "SQL in the watch": ("/?watch=x'%20or%201=1--", 200),
    "a search as long as it may be": ("/?q=" + "a" * 200, 200),
    "a search that is too long": ("/?q=" + "a" * 201, 422),
    "an address that is too long": ("/?q=" + "a" * 3000, 422),
    "a zero byte": ("/?q=%00", 422),
    "a zero byte in the path": ("/story/%00", 422),
    "bytes that are no text": ("/?q=%ff%fe", 422),
    "a language that is none": ("/?language=english", 422),
    "a country in small letters": ("/?country=rs", 422),
    "a day that is none": ("/?since=2025-02-31", 422),
    "a day that was cleared": ("/?since=&until=&language=", 200),
    "a day far away": ("/?since=9999-12-31", 422),
    "an end before the beginning": ("/?since=2025-06-05&until=2025-06-01", 422),
    "a cursor that is none": ("/?after=%21%21", 422),
    "a cursor of our shape and another's numbers": ("/?after=OTk5OTk5OTk5OTk5OTk5OTk5OTkuMQ", 422),
    "a timeline beyond its end": ("/story/none?from=99999999", 422),
    "a page of an outlet far back": ("/outlet/wire.example?before=99999999999999999", 200),
    "a delivery state nobody has": ("/deliveries?state=lost", 422),
    "a revision that is not there": ("/configuration?revision=999", 404),
    "a revision that is no number": ("/configuration?revision=x", 422),
    "a government that is none": ("/government/zz", 422),
    "a government in no story": ("/government/FR", 404),
    "an outlet nobody knows": ("/outlet/nobody.example", 404),
    "a path that climbs": ("/static/..%2fapp.py", 404),
    "an unknown page": ("/admin.php", 404),
}


@pytest.mark.parametrize(("path", "code"), ODD.values(), ids=ODD)
async def test_odd_addresses_are_answered_in_words(pages: httpx.AsyncClient, path: str, code: int) -> None:
    for accept in ("text/html", "application/json"):
        answer = await pages.get(path, headers={"Accept": accept})
        assert answer.status_code == code
        assert "<script>alert" not in answer.text
        assert "Traceback" not in answer.text
        if code >= 400 and accept == "application/json":
            assert set(answer.json()) >= {"title", "status", "detail"}


@given(st.text(max_size=60))
def test_whatever_is_searched_for_becomes_words(text: str) -> None:
    from monitor.store import search

    for term in search.terms_of(text):
        assert term.isalnum()
        assert len(term) > 0


LINKS = {
    "an ordinary one": ("https://paper.example/a?b=c#d", True),
    "without encryption": ("http://paper.example/", True),
    "a script": ("javascript:alert(1)", False),
    "a script after a space": (" javascript:alert(1)", False),
    "data": ("data:text/html,x", False),
    "a file": ("file:///etc/passwd", False),
    "somebody's password": ("https://a:b@paper.example/", False),
    "no host": ("https:///x", False),
    "a bracket that does not close": ("http://[::1/", False),
    "a turned-around one": ("https://paper.example/\u202egpj.exe", False),
    "a line break": ("https://paper.example/\nx", False),
    "nothing": ("", False),
}


@pytest.mark.parametrize(("url", "may"), LINKS.values(), ids=LINKS)
def test_only_harmless_addresses_become_links(url: str, may: bool) -> None:
    assert (safe.link_of(url) is not None) is may


async def test_who_asks_too_often_waits_and_others_do_not(site: Engine) -> None:
    async with client(sources(site), guard.Pace(per_s=0.001, burst=3)) as pages:
        codes = [(await pages.get("/live")).status_code for _ in range(5)]
        assert codes == [200, 200, 200, 429, 429]
        refused = await pages.get("/live", headers=HTML)
        assert refused.headers["retry-after"]
        assert "content-security-policy" in refused.headers


async def test_a_form_without_a_length_or_too_large_is_not_read(pages: httpx.AsyncClient) -> None:
    answer = await pages.post("/session", content=b"x" * 70_000)
    assert answer.status_code == 413

    async def endless() -> AsyncIterator[bytes]:
        yield b"mark=x"

    assert (await pages.post("/session", content=endless())).status_code == 413


OPEN = {
    "this machine": ("127.0.0.1", False, True),
    "this machine by name": ("localhost", False, True),
    "another address of this machine": ("127.0.0.2", False, True),
    "this machine in the new family": ("::1", False, True),
    "all addresses without a login": ("0.0.0.0", False, False),
    "all addresses with a login": ("0.0.0.0", True, True),
    "the network without a login": ("192.168.1.5", False, False),
}


@pytest.mark.parametrize(("host", "login", "may"), OPEN.values(), ids=OPEN)
def test_the_page_is_opened_to_others_only_with_a_login(host: str, login: bool, may: bool) -> None:
    if may:
        binding.refuse_open(host, has_login=login)
        return
    with pytest.raises(binding.OpenToAll, match=r"web\.login"):
        binding.refuse_open(host, has_login=login)


def test_the_public_name_is_answered_too() -> None:
    assert "watch.example.org" in binding.local_names("127.0.0.1", "https://watch.example.org/x")


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "", None, "/a b"])
def test_the_way_back_stays_on_this_site(path: str | None) -> None:
    assert sessions.safe_next(path) == "/"
