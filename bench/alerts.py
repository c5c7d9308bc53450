"""What telling costs: `python -m bench.alerts [--events 20000] [--groups 1000] [--json]`.

Printed: the CPU seconds of putting events into the outbox, beside those of a loop that only stores them; and of telling
groups with twenty events each, all due at once: in all, and of it the rendering of three forms of each message.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from alerts import config, outbox, tables
from alerts.channels.base import Channel
from alerts.outbox import codec
from alerts.pipeline import Desk
from alerts.values import AnswerSnapshot, Digest, Draft, Event, Kind, MentionSnapshot, Why
from monitor.store import engine as engines
from monitor.store import migrate

NOW = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
PER_GROUP = 20
CAPS = {"per_hour": 1000, "per_day": 1000, "urgent_per_hour": 1000, "flood": {"matches": 1_000_000, "within": "60s"}}


def event(story: str, n: int) -> Event:
    """Event number `n` of a story: its first report, outlets, and now and then an answer or a silence."""
    kind = Kind.NEW_STORY if n == 0 else Kind.RESPONSE if n % 10 == 5 else Kind.NEW_OUTLET
    outlet, seen = f"paper{n}.example", NOW + timedelta(seconds=n)
    said = AnswerSnapshot("NO", "Norway", f"body {n}", f"Office {n}", "denied", "It is not so.", "en")
    mention = MentionSnapshot(
        f"{story}-{n}",
        outlet,
        f"Paper {n}",
        f"Paper {n} on the harbour strike of {story}",
        f"https://{outlet}/{story}",
        lead="Dock workers walked out on Monday morning.",
        language="en",
        published=seen,
        first_seen=seen,
    )
    return Event(
        f"{kind}:harbour:{story}:{n}",
        kind,
        "harbour",
        story,
        seen,
        mention=mention,
        answer=said if kind is Kind.RESPONSE else None,
        why=Why("harbour", "Harbour", (("strike", "title"),)),
        chain=("Wire One",) if n % 3 else (),
    )


def opened(folder: Path, name: str) -> sa.Engine:
    """A fresh database."""
    engine = engines.open_engine(f"sqlite:///{folder / name}")
    migrate.ensure(engine)
    return engine


def put(engine: sa.Engine, plan: Any, events: list[Event]) -> float:
    """CPU seconds of one transaction that puts all events."""
    began = time.process_time()
    with engine.begin() as connection:
        outbox.put(connection, events, plan)
    return time.process_time() - began


def bare(engine: sa.Engine, events: list[Event]) -> float:
    """CPU seconds of writing the same events as JSON and storing them: what no design can be under."""
    began = time.process_time()
    rows = [
        {
            "event_key": one.key,
            "kind": one.kind,
            "class": one.event_class,
            "watch": one.watch,
            "group_key": one.group,
            "payload": codec.dump(one),
            "config_rev": 0,
            "decided_at": one.decided_at,
            "state": "open",
        }
        for one in events
    ]
    with engine.begin() as connection:
        connection.execute(tables.event.insert(), rows)
    return time.process_time() - began


class Timed:
    """A channel whose rendering is timed."""

    def __init__(self, channel: Channel) -> None:
        self._channel, self.name, self.manners, self.seconds = channel, channel.name, channel.manners, 0.0
        self.refresh, self.send, self.find = channel.refresh, channel.send, channel.find

    def render(self, digest: Digest, *, first: bool) -> Draft:
        """Render, and note how long it took."""
        began = time.process_time()
        try:
            return self._channel.render(digest, first=first)
        finally:
            self.seconds += time.process_time() - began


def decide(engine: sa.Engine, desk: Desk, at: datetime) -> tuple[float, int]:
    """CPU seconds of telling all that is due, and the number of messages."""
    began = time.process_time()
    made = desk.build_due(at)
    return time.process_time() - began, made


def measure(events: int, groups: int) -> dict[str, float]:
    """All figures."""
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        told = config.from_raw({"channels": {"desk": {"type": "folder", "path": path}}, "caps": CAPS})
        plan = told.plan(("harbour",))
        found = [event(f"st_{n // PER_GROUP:05}", n % PER_GROUP) for n in range(events)]
        put_s, bare_s = put(opened(folder, "put.db"), plan, found), bare(opened(folder, "bare.db"), found)
        engine = opened(folder, "decide.db")
        put(engine, plan, [event(f"st_{n:05}", m) for n in range(groups) for m in range(PER_GROUP)])
        timed = {name: Timed(channel) for name, channel in told.build_channels().items()}
        desk = Desk(engine, plan, timed)
        decide_s, made = decide(engine, desk, NOW + timedelta(hours=1))
        return {
            "events": events,
            "put_s": put_s,
            "bare_put_s": bare_s,
            "put_ratio": put_s / bare_s,
            "groups": groups,
            "messages": made,
            "told_s": decide_s,
            "rendering_s": sum(one.seconds for one in timed.values()),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--groups", type=int, default=1_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    figures = measure(asked.events, asked.groups)
    if asked.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:12} {value:10.2f}")


if __name__ == "__main__":
    main()
