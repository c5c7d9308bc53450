"""One poll of many feeds by us and by other feed readers, phase by phase, interleaved, measured from outside.

    python -m bench.peers [--feeds 200] [--rounds 5] [--python PYTHON-WITH-READER] [--against CHECKOUT]
                          [--phases first,304,same200,3new] [--pin] [--json FILE]

Phases: `first` stores everything; `304` asks again with validators; `same200` gets the same bytes without validators;
`3new` gets three new entries a feed. What a start without feeds costs is measured before every run and taken off (net).
Ratios are reader's net over ours: over 1 we are cheaper. `~` means that a figure is too near the noise of the start.
Lost entries make a run worthless: published less stored, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.peers import contenders, served, tree

PHASES = {"first": (0, True), "304": (0, True), "same200": (0, False), "3new": (1, False)}
"""The revision served, and whether with validators."""
_FLOOR_S = 0.03


@dataclass(slots=True)
class Book:
    """What was measured, by contender and phase."""

    costs: dict[tuple[str, str], list[tree.Cost]] = field(default_factory=lambda: defaultdict(list))
    starts: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    net: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    lost: dict[tuple[str, str], int] = field(default_factory=dict)


def main() -> int:
    """Run the rounds, print the table, keep the JSON."""
    asked = _asked()
    if asked.pin:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    running, missing = contenders.available(asked.python)
    if asked.against:
        other = Path(asked.against).resolve()
        running.append(contenders.ours("before", str(other / ".venv/bin/python"), other))
    print(*(f"not here, {line}" for line in missing), sep="\n", file=sys.stderr)
    book = Book()
    with tree.orphans_adopted(), served.Server() as server, tempfile.TemporaryDirectory() as folder:
        for number in range(asked.rounds):
            turned = running[number % len(running) :] + running[: number % len(running)]
            _round(asked.phases, asked.feeds, turned, server, Path(folder) / str(number), book)
    print(_table(book, running, asked.phases, asked.feeds, asked.rounds))
    if asked.json:
        Path(asked.json).write_text(_json(book), encoding="utf-8")
    return int(any(book.lost[key] for key in book.lost if key[0] == "storywatch"))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--python", help="a Python that can import reader")
    parser.add_argument("--against", help="another checkout, with its .venv, to compare with")
    parser.add_argument("--phases", type=lambda text: text.split(","), default=list(PHASES))
    parser.add_argument("--pin", action="store_true", help="everything on one CPU: for ratios of CPU")
    parser.add_argument("--json", help="where to keep every single figure")
    return parser.parse_args()


def _round(
    phases: list[str],
    feeds: int,
    running: list[contenders.Contender],
    server: served.Server,
    folder: Path,
    book: Book,
) -> None:
    homes = {}
    for one in running:
        homes[one.name] = _prepared(one, folder / one.name, server.urls(feeds))
    for phase in phases:
        revision, validators = PHASES[phase]
        for one in running:
            server.turn(revision, validators=validators)
            home, listed = homes[one.name]
            if phase == "304" and one.learns_late:
                tree.measured(one.poll(home, listed), one.env(home))
            _measure(one, phase, home, listed, book)
            book.lost[one.name, phase] = feeds * (served.ITEMS + revision * served.NEW) - one.count(home)
            print(f"{one.name:12} {phase:8} {book.costs[one.name, phase][-1]}", file=sys.stderr)
    shutil.rmtree(folder)


def _prepared(one: contenders.Contender, home: Path, urls: list[str]) -> tuple[Path, Path]:
    for name, lines in (("full", urls), ("empty", [])):
        (home / name).mkdir(parents=True)
        (home / name / "feeds.txt").write_text("".join(f"{url}\n" for url in lines))
        one.prepare(home / name, home / name / "feeds.txt")
    return home / "full", home / "full" / "feeds.txt"


def _measure(one: contenders.Contender, phase: str, home: Path, listed: Path, book: Book) -> None:
    empty = home.parent / "empty"
    start = tree.measured(one.poll(empty, empty / "feeds.txt"), one.env(empty), may_fail=one.fails_without_feeds)
    cost = tree.measured(one.poll(home, listed), one.env(home))
    book.starts[one.name].append(start.cpu_s)
    book.costs[one.name, phase].append(cost)
    book.net[one.name, phase].append(cost.cpu_s - start.cpu_s)


def _table(book: Book, running: list[contenders.Contender], phases: list[str], feeds: int, rounds: int) -> str:
    lines = [
        f"{feeds} feeds, {served.ITEMS} entries each, medians of {rounds} interleaved rounds, CPU net of the start",
        "",
        "| phase | program | wall s | CPU s | net CPU s | reader / it | PSS MiB | lost |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for phase in phases:
        for one in running:
            costs = book.costs[one.name, phase]
            wall, cpu, pss = (
                statistics.median(getattr(c, part) for c in costs) for part in ("wall_s", "cpu_s", "pss_mib")
            )
            net = statistics.median(book.net[one.name, phase])
            lines.append(
                f"| {phase} | {one.name} | {wall:.2f} | {cpu:.2f} | {net:.2f} | {_ratio(book, one.name, phase)} "
                f"| {pss:.0f} | {book.lost[one.name, phase]} |"
            )
    starts = ", ".join(f"{name} {statistics.median(seen):.2f} s" for name, seen in book.starts.items())
    return "\n".join([*lines, "", f"Start without feeds, CPU: {starts}."])


def _ratio(book: Book, name: str, phase: str) -> str:
    base, own = book.net.get(("reader", phase)), book.net[name, phase]
    if not base:
        return ""
    scatter = statistics.pstdev(book.starts[name])
    doubtful = statistics.median(own) < max(3 * scatter, _FLOOR_S)
    return f"{'~' if doubtful else ''}{statistics.median(base) / max(statistics.median(own), _FLOOR_S):.1f}x"


def _json(book: Book) -> str:
    rows = [
        {"program": name, "phase": phase, "net_cpu_s": net, "lost": book.lost[name, phase]} | asdict(cost)
        for (name, phase), costs in book.costs.items()
        for cost, net in zip(costs, book.net[name, phase], strict=True)
    ]
    return json.dumps({"runs": rows, "start_cpu_s": book.starts}, indent=1)


if __name__ == "__main__":
    sys.exit(main())
