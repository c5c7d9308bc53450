"""Play the demo: the daemon's own parts, a feed server on this machine, and a clock that jumps from scene to scene.

Floors, guards and waits are the real ones, on the virtual clock. Everything is left in a folder: the database and the
digests. A demo that was killed goes on where it stopped, with nothing lost and nothing told twice. Called by `cli`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any, TextIO

from alerts.outbox import mark
from alerts.values import Event, Kind
from monitor import daemon, logs, pipeline
from monitor.config import api
from monitor.config.values import Config, FeedConfig
from monitor.demo.server import Scene, Server, story
from monitor.schedule import bounds
from monitor.store import engine as engines
from monitor.store import feeds, filelock, meta, migrate

_BASELINE = timedelta(hours=2)
_AFTER_SCENE = timedelta(minutes=16)
"""A feed is polled again after its floor of 15 minutes: so long a scene takes to be seen."""
_PAUSE_S = 1.6
_CLOCK, _PORT, _DONE = "demo_clock", "demo_port", "demo_done"
_SHOWN = (
    Kind.NEW_STORY,
    Kind.NEW_OUTLET,
    Kind.RESPONSE,
    Kind.SILENCE_BROKEN,
    Kind.STANCE_CHANGE,
    Kind.NON_ANSWER,
    Kind.COPY,
)


@dataclass(slots=True)
class Clock:
    """The virtual time; the player moves it."""

    at: datetime

    def __call__(self) -> datetime:
        """What time it is in the story."""
        return self.at


def run(folder: Path, *, fast: bool, out: TextIO = sys.stdout, log: Path | None = None) -> int:
    """Play, or go on with, the demo in `folder`; answers the exit code. `log` gets the daemon's lines."""
    folder.mkdir(parents=True, exist_ok=True)
    if log is not None:
        with log.open("a", encoding="utf-8") as lines:
            logs.configure(lines)
            return _run(folder, fast, out)
    logs.configure(sys.stderr, quiet=True)
    return _run(folder, fast, out)


def _run(folder: Path, fast: bool, out: TextIO) -> int:
    database = folder / "storywatch.db"
    with filelock.FileLock(f"sqlite:///{database}"):
        if _remembered(database, _DONE):
            _start_anew(folder)
        return asyncio.run(_play(folder, database, fast, out))


def _start_anew(folder: Path) -> None:
    for path in folder.glob("storywatch.db*"):
        if not path.name.endswith(".lock"):
            path.unlink()
    (folder / mark.NAME).unlink(missing_ok=True)
    shutil.rmtree(folder / "digests", ignore_errors=True)


def _remembered(database: Path, key: str) -> str | None:
    if not database.exists():
        return None
    engine = engines.open_engine(f"sqlite:///{database}")
    try:
        if migrate.current(engine) is None:
            return None
        with engines.reading(engine) as connection:
            return meta.get(connection, key)
    finally:
        engine.dispose()


async def _play(folder: Path, database: Path, fast: bool, out: TextIO) -> int:
    scenes = story()
    begun = _remembered(database, _CLOCK)
    start = datetime.fromisoformat(begun) if begun else scenes[0].at - _BASELINE
    with Server(scenes, start, _port(database)) as server:
        # Before any feed is stored: a demo that is cut off here must find its feeds where they were.
        _prepare(database, {_PORT: str(server.port), _CLOCK: start.isoformat()})
        text = _text(folder, server, scenes)
        config = _config(text)
        clock = Clock(start)
        teller = _Teller(out, scenes, colour=out.isatty() and not fast)
        async with daemon.assembled(
            config,
            os.environ,
            url=f"sqlite:///{database}",
            now=clock,
            who="demo",
            text=text,
            seed=1,
            on_report=teller.report,
        ) as running:
            teller.opening(len(server.feeds), server.port, folder, resumed=begun is not None)
            for moment in _moments(scenes, start):
                await _step(running, server, clock, moment)
                _remember(running.engine, {_CLOCK: moment.isoformat()})
                if not fast and teller.pause():
                    await asyncio.sleep(_PAUSE_S)
            _remember(running.engine, {_DONE: clock().isoformat()})
            teller.closing(folder)
    return 0


def _port(database: Path) -> int:
    """The port of an interrupted demo, so that its feeds keep their addresses; 0 for any."""
    known = int(_remembered(database, _PORT) or 0)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", known))
    return known


def _moments(scenes: Sequence[Scene], start: datetime) -> Iterator[datetime]:
    """When to look: once before the first scene, then after each, and a day after the last."""
    times = [
        scenes[0].at - _BASELINE,
        *(scene.at + _AFTER_SCENE for scene in scenes),
        scenes[-1].at + timedelta(days=1),
    ]
    return (at for at in times if at >= start)


async def _step(running: daemon.Running, server: Server, clock: Clock, moment: datetime) -> None:
    """Move to a moment: tell on the way what falls due before it, poll what is due then."""
    while (due := running.teller.next_due()) is not None and due <= moment:
        await _work(running, server, clock, due)
    await _work(running, server, clock, moment)


async def _work(running: daemon.Running, server: Server, clock: Clock, at: datetime) -> None:
    clock.at = server.now = max(clock.at, at)
    await running.poller.run_round()
    await running.teller.work(clock.at)


def _prepare(database: Path, values: dict[str, str]) -> None:
    engine = engines.open_engine(f"sqlite:///{database}")
    migrate.ensure(engine)
    _remember(engine, values)
    engine.dispose()


def _remember(engine: Any, values: dict[str, str]) -> None:
    with engine.begin() as connection:
        for key, value in values.items():
            meta.put(connection, key, value)


def _text(folder: Path, server: Server, scenes: Sequence[Scene]) -> str:
    """The configuration, with the feeds of this machine."""
    text = resources.files("monitor.demo").joinpath("config.yaml").read_text(encoding="utf-8")
    hosts = {scene.feed: scene.host for scene in scenes}
    lines = [f"  - {{url: '{server.url(feed)}', outlet: {hosts[feed]}}}" for feed in server.feeds]
    channels = f"channels:\n  digests: {{type: folder, path: '{folder / 'digests'}'}}\n"
    return f"{text}\nfeeds:\n" + "\n".join(lines) + f"\n\n{channels}"


def _config(text: str) -> Config:
    loaded = api.parse_text(text, os.environ, file="demo/config.yaml")
    return replace(loaded, feeds=tuple(_patient(feed) for feed in loaded.feeds))


def _patient(feed: FeedConfig) -> FeedConfig:
    """A ceiling no higher than the scenes are apart, so that the demo needs no polls in between."""
    return replace(feed, ceiling=bounds.FLOOR)


class _Teller:
    """Prints what happens, as it happens."""

    def __init__(self, out: TextIO, scenes: Sequence[Scene], *, colour: bool) -> None:
        self._out = out
        self._scenes = {scene.slug: scene for scene in scenes}
        self._colour = colour
        self._said = False
        self._counts: dict[str, int] = {}

    def opening(self, feeds: int, port: int, folder: Path, *, resumed: bool) -> None:
        """Say what is about to be seen."""
        self._write(
            "storywatch demo: an invented retelling of June 2025. Outlets are invented, nothing leaves this machine."
        )
        self._write(f"{feeds} feeds on http://127.0.0.1:{port}, polled over HTTP; digests go to {folder / 'digests'}")
        self._write("going on where the last run stopped\n" if resumed else "")

    def report(self, _row: feeds.FeedRow, report: pipeline.Report) -> None:
        """Say what one document brought."""
        for taken in report.taken:
            told = [event for event in taken.events if event.kind in _SHOWN and event.state == "open"]
            if not told:
                continue
            outlet = taken.outlet.name if taken.outlet else "?"
            at = taken.entry.published or taken.entry.first_seen
            self._write(f"{at:%d %b %H:%M}  {self._bold(outlet)}: {taken.entry.title}")
            for event in told:
                self._counts[str(event.kind)] = self._counts.get(str(event.kind), 0) + 1
                self._write(f"              {_said(event)}")
            self._said = True

    def pause(self) -> bool:
        """Whether something was said since the last pause."""
        said, self._said = self._said, False
        return said

    def closing(self, folder: Path) -> None:
        """Say what came of it and where to look."""
        digests = sorted((folder / "digests").glob("*.txt"))
        counts = ", ".join(f"{n} {kind.replace('_', ' ')}" for kind, n in sorted(self._counts.items()))
        self._write("")
        if digests:
            self._write(f"the last digest, {digests[-1]}:\n")
            self._write(digests[-1].read_text(encoding="utf-8"))
        self._write(f"{counts}; {len(digests)} digests in {folder / 'digests'} (.txt, .html, .json)")
        command = sys.argv[0] if Path(sys.argv[0]).name == "storywatch" else "storywatch"
        self._write(f"look further: STORYWATCH_STORAGE_URL=sqlite:///{folder / 'storywatch.db'} {command} story list")

    def _bold(self, text: str) -> str:
        return f"\033[1m{text}\033[0m" if self._colour else text

    def _write(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


def _said(event: Event) -> str:
    answer = event.answer
    match event.kind:
        case Kind.NEW_STORY:
            return "NEW STORY"
        case Kind.NEW_OUTLET:
            chain = " < ".join(event.chain)
            return "new outlet" + (
                f", has it from {chain}" if chain else ", own reporting" if event.own_reporting else ""
            )
        case Kind.COPY:
            return f"a copy of {event.copy_of}: counted, not told as a new outlet"
        case Kind.NON_ANSWER if answer is not None:
            asker = f" (asked by {answer.asker_name or answer.asker})" if answer.asker else ""
            return f"no answer: {answer.government_name}, {answer.office}: {answer.stance.replace('_', ' ')}{asker}"
        case _ if answer is not None:
            kind = str(event.kind).replace("_", " ").upper()
            return f"{kind}: {answer.government_name}, {answer.office}: {answer.stance.upper()}  “{answer.quote}”"
    return str(event.kind)
