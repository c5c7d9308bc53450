"""Columns of boxes, and lanes through them for arrows that go further than to the next column. Pure.

An arrow bends only in the gutters between columns. Where it passes a column it has a lane there, which takes its place
among the boxes as they do: so no arrow runs behind a box. Arrows of one source that look alike share their lanes.
Called by `drawing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

WIDE, HIGH, ACROSS = 184, 34, 76
_DOWN, _BESIDE, _BETWEEN = 12, 10, 8
"""Room between two boxes, between a box and a lane, between two lanes."""
_EDGE, _TURN = 6, 38
_DEEPEST = 5
_SWEEPS = 4
_TALL = 8
"""A picture of so many boxes is taller than a screen: a lone origin stands at its top and not in its middle."""


@dataclass(frozen=True, slots=True)
class Line:
    """`to` has it from `source`; `dashed` says how it is drawn."""

    source: str
    to: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """A passage through a column for the arrows of one source that look alike and go one way."""

    source: str
    dashed: bool
    back: bool
    column: int


Thing = str | Lane
"""What has a place in a column: a box, by its name, or a lane."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where boxes stand, by their upper left corners, and the path of each line, in their order."""

    width: int
    height: int
    places: Mapping[str, tuple[int, int]]
    paths: tuple[str, ...]


def lay_out(names: Sequence[str], lines: Sequence[Line]) -> Layout:
    """Place the boxes, sources left of those that have it from them, and draw a path for each line.

    `names` are in the order in which boxes of one column stand where nothing speaks for another.
    """
    column = columns_of(names, lines)
    taken = [tuple(_lanes(line, column)) for line in lines]
    ways: list[tuple[Thing, ...]] = [(line.source, *passed, line.to) for line, passed in zip(lines, taken, strict=True)]
    joined = _joined(names, ways)
    stacks = _ordered(joined, column)
    left = _TURN if any(_goes_back(line, column, to=0) for line in lines) else 0
    last = len(stacks) - 1
    right = _TURN if any(_goes_back(line, column, source=last) for line in lines) else 0
    tops = _heights(stacks, joined)
    xs = [_EDGE + left + at * (WIDE + ACROSS) for at in range(len(stacks))]
    boxes = {name: (xs[column[name]], tops[name]) for name in names}
    paths = tuple(
        _path(boxes[line.source], boxes[line.to], [(lane, xs[lane.column], tops[lane]) for lane in passed])
        for line, passed in zip(lines, taken, strict=True)
    )
    places = {name: (x, middle - HIGH // 2) for name, (x, middle) in boxes.items()}
    width = (xs[-1] + WIDE + right + _EDGE) if xs else 0
    return Layout(width, _lowest(stacks, tops) + _EDGE if xs else 0, places, paths)


# --------------------------------------------------------------------------------------------------------- columns


def columns_of(names: Sequence[str], lines: Sequence[Line]) -> dict[str, int]:
    """Say in which column each box stands: one behind the last of those it has it from. Circles end where they close.

    >>> columns_of(("a", "b", "c"), (Line("a", "b"), Line("b", "c"), Line("a", "c"), Line("c", "a")))
    {'a': 0, 'b': 1, 'c': 2}
    """
    before: dict[str, list[str]] = {name: [] for name in names}
    for line in lines:
        if line.source != line.to and not _reaches(line.to, line.source, before):
            before[line.to].append(line.source)
    depths: dict[str, int] = {}
    for name in names:
        _deepen(name, before, depths)
    return {name: min(depths[name], _DEEPEST) for name in names}


def _reaches(start: str, end: str, before: Mapping[str, Sequence[str]]) -> bool:
    """Whether `end` has it from `start`, by however many others."""
    seen, left = {end}, [end]
    while left:
        for name in before[left.pop()]:
            if name == start:
                return True
            if name not in seen:
                seen.add(name)
                left.append(name)
    return start == end


def _deepen(name: str, before: Mapping[str, Sequence[str]], depths: dict[str, int]) -> int:
    if name not in depths:
        depths[name] = max((_deepen(source, before, depths) + 1 for source in before[name]), default=0)
    return depths[name]


def _lanes(line: Line, column: Mapping[str, int]) -> Iterator[Lane]:
    """The lanes a line takes from its source to its end."""
    start, end = column[line.source], column[line.to]
    back = end <= start
    for at in range(start, end - 1, -1) if back else range(start + 1, end):
        yield Lane(line.source, line.dashed, back, at)


def _goes_back(line: Line, column: Mapping[str, int], *, source: int | None = None, to: int | None = None) -> bool:
    """Whether a line turns round beside the column it comes from, or leads to."""
    start, end = column[line.source], column[line.to]
    return end <= start and source in (None, start) and to in (None, end)


# ------------------------------------------------------------------------------------------------------ order, height


def _joined(names: Sequence[str], ways: Sequence[Sequence[Thing]]) -> dict[Thing, list[Thing]]:
    """What each thing is joined to by a piece of a line."""
    joined: dict[Thing, list[Thing]] = {thing: [] for thing in [*names, *(thing for way in ways for thing in way)]}
    for one, other in dict.fromkeys(pair for way in ways for pair in pairwise(way)):
        joined[one].append(other)
        joined[other].append(one)
    return joined


def _ordered(joined: Mapping[Thing, Sequence[Thing]], column: Mapping[str, int]) -> list[list[Thing]]:
    """Boxes and lanes of each column from top to bottom: each near what it is joined to, so that few lines cross."""
    stacks: list[list[Thing]] = [[] for _ in range(max(column.values(), default=-1) + 1)]
    for thing in joined:
        stacks[thing.column if isinstance(thing, Lane) else column[thing]].append(thing)
    rank = {thing: at for at, thing in enumerate(joined)}
    for sweep in range(_SWEEPS):
        for stack in stacks if sweep % 2 == 0 else reversed(stacks):
            tops = _heights(stacks, joined)
            stack.sort(key=lambda thing: (_middle(joined[thing], tops, tops[thing]), rank[thing]))
    return stacks


def _middle(things: Sequence[Thing], tops: Mapping[Thing, float], otherwise: float) -> float:
    return sum(tops[thing] for thing in things) / len(things) if things else otherwise


def _heights(stacks: Sequence[Sequence[Thing]], joined: Mapping[Thing, Sequence[Thing]]) -> dict[Thing, int]:
    """The height of each thing's middle. The tallest column fills the picture; others stand beside their sources."""
    tops: dict[Thing, int] = {}
    tallest = max((_height(stack) for stack in stacks), default=0)
    is_tall = max((len(stack) for stack in stacks), default=0) >= _TALL
    for stack in stacks:
        free = tallest - _height(stack)
        if tops:
            before = [_middle([other for other in joined[thing] if other in tops], tops, -1) for thing in stack]
            beside = [middle for middle in before if middle >= 0]
            wanted = int(sum(beside) / len(beside)) - _EDGE - _height(stack) // 2 if beside else free // 2
            y = _EDGE + min(max(wanted, 0), free)
        else:
            y = _EDGE + (0 if is_tall and len(stack) == 1 else free // 2)
        for above, thing in zip([None, *stack], stack, strict=False):
            y += _half(thing) if above is None else _room(above, thing)
            tops[thing] = y
    return tops


def _height(stack: Sequence[Thing]) -> int:
    inner = sum(_room(above, below) for above, below in pairwise(stack))
    return inner + _half(stack[0]) + _half(stack[-1]) if stack else 0


def _half(thing: Thing) -> int:
    return 0 if isinstance(thing, Lane) else HIGH // 2


def _room(above: Thing, below: Thing) -> int:
    """From middle to middle."""
    lanes = isinstance(above, Lane) + isinstance(below, Lane)
    return _half(above) + _half(below) + (_DOWN, _BESIDE, _BETWEEN)[lanes]


def _lowest(stacks: Sequence[Sequence[Thing]], tops: Mapping[Thing, int]) -> int:
    return max(tops[stack[-1]] + _half(stack[-1]) for stack in stacks if stack)


# ---------------------------------------------------------------------------------------------------------- paths


def _path(start: tuple[int, int], end: tuple[int, int], lanes: Sequence[tuple[Lane, int, int]]) -> str:
    """Write a path from the right side of a box to the left side of another, by lanes with their left end and height.

    Places of boxes are the middles of their left sides.
    """
    x, y = start[0] + WIDE, start[1]
    path = f"M{x} {y}"
    for lane, left, at in lanes:
        enter, leave = (left + WIDE, left) if lane.back else (left, left + WIDE)
        path += f"{_bend(x, y, enter, at, out=int(x == enter))}H{leave}"
        x, y = leave, at
    return path + _bend(x, y, end[0] - 2, end[1], out=-int(x == end[0]))


def _bend(x: int, y: int, to_x: int, to_y: int, *, out: int) -> str:
    """A curve through a gutter; `out` is the side to which it turns where it comes back to where it began."""
    if out:
        return f"C{x + out * (_TURN - 8)} {y} {x + out * (_TURN - 8)} {to_y} {to_x} {to_y}"
    middle = (x + to_x) // 2
    return f"C{middle} {y} {middle} {to_y} {to_x} {to_y}"
