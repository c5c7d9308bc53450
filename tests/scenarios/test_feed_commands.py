"""`storywatch feed` as a process: feeds are added with the fewest requests, explained, asked, exchanged, removed."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.fakes.feed_server import FeedServer, Step, validating
from tests.scenarios.test_daemon import eventually, rss, running, storywatch, write_config

HTML = {"Content-Type": "text/html; charset=utf-8"}
LINK = '<link rel="alternate" type="application/{kind}+xml" title="{title}" href="{href}">'


def page(*links: str) -> Step:
    return Step(body=f"<!doctype html><title>Paper</title>{''.join(links)}<p>Hello".encode(), headers=HTML)


def link(href: str, title: str = "All &amp; sundry", kind: str = "rss") -> str:
    return LINK.format(kind=kind, title=title, href=href)


def asked(server: FeedServer) -> list[str]:
    return [request.path for request in server.requests]


async def told(*words: str, folder: Path, code: int = 0) -> Any:
    """What a command prints as JSON."""
    done, out, err = await storywatch(*words, "--json", folder=folder)
    assert done == code, err
    return json.loads(out)


async def refused(*words: str, folder: Path) -> str:
    """What a command says when it refuses, with 1 and without a traceback."""
    code, _, err = await storywatch(*words, folder=folder)
    assert (code, "Traceback" in err) == (1, False), err
    return err


async def test_adding_a_page_costs_one_request_for_the_page_and_one_for_the_feed(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/", page(link("/rss")))
        server.script("/rss", validating(rss("One", "Two"), '"v1"'))
        path = write_config(tmp_path, server.url("/other"))
        path.write_text(path.read_text().replace("feeds:\n", "feeds:\n  # those that matter\n"))
        before = path.read_text()

        code, diff, err = await storywatch("feed", "add", server.url("/"), "--dry", folder=tmp_path)
        assert (code, path.read_text()) == (0, before), err
        assert f"+  - {{url: {server.url('/rss')}}}" in diff
        assert not (tmp_path / "storywatch.db").exists()
        server.requests.clear()

        done = await told("feed", "add", server.url("/"), "--tags", "press, daily", folder=tmp_path)
        assert asked(server) == ["/", "/rss"]
        assert (done["added"], done["polled"], done["entries"]) == (True, True, 2)
        assert "# those that matter" in path.read_text()
        assert f"  - {{url: {server.url('/rss')}, tags: [press, daily]}}\n" in path.read_text()

        shown = await told("feed", "show", server.url("/rss"), folder=tmp_path)
        assert (shown["colour"], shown["entries"], shown["tags"]) == ("green", 2, ["daily", "press"])
        assert [entry["title"] for entry in shown["newest"]] == ["Two", "One"]
        assert shown["baseline"] is not None
        again = await told("feed", "add", server.url("/rss/"), folder=tmp_path)
        assert (again["added"], again["line"], len(server.requests)) == (False, done["line"], 2)

        polled = await told("poll", "--ignore-schedule", "--force", folder=tmp_path)
        assert (polled["unchanged"], polled["new"], polled["events"]) == (1, 0, 0)
        assert server.of("/rss")[-1].header("if-none-match") == b'"v1"'


async def test_a_page_that_offers_several_feeds_lists_them_and_adds_none_by_itself(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/", page(link("/rss"), link("/comments", "Comments", "atom")))
        server.script("/comments", Step(body=rss("One")))
        path = write_config(tmp_path, server.url("/other"))
        before = path.read_text()
        offers = [
            {"url": server.url("/rss"), "title": "All & sundry", "type": "rss"},
            {"url": server.url("/comments"), "title": "Comments", "type": "atom"},
        ]
        assert (await told("feed", "discover", server.url("/"), folder=tmp_path))["offers"] == offers
        assert (await told("feed", "add", server.url("/"), folder=tmp_path, code=1))["offers"] == offers
        assert (asked(server), path.read_text()) == (["/", "/"], before)
        assert "offers 2 feeds" in await refused("feed", "add", server.url("/"), "--pick", "3", folder=tmp_path)
        picked = await told("feed", "add", server.url("/"), "--pick", "2", folder=tmp_path)
        assert picked["url"] == server.url("/comments")


async def test_what_is_no_feed_and_leads_to_none_is_said_and_changes_nothing(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/page", page())
        server.script("/moved", Step(301, {"Location": "/new"}))
        server.script("/new", Step(body=rss("One")))
        path = write_config(tmp_path, server.url("/other"))
        before = path.read_text()
        assert "it offers no feed" in await refused("feed", "add", server.url("/page"), folder=tmp_path)
        assert "not_found: HTTP 404" in await refused("feed", "add", server.url("/nothing"), folder=tmp_path)
        count = len(server.requests)
        wrong = await refused("feed", "add", server.url("/new"), "--tags", "Bad Tag", folder=tmp_path)
        assert "did you mean 'bad-tag'?" in wrong
        assert (path.read_text(), len(server.requests)) == (before, count)
        added = await told("feed", "add", server.url("/moved"), folder=tmp_path)
        assert added["url"] == server.url("/new"), "a permanent redirect of a new feed is taken at its word"


async def test_while_a_daemon_runs_the_file_is_edited_and_the_daemon_keeps_its_database(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/a", Step(body=rss("One")))
        server.script("/b", Step(body=rss("Two")))
        path = write_config(tmp_path, server.url("/a"))
        async with running(tmp_path):
            code, out, err = await storywatch("feed", "add", server.url("/b"), folder=tmp_path)
            assert (code, "takes the feed up by itself" in out) == (0, True), err
            assert server.url("/b") in path.read_text()
            again = await storywatch("feed", "remove", server.url("/a"), folder=tmp_path)
            assert again[0] == 0
            # It may be taking up the file of before just now, and then takes up this one.
            await eventually(lambda: _states(tmp_path), lambda found: (server.url("/a"), "paused") in found)


def _states(folder: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(folder / "storywatch.db")) as database:
        return database.execute("select url, state from feed").fetchall()


async def test_a_running_daemon_takes_up_feeds_that_are_put_into_its_database(tmp_path: Path) -> None:
    async with FeedServer() as server:
        for path in ("/a", "/b", "/c"):
            server.script(path, Step(body=rss(f"Serbia deports {path[1:]}")))
        file = write_config(tmp_path, server.url("/a"))
        file.write_text(
            file.read_text().replace("- name: flights", "- name: flights\n    feeds: [wire]") + "engine: {tick: 1s}\n"
        )
        listing = "\n".join([json.dumps({"url": server.url("/b"), "tags": ["wire"]}), '{"url": "nonsense"}'])
        async with running(tmp_path) as (process, _):
            (tmp_path / "list.jsonl").write_text(listing, encoding="utf-8")
            done = await told("feed", "import", "list.jsonl", "--to-store", folder=tmp_path)
            assert (done["added"], done["left_out"], done["unusable"][0]["line"]) == (1, 1, 2)
            code, out, err = await storywatch("feed", "add", server.url("/c"), "--to-store", folder=tmp_path)
            assert (code, "the database" in out, "takes the feed up by itself" in out) == (0, True, True), err
            assert "in the database already" in (await storywatch(*_adding(server.url("/c/")), folder=tmp_path))[1]
            await eventually(lambda: _matched(tmp_path), lambda found: found == [server.url("/b")])
            file.write_text(f"{file.read_text()}# taken up again\n")
            process.send_signal(signal.SIGHUP)
            await eventually(lambda: asked(server), lambda found: {"/b", "/c"} <= set(found))
            await eventually(lambda: _revisions(tmp_path), lambda found: found == 2)
        listed = {feed["url"]: feed for feed in await told("feed", "list", folder=tmp_path)}
        stand = {url.removeprefix(server.url("")): (feed["stands"], feed["state"]) for url, feed in listed.items()}
        database = ("database", "active")
        assert stand == {"/a": ("config", "active"), "/b": database, "/c": database}
        assert (await told("feed", "remove", server.url("/c"), folder=tmp_path))["paused"] is True
        assert (await told("feed", "show", server.url("/c"), folder=tmp_path))["stands"] == "nowhere"
        _, text, _ = await storywatch("feed", "export", "--format", "txt", folder=tmp_path)
        assert text.split() == [server.url("/a"), server.url("/b")]
        assert (await told("status", folder=tmp_path))["stored_feeds"] == 1


def _adding(url: str) -> tuple[str, ...]:
    return "feed", "add", url, "--to-store"


def _matched(folder: Path) -> list[str]:
    """The feeds whose entries a watch took."""
    query = "select f.url from match m join entry e on e.id = m.entry_id join feed f on f.id = e.feed_id"
    with closing(sqlite3.connect(folder / "storywatch.db")) as database:
        return [url for (url,) in database.execute(query)]


def _revisions(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "storywatch.db")) as database:
        return int(database.execute("select count(*) from config_revision").fetchone()[0])


async def test_a_feed_is_added_to_the_database_with_its_first_poll(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/b", Step(body=rss("Two")))
        path = write_config(tmp_path, server.url("/a"))
        before = path.read_text()
        assert (await told(*_adding(server.url("/b")), "--dry", folder=tmp_path))["added"] is False
        server.requests.clear()
        added = await told(*_adding(server.url("/b")), "--tags", "wire", folder=tmp_path)
        assert (added["added"], added["polled"], added["line"], path.read_text()) == (True, True, None, before)
        shown = await told("feed", "show", server.url("/b"), folder=tmp_path)
        assert (shown["entries"], shown["tags"], shown["stands"]) == (1, ["wire"], "database")
        assert "kept in config.yaml only" not in await refused(*_adding("ftp://x"), folder=tmp_path)
        assert asked(server) == ["/b"]


async def test_a_forced_refresh_is_one_request_and_the_second_says_when_it_may(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/a", Step(body=rss("One")))
        server.script("/limited", Step(429, {"Retry-After": "7200"}))
        write_config(tmp_path, server.url("/a"), server.url("/limited"))
        await storywatch("poll", folder=tmp_path)
        said = await refused("feed", "refresh", server.url("/a"), folder=tmp_path)
        assert "no address is asked twice within 10 minutes; may be asked again from" in said
        assert "Retry-After" in await refused("feed", "refresh", server.url("/limited"), folder=tmp_path)
        assert "Retry-After" not in await refused("feed", "refresh", server.url("/b"), folder=tmp_path)
        _forget_attempts(tmp_path)
        assert (await told("feed", "refresh", server.url("/a"), folder=tmp_path))["due"] is True
        assert (await told("poll", folder=tmp_path))["polled"] == 1
        assert len(server.of("/a")) == 2


def _forget_attempts(folder: Path) -> None:
    """As if the last attempts were an hour ago."""
    with closing(sqlite3.connect(folder / "storywatch.db")) as database:
        for feed, schedule in database.execute("select id, schedule from feed").fetchall():
            known = json.loads(schedule)
            known["last_attempt_at"] -= 3600
            database.execute("update feed set schedule = ? where id = ?", (json.dumps(known), feed))
        database.commit()


async def test_a_feed_is_shown_explained_and_its_bytes_written_as_they_came(tmp_path: Path) -> None:
    body = rss("Jedan", "Dva").replace(b"<link>https://outlet.example/</link>", b"<ttl>90</ttl>", 1)
    async with FeedServer() as server:
        server.script("/a", Step(body=body, headers={"ETag": '"v1"'}), Step(304))
        server.script("/html", Step(body=b"<!doctype html><title>Sorry</title>", headers=HTML))
        write_config(tmp_path, server.url("/a"), server.url("/html"))
        await storywatch("poll", folder=tmp_path)
        await storywatch("poll", "--ignore-schedule", "--force", folder=tmp_path)

        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "monitor", "feed", "show", server.url("/a"), "--raw"),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
        )
        assert (await process.communicate())[0] == body
        kept = await told("feed", "show", server.url("/html"), "--documents", folder=tmp_path)
        assert [document["reason"] for document in kept] == ["html"]
        assert "2" in await refused("feed", "show", server.url("/a"), "--raw", "-n", "2", folder=tmp_path)

        why = await told("feed", "explain", server.url("/a"), folder=tmp_path)
        assert (why["next_poll"]["reason"], why["wishes"]["ttl"]) == ("ttl", 5400)
        assert (why["validators"]["etag"], why["validators"]["sent"]) == ('"v1"', True)
        rows = [(one["outcome"], one["conditional"]) for one in why["fetches"]]
        assert rows == [("not_modified", True), ("changed", False)]
        _, text, _ = await storywatch("feed", "explain", server.url("/html"), folder=tmp_path)
        assert "amber, html" in text
        failing = await told("feed", "list", "--failing", folder=tmp_path)
        assert [(feed["url"], feed["reasons"]) for feed in failing] == [(server.url("/html"), ["html"])]
        assert (await told("feed", "manners", folder=tmp_path))["perfect"] is True
        assert "did you mean" in await refused("feed", "show", server.url("/aa"), folder=tmp_path)


async def test_a_feed_that_is_removed_keeps_its_entries_and_can_come_back(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/a", Step(body=rss("One")))
        server.script("/b", Step(body=rss("Two")))
        path = write_config(tmp_path, server.url("/a"), server.url("/b"))
        before = path.read_text()
        await storywatch("poll", folder=tmp_path)
        _, diff, _ = await storywatch("feed", "remove", server.url("/a"), "--dry", folder=tmp_path)
        assert (path.read_text(), f"-  - {{url: '{server.url('/a')}'}}" in diff) == (before, True)
        assert await told("feed", "remove", server.url("/a"), folder=tmp_path) == {
            "removed": server.url("/a"),
            "paused": True,
        }
        shown = await told("feed", "show", server.url("/a"), folder=tmp_path)
        assert (shown["state"], shown["entries"], shown["configured"]) == ("paused", 1, False)
        assert "config.yaml does not name it" in await refused("feed", "refresh", server.url("/a"), folder=tmp_path)
        assert "did you mean" in await refused("feed", "remove", server.url("/a"), folder=tmp_path)
        assert "no address is asked twice" in await refused("feed", "add", server.url("/a"), folder=tmp_path)


async def test_a_list_that_is_exported_and_imported_is_the_same_list(tmp_path: Path) -> None:
    listed = tmp_path / "list.opml"
    listed.write_text(
        "<opml version='2.0'><body><outline text='Balkan'>\n"
        "<outline text='Danas “A &amp; B”' xmlUrl='https://danas.example/rss'/>\n"
        "<outline text='again' xmlUrl='HTTP://DANAS.example/rss/'/>\n"
        "<outline text='broken' xmlUrl='https://☃.net/'/></outline>\n"
        "<outline text='V' category='serbia,daily' xmlUrl='https://v.example/?a=1&amp;b=2'/></body></opml>"
    )
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        write_config(folder, "https://first.example/rss")
    done, out, err = await storywatch("feed", "import", str(listed), "--tags", "new", folder=here)
    assert (done, "added 2 feeds" in out, "1 there already" in out) == (0, True, True), err
    assert f"{listed}:4: left out: broken" in err
    _, first, _ = await storywatch("feed", "export", folder=here)
    (there / "in.opml").write_text(first, encoding="utf-8")
    brought = await told("feed", "import", "in.opml", folder=there)
    assert [feed["tags"] for feed in brought["added"]] == [["balkan", "new"], ["daily", "new", "serbia"]]
    _, second, _ = await storywatch("feed", "export", folder=there)
    assert first == second
    assert "“A &amp; B”" in second
    assert (await told("feed", "import", "in.opml", folder=there))["added"] == []
    assert "DTD" in await refused("feed", "import", _dtd(tmp_path), folder=here)


def _dtd(folder: Path) -> str:
    (folder / "dtd.opml").write_text("<!DOCTYPE opml [<!ENTITY a 'b'>]><opml/>")
    return str(folder / "dtd.opml")


async def test_there_is_no_file_to_edit(tmp_path: Path) -> None:
    assert "begin with a copy: cp" in await refused("feed", "add", "https://a.example/rss", folder=tmp_path)
