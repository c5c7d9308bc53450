"""What is remembered of hosts while polling: holds, who said 429, how many feeds share a host. Rows are its memory.

Lives on the event loop's thread; `polling` reads it before each poll and tells it what came of the poll.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from monitor import outward, schedule
from monitor.fetch import hosts as gates
from monitor.schedule.reasons import FailReason
from monitor.store import hosts

_RECENT = timedelta(hours=1)


class HostBook:
    """Facts about hosts for the schedule. `spacing` is seconds between two starts on a host."""

    def __init__(self, gate: gates.HostGate, spacing: Callable[[str], float], now: Callable[[], datetime]) -> None:
        self._gate = gate
        self._spacing = spacing
        self._now = now
        self._rows: dict[tuple[str, str], hosts.HostRow] = {}
        self._limited: dict[str, dict[str, datetime]] = {}
        self._feeds: Counter[str] = Counter()

    def load(self, rows: Iterable[hosts.HostRow], feeds: Mapping[str, int]) -> None:
        """Take up what is stored, holds included: a hold survives a restart. `feeds` are how many each host has."""
        self._feeds, self._rows = Counter(feeds), {}
        self.learn(rows)

    @property
    def feed_count(self) -> int:
        """How many feeds all hosts have."""
        return self._feeds.total()

    def recount(self, feeds: Mapping[str, int]) -> None:
        """Take up how many feeds each host has by now."""
        self._feeds = Counter(feeds)

    def learn(self, rows: Iterable[hosts.HostRow]) -> None:
        """Take up what is stored of some hosts; other processes may have been told to leave them alone."""
        for row in rows:
            self._rows[row.kind, row.name] = row
            if row.kind == "host" and row.ever_429:
                self._gate.limit(row.name)
            if row.hold_until is not None and row.hold_until > self._now():
                reason = row.hold_reason or "host_hold"
                self._gate.hold(schedule.Hold(row.kind, row.name, row.hold_until, reason))

    def facts(self, host: str) -> schedule.HostFacts:
        """What the schedule should know of a feed's host."""
        domain, now = outward.domain_of(host), self._now()
        spacing = timedelta(seconds=self._spacing(host))
        interval = schedule.host_interval(self._feeds[host], spacing) if spacing else None
        known = [row for key in (("host", host), ("domain", domain)) if (row := self._rows.get(key)) is not None]
        if not known and domain not in self._limited:  # as most hosts are
            return schedule.HostFacts(host, domain, interval=interval)
        longest = max((row for row in known if row.hold_until), key=lambda row: row.hold_until or now, default=None)
        limited = {name for name, at in self._limited.get(domain, {}).items() if now - at < _RECENT}
        return schedule.HostFacts(
            name=host,
            domain=domain,
            hold_until=longest.hold_until if longest else None,
            hold_reason=longest.hold_reason if longest else None,
            ever_429=any(row.ever_429 for row in known),
            limited=frozenset(limited),
            interval=interval,
        )

    def row_of(self, held: schedule.Hold, reason: str) -> hosts.HostRow:
        """The row that remembers a hold."""
        known = self._rows.get((held.scope, held.name))
        limited = reason == FailReason.RATE_LIMITED or (known is not None and known.ever_429)
        return hosts.HostRow(held.scope, held.name, held.until, held.reason, self._now(), limited)

    def note(self, held: schedule.Hold, row: hosts.HostRow, reason: str) -> None:
        """Hold a host from now on: its row is written."""
        self._rows[held.scope, held.name] = row
        self._gate.hold(held)
        if reason == FailReason.RATE_LIMITED and held.scope == "host":
            self._limited.setdefault(outward.domain_of(held.name), {})[held.name] = self._now()
