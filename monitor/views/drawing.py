"""The picture of a story's attributions: origins left, who has it from them to the right. Pure.

Where boxes and arrows go is decided by `lanes`; the template draws them, and the same links stand beside the picture
as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.detect.outlets import OutletTable
from monitor.views import lanes
from monitor.views.story import StoryPage

DRAWN = 48
"""So many outlets are drawn; the text names all."""
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
    """A line between two boxes, as an SVG path."""

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
    box_width: int = lanes.WIDE
    box_height: int = lanes.HIGH


def draw(page: StoryPage, table: OutletTable) -> Drawing:
    """Lay out who has it from whom; empty when nobody names anybody."""
    links = tuple(_links(page, table))
    names = list(dict.fromkeys(name for link in links for name in (link.source, link.to)))
    parts = {table.by_domain(member.outlet).name: str(member.part) for member in page.members}
    order = {name: at for at, name in enumerate([*parts, *(name for name in names if name not in parts)])}
    kept = sorted(names, key=order.__getitem__)[:DRAWN]
    drawn = [link for link in links if link.source in kept and link.to in kept]
    layout = lanes.lay_out(kept, [lanes.Line(link.source, link.to, link.copied) for link in drawn])
    boxes = tuple(Box(name, _short(name), parts.get(name, "outside"), *layout.places[name]) for name in kept)
    arrows = tuple(Arrow(path, link.copied) for path, link in zip(layout.paths, drawn, strict=True))
    return Drawing(layout.width, layout.height, boxes, arrows, links, len(names) - len(kept))


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


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
