"""What a new state of the file changes, primes and has to wait for."""

from __future__ import annotations

import pytest

from monitor.config import api, changes

BASE = """version: 1
contact: desk@paper.example
feeds:
  - {url: https://a.example/rss, tags: [x]}
watches:
  - {name: one, keywords: [TPS]}
channels:
  console: {type: stdout}
"""
CASES = {
    "nothing": (BASE, BASE + "# a comment\n", [], set(), ()),
    "a new watch": (
        "",
        BASE.replace("channels:", "  - {name: two, keywords: [Balkan]}\nchannels:"),
        ["+ watches[two]  new: will be primed"],
        {"two"},
        (),
    ),
    "another query": (
        "",
        BASE.replace("[TPS]", "[Balkan]"),
        ["~ watches[one].query  added ~Balkan; removed ~TPS; primed again"],
        {"one"},
        (),
    ),
    "another title": (
        "",
        BASE.replace("name: one,", "name: one, title: One,"),
        ["~ watches[one].title  one > One"],
        set(),
        (),
    ),
    "other languages": (
        "",
        BASE.replace("name: one,", "name: one, languages: [en],"),
        ["~ watches[one].languages  primed again"],
        {"one"},
        (),
    ),
    "a watch that goes": (
        "",
        BASE.replace("  - {name: one, keywords: [TPS]}\n", "  []\n"),
        ["- watches[one]  its stories stay"],
        set(),
        (),
    ),
    "a feed more, one less": (
        "",
        BASE.replace("https://a.", "https://b."),
        ["+ feeds[https://b.example/rss]  its first poll tells nothing", "- feeds[https://a.example/rss]"],
        set(),
        (),
    ),
    "a feed that moved to another line": ("", "# first\n" + BASE, [], set(), ()),
    "another tick": ("", BASE + "engine: {tick: 30s}\n", ["~ engine.tick  15s > 30s"], set(), ("engine.tick",)),
    "another database": (
        "",
        BASE + "storage: {url: 'sqlite:///other.db'}\n",
        ["~ storage.url  sqlite:///data/storywatch.db > sqlite:///other.db"],
        set(),
        ("storage.url",),
    ),
    "another way out": (
        "",
        BASE + "  files: {type: folder, path: out}\nroutes: {to: [console, files]}\n",
        ["+ channels.files", "+ routes"],
        set(),
        (),
    ),
    "other quiet hours": (
        BASE + "quiet_hours: {n: {from: '22:00', to: '07:00'}}\n",
        BASE + "quiet_hours: {n: {from: '23:00', to: '07:00'}}\n",
        ["~ quiet_hours.n.from  22:00 > 23:00"],
        set(),
        (),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_change_is_told_with_what_follows_from_it(case: str) -> None:
    before, after, told, primed, waits = CASES[case]
    found = changes.changes(api.parse_text(before or BASE, {}), api.parse_text(after, {}))
    assert [str(change) for change in found] == told
    assert changes.to_prime(found) == primed
    assert changes.needs_restart(found) == waits
