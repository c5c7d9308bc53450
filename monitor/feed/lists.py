"""`feed import` and `feed export`: lists of feeds as other readers write and read them. Called by `cli`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from monitor.config import editing, stored, units
from monitor.config.values import Config, FeedConfig
from monitor.feed import admin
from monitor.feed.facts import FeedRefused
from monitor.parse import links, opml
from monitor.store.listed import Named

_NAMED = 20
"""Outlines left out that are named one by one."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a list brings. `doubles` are feeds the file or the list itself has already."""

    edit: admin.Edited | None
    new: tuple[opml.Listed, ...]
    doubles: tuple[opml.Listed, ...]
    unusable: tuple[opml.Unusable, ...]
    written: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "added": [{"url": feed.url, "title": feed.title, "tags": list(feed.tags)} for feed in self.new],
            "doubles": [feed.url for feed in self.doubles],
            "unusable": [{"line": one.line, "title": one.title, "why": one.why} for one in self.unusable],
            "written": self.written,
            "diff": self.edit.diff() if self.edit and not self.written else None,
        }

    def as_text(self) -> str:
        """For a terminal: the counts, or with `--dry` the change."""
        if self.edit and not self.written:
            return self.edit.diff()
        if self.edit is None:
            return f"nothing new: {_feeds(len(self.doubles))} configured already\n"
        doubled = f", {len(self.doubles)} there already" if self.doubles else ""
        ends = "a running daemon takes them up by itself, or storywatch poll does"
        return f"added {_feeds(len(self.new))} to {self.edit.path}{doubled}; {ends}\n"

    def left_out(self, file: Path) -> str:
        """Which outlines could not be used, by line."""
        lines = [f"{file}:{one.line}: left out: {one.title or 'an outline'}: {one.why}" for one in self.unusable]
        more = len(lines) - _NAMED
        return "".join(f"{line}\n" for line in lines[:_NAMED]) + (f"and {more} more left out\n" if more > 0 else "")


def _feeds(number: int) -> str:
    return f"{number} feed" + ("" if number == 1 else "s")


def prepare(path: Path, file: Path, tags: Sequence[str], environ: Mapping[str, str]) -> Imported:
    """Read a list and prepare the edit that adds what is new; nothing is asked and nothing written.

    Errors: FeedRefused, OpmlError, ConfigError.
    """
    before, config = admin.editable(path, environ)
    try:
        read = opml.read(_bytes(file))
    except opml.OpmlError as exc:
        raise FeedRefused(f"{file}: {exc}") from exc
    new, doubles, bad = _sorted(read.feeds, config)
    unusable = tuple(sorted((*read.unusable, *bad), key=lambda one: one.line))
    if not new:
        return Imported(None, (), doubles, unusable)
    added = tuple(
        opml.Listed(feed.url, feed.title, tuple(sorted({*feed.tags, *tags})), feed.outlet, feed.line) for feed in new
    )
    lines = [editing.feed_line(feed.url, feed.tags, feed.outlet, feed.title) for feed in added]
    return Imported(admin.with_feeds(path, before, lines, environ), added, doubles, unusable)


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(opml.MAX_BYTES + 1)
    except OSError as exc:
        raise FeedRefused(f"{file}: cannot be read ({exc.strerror})") from exc


def _sorted(
    listed: Sequence[opml.Listed], config: Config
) -> tuple[tuple[opml.Listed, ...], tuple[opml.Listed, ...], tuple[opml.Unusable, ...]]:
    """What is new, what is there already (after normalising), and what is no address the configuration would take."""
    seen = {units.same_address(feed.url) for feed in config.feeds}
    new: list[opml.Listed] = []
    doubles: list[opml.Listed] = []
    bad: list[opml.Unusable] = []
    for feed in listed:
        try:
            units.host(links.host_of(feed.url) or "")
            key = units.same_address(feed.url)
            units.split_url(feed.url)
        except ValueError:
            bad.append(opml.Unusable(feed.line, feed.title or feed.url, f"no usable address: {feed.url}"))
            continue
        (doubles if key in seen else new).append(feed)
        seen.add(key)
    return tuple(new), tuple(doubles), tuple(bad)


FORMS = ("opml", "jsonl", "txt")


def form_of(named: str | None, file: Path | None) -> str:
    """The form of an export: as it is named, else as the file's name ends, else OPML.

    Errors: FeedRefused.
    """
    ending = file.suffix.lower().removeprefix(".") if file is not None else ""
    form = named or (ending if ending in FORMS else "opml")
    if form not in FORMS:
        raise FeedRefused(f"--format {form}: opml, jsonl or txt")
    return form


class Export:
    """The feeds of config.yaml and those that stand in the database only. Passwords and headers stay where they are.

    `form` is opml, jsonl (all settings, as `feed import --to-store` reads them) or txt (addresses). `count` says how
    many have been written so far.
    """

    def __init__(self, config: Config, form: str) -> None:
        self._config = config
        self._form = form
        self.count = 0

    def lines(self, standing: Iterable[Named]) -> Iterator[str]:
        """Write them one after the other; `standing` are those of the database, any number."""
        configured = {feed.url: feed for feed in self._config.feeds}
        others = (stored.read(feed.url, feed.settings or {}) for feed in standing if feed.url not in configured)
        if self._form == "opml":
            rows, more = (map(_listed, self._counted(feeds)) for feeds in (self._config.feeds, others))
            return opml.lines(rows, "storywatch feeds", more)
        every = self._counted(chain(self._config.feeds, others))
        return (
            f"{feed.url if self._form == 'txt' else json.dumps(_said(feed), ensure_ascii=False)}\n" for feed in every
        )

    def _counted(self, feeds: Iterable[FeedConfig]) -> Iterator[FeedConfig]:
        for feed in feeds:
            self.count += 1
            yield feed


def _listed(feed: FeedConfig) -> opml.Listed:
    return opml.Listed(feed.url, feed.note, tuple(sorted(feed.tags)), feed.outlet)


def _said(feed: FeedConfig) -> dict[str, Any]:
    return {"url": feed.url, **stored.said(feed)}
