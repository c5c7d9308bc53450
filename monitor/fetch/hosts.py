"""Politeness within one process: spacing, requests in flight and holds of each host, first come first served.

Holds that must outlive the process are rows (`store`); this gate only keeps what is running now honest. The clock and
the sleep are arguments so that a test can drive a whole day. Called by `jobs` and `fetch.article`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from monitor.schedule.state import Hold

IN_FLIGHT = 2
"""Requests at once to one host (mediacloud/rss-fetcher); one, once it has ever said 429."""
SPACING_S = 5.0
_MANY_LANES = 4096


@dataclass(slots=True)
class _Lane:
    """One host. Whoever holds `turn` is the next to start; the others wait for it in their order.

    `freed` is there while the next one waits for a request to end: an event takes a kilobyte, and hosts are thousands.
    """

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    freed: asyncio.Event | None = None
    in_flight: int = 0
    waiting: int = 0
    last_start: float = float("-inf")
    limited: bool = False


class HostGate:
    """Lets requests to one host start one after the other.

    `spacing` gives seconds between two starts for a host (0 for loopback and allow-listed ones), `domain_of` its
    registrable domain.
    """

    def __init__(
        self,
        *,
        spacing: Callable[[str], float] = lambda _: SPACING_S,
        domain_of: Callable[[str], str] = lambda host: host,
        in_flight: int = IN_FLIGHT,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._spacing = spacing
        self._domain_of = domain_of
        self._in_flight = in_flight
        self._clock = clock
        self._sleep = sleep
        self._lanes: dict[str, _Lane] = {}
        self._holds: dict[tuple[str, str], Hold] = {}

    def hold(self, hold: Hold) -> None:
        """Leave a host or a domain alone; a longer hold stays."""
        key = hold.scope, hold.name
        known = self._holds.get(key)
        if known is None or known.until < hold.until:
            self._holds[key] = hold
        if hold.scope == "host":
            self._lane(hold.name).limited = True

    def held(self, host: str, now: datetime) -> Hold | None:
        """Return the hold that forbids a request to this host now."""
        found = None
        for key in (("host", host), ("domain", self._domain_of(host))):
            hold = self._holds.get(key)
            if hold is None:
                continue
            if hold.until <= now:
                del self._holds[key]
            elif found is None or found.until < hold.until:
                found = hold
        return found

    def limit(self, host: str) -> None:
        """Note that a host has said 429 at some time: one request at once from now on."""
        self._lane(host).limited = True

    @asynccontextmanager
    async def turn(self, host: str, now: Callable[[], datetime]) -> AsyncIterator[Hold | None]:
        """Wait for this host's turn and keep it while the block runs.

        Yields the hold that came up while waiting: then nothing may be requested.
        """
        lane = self._lane(host)
        lane.waiting += 1
        try:
            async with lane.turn:
                held = self.held(host, now())
                if held is None:
                    await self._wait(host, lane)
                    held = self.held(host, now())
                if held is None:
                    lane.last_start = self._clock()
                    lane.in_flight += 1
        finally:
            lane.waiting -= 1
        if held is not None:
            yield held
            return
        try:
            yield None
        finally:
            lane.in_flight -= 1
            if lane.freed is not None:
                lane.freed.set()

    async def _wait(self, host: str, lane: _Lane) -> None:
        while lane.in_flight >= (1 if lane.limited else self._in_flight):
            lane.freed = asyncio.Event()
            await lane.freed.wait()
            lane.freed = None
        pause = lane.last_start + self._spacing(host) - self._clock()
        if pause > 0:
            await self._sleep(pause)

    def _lane(self, host: str) -> _Lane:
        lane = self._lanes.get(host)
        if lane is None:
            if len(self._lanes) >= _MANY_LANES:
                self._forget_idle()
            lane = self._lanes[host] = _Lane()
        return lane

    def _forget_idle(self) -> None:
        """Drop hosts nobody waits for whose spacing has passed; `limited` ones are told again from their rows."""
        now = self._clock()
        idle = [
            host
            for host, lane in self._lanes.items()
            if not lane.in_flight and not lane.waiting and now - lane.last_start > self._spacing(host)
        ]
        for host in idle:
            del self._lanes[host]
