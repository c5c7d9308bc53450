"""Edits keep what people wrote around them."""

from __future__ import annotations

import random

import pytest

from monitor.config import api, editing

HEAD = "version: 1\ncontact: desk@paper.example   # ours\n"
FIXES = {
    "a key with a near right name": ("limits: {dedline: 45s}\n", "limits: {deadline: 45s}\n"),
    "a key whose right name is taken stays": ("web: {feeds: true, feed: true}\n", "web: {feeds: true, feed: true}\n"),
    "a key that belongs elsewhere stays": ("channel: x\n", "channel: x\n"),
    "a number where text is wanted": (
        "feeds:\n  - {url: https://a.example/rss, note: 1.10}\n",
        'feeds:\n  - {url: https://a.example/rss, note: "1.10"}\n',
    ),
    "a plain query": (
        "watches:\n  - name: a\n    query: Serbia AND deport*\n    title: x\n",
        "watches:\n  - name: a\n    query: |\n      Serbia AND deport*\n    title: x\n",
    ),
    "a quoted query": (
        "watches:\n  - name: a\n    query: 'Serbia AND Kosovo'   # two\n",
        "watches:\n  - name: a\n    query: |   # two\n      Serbia AND Kosovo\n",
    ),
    "a phrase whose quotes YAML took": (
        'watches:\n  - query: "third country"\n    name: a\n',
        'watches:\n  - query: |\n      "third country"\n    name: a\n',
    ),
    "a query in brackets stays": (
        "watches: [{name: a, query: Serbia}]\n",
        "watches: [{name: a, query: Serbia}]\n",
    ),
    "a block stays": (
        "watches:\n  - name: a\n    query: |\n      Serbia\n",
        "watches:\n  - name: a\n    query: |\n      Serbia\n",
    ),
    "a file that cannot be read stays": ("web: [\n", "web: [\n"),
}


@pytest.mark.parametrize("case", FIXES)
def test_a_safe_repair_is_made_and_nothing_else(case: str) -> None:
    before, after = FIXES[case]
    assert editing.fixed(HEAD + before) == HEAD + after


@pytest.mark.parametrize("case", FIXES)
def test_a_repair_made_twice_is_made_once(case: str) -> None:
    once = editing.fixed(HEAD + FIXES[case][0])
    assert editing.fixed(once) == once


FEEDS = (
    HEAD
    + """feeds:
  # the first
  - {url: https://a.example/rss}   # kept
  - url: https://b.example/rss
    tags: [x]

# more
web: {}
"""
)


def test_a_feed_is_added_behind_the_last() -> None:
    text = editing.with_feeds(FEEDS, [editing.feed_line("https://c.example/rss?a=1&b=2", ["x", "y"])])
    assert '    tags: [x]\n  - {url: "https://c.example/rss?a=1&b=2", tags: [x, y]}\n\n# more\n' in text
    assert [feed.url for feed in api.parse_text(text, {}).feeds][-1] == "https://c.example/rss?a=1&b=2"
    assert "# kept" in text


@pytest.mark.parametrize("section", ["", "feeds: []\n", "feeds:   # none yet\n"])
def test_a_feed_is_added_where_there_was_none(section: str) -> None:
    text = editing.with_feeds(HEAD + section, [editing.feed_line("https://a.example/rss", note='said "yes"')])
    (feed,) = api.parse_text(text, {}).feeds
    assert (feed.url, feed.note) == ("https://a.example/rss", 'said "yes"')


def test_a_feed_is_taken_out_with_its_lines_only() -> None:
    text = editing.without_feed(FEEDS, "HTTPS://B.example/rss/")
    assert text == FEEDS.replace("  - url: https://b.example/rss\n    tags: [x]\n", "")
    with pytest.raises(KeyError):
        editing.without_feed(text, "https://b.example/rss")


def test_feeds_in_brackets_are_left_to_people() -> None:
    text = HEAD + "feeds: [{url: https://a.example/rss}, {url: https://b.example/rss}]\n"
    with pytest.raises(ValueError, match="brackets"):
        editing.with_feeds(text, ["- {url: https://c.example}"])
    with pytest.raises(ValueError, match="brackets"):
        editing.without_feed(text, "https://a.example/rss")


def test_a_fixed_file_means_the_same_and_keeps_its_comments() -> None:
    rng = random.Random(3)
    for n in range(25):
        words = rng.sample(["Serbia", "Kosovo", '"third country"', "~TPS", "deport*"], 2)
        query = f" {rng.choice(['AND', 'OR'])} ".join(words)
        style = rng.choice(["|\n      {}", "'{}'"])
        text = f"{HEAD}watches:\n  # number {n}\n  - name: a\n    query: {style.format(query)}\n"
        text += "channels: {console: {type: stdout}}\n"
        fixed = editing.fixed(text)
        before, after = api.parse_text(text, {}).watches[0], api.parse_text(fixed, {}).watches[0]
        assert before.query_text.strip() == after.query_text.strip()
        assert f"# number {n}" in fixed
        assert "# ours" in fixed


def test_what_others_wrote_in_a_note_never_reads_our_environment() -> None:
    line = editing.feed_line("https://a.example/rss?t=${HOME}", note="costs $5, ${HOME:-x} $${HOME}")
    (feed,) = api.parse_text(editing.with_feeds(HEAD, [line]), {"HOME": "/root"}).feeds
    assert (feed.url, feed.note) == ("https://a.example/rss?t=${HOME}", "costs $5, ${HOME:-x} $${HOME}")
