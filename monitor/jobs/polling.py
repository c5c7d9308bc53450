"""Polling: claim -> may it be asked? -> its host's turn -> fetch -> `answers`.

Everything that writes runs on one thread; fetching and parsing do not wait for it. One feed's failure is a value and
stops no other feed. What follows a fetch is `answers`; hosts are `host_book`, our own network is `network`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from monitor import following, metrics, schedule
from monitor.config import secrets
from monitor.config.values import FeedConfig
from monitor.errors import LeaseLost
from monitor.jobs import answers, network, requests
from monitor.jobs.host_book import HostBook
from monitor.jobs.parts import LEASE, LeftOut, Parts, Round
from monitor.store import claims, feeds, hosts, moves, sights, stories
from monitor.store import engine as engines
from monitor.values import Claim, Fetched, FetchOutcome

log = structlog.get_logger(__name__)
_FAULTY_FOR = timedelta(minutes=30)
"""How long a feed rests after a fault that is not its server's."""
_LIVE = timedelta(hours=6)
_LIVE_OUTLETS = 2
"""A story is live while at least two outlets carry it and one joined in the last six hours."""
_CLAIM_AGAIN_S = 0.05
_LIVE_FOR = timedelta(seconds=60)


class Poller:
    """Polls due feeds, a bounded number at once. `tick` starts what is due; `run_round` waits until nothing is."""

    def __init__(self, parts: Parts, on_report: answers.OnReport | None = None) -> None:
        self._parts = parts
        self._open: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(parts.at_once)
        self._busy: Counter[str] = Counter()
        self._book = HostBook(parts.gate, parts.spacing, parts.now)
        self._network = network.Network()
        self._answers = answers.Answers(parts, self._book, self._network, on_report)
        self._live_at: datetime | None = None
        self._newest = 0
        self._stopping = asyncio.Event()
        self._asked = asyncio.Event()
        self.totals = Round()

    async def start(self) -> None:
        """Read what is remembered of hosts, and which feeds turned out to be one."""
        rows, many, self._newest = await self._parts.write(
            lambda connection: (hosts.read(connection), sights.host_counts(connection), feeds.newest(connection))
        )
        self._book.load(rows, many)
        self._answers.merged = await self._parts.write(moves.merged)

    async def use(self, configured: Mapping[str, FeedConfig]) -> None:
        """Poll by other feed settings from now on; the rows of new feeds are there already. Called by a reload."""
        self._parts = replace(self._parts, feeds=configured)
        self._answers.use(self._parts)
        await self.start()

    async def spread_overdue(self) -> int:
        """Spread what fell due while nobody polled; for a start that is not a person waiting for a result."""
        return await self._parts.write(
            lambda connection: network.spread_overdue(connection, self._parts.now(), self._parts.random)
        )

    async def tick(self, *, force: bool = False, report: Round | None = None) -> int:
        """Claim what is due and begin to poll it; returns how many polls were begun."""
        free = self._parts.at_once - len(self._open)
        if free <= 0 or self._stopping.is_set():
            return 0
        await self._look_for_live_stories()
        rows = await self._claim(free)
        if self._stopping.is_set():  # asked to stop while it claimed
            await self._parts.write(partial(claims.release, held=[row.claim for row in rows if row.claim is not None]))
            return 0
        for row in rows:
            self.begin(row, force=force or self._network.is_down, report=report)
        return len(rows)

    def begin(self, row: feeds.FeedRow, *, force: bool = False, report: Round | None = None) -> asyncio.Task[None]:
        """Begin to poll a feed that was claimed."""
        self._busy[row.host] += 1
        task = asyncio.create_task(self._poll(row, force, report or self.totals), name=f"poll {row.url}")
        self._open.add(task)
        metrics.open_polls.inc()
        metrics.poll_lag.observe(max((self._parts.now() - row.next_at).total_seconds(), 0.0))
        task.add_done_callback(self._open.discard)
        return task

    async def first_request(self, within: timedelta) -> None:
        """Wait until a request of this process is being sent, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                await self._asked.wait()

    @property
    def feed_count(self) -> int:
        """How many feeds are polled, those that stand in the database among them."""
        return self._book.feed_count

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more may be begun."""
        return self._stopping.is_set()

    @property
    def is_cut_off(self) -> bool:
        """Whether our own network is down: what is tried then is decided here and not by what is due."""
        return self._network.is_down

    @property
    def free(self) -> int:
        """How many polls may begin without waiting for others."""
        return max(self._parts.at_once - len(self._open), 0)

    def note_hosts(self, rows: Sequence[hosts.HostRow]) -> None:
        """Take up what other processes have learnt of hosts."""
        self._book.learn(rows)

    async def look_around(self) -> None:
        """Read now and then what makes feeds urgent."""
        await self._look_for_live_stories()

    async def _claim(self, free: int) -> tuple[feeds.FeedRow, ...]:
        """What is to be polled now: all that is due, or one feed of one host while our own network is down."""
        now = self._parts.now()
        if not self._network.is_down:
            busy = tuple(self._busy)
            most = self._parts.most_of_host
            claim = partial(claims.claim, now=now, lease=LEASE, limit=free, busy=busy, per_host=most)
            return await self._parts.write(claim)
        due = await self._parts.write(partial(claims.due_hosts, now=now))
        host = self._network.host_to_try(due, now)
        if host is None:
            return ()
        return await self._parts.write(partial(claims.claim, now=now, lease=LEASE, limit=1, host=host))

    async def _look_for_live_stories(self) -> None:
        now = self._parts.now()
        if self._live_at is not None and now - self._live_at < _LIVE_FOR:
            return
        self._live_at = now
        look = partial(stories.live_outlets, since=now - _LIVE, least=_LIVE_OUTLETS)
        self._answers.live = await self._parts.write(look)
        await self._look_for_new_feeds()

    async def _look_for_new_feeds(self) -> None:
        """Feeds come to the database without a reload, and each host's are kept apart by their number."""
        newest = await self._parts.write(feeds.newest)
        if newest != self._newest:
            self._newest = newest
            self._book.recount(await self._parts.write(sights.host_counts))

    async def run_round(self, *, force: bool = False) -> Round:
        """Poll until nothing is due.

        A host with open polls is not claimed from, so "nothing was claimed" counts only when nothing was open before.
        """
        report = Round()
        while True:
            was_idle = not self._open
            begun = await self.tick(force=force, report=report)
            if self._open:  # not after each poll: every claim looks through all that is due
                await asyncio.wait(self._open, timeout=_CLAIM_AGAIN_S)
            elif was_idle and not begun:
                return report

    async def take(self, url: str, fetched: Fetched) -> Round:
        """Record an answer that somebody else fetched, as the poll of a feed that is stored; for `feed add`.

        Errors: LeaseLost when the feed is being polled just now.
        """
        now, report = self._parts.now(), Round()
        row = await self._parts.write(partial(feeds.by_url, url=url))
        assert row is not None
        claim = await self._parts.write(partial(claims.seize, feed=row.id, now=now, lease=LEASE))
        if claim is None:
            raise LeaseLost(f"{url} is being polled just now")
        await self._answers.conclude(row, claim, schedule.from_json(row.schedule, row.validators), fetched, report)
        return report

    async def stop(self, within: timedelta) -> int:
        """Begin no more polls and let running ones end; cut what is left and give its claims back.

        Returns how many were cut.
        """
        self._stopping.set()
        if not self._open:
            return 0
        _, late = await asyncio.wait(self._open, timeout=within.total_seconds())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return len(late)

    # ------------------------------------------------------------------------------------------------ one poll

    async def _poll(self, row: feeds.FeedRow, force: bool, report: Round) -> None:
        assert row.claim is not None
        with following.poll(row.claim, row.url):
            await self._poll_guarded(row, row.claim, force, report)

    async def _poll_guarded(self, row: feeds.FeedRow, claim: Claim, force: bool, report: Round) -> None:
        try:
            await self._poll_claimed(row, claim, force, report)
        except LeaseLost as lost:
            metrics.stale_claims.inc()
            log.warning("stale_claim", feed=row.url, message=str(lost))
        except asyncio.CancelledError:
            await self._parts.write(partial(claims.release, held=(claim,)))
            raise
        except Exception as exc:  # one feed's fault, logged with its traceback, must not stop another feed
            if engines.is_outage(exc):  # the claim ends by itself: no fault of the feed's
                log.warning("poll_not_recorded", feed=row.url, error=str(exc).splitlines()[0])
                return
            log.exception("poll_failed", feed=row.url, error=str(exc))
            report.failed[row.url] = "internal_error"
            await self._put_off_faulty(row, claim)
        finally:
            metrics.open_polls.dec()
            self._busy[row.host] -= 1
            self._busy += Counter()

    async def _put_off_faulty(self, row: feeds.FeedRow, claim: Claim) -> None:
        again = self._parts.now() + _FAULTY_FOR
        try:
            await self._parts.write(partial(claims.postpone, held=claim, until=again, reason="internal_error"))
        except Exception as exc:  # the database may be what failed; the claim then ends by itself
            log.exception("postpone_failed", feed=row.url, error=str(exc))

    async def _poll_claimed(self, row: feeds.FeedRow, claim: Claim, force: bool, report: Round) -> None:
        parts, state = self._parts, schedule.from_json(row.schedule, row.validators)
        policy, facts = requests.policy(row, parts), self._book.facts(row.host)
        refusal = schedule.may_attempt(state, policy, facts, parts.now(), force=force)
        if refusal is not None:
            until = max(refusal.until, parts.now())
            await self._answers.leave_out(row, claim, LeftOut(row.url, str(refusal.reason), until), report)
            return
        try:
            request = requests.request(row, state, parts)
        except secrets.SecretMissing as exc:
            report.failed[row.url] = "secret_missing"
            log.error("secret_missing", feed=row.url, message=str(exc))
            again = parts.now() + _FAULTY_FOR
            await parts.write(partial(claims.postpone, held=claim, until=again, reason="secret_missing"))
            return
        async with parts.gate.turn(row.host, parts.now) as held:
            if held is not None:
                await self._answers.leave_out(row, claim, LeftOut(row.url, held.reason, held.until), report)
                return
            async with self._places:
                claim = await self._held_for(claim)
                self._asked.set()
                outcome = await parts.client.fetch(request, parts.now)
        await parts.understood.wait()
        await self._notice_network(row.host, outcome)
        await self._answers.conclude(row, claim, state, outcome, report)

    async def _held_for(self, claim: Claim) -> Claim:
        """A claim that lasts as long as a fetch may: its host's turn may have been long in coming.

        Errors: LeaseLost when another worker has taken the feed meanwhile; then nothing is asked.
        """
        now = self._parts.now()
        if claim.until - now >= self._parts.deadline:
            return claim
        longer = replace(claim, until=now + LEASE)
        await self._parts.write(partial(claims.fence, held=longer))
        return longer

    async def _notice_network(self, host: str, outcome: FetchOutcome) -> None:
        now, plan = self._parts.now(), self._parts.context.knowledge.plan
        match self._network.observe(host, outcome, now):
            case network.Down() as down:
                await self._parts.write(partial(down.write, plan=plan, now=now))
            case network.Up() as up:
                await self._parts.write(partial(up.write, plan=plan, now=now, dice=self._parts.random))
