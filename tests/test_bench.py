"""The benches measure what they say: a small day is polite, made-up feeds are feeds, a tree's whole cost is counted."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bench import copies, day
from bench.peers import served, tree
from monitor.parse import unseen


def test_an_hour_and_a_half_of_forty_feeds_makes_no_impolite_request() -> None:
    figures = asyncio.run(day.play(40, 12, timedelta(hours=1.5), seed=3))
    assert figures["impolite"] == {}
    assert figures["requests"] >= 80
    assert figures["share_304"] > 0.2


def test_copies_of_made_up_documents_are_told_from_other_texts() -> None:
    made = [
        copies.Document(
            f"Title {n} of paper {n}",
            " ".join(f"word{n}x{k}." if k % 9 == 8 else f"word{n}x{k}" for k in range(60)),
            "en",
        )
        for n in range(8)
    ]
    right = copies.measure(made)
    assert set(right) == {*copies.COPIES, *copies.OTHERS}
    assert [name for name, (known, every) in right.items() if known < every] == []


@pytest.mark.parametrize("feed", range(10))
def test_a_made_up_feed_shows_three_new_entries_and_keeps_the_bytes_of_the_others(feed: int) -> None:
    now = datetime(2026, 7, 1, tzinfo=UTC)
    first = unseen.parse(served.document(feed, 0), "https://paper.example/rss", {}, now)
    second = unseen.parse(served.document(feed, 1), "https://paper.example/rss", {}, now, before=first.memory)
    assert (first.total, second.total) == (served.ITEMS, served.ITEMS)
    assert (len(second.positions), second.whole) == (served.NEW, None)


def test_the_benchs_server_answers_304_only_while_it_has_validators() -> None:
    with served.Server() as server, httpx.Client() as client:
        (url,) = server.urls(1)
        tag = client.get(url).headers["etag"]
        assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
        assert server.asked().whole == server.asked().unchanged == 1
        server.turn(0, validators=False)
        assert client.get(url, headers={"If-None-Match": tag}).status_code == 200
        assert (server.asked().whole, server.asked().unchanged) == (1, 0)


BUSY = "sum(range(3_000_000))"
ORPHAN = f"""
import os, subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.2); {BUSY}"])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="LOUD: /proc and wait4 of a whole session are Linux's")
def test_a_process_left_behind_is_counted_too() -> None:
    with tree.orphans_adopted():
        alone = tree.measured([sys.executable, "-S", "-c", "pass"])
        left = tree.measured([sys.executable, "-S", "-c", ORPHAN])
    assert left.cpu_s > alone.cpu_s
    assert left.pss_mib > 1


def test_a_command_that_fails_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        tree.measured([sys.executable, "-S", "-c", "raise SystemExit(3)"])
