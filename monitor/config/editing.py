"""Edits of the text of config.yaml that keep every comment: safe repairs, feeds added and removed. Text in, text out.

Works on the places of the read file, never by writing the file anew. Called by `storywatch config fix` and `feed add`,
`feed remove`, `feed import`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.config import checking, faults, units
from monitor.config.document import Document, Path, Place
from monitor.config.reading import read_text
from monitor.config.references import rows
from monitor.text.nearest import nearest

_PLAIN = re.compile(r"[A-Za-z0-9/._~%+-]+(?::(?=\S)[A-Za-z0-9/._~%+:-]*)?")
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^}]*)?\}")


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace a stretch of one line. All counted from 1, the end is exclusive."""

    line: int
    column: int
    end_column: int
    text: str


def fixed(text: str) -> str:
    """Apply the repairs that cannot change what is meant: quotes, block queries, keys with a near right name.

    A text that cannot be read comes back as it is.
    """
    document = read_text(text, "config.yaml")
    if not isinstance(document.data, dict):
        return text
    edits = [*_renamed_keys(document), *_quoted(document), *_blocks(document)]
    return _applied(text, edits)


def _applied(text: str, edits: Sequence[Edit]) -> str:
    lines = text.splitlines(keepends=True)
    done: set[tuple[int, int]] = set()
    for edit in sorted(edits, key=lambda one: (one.line, one.column), reverse=True):
        if (edit.line, edit.column) in done:
            continue
        done.add((edit.line, edit.column))
        line = lines[edit.line - 1]
        lines[edit.line - 1] = line[: edit.column - 1] + edit.text + line[edit.end_column - 1 :]
    return "".join(lines)


def _renamed_keys(document: Document) -> list[Edit]:
    edits = []
    for path, place in document.keys.items():
        allowed = faults.known_keys(path[:-1])
        key = str(path[-1])
        if not allowed or key in allowed or key in faults.ELSEWHERE:
            continue
        right = nearest(key, allowed)
        if right is not None and (*path[:-1], right) not in document.keys:
            edits.append(Edit(place.line, place.column, place.end_column, right))
    return edits


def _quoted(document: Document) -> list[Edit]:
    """Put quotes round what YAML takes for a number, a date or a truth value where text is wanted."""
    found = checking.check(document, {}, with_secrets=False).problems
    wanted = {(one.line, one.column) for one in found if one.code == "E013" and one.hint == "put it in quotes"}
    places = [*document.values.values(), *document.keys.values()]
    return [
        Edit(place.line, place.column, place.end_column, f'"{_raw(document, place)}"')
        for place in places
        if (place.line, place.column) in wanted and place.style is None
    ]


def _raw(document: Document, place: Place) -> str:
    return document.raw(place.line)[place.column - 1 : place.end_column - 1]


def _blocks(document: Document) -> list[Edit]:
    """Write queries of one line as blocks. What YAML has already cut off as a comment stays a comment."""
    edits = []
    for path, watch in rows(document.data, "watches"):
        place, query = document.value_place((*path, "query")), watch.get("query")
        if not isinstance(query, str) or "\n" in query or place.style in ("|", ">") or _in_flow(document, path):
            continue
        raw, key = document.raw(place.line), document.key_place((*path, "query"))
        rest = raw[place.end_column - 1 :]
        text = _raw(document, place) if place.style == '"' and _lost_phrase(query) else query
        block = f"|{rest.rstrip()}\n{' ' * (key.column + 1)}{text}"
        edits.append(Edit(place.line, place.column, len(raw) + 1, block))
    return edits


def _lost_phrase(query: str) -> bool:
    """Whether the quotes that YAML took were meant for a phrase: words without any sign of the query language."""
    return bool(re.fullmatch(r"[\w-]+( [\w-]+)+", query)) and not re.search(r"\b(AND|OR|NOT|NEAR)\b", query)


def _in_flow(document: Document, path: Path) -> bool:
    place = document.value_place(path)
    return document.raw(place.line)[place.column - 1 : place.column] == "{"


def feed_line(url: str, tags: Sequence[str] = (), outlet: str | None = None, note: str | None = None) -> str:
    """Write one feed as a line of the list."""
    fields = [f"url: {_scalar(url)}"]
    fields += [f"outlet: {_scalar(outlet)}"] if outlet else []
    fields += [f"tags: [{', '.join(tags)}]"] if tags else []
    fields += [f"note: {_scalar(note, quote=True)}"] if note else []
    return f"- {{{', '.join(fields)}}}"


def _scalar(text: str, *, quote: bool = False) -> str:
    if not quote and _PLAIN.fullmatch(text):
        return text
    text = _VARIABLE.sub(r"$\g<0>", text)  # what others wrote never reads our environment
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def with_feeds(text: str, lines: Sequence[str]) -> str:
    """Add feeds behind the last one; `lines` are made by `feed_line`. The section is made where it is missing.

    Errors: ValueError when the file has no list of feeds that could be added to by lines.
    """
    document = read_text(text, "config.yaml")
    feeds = _feeds(document)
    if not feeds:
        return _with_section(text, document, lines)
    last = document.value_place(("feeds", len(feeds) - 1))
    first = document.value_place(("feeds", 0))
    lead = document.raw(first.line)[: first.column - 1]
    if lead.strip() != "-":
        raise ValueError("feeds stand in brackets: write them one per line first")
    indent = " " * (len(lead) - len(lead.lstrip()))
    return _inserted(
        text, _last_line(document, last.line, ("feeds", len(feeds) - 1)), [indent + line for line in lines]
    )


def _with_section(text: str, document: Document, lines: Sequence[str]) -> str:
    added = [f"  {line}" for line in lines]
    key = document.keys.get(("feeds",))
    if key is None:
        return text.rstrip("\n") + "\n\n" + "\n".join(["feeds:", *added]) + "\n"
    if document.raw(key.line).split("#")[0].strip() not in ("feeds:", "feeds: []"):
        raise ValueError("feeds holds no list")
    rows_of = text.splitlines()
    rows_of[key.line - 1] = rows_of[key.line - 1].replace("feeds: []", "feeds:", 1)
    return _inserted("\n".join(rows_of) + "\n", key.line, added)


def without_feed(text: str, url: str) -> str:
    """Take a feed out, its lines and nothing else.

    Errors: KeyError when no feed has this address; ValueError when it stands in brackets with others.
    """
    document = read_text(text, "config.yaml")
    wanted = units.same_address(url)
    for i, feed in enumerate(_feeds(document)):
        written = feed.get("url") if isinstance(feed, dict) else None
        if isinstance(written, str) and units.same_address(written) == wanted:
            return _without_lines(text, document, i)
    raise KeyError(url)


def _without_lines(text: str, document: Document, index: int) -> str:
    place = document.value_place(("feeds", index))
    if document.raw(place.line)[: place.column - 1].strip() != "-":
        raise ValueError("feeds stand in brackets: write them one per line first")
    lines = text.splitlines(keepends=True)
    end = _last_line(document, place.line, ("feeds", index))
    return "".join(lines[: place.line - 1] + lines[end:])


def _feeds(document: Document) -> list[Any]:
    data = document.data
    feeds = data.get("feeds") if isinstance(data, Mapping) else None
    return feeds if isinstance(feeds, list) else []


def _last_line(document: Document, start: int, path: Path) -> int:
    """Find the last line of a value: that of its last part."""
    size = len(path)
    return max([start, *(place.line for at, place in document.values.items() if at[:size] == path)])


def _inserted(text: str, after: int, added: Sequence[str]) -> str:
    lines = text.splitlines()
    return "\n".join([*lines[:after], *added, *lines[after:]]) + "\n"
