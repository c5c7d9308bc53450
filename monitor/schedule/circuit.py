"""Whether our own network is down: many hosts failing at once says more about us than about them.

While open, nothing is polled but one host a minute, and no feed counts a failure. Called by `jobs`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=5)
LEAST_HOSTS = 10
SHARE = 0.5
PROBE_EVERY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Circuit:
    """What the last five minutes showed: per host the newest result, and since when the circuit is open."""

    seen: tuple[tuple[str, datetime, bool], ...] = ()
    opened_at: datetime | None = None
    probed_at: datetime | None = None
    turn: int = 0

    @property
    def is_open(self) -> bool:
        """Whether polling stands still."""
        return self.opened_at is not None

    def observe(self, host: str, reachable: bool, now: datetime) -> Circuit:
        """Add one result. `reachable` is false only for failures of `reasons.OWN_NETWORK`.

        A host that answers closes an open circuit.
        """
        if self.is_open and reachable:
            return Circuit(seen=((host, now, True),), turn=self.turn)
        kept = tuple(row for row in self.seen if row[0] != host and now - row[1] < WINDOW)
        seen = (*kept, (host, now, reachable))
        if not self.is_open and _looks_down(seen):  # what was just seen to fail is not asked again at once
            return replace(self, seen=seen, opened_at=now, probed_at=now)
        return replace(self, seen=seen)

    def probe(self, hosts: tuple[str, ...], now: datetime) -> tuple[Circuit, str | None]:
        """Name the one host to try now while open, each in its turn, or None if it is too early."""
        if not hosts or (self.probed_at is not None and now - self.probed_at < PROBE_EVERY):
            return self, None
        return replace(self, probed_at=now, turn=self.turn + 1), hosts[self.turn % len(hosts)]

    def suspects(self) -> frozenset[str]:
        """Hosts whose recent failures were ours: their feeds are to be forgiven."""
        return frozenset(host for host, _, reachable in self.seen if not reachable)


def _looks_down(seen: tuple[tuple[str, datetime, bool], ...]) -> bool:
    failed = sum(not reachable for _, _, reachable in seen)
    return len(seen) >= LEAST_HOSTS and failed > SHARE * len(seen)
