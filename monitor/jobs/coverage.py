"""Whether each watch sees enough of its feeds: silence is not proof. A number for each, and an event when it is low.

Called once a minute.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerts import route
from alerts.values import Event
from monitor import metrics, pipeline, seeing
from monitor.config import stored
from monitor.config.values import Config, Watch
from monitor.jobs import reports
from monitor.store import coverage as rows
from monitor.store import sights

ENOUGH = 0.8
FOR = timedelta(minutes=15)
"""A low that passes sooner is not told."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What follows from how a watch sees now: the row to keep and the event to tell."""

    row: rows.Row
    event: Event | None = None


def check(connection: Connection, config: Config, plan: route.Plan, now: datetime) -> None:
    """Measure every watch and tell what began or ended fifteen minutes ago."""
    known = rows.read(connection)
    watches = [watch for watch in config.watches if not watch.paused]
    choices = choices_of(watches, config)
    polled = sights.read(connection, settings=seeing.asks_for_tags(choices))
    tallies = seeing.tally(polled, now, choices)
    for watch in watches:
        seen = tallies[watch.name]
        share = seen.healthy / seen.feeds if seen.feeds else 1.0
        metrics.watch_healthy.labels(watch.name).set(share)
        metrics.watch_delay.labels(watch.name).set(seen.slowest.total_seconds() if seen.slowest else 0.0)
        before = known.get(watch.name, rows.Row(watch.name))
        judged = judge(before, seen.healthy, seen.feeds, now, plan.config_rev)
        if judged.row != before:
            rows.write(connection, judged.row)
        if judged.event is not None:
            pipeline.tell(connection, (judged.event,), plan)


def choices_of(watches: Iterable[Watch], config: Config) -> dict[str, stored.Choice]:
    """The feeds that watches look into."""
    configured = {feed.url: feed for feed in config.feeds}
    return {watch.name: stored.Choice(watch.feed_tags, configured) for watch in watches}


def judge(before: rows.Row, healthy: int, feeds: int, now: datetime, config_rev: int) -> Judged:
    """Decide what to keep and to tell of one watch that sees `healthy` of its `feeds`. Pure."""
    name = before.watch
    if feeds and healthy < ENOUGH * feeds:
        since = before.low_since or now
        if before.told_since is None and now - since >= FOR:
            event = reports.watch_blind(name, healthy, feeds, since, now, config_rev)
            return Judged(rows.Row(name, since, since), event)
        return Judged(rows.Row(name, since, before.told_since))
    if before.told_since is None:
        return Judged(rows.Row(name))
    event = reports.watch_sees(name, healthy, feeds, before.told_since, now, config_rev)
    return Judged(rows.Row(name), event)
