"""Our own network: when many hosts fail at once it is ours that is down. Polling stands still and nobody is blamed.

One host a minute is tried until one answers; then what fell due meanwhile is spread over ten minutes.
"""

from __future__ import annotations

import random
from datetime import datetime

import structlog
from sqlalchemy import Connection

from alerts import outbox, route
from alerts.values import Event
from monitor import schedule
from monitor.jobs import reports
from monitor.schedule.circuit import WINDOW
from monitor.schedule.reasons import OWN_NETWORK, NextReason
from monitor.store import feeds
from monitor.values import FetchFailed, FetchOutcome

log = structlog.get_logger(__name__)


class Network:
    """The circuit breaker with what belongs to it. Lives on the event loop's thread."""

    def __init__(self) -> None:
        self._circuit = schedule.Circuit()

    @property
    def is_down(self) -> bool:
        """Whether polling stands still."""
        return self._circuit.is_open

    def observe(self, host: str, outcome: FetchOutcome, now: datetime) -> Down | Up | None:
        """Learn from one fetch; says so when the network went down or came back with it."""
        reachable = not (isinstance(outcome, FetchFailed) and outcome.reason in OWN_NETWORK)
        before, self._circuit = self._circuit, self._circuit.observe(host, reachable, now)
        if self._circuit.is_open and not before.is_open:
            return Down(self._circuit.suspects())
        if before.is_open and not self._circuit.is_open:
            return Up(before.opened_at or now)
        return None

    def host_to_try(self, hosts: tuple[str, ...], now: datetime) -> str | None:
        """The host whose turn it is, None while it is too early."""
        self._circuit, host = self._circuit.probe(hosts, now)
        return host


class Down:
    """The network went down; `suspects` are hosts whose last failures were ours."""

    def __init__(self, suspects: frozenset[str]) -> None:
        self.suspects = suspects

    def write(self, connection: Connection, plan: route.Plan, now: datetime) -> None:
        """Take the failures back that were ours, and say that polling stands still."""
        for row in feeds.failing(connection, self.suspects, OWN_NETWORK, now - WINDOW):
            state = schedule.forgive(schedule.from_json(row.schedule, row.validators))
            feeds.remember(connection, row.id, schedule.to_json(state), failing=state.fail.count > 0)
            feeds.reschedule(connection, {row.id: now}, NextReason.CIRCUIT)
        _tell(connection, reports.network_down(now, len(self.suspects), plan.config_rev), plan)
        log.error("own_network_down", hosts=len(self.suspects))


class Up:
    """The network came back; it had been down `since`."""

    def __init__(self, since: datetime) -> None:
        self.since = since

    def write(self, connection: Connection, plan: route.Plan, now: datetime, dice: random.Random) -> None:
        """Spread what fell due meanwhile, and say that polling goes on."""
        spread_overdue(connection, now, dice)
        _tell(connection, reports.network_up(self.since, now, plan.config_rev), plan)
        log.warning("own_network_up", since=self.since.isoformat())


def spread_overdue(connection: Connection, now: datetime, dice: random.Random) -> int:
    """Spread overdue polls over ten minutes (or a feed's interval, if shorter), after a start or an outage.

    A feed that was never asked keeps its time. Returns how many were moved.
    """
    times = {}
    for row in feeds.overdue(connection, now):
        interval = schedule.from_json(row.schedule, row.validators).interval
        times[row.id] = schedule.spread(row.next_at, interval, now, dice.random())
    feeds.reschedule(connection, times, NextReason.STARTUP_SPREAD)
    return len(times)


def _tell(connection: Connection, event: Event, plan: route.Plan) -> None:
    outbox.put(connection, (event,), plan)
