"""What readers may do: by POST, with a session and a form of ours, or by a signed link; GET changes nothing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, select

from alerts import tables as alert_tables
from alerts.links import Act, Signer
from alerts.outbox import acts
from monitor.store import tables
from monitor.web import tokens
from monitor.web.sources import Login, Proxy
from tests.monitor.web.site import HOSTILE, HTML, KEY, NOW, READER, client, sources, story_of

FORM = {"Content-Type": "application/x-www-form-urlencoded", **HTML}


@pytest.fixture
async def pages(site: Engine) -> AsyncIterator[httpx.AsyncClient]:
    async with client(sources(site)) as asked:
        yield asked


def mark_in(page: str) -> str:
    found = re.search(r'name="mark" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def sign_in(pages: httpx.AsyncClient, who: str = "Vera") -> None:
    mark = mark_in((await pages.get("/session", headers=HTML)).text)
    answer = await pages.post("/session", data={"mark": mark, "who": who, "next": "/feeds"}, headers=FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, "/feeds")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def labels(site: Engine) -> list[tuple[str, str, str]]:
    with site.connect() as connection:
        label = tables.label.c
        return [tuple(row) for row in connection.execute(select(label.subject, label.verdict, label.who))]


def feedback(site: Engine) -> int:
    with site.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(alert_tables.feedback)).scalar_one())


def silences(site: Engine) -> int:
    with site.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(alert_tables.silence)).scalar_one())


async def test_a_label_is_kept_once_with_its_author(pages: httpx.AsyncClient, site: Engine) -> None:
    await sign_in(pages)
    path = f"/story/{story_of(site, HOSTILE)}"
    mark = mark_in((await pages.get(path, headers=HTML)).text)
    for _ in range(2):
        sent = {"mark": mark, "subject": "1", "verdict": "wrong", "note": "a fair"}
        answer = await pages.post(f"{path}/label", data=sent, headers=FORM)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{path}#told")
    assert labels(site) == [("1", "wrong", "Vera")]
    assert "wrong: 1" in (await pages.get(path, headers=HTML)).text


async def test_what_was_missed_is_kept_by_its_address(pages: httpx.AsyncClient, site: Engine) -> None:
    await sign_in(pages)
    path = f"/story/{story_of(site, HOSTILE)}"
    mark = mark_in((await pages.get(path, headers=HTML)).text)
    sent = {"mark": mark, "verdict": "missed", "subject": "https://paper.example/7"}
    assert (await pages.post(f"{path}/label", data=sent, headers=FORM)).status_code == 303
    assert labels(site) == [("https://paper.example/7", "missed", "Vera")]


async def test_a_story_is_muted_once_and_the_silence_can_be_ended(pages: httpx.AsyncClient, site: Engine) -> None:
    await sign_in(pages)
    path = f"/story/{story_of(site, HOSTILE)}"
    mark = mark_in((await pages.get(path, headers=HTML)).text)
    for _ in range(2):
        sent = {"mark": mark, "lasting": "24h", "comment": "seen"}
        assert (await pages.post(f"{path}/silence", data=sent, headers=FORM)).status_code == 303
    assert silences(site) == 1
    shown = (await pages.get("/deliveries", headers=HTML)).text
    assert "End S1 now" in shown
    told = (await pages.get(path, headers=HTML)).text
    assert "but for governments' answers: <span" in told
    assert told.count("Muted until") == 1
    assert (await pages.post("/silence/S1/end", data={"mark": mark}, headers=FORM)).status_code == 303
    assert "End S1 now" not in (await pages.get("/deliveries", headers=HTML)).text
    assert "Muted until" not in (await pages.get(path, headers=HTML)).text


@dataclass(frozen=True)
class Refused:
    """A form that is not let in: what it changes of a good one, and the answer."""

    fields: dict[str, str]
    code: int
    headers: dict[str, str] | None = None
    signed_in: bool = True


REFUSED = {
    "no session": Refused({}, 403, signed_in=False),
    "no mark": Refused({"mark": ""}, 403),
    "a mark that was changed": Refused({"mark": "eyJvIjoieCIsIngiOjl9.AAAA"}, 403),
    "another site's form": Refused({}, 403, {"Origin": "https://evil.example"}),
    "a form that a browser says is another site's": Refused({}, 403, {"Sec-Fetch-Site": "cross-site"}),
    "an unknown verdict": Refused({"verdict": "maybe"}, 422),
    "an entry that is not there": Refused({"subject": "99999"}, 422),
    "a subject that is no number": Refused({"subject": "1; drop table label"}, 422),
    "an address that is none": Refused({"verdict": "missed", "subject": "javascript:alert(1)"}, 422),
    "a note that is a book": Refused({"note": "x" * 301}, 422),
    "a form of another kind": Refused({}, 422, {"Content-Type": "text/plain"}),
}


@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
async def test_a_form_that_is_not_ours_or_says_nothing_changes_nothing(
    pages: httpx.AsyncClient, site: Engine, given: Refused
) -> None:
    mark = mark_in((await pages.get("/session", headers=HTML)).text)
    if given.signed_in:
        await sign_in(pages)
        mark = mark_in((await pages.get(f"/story/{story_of(site, HOSTILE)}", headers=HTML)).text)
    fields = {"mark": mark, "subject": "1", "verdict": "wrong"} | given.fields
    answer = await pages.post(
        f"/story/{story_of(site, HOSTILE)}/label", data=fields, headers=FORM | (given.headers or {})
    )
    assert answer.status_code == given.code
    assert "Traceback" not in answer.text
    assert labels(site) == []


def link(site: Engine, act: Act = Act.MUTE, *, at: datetime = NOW, key: bytes = KEY) -> str:
    return Signer((key,)).token(act, READER.key, story_of(site, HOSTILE), at)


@pytest.mark.parametrize("act", [Act.MUTE, Act.WRONG])
async def test_a_link_from_a_message_asks_first_and_then_does_it(
    pages: httpx.AsyncClient, site: Engine, act: Act
) -> None:
    path = f"/a/{link(site, act)}"
    for _ in range(3):  # scanners follow every link of a mail
        shown = await pages.get(path, headers=HTML)
        assert "Nothing has changed yet" in shown.text
    assert (silences(site), feedback(site)) == (0, 0)
    for _ in range(2):
        done = await pages.post(path, data={"mark": mark_in(shown.text)}, headers=FORM)
        assert (done.status_code, "Done" in done.text) == (200, True)
    assert (silences(site), feedback(site)) == ((1, 0) if act is Act.MUTE else (0, 1))


ONE_CLICK = {
    "an urlencoded form": {"data": {"List-Unsubscribe": "One-Click"}},
    "a multipart form": {"files": {"List-Unsubscribe": (None, "One-Click")}},
}


def set_aside(site: Engine) -> list[str]:
    with site.connect() as connection:
        return list(acts.aside(connection))


@pytest.mark.parametrize("sent", ONE_CLICK.values(), ids=ONE_CLICK)
async def test_a_mail_provider_unsubscribes_with_one_click(
    pages: httpx.AsyncClient, site: Engine, sent: dict[str, Any]
) -> None:
    path = f"/a/{Signer((KEY,)).token(Act.STOP, READER.key, '', NOW)}"
    for _ in range(3):
        assert "Nothing has changed yet" in (await pages.get(path)).text
    assert set_aside(site) == []
    for _ in range(2):
        assert (await pages.post(path, **sent)).status_code == 200
    assert set_aside(site) == [READER.key]


NO_CLICK = {
    "another link": (Act.MUTE, {"data": {"List-Unsubscribe": "One-Click"}}, 403),
    "another word": (Act.STOP, {"data": {"List-Unsubscribe": "Two-Clicks"}}, 403),
    "nothing": (Act.STOP, {"data": {"x": ""}}, 403),
    "a file": (Act.STOP, {"files": {"List-Unsubscribe": ("x.txt", "One-Click")}}, 403),
    "a torn form": (
        Act.STOP,
        {"content": b"--x\r\nnothing", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        403,
    ),
    "a form of no known letters": (
        Act.STOP,
        {"content": b"--x\r\n\r\n\xff\r\n--x--", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        403,
    ),
}


@pytest.mark.parametrize(("act", "sent", "code"), NO_CLICK.values(), ids=NO_CLICK)
async def test_what_is_no_click_of_a_mail_provider_needs_the_page(
    pages: httpx.AsyncClient, site: Engine, act: Act, sent: dict[str, Any], code: int
) -> None:
    story = "" if act is Act.STOP else story_of(site, HOSTILE)
    answer = await pages.post(f"/a/{Signer((KEY,)).token(act, READER.key, story, NOW)}", **sent)
    assert answer.status_code == code
    assert (set_aside(site), silences(site)) == ([], 0)


async def test_a_link_does_nothing_without_the_mark_of_its_own_page(pages: httpx.AsyncClient, site: Engine) -> None:
    other = mark_in((await pages.get(f"/a/{link(site, Act.WRONG)}", headers=HTML)).text)
    assert (await pages.post(f"/a/{link(site)}", data={"mark": other}, headers=FORM)).status_code == 403
    assert silences(site) == 0


async def test_an_old_wrong_or_changed_link_is_gone_without_saying_why(pages: httpx.AsyncClient, site: Engine) -> None:
    good = link(site)
    old = link(site, at=NOW - timedelta(days=30))
    wrong = [old, link(site, key=b"another"), good[:-1], f"x{good}", "a.b"]
    answers = [await pages.get(f"/a/{token}", headers=HTML) for token in wrong]
    assert [answer.status_code for answer in answers] == [410] * 5
    assert len({answer.text for answer in answers}) == 1


async def test_a_link_signed_with_an_older_key_still_works(site: Engine) -> None:
    async with client(sources(site, keys=(b"the new one", KEY))) as pages:
        assert (await pages.get(f"/a/{link(site)}", headers=HTML)).status_code == 200


@pytest.mark.parametrize("path", ["/story/{key}/label", "/story/{key}/silence", "/session/end", "/silence/S1/end"])
async def test_get_does_nothing(pages: httpx.AsyncClient, site: Engine, path: str) -> None:
    answer = await pages.get(path.format(key=story_of(site, HOSTILE)), headers=HTML)
    assert answer.status_code in (404, 405)


async def test_where_nothing_may_be_written_nothing_is_offered(site: Engine) -> None:
    async with client(sources(site, writing=None)) as pages:
        path = f"/story/{story_of(site, HOSTILE)}"
        assert 'id="act"' not in (await pages.get(path, headers=HTML)).text
        assert (await pages.post(f"{path}/label", data={}, headers=FORM)).status_code in (404, 405)


LOGIN = Login("vera", "a long password")


async def test_with_a_login_strangers_see_signs_of_life_only(site: Engine) -> None:
    async with client(sources(site, login=LOGIN)) as pages:
        sent_away = await pages.get("/feeds", headers=HTML)
        assert (sent_away.status_code, sent_away.headers["location"]) == (303, "/session?next=/feeds")
        data = await pages.get("/api/v1/stories")
        assert (data.status_code, data.headers["www-authenticate"][:5]) == (401, "Basic")
        assert (await pages.get("/live")).status_code == 200
        assert (await pages.get("/api/v1/stories", auth=("vera", "a long password"))).status_code == 200
        assert (await pages.get("/api/v1/stories", auth=("vera", "a guess"))).status_code == 401


@pytest.mark.parametrize(("password", "code"), [("a long password", 303), ("a guess", 403), ("", 403)])
async def test_the_door_opens_for_the_password_only(site: Engine, password: str, code: int) -> None:
    async with client(sources(site, login=LOGIN)) as pages:
        mark = mark_in((await pages.get("/session", headers=HTML)).text)
        sent = {"mark": mark, "who": "vera", "password": password, "next": "//evil.example"}
        answer = await pages.post("/session", data=sent, headers=FORM)
        assert answer.status_code == code
        assert answer.headers.get("location", "/") == "/"
        assert (await pages.get("/", headers=HTML)).status_code == (200 if code == 303 else 303)


async def test_where_a_login_is_wanted_health_names_no_feed_to_strangers(site: Engine) -> None:
    async with client(sources(site, login=LOGIN)) as pages:
        assert set((await pages.get("/health")).json()) == {"version", "message", "state"}
        inside = await pages.get("/health", auth=(LOGIN.user, LOGIN.password))
        assert {"failing", "feeds"} <= set(inside.json())


async def test_where_a_login_is_wanted_the_pages_name_feeds_that_open_without_it(site: Engine) -> None:
    async with client(sources(site, login=LOGIN, syndicated=True)) as pages:
        basic = (LOGIN.user, LOGIN.password)
        story = f"/story/{story_of(site, HOSTILE)}"
        shown = (await pages.get("/", headers=HTML, auth=basic)).text + (
            await pages.get(story, headers=HTML, auth=basic)
        ).text
        found = dict(re.findall(r'href="(/(?:watch|story)/[^"]*?/feed\.(?:atom|json))\?key=([^"&]+)"', shown))
        assert set(found) == {"/watch/flights/feed.atom", "/watch/flights/feed.json", f"{story}/feed.atom"}
        for path, key in found.items():
            assert (await pages.get(f"{path}?key={key}")).status_code == 200
            for wrong in ("", "?key=", f"?key={key[:-1]}", f"?key={found['/watch/flights/feed.json']}x"):
                assert (await pages.get(f"{path}{wrong}")).status_code == 401
        key = found["/watch/flights/feed.atom"]
        for other in (f"{story}/feed.atom", "/api/v1/openapi.json", "/"):
            assert (await pages.get(f"{other}?key={key}")).status_code == 401


async def test_where_no_login_is_wanted_feeds_carry_no_key(site: Engine) -> None:
    async with client(sources(site, syndicated=True)) as pages:
        shown = (await pages.get("/", headers=HTML)).text
        assert 'href="/watch/flights/feed.atom"' in shown
        assert "key=" not in shown


PROXY = Proxy("X-Remote-User", "the proxy's own key")
NAMED = {"X-Storywatch-Key": PROXY.key, "X-Remote-User": "Vera"}
NOT_THE_PROXY = {
    "nobody": {},
    "a name without the key": {"X-Remote-User": "Vera"},
    "a name with another key": {**NAMED, "X-Storywatch-Key": "a guess"},
    "a name with an empty key": {**NAMED, "X-Storywatch-Key": ""},
    "the key without a name": {"X-Storywatch-Key": PROXY.key},
    "the key with a name that is no text": {**NAMED, "X-Remote-User": "Ve\tra"},
}


@pytest.mark.parametrize("sent", NOT_THE_PROXY.values(), ids=NOT_THE_PROXY)
async def test_behind_a_proxy_that_signs_readers_in_strangers_see_nothing(site: Engine, sent: dict[str, str]) -> None:
    async with client(sources(site, proxy=PROXY)) as pages:
        for path in ("/", "/api/v1/stories", "/events"):
            assert (await pages.get(path, headers=HTML | sent)).status_code == 401
        mark = tokens.form((KEY,), "stranger", NOW + timedelta(hours=1))
        opened = await pages.post("/session", data={"mark": mark, "who": "Vera"}, headers=FORM | sent)
        assert opened.status_code == 403
        forged = tokens.session((KEY,), "Vera", "x", NOW + timedelta(hours=1))
        told = await pages.get("/", headers=HTML | sent | {"Cookie": f"storywatch_session={forged}"})
        assert told.status_code == 401


async def test_whom_the_proxy_names_works_under_that_name(site: Engine) -> None:
    async with client(sources(site, proxy=PROXY)) as pages:
        path = f"/story/{story_of(site, HOSTILE)}"
        shown = (await pages.get(path, headers=HTML | NAMED)).text
        assert "Working as <strong>Vera</strong>" in shown
        fields = {"mark": mark_in(shown), "subject": "1", "verdict": "wrong"}
        other = {**NAMED, "X-Remote-User": "Zoran"}
        assert (await pages.post(f"{path}/label", data=fields, headers=FORM | other)).status_code == 403
        assert (await pages.post(f"{path}/label", data=fields, headers=FORM | NAMED)).status_code == 303
    assert labels(site) == [("1", "wrong", "Vera")]


async def test_another_password_ends_the_sessions_of_the_old_one(site: Engine) -> None:
    async with client(sources(site, login=LOGIN)) as pages:
        mark = mark_in((await pages.get("/session", headers=HTML)).text)
        await pages.post("/session", data={"mark": mark, "who": LOGIN.user, "password": LOGIN.password}, headers=FORM)
        assert (await pages.get("/", headers=HTML)).status_code == 200
        cookies = dict(pages.cookies)
    async with client(sources(site, login=Login(LOGIN.user, "another long one"))) as pages:
        pages.cookies.update(cookies)
        assert (await pages.get("/", headers=HTML)).status_code == 303


async def test_a_session_outlives_a_restart_without_a_configured_key(site: Engine) -> None:
    async with client(sources(site, own_key=True)) as pages:
        await sign_in(pages)
        cookies = dict(pages.cookies)
    async with client(sources(site, own_key=True)) as pages:
        pages.cookies.update(cookies)
        assert "Working as <strong>Vera</strong>" in (await pages.get(f"/story/{story_of(site, HOSTILE)}")).text
