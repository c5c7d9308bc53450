"""What follows a fetch: the feed's row, the line in the log, and what its operator should hear. Pure.

`polling` fetches and writes; here an outcome becomes a decision.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from alerts.values import Event
from monitor import metrics, pipeline, schedule
from monitor.errors import ParseError
from monitor.jobs import reports
from monitor.parse import delta, identity
from monitor.schedule import FailReason, Note
from monitor.store import documents, feeds, fetch_log, fetch_ring, results
from monitor.values import Claim, Fetched, FetchFailed, FetchOutcome, NotModified, Validators

_CONDITIONS = frozenset({"if-none-match", "if-modified-since"})
_USUAL = _CONDITIONS | {"user-agent", "accept", "accept-encoding", "authorization", "host"}
"""What every request of ours may carry; anything else is on record by its name."""
_KEPT_HEADERS = ("content-type", "content-encoding", "last-modified", "etag", "date", "server")
_MESSAGE = 500
_MOST_MOVES = 5
"""Redirects of one poll, written into headers or into documents."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What besides the answer decides the next poll, as it was when the answer came."""

    policy: schedule.Policy
    host: schedule.HostFacts
    burst: bool
    circuit_open: bool
    jitter: float
    config_rev: int


@dataclass(frozen=True, slots=True)
class Failure:
    """What follows a failed poll, and which hosts are left alone because of it."""

    decision: pipeline.Decision
    holds: tuple[schedule.Hold, ...]


@dataclass(slots=True)
class ChangedTurn:
    """A poll that brought a document.

    Once decided, `overflowed` says whether entries may have been missed, `moved` whether its feed has a new address.
    """

    row: feeds.FeedRow
    claim: Claim
    state: schedule.FeedState
    fetched: Fetched
    document: delta.Delta
    before: delta.Memory | None
    now: datetime
    surroundings: Surroundings
    outlet: str | None
    tags: frozenset[str]
    overflowed: bool = False
    moved: bool = False

    @property
    def is_baseline(self) -> bool:
        """Whether its entries are stored without telling."""
        return schedule.needs_baseline(self.state)

    def as_pipeline(self, fetched: Fetched) -> pipeline.Turn:
        """The turn as the pipeline takes it; the bytes are compressed here, outside its transaction."""
        return pipeline.Turn(
            claim=self.claim,
            outlet=self.outlet,
            gen=self.row.gen + 1,
            baseline=self.is_baseline,
            decide=self._decide,
            tags=self.tags,
            trust=self.row.trust,
            before=None if schedule.is_partial(fetched) else self.before,
            state=self.state,
            sheet=sheet(fetched, None),
        )

    def _decide(self, novelty: pipeline.Novelty) -> pipeline.Decision:
        rekeyed = novelty.trust.policy is not self.row.trust.policy
        outcome = schedule.changed(
            self.fetched,
            self.document.feed,
            new=novelty.new,
            known=novelty.known,
            published=novelty.published,
            total=self.document.total,
            mass_change=novelty.mass_change,
            rekeyed=rekeyed,
        )
        following = _after(self.state, outcome, self.surroundings, self.now)
        self.moved = following.move is not None
        self.overflowed = Note.WINDOW_OVERFLOW in following.notes and not self.is_baseline
        recorded = self._recorded(novelty.trust, read_again=rekeyed or self.document.feed.truncated)
        return _decision(
            self.row,
            following,
            _line(self.fetched, "changed", schedule.to_send(self.state, self.fetched.at), following, new=novelty.new),
            self.surroundings,
            self.now,
            ok=True,
            document=recorded,
            new=novelty.new,
            baseline=self.is_baseline,
        )

    def _recorded(self, trust: identity.Trust, *, read_again: bool) -> results.Recorded:
        """What is remembered of the document; the one before stays in mind beside a partial one."""
        gen, memory = self.row.gen + 1, self.document.memory
        if read_again:
            return results.Recorded(gen, trust=trust)
        if schedule.is_partial(self.fetched):
            return results.Recorded(gen, self.row.body_sha256, self.row.items, trust)
        return results.Recorded(
            gen, hashlib.sha256(self.fetched.body).digest(), memory.pack() if memory else None, trust
        )


def unchanged(
    row: feeds.FeedRow,
    state: schedule.FeedState,
    outcome: NotModified | Fetched,
    surroundings: Surroundings,
    now: datetime,
) -> pipeline.Decision:
    """What follows a 304, or the body of the last time."""
    following = _after(state, schedule.unchanged(outcome), surroundings, now)
    kind = "not_modified" if isinstance(outcome, NotModified) else "same_body"
    line = _line(outcome, kind, schedule.to_send(state, outcome.at), following)
    return _decision(row, following, line, surroundings, now, ok=True)


def failed(
    row: feeds.FeedRow,
    state: schedule.FeedState,
    outcome: FetchFailed | Fetched,
    why: ParseError,
    surroundings: Surroundings,
    now: datetime,
) -> Failure:
    """What follows a fetch that failed, or a body that is no feed."""
    following = _after(state, schedule.failed(outcome, why.reason), surroundings, now)
    line = _line(outcome, "failed", schedule.to_send(state, outcome.at), following, why)
    message = why.message[:_MESSAGE]
    ours = surroundings.circuit_open and following.reason == schedule.NextReason.CIRCUIT
    blamed: dict[str, Any] = {} if ours else {"fail_reason": why.reason, "fail_message": message}
    return Failure(_decision(row, following, line, surroundings, now, ok=False, **blamed), following.holds)


def refused_move(fetched: Fetched, to: str) -> ParseError | None:
    """Why a document that says where its feed is now is not followed; None if it is."""
    if to == fetched.final_url or to in {hop.url for hop in fetched.hops}:
        return ParseError(FailReason.REDIRECT_LOOP, f"the document leads in a circle to {to}")
    if len(fetched.hops) >= _MOST_MOVES:
        return ParseError(FailReason.TOO_MANY_REDIRECTS, f"more than {_MOST_MOVES} redirects")
    return None


def sheet(fetched: Fetched, reason: str | None) -> documents.Sheet:
    """The bytes of an answer, as they are kept."""
    known = dict(fetched.headers)
    headers = {name: known[name].decode("latin-1") for name in _KEPT_HEADERS if name in known}
    return documents.sheet(fetched.at, fetched.final_url, reason, headers, fetched.body)


def count(done: pipeline.Report) -> None:
    """Count what a document brought."""
    for outcome, number in (("new", done.new), ("revised", done.revised), ("matched", len(done.taken))):
        metrics.entries.labels(outcome).inc(number)
    for event in done.events:
        metrics.events.labels(str(event.kind), str(event.state)).inc()


def _after(
    state: schedule.FeedState, outcome: schedule.Outcome, surroundings: Surroundings, now: datetime
) -> schedule.Next:
    return schedule.after(
        state,
        surroundings.policy,
        outcome,
        now,
        surroundings.jitter,
        host=surroundings.host,
        burst=surroundings.burst,
        circuit_open=surroundings.circuit_open,
    )


def _decision(
    row: feeds.FeedRow,
    following: schedule.Next,
    line: fetch_log.FetchRecord,
    surroundings: Surroundings,
    now: datetime,
    *,
    ok: bool,
    **more: Any,
) -> pipeline.Decision:
    standing = schedule.standing(row.standing, following.state, following.notes, now)
    settlement = results.Settlement(
        next_at=following.next_at,
        next_reason=str(following.reason),
        schedule=schedule.to_json(following.state),
        at=now,
        ok=ok,
        validators=following.state.validators,
        state="gone" if following.state.gone else "active",
        standing=standing if standing != row.standing else None,
        moved_to=following.move.to if following.move else None,
        moved_why=following.move.why if following.move else None,
        line=fetch_ring.packed(line, first=row.last_attempt_at is None),
        **more,
    )
    log = None if fetch_log.is_plain(line) else line
    return pipeline.Decision(settlement, log, _events(row, standing, following.state, now, surroundings.config_rev))


def _events(
    row: feeds.FeedRow, standing: str, state: schedule.FeedState, now: datetime, config_rev: int
) -> tuple[Event, ...]:
    """What a change of standing is worth: the end of what passes by itself is no news."""
    if standing == row.standing or (standing == "ok" and row.standing in reports.QUIETLY_OK):
        return ()
    return (reports.feed_state(row.url, standing, state.fail.reason, now, config_rev),)


def _line(
    outcome: FetchOutcome,
    kind: str,
    sent: Validators,
    following: schedule.Next,
    why: ParseError | None = None,
    new: int = 0,
) -> fetch_log.FetchRecord:
    conditional, odd = _sorts(outcome.sent_headers)
    given = outcome.validators if not isinstance(outcome, FetchFailed) else Validators()
    return fetch_log.FetchRecord(
        at=outcome.at,
        outcome=kind,
        status=304 if isinstance(outcome, NotModified) else outcome.status,
        reason=why.reason if why else None,
        message=why.message[:_MESSAGE] if why else None,
        size=outcome.wire_bytes if isinstance(outcome, Fetched) else 0,
        took=outcome.took,
        new=new,
        sent=fetch_log.mark(sent) if conditional else None,
        given=fetch_log.mark(given),
        odd_headers=odd,
        next_at=following.next_at,
        next_reason=str(following.reason),
    )


@lru_cache(maxsize=256)
def _sorts(names: tuple[str, ...]) -> tuple[bool, tuple[str, ...]]:
    """Whether headers of these names make a request conditional, and which of them not every request carries."""
    return not _CONDITIONS.isdisjoint(names), tuple(sorted(set(names) - _USUAL))
