"""What an engine may call: poll what is due, tidy up. Policy is elsewhere: here work is started.

A poll is claim -> fetch -> (same body: reschedule) -> parse -> pipeline.process. Everything that writes runs on one
thread; fetching and parsing do not wait for it. One feed's failure is a value and stops no other feed.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine

from alerts.values import EventState
from monitor import metrics, parser_pool, pipeline, schedule
from monitor.config import secrets
from monitor.config.values import FeedConfig
from monitor.errors import LeaseLost, ParseError
from monitor.fetch import client, hosts, limits
from monitor.parse import feed as parse_feed
from monitor.parse import links
from monitor.store import feeds
from monitor.values import Claim, Domain, Fetched, FetchFailed, FetchOutcome, NotModified, ParsedFeed

log = structlog.get_logger(__name__)
T = TypeVar("T")
LEASE = timedelta(seconds=90)
"""Twice the total deadline of a fetch: after it another worker may take the feed."""
_RECENT = timedelta(hours=1)
_LOG_KEPT = timedelta(days=14)
PRUNE_CHUNK = 1000
_FAULTY_FOR = timedelta(minutes=30)
"""How long a feed rests after a fault that is not its server's."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A due feed that was not asked, why, and from when it may be."""

    url: str
    reason: str
    until: datetime


@dataclass(slots=True)
class Round:
    """What one round of polls did; filled while it runs."""

    changed: int = 0
    unchanged: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    entries: int = 0
    new: int = 0
    matched: int = 0
    events: int = 0

    @property
    def polled(self) -> int:
        """Feeds that were asked."""
        return self.changed + self.unchanged + len(self.failed)


@dataclass(frozen=True, slots=True)
class Parts:
    """What polling is made of; put together by `daemon`, `demo` and the benches in the same way."""

    engine: Engine
    writer: Executor
    client: client.Client
    gate: hosts.HostGate
    parsers: parser_pool.ParserPool
    context: pipeline.Context
    feeds: Mapping[str, FeedConfig]
    own_hosts: frozenset[str]
    now: Callable[[], datetime]
    random: random.Random
    environ: Mapping[str, str]
    at_once: int = 32


class Poller:
    """Polls due feeds, a bounded number at once. `tick` starts what is due; `run_round` waits until nothing is."""

    def __init__(self, parts: Parts, on_report: Callable[[feeds.FeedRow, pipeline.Report], None] | None = None) -> None:
        self._parts = parts
        self._on_report = on_report
        self._open: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()
        self._hosts: dict[tuple[str, str], feeds.HostRow] = {}
        self._limited: dict[str, dict[str, datetime]] = {}
        self._stopping = asyncio.Event()
        self.totals = Round()

    async def start(self) -> None:
        """Read what is remembered of hosts."""
        rows = await self._write(feeds.hosts)
        self._hosts = {(row.kind, row.name): row for row in rows}
        for row in rows:
            if row.kind == "host" and row.ever_429:
                self._parts.gate.limit(row.name)

    async def tick(self, *, force: bool = False, report: Round | None = None) -> int:
        """Claim what is due and begin to poll it; returns how many polls were begun."""
        free = self._parts.at_once - len(self._open)
        if free <= 0 or self._stopping.is_set():
            return 0
        busy = tuple(self._busy)
        claim = partial(feeds.claim, now=self._parts.now(), lease=LEASE, limit=free, busy=busy)
        rows = await self._write(claim)
        if self._stopping.is_set():  # asked to stop while it claimed
            await self._write(partial(feeds.release, claims=[row.claim for row in rows if row.claim is not None]))
            return 0
        for row in rows:
            self._busy[row.host] += 1
            task = asyncio.create_task(self._poll(row, force, report or self.totals), name=f"poll {row.url}")
            self._open.add(task)
            metrics.open_polls.inc()
            task.add_done_callback(self._open.discard)
        return len(rows)

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

    async def _poll(self, row: feeds.FeedRow, force: bool, report: Round) -> None:
        assert row.claim is not None
        try:
            await self._poll_claimed(row, row.claim, force, report)
        except LeaseLost as lost:
            metrics.stale_claims.inc()
            log.warning("stale_claim", feed=row.url, message=str(lost))
        except asyncio.CancelledError:
            await self._write(partial(feeds.release, claims=(row.claim,)))
            raise
        except Exception as exc:  # one feed's fault, logged with its traceback, must not stop another feed
            log.exception("poll_failed", feed=row.url, error=str(exc))
            report.failed[row.url] = "internal_error"
            await self._put_off_faulty(row, row.claim)
        finally:
            metrics.open_polls.dec()
            self._busy[row.host] -= 1
            self._busy += Counter()

    async def _put_off_faulty(self, row: feeds.FeedRow, claim: Claim) -> None:
        again = self._parts.now() + _FAULTY_FOR
        try:
            await self._write(partial(feeds.postpone, held=claim, until=again, reason="internal_error"))
        except Exception as exc:  # the database may be what failed; the claim then ends by itself
            log.exception("postpone_failed", feed=row.url, error=str(exc))

    async def _poll_claimed(self, row: feeds.FeedRow, claim: Claim, force: bool, report: Round) -> None:
        parts, state = self._parts, schedule.from_json(row.schedule, row.validators)
        refusal = schedule.may_attempt(state, self._policy(row), self._facts(row), parts.now(), force=force)
        if refusal is not None:
            report.left_out.append(LeftOut(row.url, str(refusal.reason), refusal.until))
            metrics.polls.labels("left_out").inc()
            until = max(refusal.until, parts.now())
            await self._write(partial(feeds.postpone, held=claim, until=until, reason=str(refusal.reason)))
            return
        try:
            request = self._request(row, state)
        except secrets.SecretMissing as exc:
            report.failed[row.url] = "secret_missing"
            log.error("secret_missing", feed=row.url, message=str(exc))
            again = parts.now() + _FAULTY_FOR
            await self._write(partial(feeds.postpone, held=claim, until=again, reason="secret_missing"))
            return
        async with parts.gate.turn(row.host, parts.now) as held:
            if held is not None:
                report.left_out.append(LeftOut(row.url, held.reason, held.until))
                await self._write(partial(feeds.postpone, held=claim, until=held.until, reason=held.reason))
                return
            outcome = await parts.client.fetch(request, parts.now)
        await self._conclude(row, claim, state, outcome, report)

    async def _conclude(
        self, row: feeds.FeedRow, claim: Claim, state: schedule.FeedState, outcome: FetchOutcome, report: Round
    ) -> None:
        match outcome:
            case FetchFailed():
                await self._settle_failed(row, claim, state, outcome, outcome.reason, outcome.message, report)
            case NotModified():
                report.unchanged += 1
                await self._settle_unchanged(row, claim, state, outcome)
            case Fetched(body=body) if hashlib.sha256(body).digest() == row.body_sha256:
                report.unchanged += 1
                await self._settle_unchanged(row, claim, state, outcome)
            case Fetched():
                await self._parse_and_process(row, claim, state, outcome, report)

    async def _parse_and_process(
        self, row: feeds.FeedRow, claim: Claim, state: schedule.FeedState, fetched: Fetched, report: Round
    ) -> None:
        parts = self._parts
        try:
            parsed = await parts.parsers.parse(self._body(row, fetched))
        except ParseError as exc:
            await self._settle_failed(row, claim, state, fetched, exc.reason, exc.message, report)
            return
        now = parts.now()
        turn = self._turn(row, claim, state, fetched, parsed, now)
        with metrics.document_seconds.time():
            done = await self._run(partial(pipeline.process, parsed, turn, parts.context, now))
        _count(done)
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

    def _turn(
        self,
        row: feeds.FeedRow,
        claim: Claim,
        state: schedule.FeedState,
        fetched: Fetched,
        parsed: ParsedFeed,
        now: datetime,
    ) -> pipeline.Turn:
        baseline = schedule.needs_baseline(state)
        gen = row.gen + 1
        # Read here: `settle` runs on the writer's thread, while this one learns more about hosts.
        jitter, facts = self._parts.random.random(), self._facts(row)

        def settle(novelty: pipeline.Novelty) -> feeds.Settlement:
            outcome = schedule.changed(
                fetched, parsed, new=novelty.new, known=novelty.known, published=novelty.published
            )
            following = schedule.after(state, self._policy(row), outcome, now, jitter, host=facts)
            complete = not parsed.truncated
            digest = hashlib.sha256(fetched.body).digest() if complete else None
            return _settlement(following, now, ok=True, body_sha256=digest, gen=gen, new=novelty.new, baseline=baseline)

        config = self._parts.feeds.get(row.url)
        return pipeline.Turn(
            claim=claim,
            outlet=config.outlet if config else None,
            gen=gen,
            baseline=baseline,
            settle=settle,
            log=_record(
                fetched, "changed", row.validators.etag is not None or row.validators.last_modified is not None
            ),
        )

    async def _settle_unchanged(
        self, row: feeds.FeedRow, claim: Claim, state: schedule.FeedState, outcome: NotModified | Fetched
    ) -> None:
        metrics.polls.labels("unchanged").inc()
        now = self._parts.now()
        following = self._after(row, state, schedule.unchanged(outcome), now)
        await self._write(partial(feeds.settle, held=claim, result=_settlement(following, now, ok=True)))

    async def _settle_failed(
        self,
        row: feeds.FeedRow,
        claim: Claim,
        state: schedule.FeedState,
        outcome: FetchFailed | Fetched,
        reason: str,
        message: str,
        report: Round,
    ) -> None:
        now = self._parts.now()
        following = self._after(row, state, schedule.failed(outcome, reason), now)
        settlement = _settlement(following, now, ok=False, fail_reason=reason, fail_message=message[:500])
        record = _record(outcome, "failed", False, reason, message[:500])
        hosts_held = [self._host_row(held, reason) for held in following.holds]

        def write(connection: Connection) -> None:
            feeds.settle(connection, claim, settlement)
            feeds.log_fetch(connection, claim.feed, record)
            for known in hosts_held:
                feeds.remember_host(connection, known)

        await self._write(write)
        for held, known in zip(following.holds, hosts_held, strict=True):
            self._note(held, known, reason)
        report.failed[row.url] = reason
        metrics.polls.labels("failed").inc()
        metrics.poll_failures.labels(reason).inc()
        log.warning(
            "poll_failed", feed=row.url, reason=reason, message=message[:200], next_at=following.next_at.isoformat()
        )

    def _host_row(self, held: schedule.Hold, reason: str) -> feeds.HostRow:
        known = self._hosts.get((held.scope, held.name))
        limited = reason == "rate_limited" or (known is not None and known.ever_429)
        return feeds.HostRow(held.scope, held.name, held.until, held.reason, self._parts.now(), limited)

    def _note(self, held: schedule.Hold, row: feeds.HostRow, reason: str) -> None:
        """Hold a host from now on. On the event loop's thread, as all that reads these."""
        self._hosts[held.scope, held.name] = row
        self._parts.gate.hold(held)
        if reason == "rate_limited" and held.scope == "host":
            self._limited.setdefault(_domain(held.name), {})[held.name] = self._parts.now()

    def _after(
        self, row: feeds.FeedRow, state: schedule.FeedState, outcome: schedule.Outcome, now: datetime
    ) -> schedule.Next:
        jitter = self._parts.random.random()
        return schedule.after(state, self._policy(row), outcome, now, jitter, host=self._facts(row))

    def _policy(self, row: feeds.FeedRow) -> schedule.Policy:
        config = self._parts.feeds.get(row.url)
        phase = int.from_bytes(hashlib.sha256(row.url.encode()).digest()[:4]) / 2**32
        if config is None:
            return schedule.Policy(phase=phase)
        return schedule.Policy(
            floor=config.floor,
            ceiling=config.ceiling,
            government="government" in config.tags,
            own_host=row.host in self._parts.own_hosts,
            phase=phase,
        )

    def _facts(self, row: feeds.FeedRow) -> schedule.HostFacts:
        domain = _domain(row.host)
        holds = [self._hosts.get(("host", row.host)), self._hosts.get(("domain", domain))]
        known = [held for held in holds if held is not None]
        now = self._parts.now()
        longest = max((h for h in known if h.hold_until is not None), key=lambda h: h.hold_until or now, default=None)
        limited = {name for name, at in self._limited.get(domain, {}).items() if now - at < _RECENT}
        return schedule.HostFacts(
            name=row.host,
            domain=domain,
            hold_until=longest.hold_until if longest else None,
            hold_reason=longest.hold_reason if longest else None,
            ever_429=any(held.ever_429 for held in known),
            limited=frozenset(limited),
        )

    def _request(self, row: feeds.FeedRow, state: schedule.FeedState) -> limits.Request:
        parts, config = self._parts, self._parts.feeds.get(row.url)
        plain = limits.Request(
            url=row.moved_to or row.url,
            validators=schedule.to_send(state, parts.now()),
            feed=row.id,
            watches=len(parts.context.knowledge.rules),
        )
        if config is None:
            return plain
        return replace(
            plain,
            headers=tuple((name, secrets.reveal(value, parts.environ)) for name, value in config.headers),
            auth=(config.auth.user, secrets.reveal(config.auth.password, parts.environ)) if config.auth else None,
            insecure_tls=config.tls_insecure,
            proxy=secrets.reveal(config.proxy, parts.environ) if config.proxy else None,
        )

    def _body(self, row: feeds.FeedRow, fetched: Fetched) -> parser_pool.Body:
        config = self._parts.feeds.get(row.url)
        hints = parse_feed.FeedHints(
            outlet=Domain(config.outlet) if config and config.outlet else None,
            timezone=config.timezone if config else None,
            language=config.language if config else None,
        )
        headers = {name: value.decode("latin-1") for name, value in fetched.headers}
        return parser_pool.Body(fetched.body, fetched.final_url, headers, fetched.at, hints)

    async def _write(self, statement: Callable[[Connection], T]) -> T:
        def transaction() -> T:
            with self._parts.engine.begin() as connection:
                return statement(connection)

        return await self._run(transaction)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._parts.writer, work)


def _settlement(following: schedule.Next, now: datetime, *, ok: bool, **more: Any) -> feeds.Settlement:
    return feeds.Settlement(
        next_at=following.next_at,
        next_reason=str(following.reason),
        schedule=schedule.to_json(following.state),
        at=now,
        ok=ok,
        validators=following.state.validators,
        state="gone" if following.state.gone else "active",
        moved_to=following.move.to if following.move else None,
        moved_why=following.move.why if following.move else None,
        **more,
    )


def _count(done: pipeline.Report) -> None:
    metrics.polls.labels("changed").inc()
    for outcome, number in (("new", done.new), ("revised", done.revised), ("matched", len(done.taken))):
        metrics.entries.labels(outcome).inc(number)
    for event in done.events:
        metrics.events.labels(str(event.kind), str(event.state)).inc()


def _domain(host: str) -> str:
    return links.registrable(host) or host


def _record(
    outcome: FetchFailed | Fetched, kind: str, conditional: bool, reason: str | None = None, message: str | None = None
) -> feeds.FetchRecord:
    return feeds.FetchRecord(
        at=outcome.at,
        outcome=kind,
        status=outcome.status,
        reason=reason,
        message=message,
        bytes=outcome.wire_bytes if isinstance(outcome, Fetched) else 0,
        took=outcome.took,
        conditional=conditional,
    )


def prune(connection: Connection, now: datetime) -> int:
    """Delete fetch lines older than 14 days, a chunk at a time."""
    return feeds.prune_log(connection, now - _LOG_KEPT, PRUNE_CHUNK)
