"""What a feed of the database may say: as config.yaml, with its codes, but for secrets; and what holds of both."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from monitor.config import api, stored
from monitor.config.values import FeedConfig

URL = "https://a.example/rss"
FAULTS: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "no address": ({"tags": ["wire"]}, [("E010", "url")]),
    "an address of another kind": ({"url": "ftp://a.example/rss"}, [("E040", "url")]),
    "no host": ({"url": "https:///rss"}, [("E041", "url")]),
    "an unknown key": ({"url": URL, "tgs": []}, [("E011", "tgs")]),
    "a tag that is no name": ({"url": URL, "tags": ["wire", "Balkan News"]}, [("E026", "tags[1]")]),
    "tags that are no list": ({"url": URL, "tags": "wire"}, [("E013", "tags")]),
    "a floor that is no time": ({"url": URL, "floor": "soon"}, [("E020", "floor")]),
    "a floor that is not kind": ({"url": URL, "floor": "1m"}, [("E028", "floor")]),
    "a ceiling below the floor": ({"url": URL, "floor": "1h", "ceiling": "10m"}, [("E028", "ceiling")]),
    "headers": ({"url": URL, "headers": {"X-Key": "k"}}, [("E011", "headers")]),
    "a password": ({"url": URL, "auth": {"user": "u", "password": {"env": "P"}}}, [("E011", "auth")]),
    "a proxy, and any certificate": (
        {"url": URL, "proxy": "p", "tls": "insecure"},
        [("E011", "proxy"), ("E011", "tls")],
    ),
    "a pause": ({"url": URL, "paused": True}, [("E011", "paused")]),
}


@pytest.mark.parametrize(("raw", "wanted"), FAULTS.values(), ids=FAULTS)
def test_what_a_feed_may_not_say_is_named_with_the_codes_of_the_file(
    raw: dict[str, Any], wanted: list[tuple[str, str]]
) -> None:
    feed, found = stored.checked(raw, "list.jsonl", 7)
    assert feed is None
    assert [(one.code, one.path) for one in found] == wanted
    assert {(one.file, one.line) for one in found} == {("list.jsonl", 7)}


@pytest.mark.parametrize(
    "words", ["", "tags: [wire, balkan]", "tags: [government]", "floor: 2h", "floor: 10m, ceiling: 1h30m, language: sr",
              "outlet: a.example, timezone: Europe/Belgrade, note: The paper, tags: [b, a, b]"]
)  # fmt: skip
def test_a_feed_of_the_database_is_what_it_would_be_in_the_file(words: str) -> None:
    said = f"{{url: {URL}{', ' + words if words else ''}}}"
    text = f"version: 1\ncontact: https://newsroom.example/w\nwatches: [{{name: w, keywords: [x]}}]\nfeeds: [{said}]\n"
    (configured,) = api.parse_text(text, {}).feeds
    row = stored.said(configured)
    feed, found = stored.checked({"url": URL, **row}, "list.jsonl", 1)
    assert (found, feed is not None and stored.written(feed)) == ((), row)
    plain = FeedConfig(**{name: getattr(configured, name) for name in configured.__slots__} | {"line": 0})
    assert stored.read(URL, row) == plain


def test_the_file_wins_and_without_both_nothing_holds() -> None:
    ours = {URL: FeedConfig(URL, tags=frozenset({"file"}))}
    row = {"tags": ["row"], "ceiling": "2h"}
    assert stored.config_of(ours, URL, row) is ours[URL]
    assert stored.tags_of(ours, URL, row) == {"file"}
    held = stored.config_of({}, URL, row)
    assert held is not None
    assert (held.tags, held.ceiling) == ({"row"}, timedelta(hours=2))
    assert stored.config_of({}, URL, {}) == FeedConfig(URL)
    assert stored.config_of({}, URL, None) is None


CHOICES = {
    "a watch of all feeds takes it": (None, {"tags": ["wire"]}, True),
    "one of its tags": (frozenset({"wire", "x"}), {"tags": ["wire"]}, True),
    "another tag": (frozenset({"x"}), {"tags": ["wire"]}, False),
    "no tag": (frozenset({"x"}), {}, False),
    "no feed of ours any more": (frozenset({"x"}), None, False),
}


@pytest.mark.parametrize(("tags", "settings", "wanted"), CHOICES.values(), ids=CHOICES)
def test_a_watch_chooses_a_feed_by_what_its_row_says(
    tags: frozenset[str] | None, settings: dict[str, Any] | None, wanted: bool
) -> None:
    assert stored.Choice(tags, {}).takes(URL, settings) is wanted


def test_a_tag_that_only_feeds_of_the_database_have_is_no_error_but_a_slip_is() -> None:
    head = "version: 1\ncontact: https://newsroom.example/w\nwatches: [{name: w, keywords: [Serbia], feeds: [TAG]}]\n"
    text = head + f"feeds: [{{url: {URL}, tags: [wire]}}]\n"
    text += "channels: {out: {type: stdout}}\nroutes: {to: [out]}\n"
    (kept,) = api.check_text(text.replace("TAG", "balkan"), {})
    assert (kept.code, kept.severity) == ("W042", "warning")
    (slip,) = api.check_text(text.replace("TAG", "wires"), {})
    assert (slip.code, slip.severity) == ("E035", "error")


def test_a_file_that_is_too_large_is_told_where_its_feeds_may_stand() -> None:
    text = "version: 1\n" + "# padding of a comment\n" * 50_000
    with pytest.raises(Exception, match="feed import FILE --to-store"):
        api.parse_bytes(text.encode(), {}, file="config.yaml")
