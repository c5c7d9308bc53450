"""A desk and a courier on a test database, driven by a clock of their own; and events made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from alerts import config, outbox, tables
from alerts.courier import Courier
from alerts.outbox import admin
from alerts.pipeline import Desk
from alerts.route import Timers
from alerts.values import (
    AnswerSnapshot,
    Coverage,
    Event,
    Kind,
    MentionSnapshot,
    Why,
)

MONDAY = datetime(2026, 6, 15, tzinfo=UTC)


def at(clock: str, day: datetime = MONDAY) -> datetime:
    """``10:05`` or ``10:05:30`` of the test's day, in UTC."""
    hours, minutes, *seconds = (int(part) for part in clock.split(":"))
    return day + timedelta(hours=hours, minutes=minutes, seconds=seconds[0] if seconds else 0)


def mention(entry: str, outlet: str, seen: datetime, **changes: Any) -> MentionSnapshot:
    """An entry of an invented outlet."""
    values: dict[str, Any] = {
        "entry": entry,
        "outlet": outlet,
        "outlet_name": outlet.partition(".")[0].title(),
        "title": f"{outlet} reports on the harbour strike",
        "url": f"https://{outlet}/{entry}",
        "lead": "Dock workers walked out on Monday morning.",
        "language": "en",
        "published": seen - timedelta(minutes=5),
        "first_seen": seen,
    }
    return MentionSnapshot(**(values | changes))


def answer(
    stance: str = "denied", government: str = "NO", body: str = "foreign ministry", **changes: Any
) -> AnswerSnapshot:
    """What a body of an invented government said."""
    values: dict[str, Any] = {
        "government": government,
        "government_name": {"NO": "Norway", "SE": "Sweden"}.get(government, government),
        "body": body,
        "office": body.capitalize(),
        "stance": stance,
        "quote": f"The {body} {stance} it.",
        "language": "en",
    }
    return AnswerSnapshot(**(values | changes))


def event(
    kind: Kind, when: datetime, outlet: str = "gazette.example", story: str = "st_harbour", **changes: Any
) -> Event:
    """An event of a story, with a key of its own."""
    entry = changes.pop("entry", f"{outlet}-{when:%H%M%S}")
    watch = changes.pop("watch", "harbour")
    shown = mention(entry, outlet, when, **changes.pop("mention", {}))
    said: AnswerSnapshot | None = changes.pop("answer", None)
    tail = f"{said.government}:{said.body}:{said.stance}:{said.asker}" if said else f"{outlet}:{entry}"
    values: dict[str, Any] = {
        "key": f"{kind}:{watch}:{story}:{tail}",
        "kind": kind,
        "watch": watch,
        "group": story,
        "decided_at": when,
        "mention": shown,
        "answer": said,
        "why": Why(watch, watch.title(), (("strike", "title"),)),
    }
    return Event(**(values | changes))


FOLDER = {"desk": {"type": "folder", "path": "unset"}}


@dataclass
class House:
    """Everything between an event and a receipt, with a clock that is moved by hand."""

    engine: sa.Engine
    raw: Mapping[str, Any]
    now: datetime = MONDAY
    coverage: Coverage | None = None
    timers: Mapping[str, Timers] = field(default_factory=dict)
    watches: Sequence[str] = ("harbour", "mines")

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Build desk and courier anew, as after a restart."""
        self.config = config.from_raw(self.raw)
        self.plan = self.config.plan(tuple(self.watches), self.timers, 7)
        self.channels = self.config.build_channels()
        self.desk = Desk(self.engine, self.plan, self.channels)
        self.courier = Courier(self.engine, self.plan, self.channels, jitter=lambda: 0.5)

    def put(self, *events: Event) -> tuple[Event, ...]:
        """Store events as a producer does."""
        with self.engine.begin() as connection:
            return outbox.put(connection, events, self.plan)

    async def step(self) -> None:
        """Do what is due now."""
        self.desk.open_slots(self.now)
        self.desk.build_due(self.now, self.coverage)
        await self.courier.send_due(self.now)

    async def until(self, end: datetime, most: int = 2000) -> None:
        """Jump from one due time to the next until `end`."""
        await self.step()
        for _ in range(most):
            times = [due for due in (self.desk.next_due(), self.courier.next_due()) if due is not None]
            following = max(min(times, default=end), self.now)
            if following >= end:
                self.now = end
                await self.step()
                return
            # A due time that is not in the future and was not cleared by the last step must not spin for ever.
            self.now = following if following > self.now else self.now + timedelta(seconds=1)
            await self.step()
        raise AssertionError("the clock does not move on")

    def rows(self, **filters: Any) -> tuple[admin.Row, ...]:
        """The deliveries made so far, the oldest first, refreshes of roots left out."""
        with self.engine.begin() as connection:
            found = admin.listed(connection, limit=5000, **filters)
        return tuple(reversed([row for row in found if row.kind != "update"]))

    def sent(self) -> tuple[admin.Row, ...]:
        """The deliveries that arrived, in the order in which they were made."""
        return tuple(row for row in self.rows() if row.state == "sent")

    def body(self, row: admin.Row) -> bytes:
        """The stored bytes of a delivery."""
        with self.engine.begin() as connection:
            shown = admin.show(connection, row.delivery_id)
        assert shown is not None
        return shown.body

    def reasons(self) -> dict[str, list[str]]:
        """The reasons of all items, by event key."""
        query = sa.select(tables.event.c.event_key, tables.item.c.state, tables.item.c.reason).join_from(
            tables.item, tables.event, tables.event.c.id == tables.item.c.event_id
        )
        found: dict[str, list[str]] = {}
        with self.engine.begin() as connection:
            for row in connection.execute(query):
                found.setdefault(row.event_key, []).append(f"{row.state} {row.reason or ''}".strip())
        return found
