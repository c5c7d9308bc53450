"""The programs compared: how each is told its feeds, polls all of them once, and counts what it kept.

Ours is `bench/poll_once.py`. Peers: reader (needs a Python that has it, with sgmllib), newsboat and rss2email (found on
the path). newsboat sends validators only from its third poll on, and with no feeds it and rss2email end with an error.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent.parent
_READER = """\
import logging, sys, warnings
warnings.simplefilter("ignore"); logging.disable(logging.CRITICAL)
from reader import make_reader
what, database, feeds = sys.argv[1:]
reader = make_reader(database)
if what == "prepare":
    for url in open(feeds).read().split():
        reader.add_feed(url)
else:
    reader.update_feeds(scheduled=False, workers=10)
"""
Folder = Path


@dataclass(frozen=True, slots=True)
class Contender:
    """A program. `prepare` writes its list of feeds, unmeasured; `poll` is the command; `count` what it has stored."""

    name: str
    prepare: Callable[[Folder, Path], None]
    poll: Callable[[Folder, Path], Sequence[str]]
    count: Callable[[Folder], int]
    env: Callable[[Folder], dict[str, str]] = field(default=lambda _: dict(os.environ))
    fails_without_feeds: bool = False
    learns_late: bool = False


def ours(name: str = "storywatch", python: str = sys.executable, root: Path = _ROOT) -> Contender:
    """This project, or another checkout of it."""
    script = [python, str(root / "bench" / "poll_once.py")]

    def count(folder: Folder) -> int:
        return int(subprocess.run([*script, "--count", str(folder)], check=True, capture_output=True).stdout)

    return Contender(
        name,
        lambda folder, feeds: _run([*script, "--prepare", str(folder), str(feeds)]),
        lambda folder, feeds: [*script, str(folder), str(feeds)],
        count,
    )


def reader(python: str) -> Contender:
    """lemon24/reader with ten workers, by a Python that can import it."""
    script = [python, "-c", _READER]
    return Contender(
        "reader",
        lambda folder, feeds: _run([*script, "prepare", str(folder / "db"), str(feeds)]),
        lambda folder, feeds: [*script, "poll", str(folder / "db"), str(feeds)],
        lambda folder: _rows(folder / "db", "entries"),
    )


def newsboat() -> Contender:
    """newsboat with ten threads."""

    def prepare(folder: Folder, feeds: Path) -> None:
        (folder / "config").write_text("reload-threads 10\n")
        shutil.copy(feeds, folder / "urls")

    def poll(folder: Folder, _: Path) -> list[str]:
        files = ["-u", str(folder / "urls"), "-c", str(folder / "cache.db"), "-C", str(folder / "config")]
        return ["newsboat", "-q", *files, "-x", "reload"]

    def env(folder: Folder) -> dict[str, str]:
        return os.environ | {"HOME": str(folder), "LC_ALL": "C.UTF-8"}

    def count(folder: Folder) -> int:
        return _rows(folder / "cache.db", "rss_item")

    return Contender("newsboat", prepare, poll, count, env, fails_without_feeds=True, learns_late=True)


def rss2email() -> Contender:
    """rss2email, which polls one feed after the other and here sends nothing."""

    def prepare(folder: Folder, feeds: Path) -> None:
        head = "[DEFAULT]\nfrom = a@localhost\nto = b@localhost\nfeed-timeout = 30\n"
        lists = (f"[feed.f{n}]\nurl = {url}\n" for n, url in enumerate(feeds.read_text().split()))
        (folder / "r2e.cfg").write_text(head + "".join(lists))

    def poll(folder: Folder, _: Path) -> list[str]:
        return ["r2e", "-c", str(folder / "r2e.cfg"), "-d", str(folder / "r2e.json"), "run", "--no-send"]

    def count(folder: Folder) -> int:
        return sum(len(feed["seen"]) for feed in json.loads((folder / "r2e.json").read_text())["feeds"])

    return Contender("rss2email", prepare, poll, count, fails_without_feeds=True)


def available(python: str | None) -> tuple[list[Contender], list[str]]:
    """Ours, then the peers that are here; and a sentence for each that is not."""
    found, missing = [ours()], []
    if python and subprocess.run([python, "-c", "import reader"], check=False, capture_output=True).returncode == 0:
        found.append(reader(python))
    else:
        missing.append("reader: give --python a Python with `pip install reader feedparser-sgmllib`")
    for name, program, make in (("newsboat", "newsboat", newsboat), ("rss2email", "r2e", rss2email)):
        if shutil.which(program):
            found.append(make())
        else:
            missing.append(f"{name}: apt-get install {name}")
    return found, missing


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _rows(database: Path, table: str) -> int:
    with sqlite3.connect(database) as connection:
        return int(connection.execute(f"select count(*) from {table}").fetchone()[0])
