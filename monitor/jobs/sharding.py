"""One job of an engine: poll what is due in one shard, until nothing is or a minute has passed.

    open a run -> claim -> poll -> claim ... -> give back what was not begun

The shard's number is all that travels through a queue. A second run of the same shard voids the claims of this one, so
a job that an engine starts twice, or takes from a worker that only seemed dead, does no harm. Called by the engines.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection

from monitor import metrics, outward
from monitor.jobs.parts import LEASE, Parts
from monitor.jobs.polling import Poller
from monitor.store import claims, feeds, hosts, shards
from monitor.values import Shard, ShardReport

LONGEST = timedelta(seconds=60)
"""A job ends after that and is offered again: no shard waits long for its turn."""
AT_ONCE = 32


_Polls = dict[asyncio.Task[None], str]
"""Open polls and their hosts."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """A claim's feeds, and whether more may be due: the claim was full, or a host was at its limit."""

    rows: tuple[feeds.FeedRow, ...]
    more: bool


class ShardJob:
    """What an engine may call. Runs of different shards go on side by side."""

    def __init__(self, parts: Parts, poller: Poller, *, at_once: int = AT_ONCE) -> None:
        self._parts = parts
        self._poller = poller
        self._at_once = at_once

    async def due(self) -> tuple[Shard, ...]:
        """The shards with something to poll."""
        return await self._parts.write(partial(shards.due, now=self._parts.now()))

    async def run(self, shard: Shard) -> ShardReport:
        """Poll what is due in a shard. Raises nothing for a single feed.

        Errors: what the database raises; the claims then run out, or the next run takes them over.
        """
        with metrics.shard_jobs.track_inprogress():
            return await self._run(shard)

    async def _run(self, shard: Shard) -> ShardReport:
        if self._poller.is_stopping or self._poller.is_cut_off:
            return ShardReport(shard)
        await self._poller.look_around()
        run, until = 0, time.monotonic() + LONGEST.total_seconds()
        polls: _Polls = {}
        begun, more = 0, True
        while more and not self._has_to_end(until):
            run, taken = await self._claim(shard, run, self._free(polls), tuple(set(polls.values())))
            if self._has_to_end(until):  # asked to stop while it claimed
                await self._give_back(taken.rows)
                return ShardReport(shard, run, begun, len(taken.rows))
            polls |= {self._poller.begin(row): row.host for row in taken.rows}
            begun += len(taken.rows)
            more = taken.more
            if more:
                polls = await self._wait_for_room(polls)
        if polls:
            await asyncio.wait(polls)
        return ShardReport(shard, run, begun)

    def _has_to_end(self, until: float) -> bool:
        return self._poller.is_stopping or self._poller.is_cut_off or time.monotonic() > until

    def _free(self, polls: _Polls) -> int:
        """How many to claim: what can begin soon, for a claim's time runs."""
        return max(min(self._at_once - len(polls), self._poller.free), self._parts.most_of_host)

    async def _wait_for_room(self, polls: _Polls) -> _Polls:
        """Wait until half of what may be open is free: a claim for each poll that ends would be one too many."""
        enough = min(len(polls) - 1, self._at_once // 2)
        while len(polls) > max(enough, 0):
            done, _ = await asyncio.wait(polls, return_when=asyncio.FIRST_COMPLETED)
            polls = {task: host for task, host in polls.items() if task not in done}
        return polls

    async def _claim(self, shard: Shard, run: int, limit: int, busy: tuple[str, ...]) -> tuple[int, _Taken]:
        """Claim for a run, none of its `busy` hosts; 0 opens one. What is stored of the claimed hosts comes with it."""
        now, most = self._parts.now(), self._parts.most_of_host

        def claim(connection: Connection) -> tuple[int, tuple[feeds.FeedRow, ...], Sequence[hosts.HostRow]]:
            current = run or shards.open_run(connection, shard)
            found = shards.claim(connection, shard, current, now, lease=LEASE, limit=limit, per_host=most, busy=busy)
            rows = claims.claimed_rows(found, now + LEASE)
            names = {row.host for row in rows} | {outward.domain_of(row.host) for row in rows}
            return current, rows, hosts.of(connection, names) if names else ()

        current, rows, known = await self._parts.write(claim)
        self._poller.note_hosts(known)
        fullest = max(Counter(row.host for row in rows).values(), default=0)
        return current, _Taken(rows, len(rows) >= limit or fullest >= most or bool(busy))

    async def _give_back(self, rows: Sequence[feeds.FeedRow]) -> None:
        held = [row.claim for row in rows if row.claim is not None]
        await self._parts.write(partial(claims.release, held=held))
