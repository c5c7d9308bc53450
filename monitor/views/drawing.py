"""Where the boxes and arrows of a story's attributions go: origins left, who has it from them to the right. Pure.

Only places are decided here; the template draws them, and the same links stand beside the picture as text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from monitor.detect.outlets import OutletTable
from monitor.views.story import StoryPage

DRAWN = 48
"""So many outlets are drawn; the text names all."""
_WIDE, _HIGH, _ACROSS, _DOWN, _EDGE = 184, 34, 76, 12, 6
_DEEPEST = 5
_LETTERS = 22


@dataclass(frozen=True, slots=True)
class Link:
    """`to` has it from `source`, both as names; `copied` when it repeats the text."""

    source: str
    to: str
    copied: bool
    background: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """An outlet at a place. `part` is a word of `Part`, or "outside" for one that is only credited."""

    name: str
    short: str
    part: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """A curve between two boxes, as an SVG path."""

    path: str
    copied: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """The picture. `left_out` counts outlets that are not drawn; `links` are all of them."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    links: tuple[Link, ...]
    left_out: int = 0
    box_width: int = _WIDE
    box_height: int = _HIGH


def draw(page: StoryPage, table: OutletTable) -> Drawing:
    """Lay out who has it from whom; empty when nobody names anybody."""
    links = tuple(_links(page, table))
    names = list(dict.fromkeys(name for link in links for name in (link.source, link.to)))
    parts = {table.by_domain(member.outlet).name: str(member.part) for member in page.members}
    order = {name: at for at, name in enumerate([*parts, *(name for name in names if name not in parts)])}
    kept = sorted(names, key=order.__getitem__)[:DRAWN]
    drawn = [link for link in links if link.source in kept and link.to in kept]
    columns = _columns(kept, drawn, order)
    places = dict(_places(columns))
    boxes = tuple(Box(name, _short(name), parts.get(name, "outside"), *places[name]) for name in kept)
    arrows = tuple(Arrow(_curve(places[link.source], places[link.to]), link.copied) for link in drawn)
    tallest = max((len(column) for column in columns), default=0)
    width = 2 * _EDGE + len(columns) * (_WIDE + _ACROSS) - _ACROSS
    height = 2 * _EDGE + tallest * (_HIGH + _DOWN) - _DOWN
    return Drawing(max(width, 0), max(height, 0), boxes, arrows, links, len(names) - len(kept))


def _links(page: StoryPage, table: OutletTable) -> Iterator[Link]:
    met: set[tuple[str, str]] = set()
    for line in page.lines:
        if line.outlet is None:
            continue
        to = table.by_domain(line.outlet).name
        copied = table.by_domain(line.copied).name if line.copied else None
        for source in line.sources:
            if source != to and (source, to) not in met:
                met.add((source, to))
                yield Link(source, to, source == copied)


def _columns(names: Sequence[str], links: Sequence[Link], order: Mapping[str, int]) -> list[list[str]]:
    """Names by how far they are from an origin; within a column near those they have it from, to cross fewer lines."""
    sources: dict[str, list[str]] = {}
    for link in links:
        sources.setdefault(link.to, []).append(link.source)
    columns: list[list[str]] = []
    row: dict[str, float] = {}
    for name in sorted(names, key=lambda name: (_depth(name, sources), order[name])):
        depth = _depth(name, sources)
        while len(columns) <= depth:
            columns.append([])
        columns[depth].append(name)
    for column in columns:
        column.sort(key=lambda name: (_middle(sources.get(name, ()), row), order[name]))
        row |= {name: at for at, name in enumerate(column)}
    return columns


def _depth(name: str, sources: Mapping[str, Sequence[str]], seen: frozenset[str] = frozenset()) -> int:
    """How many outlets stand before this one; circles end where they close."""
    before = [other for other in sources.get(name, ()) if other not in seen and other != name]
    if not before or len(seen) >= _DEEPEST:
        return 0
    return 1 + max(_depth(other, sources, seen | {name}) for other in before[:8])


def _middle(before: Sequence[str], row: Mapping[str, float]) -> float:
    placed = [row[name] for name in before if name in row]
    return sum(placed) / len(placed) if placed else 0.0


def _places(columns: Sequence[Sequence[str]]) -> Iterator[tuple[str, tuple[int, int]]]:
    tallest = max((len(column) for column in columns), default=0)
    for across, column in enumerate(columns):
        above = (tallest - len(column)) * (_HIGH + _DOWN) // 2 if len(column) > 1 or tallest < 8 else 0
        for down, name in enumerate(column):
            yield name, (_EDGE + across * (_WIDE + _ACROSS), _EDGE + above + down * (_HIGH + _DOWN))


def _curve(start: tuple[int, int], end: tuple[int, int]) -> str:
    x, y = start[0] + _WIDE, start[1] + _HIGH // 2
    to_x, to_y = end[0] - 2, end[1] + _HIGH // 2
    bend = max((to_x - x) // 2, 24)
    return f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x} {to_y}"


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
