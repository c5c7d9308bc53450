"""Polling: claim -> fetch -> (same body: reschedule) -> parse what is new -> pipeline.process.

Everything that writes runs on one thread; fetching and parsing do not wait for it. One feed's failure is a value and
stops no other feed. What follows a fetch is `settling`; hosts are `host_book`, our own network is `network`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection

from alerts.values import EventState
from monitor import following, metrics, pipeline, schedule
from monitor.config import secrets
from monitor.config.values import FeedConfig
from monitor.errors import LeaseLost, ParseError
from monitor.jobs import network, requests, settling
from monitor.jobs.gathering import Gatherer
from monitor.jobs.host_book import HostBook
from monitor.jobs.parts import LEASE, LeftOut, Parts, Round
from monitor.parse import delta, links
from monitor.store import documents, feeds, fetch_log, hosts, results, stories
from monitor.store import engine as engines
from monitor.values import Claim, Domain, Fetched, FetchFailed, FetchOutcome, Hop, NotModified, ParseReason

log = structlog.get_logger(__name__)
_FAULTY_FOR = timedelta(minutes=30)
"""How long a feed rests after a fault that is not its server's."""
_LIVE = timedelta(hours=6)
_LIVE_OUTLETS = 2
"""A story is live while at least two outlets carry it and one joined in the last six hours."""
_LIVE_FOR = timedelta(seconds=60)
_MOVED = 301


class Poller:
    """Polls due feeds, a bounded number at once. `tick` starts what is due; `run_round` waits until nothing is."""

    def __init__(self, parts: Parts, on_report: Callable[[feeds.FeedRow, pipeline.Report], None] | None = None) -> None:
        self._parts = parts
        self._on_report = on_report
        self._open: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(parts.at_once)
        self._plain = Gatherer(self._write_plain)
        self._busy: Counter[str] = Counter()
        self._book = HostBook(parts.gate, parts.spacing, parts.now)
        self._network = network.Network()
        self._merged: dict[str, tuple[str, ...]] = {}
        self._live: frozenset[Domain] = frozenset()
        self._live_at: datetime | None = None
        self._stopping = asyncio.Event()
        self._answered = asyncio.Event()
        self.totals = Round()

    async def start(self) -> None:
        """Read what is remembered of hosts, and which feeds turned out to be one."""
        rows, names = await self._parts.write(lambda connection: (hosts.read(connection), feeds.host_names(connection)))
        self._book.load(rows, names)
        self._merged = await self._parts.write(feeds.merged)

    async def use(self, configured: Mapping[str, FeedConfig]) -> None:
        """Poll by other feed settings from now on; the rows of new feeds are there already. Called by a reload."""
        self._parts = replace(self._parts, feeds=configured)
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
            claims = [row.claim for row in rows if row.claim is not None]
            await self._parts.write(partial(feeds.release, claims=claims))
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

    async def first_answer(self, within: timedelta) -> None:
        """Wait until a request of this process has ended in whatever way, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                await self._answered.wait()

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
            claim = partial(feeds.claim, now=now, lease=LEASE, limit=free, busy=busy, per_host=most)
            return await self._parts.write(claim)
        due = await self._parts.write(partial(feeds.due_hosts, now=now))
        host = self._network.host_to_try(due, now)
        if host is None:
            return ()
        return await self._parts.write(partial(feeds.claim, now=now, lease=LEASE, limit=1, host=host))

    async def _look_for_live_stories(self) -> None:
        now = self._parts.now()
        if self._live_at is not None and now - self._live_at < _LIVE_FOR:
            return
        self._live_at = now
        look = partial(stories.live_outlets, since=now - _LIVE, least=_LIVE_OUTLETS)
        self._live = await self._parts.write(look)

    async def run_round(self, *, force: bool = False) -> Round:
        """Poll until nothing is due.

        A host with open polls is not claimed from, so "nothing was claimed" counts only when nothing was open before.
        """
        report = Round()
        while True:
            was_idle = not self._open
            begun = await self.tick(force=force, report=report)
            if self._open:
                await asyncio.wait(self._open, return_when=asyncio.FIRST_COMPLETED)
            elif was_idle and not begun:
                return report

    async def take(self, url: str, fetched: Fetched) -> Round:
        """Record an answer that somebody else fetched, as the poll of a feed that is stored; for `feed add`.

        Errors: LeaseLost when the feed is being polled just now.
        """
        now, report = self._parts.now(), Round()
        row = await self._parts.write(partial(feeds.by_url, url=url))
        assert row is not None
        claim = await self._parts.write(partial(feeds.seize, feed=row.id, now=now, lease=LEASE))
        if claim is None:
            raise LeaseLost(f"{url} is being polled just now")
        await self._conclude(row, claim, schedule.from_json(row.schedule, row.validators), fetched, report)
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
            await self._parts.write(partial(feeds.release, claims=(claim,)))
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
            await self._parts.write(partial(feeds.postpone, held=claim, until=again, reason="internal_error"))
        except Exception as exc:  # the database may be what failed; the claim then ends by itself
            log.exception("postpone_failed", feed=row.url, error=str(exc))

    async def _poll_claimed(self, row: feeds.FeedRow, claim: Claim, force: bool, report: Round) -> None:
        parts, state = self._parts, schedule.from_json(row.schedule, row.validators)
        policy, facts = requests.policy(row, parts), self._book.facts(row.host)
        refusal = schedule.may_attempt(state, policy, facts, parts.now(), force=force)
        if refusal is not None:
            until = max(refusal.until, parts.now())
            await self._leave_out(row, claim, LeftOut(row.url, str(refusal.reason), until), report)
            return
        try:
            request = requests.request(row, state, parts)
        except secrets.SecretMissing as exc:
            report.failed[row.url] = "secret_missing"
            log.error("secret_missing", feed=row.url, message=str(exc))
            again = parts.now() + _FAULTY_FOR
            await parts.write(partial(feeds.postpone, held=claim, until=again, reason="secret_missing"))
            return
        async with parts.gate.turn(row.host, parts.now) as held:
            if held is not None:
                await self._leave_out(row, claim, LeftOut(row.url, held.reason, held.until), report)
                return
            async with self._places:
                claim = await self._held_for(claim)
                outcome = await parts.client.fetch(request, parts.now)
        self._answered.set()
        await self._notice_network(row.host, outcome)
        await self._conclude(row, claim, state, outcome, report)

    async def _held_for(self, claim: Claim) -> Claim:
        """A claim that lasts as long as a fetch may: its host's turn may have been long in coming.

        Errors: LeaseLost when another worker has taken the feed meanwhile; then nothing is asked.
        """
        now = self._parts.now()
        if claim.until - now >= self._parts.deadline:
            return claim
        longer = replace(claim, until=now + LEASE)
        await self._parts.write(partial(feeds.fence, held=longer))
        return longer

    async def _leave_out(self, row: feeds.FeedRow, claim: Claim, out: LeftOut, report: Round) -> None:
        report.left_out.append(out)
        metrics.polls.labels("left_out").inc()
        await self._parts.write(partial(feeds.postpone, held=claim, until=out.until, reason=out.reason))

    async def _notice_network(self, host: str, outcome: FetchOutcome) -> None:
        now, plan = self._parts.now(), self._parts.context.knowledge.plan
        match self._network.observe(host, outcome, now):
            case network.Down() as down:
                await self._parts.write(partial(down.write, plan=plan, now=now))
            case network.Up() as up:
                await self._parts.write(partial(up.write, plan=plan, now=now, dice=self._parts.random))

    async def _conclude(
        self, row: feeds.FeedRow, claim: Claim, state: schedule.FeedState, outcome: FetchOutcome, report: Round
    ) -> None:
        match outcome:
            case FetchFailed():
                await self._failed(row, claim, state, outcome, ParseError(outcome.reason, outcome.message), report)
            case NotModified():
                await self._unchanged(row, claim, state, outcome, report)
            case Fetched(body=body) if hashlib.sha256(body).digest() == row.body_sha256:
                await self._unchanged(row, claim, state, outcome, report)
            case Fetched():
                await self._changed(row, claim, state, outcome, report)

    async def _changed(
        self, row: feeds.FeedRow, claim: Claim, state: schedule.FeedState, fetched: Fetched, report: Round
    ) -> None:
        parts, before = self._parts, delta.Memory.unpack(row.items)
        try:
            document = await parts.parsers.parse_new(requests.body(row, fetched, parts), before)
        except ParseError as exc:
            if exc.reason != ParseReason.MOVED or not exc.found:
                await self._failed(row, claim, state, fetched, exc, report)
            elif (refusal := settling.refused_move(fetched, exc.found[0])) is not None:
                await self._failed(row, claim, state, fetched, refusal, report)
            else:
                await self._follow(row, claim, state, fetched, exc.found[0], report)
            return
        now = parts.now()
        turn = self._turn(row, claim, state, fetched, document, before, now)
        with metrics.document_seconds.time():
            done = await parts.run(partial(pipeline.process, document, turn.as_pipeline(fetched), parts.context, now))
        following.recorded(done, seen_at=fetched.at, decided_at=parts.now())
        self._say(row, done, document, report)
        if turn.moved:
            await self._note_move()
        if turn.overflowed and document.feed.older:
            await self._read_older(row, claim, document.feed.older, report)

    async def _note_move(self) -> None:
        """A feed that moved may have become one with another: its watches go with it."""
        self._merged = await self._parts.write(feeds.merged)

    async def _follow(
        self, row: feeds.FeedRow, claim: Claim, state: schedule.FeedState, fetched: Fetched, to: str, report: Round
    ) -> None:
        """Go where a document says that its feed is now: a redirect that was written into a body."""
        parts = self._parts
        hop = Hop(_MOVED, fetched.final_url, to)
        request = requests.request(row, state, parts, url=to, hops=(*fetched.hops, hop))
        async with parts.gate.turn(links.host_of(to) or row.host, parts.now) as held:
            if held is not None:
                await self._leave_out(row, claim, LeftOut(row.url, held.reason, held.until), report)
                return
            outcome = await parts.client.fetch(request, parts.now)
        await self._conclude(row, claim, state, replace(outcome, url=fetched.url), report)

    async def _read_older(self, row: feeds.FeedRow, claim: Claim, url: str, report: Round) -> None:
        """Read one older page of a feed that outran its window; its entries are taken like those of any document.

        Tried once: what fails is lost with the entries that fell out of the window, and the event said so.
        """
        parts = self._parts
        again = await parts.write(partial(feeds.seize, feed=row.id, now=parts.now(), lease=LEASE))
        if again is None:
            return
        try:
            request = requests.request(row, schedule.NEW_FEED, parts, url=url)
            async with parts.gate.turn(links.host_of(url) or row.host, parts.now) as held:
                outcome = None if held is not None else await parts.client.fetch(request, parts.now)
            if not isinstance(outcome, Fetched):
                log.warning("older_page_not_read", feed=row.url, page=url)
                return
            document = await parts.parsers.parse_new(requests.body(row, outcome, parts), None)
            turn = pipeline.Turn(
                again,
                requests.outlet(row, parts),
                row.gen + 1,
                baseline=False,
                decide=lambda _: None,
                tags=self._tags(row),
                trust=row.trust,
            )
            done = await parts.run(partial(pipeline.process, document, turn, parts.context, parts.now()))
            self._say(row, done, document, report)
        except ParseError as exc:
            log.warning("older_page_not_read", feed=row.url, page=url, reason=exc.reason)
        finally:
            await parts.write(partial(feeds.release, claims=(again,)))

    def _turn(
        self,
        row: feeds.FeedRow,
        claim: Claim,
        state: schedule.FeedState,
        fetched: Fetched,
        document: delta.Delta,
        before: delta.Memory | None,
        now: datetime,
    ) -> settling.ChangedTurn:
        # Read here: the decision runs on the writer's thread, while this one learns more about hosts.
        return settling.ChangedTurn(
            row=row,
            claim=claim,
            state=state,
            fetched=fetched,
            document=document,
            before=before,
            now=now,
            surroundings=self._surroundings(row),
            outlet=requests.outlet(row, self._parts),
            tags=self._tags(row),
        )

    def _tags(self, row: feeds.FeedRow) -> frozenset[str]:
        return requests.tags(row, self._parts, self._merged.get(row.moved_to or row.url, ()))

    def _surroundings(self, row: feeds.FeedRow) -> settling.Surroundings:
        parts = self._parts
        return settling.Surroundings(
            policy=requests.policy(row, parts),
            host=self._book.facts(row.host),
            burst=requests.is_moved_by(row, self._live, parts),
            circuit_open=self._network.is_down,
            jitter=parts.random.random(),
            config_rev=parts.context.knowledge.config_rev,
        )

    def _say(self, row: feeds.FeedRow, done: pipeline.Report, document: delta.Delta, report: Round) -> None:
        metrics.polls.labels("changed").inc()
        metrics.parses.labels(str(document.whole or "delta")).inc()
        settling.count(done)
        report.changed += 1
        report.entries += done.entries
        report.new += done.new
        report.matched += len(done.taken)
        report.events += sum(event.state is EventState.OPEN for event in done.events)
        log.info(
            "polled", feed=row.url, entries=done.entries, new=done.new, matched=len(done.taken), events=len(done.events)
        )
        if self._on_report is not None:
            self._on_report(row, done)

    async def _unchanged(
        self,
        row: feeds.FeedRow,
        claim: Claim,
        state: schedule.FeedState,
        outcome: NotModified | Fetched,
        report: Round,
    ) -> None:
        report.unchanged += 1
        metrics.polls.labels("unchanged").inc()
        decision = settling.unchanged(row, state, outcome, self._surroundings(row), self._parts.now())
        await self._settle(claim, decision)
        if decision.settlement.moved_to is not None:
            await self._note_move()

    async def _failed(
        self,
        row: feeds.FeedRow,
        claim: Claim,
        state: schedule.FeedState,
        outcome: FetchFailed | Fetched,
        why: ParseError,
        report: Round,
    ) -> None:
        now, body = self._parts.now(), None
        following = settling.failed(row, state, outcome, why, self._surroundings(row), now)
        if isinstance(outcome, Fetched):
            body = await asyncio.to_thread(settling.sheet, outcome, why.reason)
        held = [self._book.row_of(hold, why.reason) for hold in following.holds]
        await self._settle(claim, following.decision, held, body)
        for hold, known in zip(following.holds, held, strict=True):
            self._book.note(hold, known, why.reason)
        report.failed[row.url] = why.reason
        metrics.polls.labels("failed").inc()
        metrics.poll_failures.labels(why.reason).inc()
        at = following.decision.settlement.next_at.isoformat()
        log.warning("poll_failed", feed=row.url, reason=why.reason, message=why.message[:200], next_at=at)

    async def _settle(
        self,
        claim: Claim,
        decision: pipeline.Decision,
        held: list[hosts.HostRow] | None = None,
        body: documents.Sheet | None = None,
    ) -> None:
        if body is None and not held and results.is_plain(decision.settlement) and not decision.events:
            if not await self._plain.put((claim, decision)):
                raise LeaseLost(f"feed {claim.feed} was taken over: token {claim.token} is old")
            return
        plan = self._parts.context.knowledge.plan

        def write(connection: Connection) -> None:
            feeds.settle(connection, claim, decision.settlement)
            if decision.log is not None:
                fetch_log.write(connection, claim.feed, decision.log)
            if body is not None:
                documents.keep(connection, claim.feed, body)
            for known in held or ():
                hosts.remember(connection, known)
            pipeline.tell(connection, decision.events, plan)

        await self._parts.write(write)

    async def _write_plain(self, group: Sequence[tuple[Claim, pipeline.Decision]]) -> set[int]:
        """Write what polls learnt that brought nothing new; returns the places of those whose feed was still ours."""

        def write(connection: Connection) -> set[int]:
            ours = results.settle(connection, [(claim, decision.settlement) for claim, decision in group])
            taken = {place for place, (claim, _) in enumerate(group) if claim.feed in ours}
            lines = [(group[n][0].feed, line) for n in sorted(taken) if (line := group[n][1].log) is not None]
            fetch_log.write_many(connection, lines)
            return taken

        return await self._parts.write(write)
