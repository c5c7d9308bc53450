"""What people said of stories: that one was right, wrong, or missed. From the database and from files of JSON Lines.

A line of a file holds `story` (its key), `entry` (its number), or `url`; and `verdict`: right, wrong or missed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from monitor.errors import MonitorError
from monitor.parse import links
from monitor.store import corrections, entries, stories, tables
from monitor.values import StoryKey

RIGHT, WRONG, MISSED = "right", "wrong", "missed"
_VERDICTS = (RIGHT, WRONG, MISSED)
_NAMES = ("story", "entry", "url")


class LabelError(MonitorError):
    """A line of a file of labels cannot be used."""


@dataclass(frozen=True, slots=True)
class Label:
    """One verdict with the entries it is about; `named` is how it was written, `place` where."""

    named: str
    verdict: str
    entries: frozenset[int]
    place: str


def stored(connection: Connection) -> Iterator[Label]:
    """The labels people left in the database, by page, command or link; the last one on a subject counts."""
    # A merge or a split leaves a label too; it says nothing about right or wrong.
    said = (label for label in corrections.labels(connection) if label.verdict in _VERDICTS)
    for subject, verdict in {label.subject: str(label.verdict) for label in said}.items():
        yield Label(subject, verdict, _entries(connection, subject), "stored label")


def read(connection: Connection, lines: Iterable[str], file: str) -> Iterator[Label]:
    """Read a file of labels.

    Errors: LabelError with file and line.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _label(connection, line, f"{file}:{number}")


def _label(connection: Connection, line: str, place: str) -> Label:
    try:
        raw = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as exc:
        raise LabelError(f"{place}: no JSON: {exc}") from exc
    if not isinstance(raw, dict):
        raise LabelError(f"{place}: is no JSON object")
    subject = next((str(raw[name]) for name in _NAMES if raw.get(name)), None)
    if subject is None or raw.get("verdict") not in _VERDICTS:
        raise LabelError(f"{place}: needs one of {', '.join(_NAMES)}, and verdict: {', '.join(_VERDICTS)}")
    return Label(subject, raw["verdict"], _entries(connection, subject), place)


def _entries(connection: Connection, subject: str) -> frozenset[int]:
    """The entries a subject means: those of a story, one by its number, or those with an address."""
    mention, story = tables.mention.c, tables.story.c
    if subject.isdigit():
        return frozenset({int(subject)})
    if links.host_of(subject):
        found = entries.by_url(connection, subject, links.canonical(subject).key)
        return frozenset(int(entry.id) for entry in found)
    key = stories.resolve(connection, StoryKey(subject))  # it may have been merged since
    rows = connection.execute(
        select(mention.entry_id).join(tables.story, story.id == mention.story_id).where(story.key == key)
    )
    return frozenset(int(row.entry_id) for row in rows)
