"""The picture of who has it from whom, by its geometry: no arrow runs behind a box, no two boxes touch."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import combinations

import pytest

from monitor.views import lanes
from monitor.views.lanes import HIGH, WIDE, Layout, Line


def lines(text: str) -> list[Line]:
    """Read `a>b c>d ...`; `a-b` is dashed."""
    return [Line(found[1], found[3], found[2] == "-") for found in re.finditer(r"(\w+)([>-])(\w+)", text)]


def invented(outlets: int, seed: int, *, wires: int = 3, circles: bool = False) -> list[Line]:
    """A story as they are: most have it from a wire, some from each other, some from several, some in a circle."""
    dice = random.Random(seed)
    found = [Line(f"o{dice.randrange(min(at, wires))}", f"o{at}", dice.random() < 0.3) for at in range(1, outlets)]
    for _ in range(outlets // 2):
        one, other = sorted(dice.sample(range(outlets), 2))
        found.append(Line(f"o{other}", f"o{one}") if circles and dice.random() < 0.3 else Line(f"o{one}", f"o{other}"))
    return list({(line.source, line.to): line for line in found}.values())


GRAPHS = {
    "one from one": lines("a>b"),
    "a chain with a short cut": lines("a>b b>c c>d a>d a-c"),
    "short cuts over a full column": lines("a>b a>c a>d a>e b>f c>g d>f a>f a>g"),
    "two that cite each other": lines("a>b b>a"),
    "a circle of three beside a chain": lines("a>b b>c c>a a>d d>e c>e"),
    "a chain longer than the picture": lines("a>b b>c c>d d>e e>f f>g g>h h>i a>i i>a"),
    "one for all": [Line("a", f"b{at}") for at in range(29)],
    "all for one": [Line(f"b{at}", "a") for at in range(29)],
    **{f"{size} outlets, {seed}": invented(size, seed) for size in (5, 12, 30, 48) for seed in range(3)},
    **{f"30 outlets in circles, {seed}": invented(30, seed, circles=True) for seed in range(4)},
}
CURVE = re.compile(r"C([\d.-]+) ([\d.-]+) ([\d.-]+) ([\d.-]+) ([\d.-]+) ([\d.-]+)|H([\d.-]+)|M([\d.-]+) ([\d.-]+)")


def laid(name: str) -> tuple[Layout, list[Line]]:
    graph = GRAPHS[name]
    return lanes.lay_out(list(dict.fromkeys(end for line in graph for end in (line.source, line.to))), graph), graph


def points(path: str) -> Iterator[tuple[float, float]]:
    """Walk along a path in short steps."""
    x = y = 0.0
    for step in CURVE.finditer(path):
        if step[8]:
            x, y = float(step[8]), float(step[9])
            yield x, y
        elif step[7]:
            to = float(step[7])
            yield from ((x + (to - x) * at / 40, y) for at in range(1, 41))
            x = to
        else:
            ax, ay, bx, by, to, to_y = (float(step[at]) for at in range(1, 7))
            for at in range(1, 25):
                t = at / 24
                yield (
                    (1 - t) ** 3 * x + 3 * (1 - t) ** 2 * t * ax + 3 * (1 - t) * t * t * bx + t**3 * to,
                    (1 - t) ** 3 * y + 3 * (1 - t) ** 2 * t * ay + 3 * (1 - t) * t * t * by + t**3 * to_y,
                )
            x, y = to, to_y


@pytest.mark.parametrize("name", GRAPHS)
def test_no_arrow_runs_behind_a_box(name: str) -> None:
    layout, graph = laid(name)
    for line, path in zip(graph, layout.paths, strict=True):
        for x, y in points(path):
            behind = [
                box for box, (left, top) in layout.places.items() if left < x < left + WIDE and top < y < top + HIGH
            ]
            assert not behind, (line, path, behind)


@pytest.mark.parametrize("name", GRAPHS)
def test_an_arrow_leaves_its_source_and_points_at_its_end(name: str) -> None:
    layout, graph = laid(name)
    for line, path in zip(graph, layout.paths, strict=True):
        way = list(points(path))
        left, top = layout.places[line.source]
        assert way[0] == (left + WIDE, top + HIGH // 2)
        left, top = layout.places[line.to]
        assert way[-1] == (left - 2, top + HIGH // 2)
        assert way[-2][0] < way[-1][0]


@pytest.mark.parametrize("name", GRAPHS)
def test_boxes_keep_apart_and_everything_is_within_the_picture(name: str) -> None:
    layout, _ = laid(name)
    for (x, y), (other_x, other_y) in combinations(layout.places.values(), 2):
        assert abs(x - other_x) >= WIDE + 40 or abs(y - other_y) >= HIGH + 8
    corners = [(x + dx, y + dy) for x, y in layout.places.values() for dx in (0, WIDE) for dy in (0, HIGH)]
    for x, y in [*corners, *(point for path in layout.paths for point in points(path))]:
        assert 0 <= x <= layout.width
        assert 0 <= y <= layout.height


@pytest.mark.parametrize("name", GRAPHS)
def test_a_lane_keeps_its_distance_from_boxes(name: str) -> None:
    layout, _ = laid(name)
    for path in layout.paths:
        for x, y in points(path):
            assert not [
                left
                for left, top in layout.places.values()
                if left + 1 < x < left + WIDE - 1 and top - 9 < y < top + HIGH + 9
            ]


def test_sources_stand_left_of_those_that_have_it_from_them() -> None:
    layout, _ = laid("a chain with a short cut")
    assert sorted(layout.places, key=lambda name: layout.places[name][0]) == ["a", "b", "c", "d"]


def test_a_circle_ends_where_it_closes() -> None:
    assert lanes.columns_of(("a", "b"), lines("a>b b>a")) == {"a": 0, "b": 1}


def test_nobody_is_no_picture() -> None:
    assert lanes.lay_out((), ()) == Layout(0, 0, {}, ())


def test_arrows_of_one_source_share_their_lane() -> None:
    layout, graph = laid("short cuts over a full column")
    far = [path for line, path in zip(graph, layout.paths, strict=True) if line.source == "a" and "H" in path]
    assert len(far) == 2
    assert len({path.partition("H")[0] for path in far}) == 1
