"""Lists that go into the database: every form, any length, each line by itself, and twice is once."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from monitor.config import api
from monitor.errors import ConfigError
from monitor.feed import formats, lists, storing
from monitor.feed.facts import FeedRefused
from monitor.store import feeds, listed

NOW = datetime(2025, 6, 5, 12, 0, tzinfo=UTC)
CONFIG = api.parse_text(
    "version: 1\ncontact: https://newsroom.example/w\nwatches: [{name: w, keywords: [x]}]\n"
    "feeds: [{url: https://file.example/rss, tags: [file]}]\n",
    {},
)
A = {"url": "https://a.example/rss", "tags": ["wire"], "floor": "20m"}
HELD = {A["url"]: {"tags": ["wire"], "floor": "20m"}}
OPML = b"""<?xml version="1.0"?>
<opml version="2.0"><body><outline text="Balkan News">
<outline text="A" xmlUrl="https://a.example/rss" category="wire"/>
<outline type="rss" text="lost"/>
</outline></body></opml>
"""


def brought(engine: Engine | None, text: bytes, *tags: str, dry: bool = False) -> storing.Stored:
    work = storing.Import(CONFIG, "list", tags, NOW, dry=dry)
    return work.run(formats.read(io.BytesIO(text)), engine.begin if engine is not None else None)


def rows(engine: Engine) -> dict[str, Any]:
    with engine.connect() as connection:
        return {feed.url: feed.settings for feed in listed.read(connection)}


def lines(*objects: object) -> bytes:
    return "\n".join(one if isinstance(one, str) else json.dumps(one) for one in objects).encode()


FORMS: dict[str, tuple[bytes, dict[str, Any], list[tuple[int, str]]]] = {
    "addresses, one a line": (
        b"\xef\xbb\xbf# ours\r\nhttps://a.example/rss   # the first\r\n\r\nftp://b.example/rss\r\nhttps://c.example/#x",
        {"https://a.example/rss": {}, "https://c.example/#x": {}},
        [(4, "E040 url: a feed's address starts with http:// or https://")],
    ),
    "objects, one a line": (
        lines(A, "", '{"url": ', [1], {"url": "https://b.example/", "headers": {}}),
        {"https://a.example/rss": {"tags": ["wire"], "floor": "20m"}},
        [
            (3, "this line is no JSON"),
            (4, 'a JSON object is wanted: {"url": "https://..."}'),
            (5, "E011 headers: this is kept in config.yaml only: a feed that needs it stands there"),
        ],
    ),
    "an OPML": (
        OPML,
        {"https://a.example/rss": {"tags": ["balkan-news", "wire"], "note": "A"}},
        [(4, "without an xmlUrl")],
    ),
    "an OPML in UTF-16": (
        OPML.decode().replace(' version="1.0"?', ' version="1.0" encoding="UTF-16"?').encode("utf-16"),
        {"https://a.example/rss": {"tags": ["balkan-news", "wire"], "note": "A"}},
        [(4, "without an xmlUrl")],
    ),
    "nothing": (b"", {}, []),
    "a line without end, and one that is no text": (
        b"https://a.example/" + b"x" * 600_000 + b"\n\xff\xfe\xfd\nhttps://b.example/rss\n",
        {"https://b.example/rss": {}},
        [(1, "a line of more than 65,536 bytes"), (2, "this line is not UTF-8")],
    ),
}


@pytest.mark.parametrize(("text", "wanted", "left"), FORMS.values(), ids=FORMS)
def test_a_list_is_read_by_how_it_begins_and_a_bad_line_costs_nothing_else(
    engine: Engine, text: bytes, wanted: dict[str, Any], left: list[tuple[int, str]]
) -> None:
    done = brought(engine, text)
    assert rows(engine) == wanted
    assert (done.added, done.left_out) == (len(wanted), len(left))
    assert [(one.line, one.why) for one in done.unusable] == left
    assert all(f"list:{line}: left out: " in done.told("list") for line, _ in left)


TWICE: dict[str, tuple[list[bytes], tuple[int, int, int], dict[str, Any]]] = {
    "twice is once": ([lines(A), lines(A)], (0, 0, 1), HELD),
    "once in a list, written in two ways": (
        [b"http://A.example/rss/\nhttps://a.example/rss#top\n"],
        (1, 0, 1),
        {"http://A.example/rss/": {}},
    ),
    "written otherwise than it stands": ([lines(A), b"http://a.example/rss/"], (0, 0, 1), HELD),
    "an object says all of its feed": (
        [lines(A), lines({"url": A["url"], "language": "sr"})],
        (0, 1, 0),
        {A["url"]: {"language": "sr"}},
    ),
    "an address takes nothing away": ([lines(A), b"https://a.example/rss"], (0, 0, 1), HELD),
    "config.yaml's has its address": ([b"http://file.example/rss/"], (1, 0, 0), {"https://file.example/rss": {}}),
}


@pytest.mark.parametrize(("texts", "last", "wanted"), TWICE.values(), ids=TWICE)
def test_what_is_there_stays_one_feed(
    engine: Engine, texts: list[bytes], last: tuple[int, int, int], wanted: dict[str, Any]
) -> None:
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed("https://file.example/rss", "file.example")], NOW)
    for text in texts:
        done = brought(engine, text)
    assert (done.added, done.changed, done.doubles) == last
    assert rows(engine) == wanted
    assert done.configured == ("https://file.example/rss" in wanted)


def test_a_dry_run_counts_the_same_and_writes_nothing(engine: Engine) -> None:
    text = lines(A, A, {"url": "https://b.example/"}, "no")
    without = brought(None, text, dry=True)
    dry = brought(engine, text, dry=True)
    assert rows(engine) == {}
    wet = brought(engine, text)
    assert without.as_dict() == dry.as_dict() == wet.as_dict() | {"written": False}
    assert "would be added" in dry.as_text()


def test_an_import_that_was_cut_off_is_done_again_and_goes_on(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "AT_A_TIME", 4)
    text = lines(*({"url": f"https://h{n}.example/rss"} for n in range(10)))
    opened = 0

    @contextmanager
    def opening() -> Iterator[Connection]:
        nonlocal opened
        opened += 1
        with engine.begin() as connection:
            yield connection
            if opened == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        storing.Import(CONFIG, "list", (), NOW).run(formats.read(io.BytesIO(text)), opening)
    assert len(rows(engine)) == 4
    done = brought(engine, text)
    assert (done.added, done.doubles, len(rows(engine))) == (6, 4, 10)


def test_a_list_that_breaks_off_keeps_what_came_before(engine: Engine) -> None:
    with pytest.raises(FeedRefused, match="line 4: not well-formed XML"):
        brought(engine, OPML.replace(b'<outline type="rss"', b'<outline type="rss'))
    assert rows(engine) == {}, "it is shorter than what is written at a time"


def test_tags_for_all_are_checked_once_and_join_those_of_each(engine: Engine) -> None:
    with pytest.raises(ConfigError, match="did you mean 'bad-tag'"):
        brought(engine, lines(A), "Bad Tag")
    brought(engine, lines(A), "imported")
    assert rows(engine)[A["url"]]["tags"] == ["imported", "wire"]


def test_many_new_feeds_are_not_due_at_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    brought(engine, lines(*({"url": f"https://h{n}.example/rss"} for n in range(120))))
    with engine.connect() as connection:
        times = sorted(row.next_at for row in feeds.all_rows(connection))
    assert times[0] == NOW
    assert times[-1] == NOW + timedelta(seconds=119 / 30)


def test_an_export_is_the_same_list_again(engine: Engine) -> None:
    brought(engine, lines(A, {"url": "https://b.example/rss", "note": "The <B>", "tags": ["wire", "x"]}))
    before = rows(engine)
    for form in ("jsonl", "opml", "txt"):
        with engine.connect() as connection:
            export = lists.Export(CONFIG, form)
            text = "".join(export.lines(listed.read(connection))).encode()
        assert export.count == 3
        seen = [one for one in formats.read(io.BytesIO(text)) if isinstance(one, formats.Line)]
        assert [one.said["url"] for one in seen] == ["https://file.example/rss", *before]
        if form == "jsonl":
            assert brought(engine, text).doubles == 2
    assert rows(engine) == {"https://file.example/rss": {"tags": ["file"]}} | before


def test_a_dry_run_reads_in_one_transaction(engine: Engine) -> None:
    with engine.connect() as connection:
        work = storing.Import(CONFIG, "list", (), NOW, dry=True)
        done = work.run(formats.read(io.BytesIO(lines(A))), lambda: nullcontext(connection))
    assert done.added == 1
