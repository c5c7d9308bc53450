"""Outages and years, small here and in full on demand.

STORYWATCH_OUTAGE=200 STORYWATCH_DAYS=365 pytest tests/alerts/test_at_size.py
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import route
from alerts.digest import slots
from alerts.values import Kind
from tests.alerts.house import House, at, event
from tests.alerts.test_faults import World, db, world
from tests.alerts.test_slots import ZONES
from tests.fakes.scripted import Step

__all__ = ["db", "world"]

OUTAGE = int(os.environ.get("STORYWATCH_OUTAGE", "36"))
DAYS = int(os.environ.get("STORYWATCH_DAYS", "23"))
STORIES, PEOPLE, HOURS = min(20, OUTAGE // 3), ("C0ONE", "C0TWO", "C0THREE"), 6


@pytest.mark.slow
async def test_after_six_hours_each_recipient_hears_of_each_story_once_and_nothing_is_lost(
    db: sa.Engine, world: World
) -> None:
    raw = world.channels("slack", "folder")
    raw["channels"]["slack"]["recipients"] = [{"to": name} for name in PEOPLE]
    raw["caps"] = {"per_hour": 1000, "per_day": 1000, "per_story": "1000/15m"}
    made = House(db, raw, now=at("06:00"))
    world.slack.now = lambda: made.now.timestamp()
    world.slack.script.forever("chat.postMessage", Step(status=503, error="service_unavailable"))
    for n in range(OUTAGE):
        when = at("06:00") + timedelta(hours=HOURS) * n / OUTAGE
        made.now = when  # one step per alert: a probe of the sick channel every minute would show nothing more
        await made.step()
        kind = Kind.NEW_STORY if n < STORIES else Kind.NEW_OUTLET
        made.put(event(kind, when, f"p{n}.example", story=f"st_{n % STORIES:02}"))
    made.now = at("12:00")
    await made.step()
    assert world.slack.messages == []
    elsewhere = [row for row in made.sent() if row.channel == "folder"]
    late = max((row.sent_at or made.now) - row.created_at for row in elsewhere)
    assert late <= timedelta(seconds=1)
    world.slack.script.clear("chat.postMessage")
    await made.until(at("16:00"))
    for name in PEOPLE:
        rows = [row for row in made.rows(channel="slack") if row.recipient == f"slack/{name}"]
        arrived = [row for row in rows if row.state == "sent"]
        assert {row.state for row in rows} == {"sent", "superseded"}
        told = Counter(key for row in arrived for key in row.event_keys)
        assert (len(told), set(told.values())) == (OUTAGE, {1})
        bodies = [json.dumps(message.body) for message in world.slack.messages if message.channel == name]
        assert sum("folded" in body for body in bodies) == 1
        recent = [row for row in rows if row.created_at >= at("10:00")]
        assert len(arrived) <= len(recent) + 1


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_a_desk_that_is_restarted_and_late_makes_one_digest_for_each_slot(
    zone: str, db: sa.Engine, tmp_path: Path
) -> None:
    dice = random.Random(zone)
    desk: dict[str, Any] = {"type": "folder", "path": str(tmp_path / "out")}
    desk["recipients"] = [{"timezone": zone, "heartbeat": "every_slot"}]
    raw = {
        "channels": {"desk": desk},
        "digests": {"plan": {"at": ["02:30", "08:00"]}},
        "routes": {"to": ["desk"], "send": [{"digest": "plan"}]},
    }
    begin = datetime(2026, 3, 7, tzinfo=UTC)  # both changes of the clock in spring, America's and Europe's, are near
    made, end = House(db, raw, now=begin), begin + timedelta(days=DAYS)
    ((recipient, _),) = route.planned(made.plan)
    made.desk.open_slots(made.now)
    while (due := made.desk.next_due()) is not None and due < end:
        made.now = max(made.now, due) + timedelta(seconds=dice.choice((0, 7, 15, 3000)))
        if dice.random() < 0.1:
            made.start()
        made.desk.build_due(made.now)
        made.desk.open_slots(made.now)
        made.desk.build_due(made.now)  # a second tick at once makes nothing more
    wanted = []
    for slot in slots.runs(made.plan.schedules[0], recipient, begin):
        if slot.due_at >= end:
            break
        wanted.append(slot.due_at)
    times = [row.created_at for row in made.rows()]
    assert len(times) == len(wanted)
    assert all(timedelta(0) <= then - due <= timedelta(hours=1) for then, due in zip(times, wanted, strict=True))
