"""What Prometheus is told of the whole installation: read from the database when it asks, at most every few seconds.

The counters in `metrics` are this process's own; these figures are everybody's, so every process says the same and a
rule takes their maximum. Called by `daemon`, which registers an `Observer` while it runs.
"""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

import monitor
from alerts.outbox import gauges as outbox_gauges
from alerts.outbox.gauges import Waiting
from monitor.errors import StoreError
from monitor.store import engine as engines
from monitor.store import gauges

log = structlog.get_logger(__name__)
_KEPT_FOR = timedelta(seconds=10)
"""Several who ask at once cost the database one look."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the database. `at` is when, by the clock that decides what is due."""

    at: datetime
    feeds: gauges.Feeds
    waiting: Waiting
    size: gauges.Size
    queued: int | None = None


class Observer(Collector):
    """Reads the database for the page of metrics. A database that does not answer is a figure too, never an error."""

    def __init__(self, engine: Engine, now: Callable[[], datetime], channels: Callable[[], tuple[str, ...]]) -> None:
        self._engine = engine
        self._now = now
        self._channels = channels
        self._lock = threading.Lock()
        self._kept: tuple[float, Look | None] | None = None

    def describe(self) -> list[Metric]:
        """Registering must not ask the database; the names are checked by a test."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every figure, by the names of docs/metrics.md."""
        look = self._look()
        yield _one("storywatch_database_up", "1 while the database answers and takes changes.", float(look is not None))
        yield _many("storywatch_build_info", "What runs here.", ("version", "python"), _BUILD)
        if look is not None:
            yield from _of_feeds(look)
            yield from _of_waiting(look, self._channels())
            yield from _of_size(look.size)

    def _look(self) -> Look | None:
        with self._lock:
            if self._kept is None or time.monotonic() - self._kept[0] > _KEPT_FOR.total_seconds():
                self._kept = (time.monotonic(), self._ask())
            return self._kept[1]

    def _ask(self) -> Look | None:
        try:
            now = self._now()
            engines.check_writable(self._engine)
            with engines.reading(self._engine) as connection:
                counted = gauges.of_feeds(connection, now)
                waiting = outbox_gauges.waiting(connection, now)
                size = gauges.size(connection, self._engine)
                return Look(now, counted, waiting, size, gauges.queued_jobs(connection))
        except (SQLAlchemyError, StoreError) as exc:
            log.warning("metrics_without_database", error=type(exc).__name__)
            return None


@contextmanager
def observed(observer: Observer, registry: CollectorRegistry = REGISTRY) -> Iterator[None]:
    """Let the page of metrics show what an observer sees, for as long as the daemon runs."""
    registry.register(observer)
    try:
        yield
    finally:
        registry.unregister(observer)


_BUILD = {(monitor.__version__, platform.python_version()): 1.0}


def _of_feeds(look: Look) -> Iterator[Metric]:
    found = look.feeds
    states = {(state,): float(found.states.get(state, 0)) for state in ("active", "gone", "paused", "merged")}
    standings = {(standing,): float(number) for standing, number in found.standings.items()}
    yield _many("storywatch_feeds", "Feeds by state.", ("state",), states)
    yield _many("storywatch_feeds_standing", "Feeds that are asked, by standing.", ("standing",), standings)
    yield _one("storywatch_due_feeds", "Feeds that wait to be polled.", found.due)
    oldest = _age(min(found.oldest_due.values(), default=None), look.at)
    shards = {(str(shard),): _age(since, look.at) for shard, since in found.oldest_due.items()}
    yield _one("storywatch_due_oldest_seconds", "Age of the poll that waits longest.", oldest)
    yield _many("storywatch_shard_lag_seconds", "The same by shard, where any waits.", ("shard",), shards)
    if look.queued is not None:
        yield _one("storywatch_shard_jobs_queued", "Shard jobs that wait in the engine's queue.", look.queued)


def _of_waiting(look: Look, channels: tuple[str, ...]) -> Iterator[Metric]:
    waiting = look.waiting
    names = sorted({*channels, *waiting.oldest, *(channel for channel, _ in waiting.counts)})
    counts = {
        (name, str(state)): float(waiting.counts.get((name, str(state)), 0))
        for name in names
        for state in outbox_gauges.OPEN
    }
    ages = {(name,): _age(waiting.oldest.get(name), look.at) for name in names}
    healthy = {(name,): float(name not in waiting.sick) for name in names}
    item = _age(waiting.oldest_item, look.at)
    yield _many("storywatch_outbox_deliveries", "Deliveries not yet sent.", ("channel", "state"), counts)
    yield _many("storywatch_outbox_oldest_seconds", "Age of the oldest delivery on its way.", ("channel",), ages)
    yield _many("storywatch_channel_healthy", "1 while a channel is in order.", ("channel",), healthy)
    yield _one("storywatch_items_overdue_seconds", "How late the item is that should be told first.", item)


def _of_size(size: gauges.Size) -> Iterator[Metric]:
    told = (
        ("storywatch_database_bytes", "Size of the database.", size.database),
        ("storywatch_wal_bytes", "Size of the write-ahead log.", size.wal),
        ("storywatch_wal_written_bytes", "Bytes ever written to the log of a Postgres server.", size.wal_written),
    )
    for name, said, number in told:
        if number is not None:
            yield _one(name, said, number)


def _age(since: datetime | None, now: datetime) -> float:
    return max((now - since).total_seconds(), 0.0) if since is not None else 0.0


def _one(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(name, said, value=value)


def _many(name: str, said: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> Metric:
    family = GaugeMetricFamily(name, said, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family
