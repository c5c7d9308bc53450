"""What follows an answer: recorded, settled or put off; what a feed says of older pages and of its new address.

    same body or 304 -> settled with others | a document -> parsed -> pipeline.process | a failure -> put off

One for all polls of a process. What follows by the rules is `settling`; here it is carried out. Called by `polling`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog
from sqlalchemy import Connection

from alerts.values import EventState
from monitor import following, metrics, pipeline, schedule
from monitor.errors import LeaseLost, ParseError
from monitor.jobs import network, requests, settling
from monitor.jobs.gathering import Gatherer
from monitor.jobs.host_book import HostBook
from monitor.jobs.parts import LEASE, LeftOut, Parts, Round
from monitor.parse import delta, links
from monitor.store import claims, documents, feeds, fetch_log, hosts, listed, moves, results
from monitor.values import Claim, Domain, Fetched, FetchFailed, FetchOutcome, Hop, NotModified, ParseReason

log = structlog.get_logger(__name__)
_MOVED = 301
OnReport = Callable[[feeds.FeedRow, pipeline.Report], None]


class Answers:
    """Takes the answers of polls. `live` are the outlets of stories that move, `merged` the feeds that became one."""

    def __init__(self, parts: Parts, book: HostBook, cut_off: network.Network, on_report: OnReport | None) -> None:
        self._parts = parts
        self._book = book
        self._network = cut_off
        self._on_report = on_report
        self._plain = Gatherer(self._write_plain)
        self.merged: dict[str, tuple[listed.Named, ...]] = {}
        self.live: frozenset[Domain] = frozenset()

    def use(self, parts: Parts) -> None:
        """Work by another state of the configuration from now on."""
        self._parts = parts

    async def leave_out(self, row: feeds.FeedRow, claim: Claim, out: LeftOut, report: Round) -> None:
        report.left_out.append(out)
        metrics.polls.labels("left_out").inc()
        await self._parts.write(partial(claims.postpone, held=claim, until=out.until, reason=out.reason))

    async def conclude(
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

        def record() -> pipeline.Report:  # on the writer's thread: compressing the bytes takes as long as ten polls
            return pipeline.process(document, turn.as_pipeline(fetched), parts.context, now)

        with metrics.document_seconds.time():
            done = await parts.run(record)
        following.recorded(done, seen_at=fetched.at, decided_at=parts.now())
        self._say(row, done, document, report)
        if turn.moved:
            await self._note_move()
        if turn.overflowed and document.feed.older:
            await self._read_older(row, claim, document.feed.older, report)

    async def _note_move(self) -> None:
        """A feed that moved may have become one with another: its watches go with it."""
        self.merged = await self._parts.write(moves.merged)

    async def _follow(
        self, row: feeds.FeedRow, claim: Claim, state: schedule.FeedState, fetched: Fetched, to: str, report: Round
    ) -> None:
        """Go where a document says that its feed is now: a redirect that was written into a body."""
        parts = self._parts
        hop = Hop(_MOVED, fetched.final_url, to)
        request = requests.request(row, state, parts, url=to, hops=(*fetched.hops, hop))
        async with parts.gate.turn(links.host_of(to) or row.host, parts.now) as held:
            if held is not None:
                await self.leave_out(row, claim, LeftOut(row.url, held.reason, held.until), report)
                return
            outcome = await parts.client.fetch(request, parts.now)
        await self.conclude(row, claim, state, replace(outcome, url=fetched.url), report)

    async def _read_older(self, row: feeds.FeedRow, claim: Claim, url: str, report: Round) -> None:
        """Read one older page of a feed that outran its window; its entries are taken like those of any document.

        Tried once: what fails is lost with the entries that fell out of the window, and the event said so.
        """
        parts = self._parts
        again = await parts.write(partial(claims.seize, feed=row.id, now=parts.now(), lease=LEASE))
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
            await parts.write(partial(claims.release, held=(again,)))

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
        return requests.tags(row, self._parts, self.merged.get(row.moved_to or row.url, ()))

    def _surroundings(self, row: feeds.FeedRow) -> settling.Surroundings:
        parts = self._parts
        return settling.Surroundings(
            policy=requests.policy(row, parts),
            host=self._book.facts(row.host),
            burst=requests.is_moved_by(row, self.live, parts),
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
            results.settle(connection, claim, decision.settlement)
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
            ours = results.settle_plain(connection, [(claim, decision.settlement) for claim, decision in group])
            taken = {place for place, (claim, _) in enumerate(group) if claim.feed in ours}
            lines = [(group[n][0].feed, line) for n in sorted(taken) if (line := group[n][1].log) is not None]
            fetch_log.write_many(connection, lines)
            return taken

        return await self._parts.write(write)
