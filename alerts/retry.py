"""What to do after an attempt: the schedule of retries, Retry-After, the state of a channel. Pure.

The schedule is data in the outbox: no library and no loop repeats a request. Called by `courier.Courier` between the
network call and the transaction that settles it. Jitter is an argument from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum

from alerts.errors import Ambiguous, ChannelBroken, Deferred, DeliveryError, Poison, Rejected, Throttled
from alerts.values import ChannelHealth, ChannelState, Delivery, Doubt, Receipt

S, M, H = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
WAITS = (5 * S, 30 * S, 2 * M, 10 * M, 30 * M, 1 * H, 2 * H, 4 * H, 6 * H, 12 * H, 24 * H, 24 * H)
"""Twelve waits; with the first attempt thirteen fall inside the 72 hours a prompt message lives at the longest."""
SPREAD = 0.2
FIRST_LOOK = 5 * S
SECOND_LOOK = 30 * S
LOOKS = 2
LOOKUP_PATIENCE = 30 * M
PAUSE_FLOOR = 1 * S
PAUSE_CEILING = 1 * H
BARE_PAUSE_CEILING = 60 * S
OPENS_AFTER = 5
PROBE_OPEN = 60 * S
PROBE_BROKEN = 15 * M


@dataclass(frozen=True, slots=True)
class Done:
    """The channel has it."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Again:
    """Try once more at `at`. `spent` says whether the attempt counts; `compact` sends the plainer rendering."""

    at: datetime
    reason: str
    error_class: str
    spent: bool = True
    doubt: Doubt = Doubt.NONE
    compact: bool = False
    lookups: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep it until the channel is mended or a person decides."""

    reason: str
    error_class: str


@dataclass(frozen=True, slots=True)
class Dead:
    """Give up; the bytes are kept."""

    reason: str
    error_class: str


Settlement = Done | Again | Hold | Dead


def wait(tries: int, jitter: float) -> timedelta | None:
    """Give the wait after the given number of spent attempts, spread by a fifth both ways; None when none is left.

    >>> wait(1, 0.5)
    datetime.timedelta(seconds=5)
    >>> wait(13, 0.5) is None
    True
    """
    if not 1 <= tries <= len(WAITS):
        return None
    return WAITS[tries - 1] * (1 + SPREAD * (2 * jitter - 1))


def retry_after(value: str | None, date: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header: seconds, or an HTTP date against the answer's own Date.

    None for absent, unreadable or past values; at least a second, at most an hour. Source: RFC 9110 section 10.2.3.

    >>> retry_after("120", None, datetime(2026, 1, 1, tzinfo=UTC))
    datetime.timedelta(seconds=120)
    """
    if value is None:
        return None
    text = value.strip()
    if text.isdecimal() and text.isascii():
        return min(max(int(text[:12]) * S, PAUSE_FLOOR), PAUSE_CEILING)
    until = _http_date(text)
    if until is None:
        return None
    left = until - (_http_date(date) or now)
    return min(max(left, PAUSE_FLOOR), PAUSE_CEILING) if left > timedelta(0) else None


def _http_date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text) if text else None
    except (ValueError, IndexError):
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def error_class(error: DeliveryError) -> str:
    """Name the class of an error as it is stored and counted."""
    match error:
        case Throttled() | Deferred():
            return "wait"
        case Ambiguous():
            return "ambiguous"
        case ChannelBroken():
            return "broken"
        case Rejected():
            return "recipient"
        case Poison():
            return "poison"
    return "transient"


def settle(
    delivery: Delivery, error: DeliveryError, state: ChannelState, now: datetime, jitter: float, *, can_ask: bool
) -> Settlement:
    """Decide what becomes of a delivery whose attempt ended in an error.

    `state` is the channel's before this error; `can_ask` says that it can be asked whether it has the message.
    """
    name = error_class(error)
    match error:
        case Throttled():
            return _in_time(
                delivery, Again(now + pause_of(state, error), error.reason, name, spent=error.status != "429")
            )
        case ChannelBroken() if is_broken(state, error):
            return Hold(error.reason, name)
        case Rejected():
            return Dead(error.reason, name)
        case Poison():
            if delivery.compact is not None and not delivery.compacted:
                return Again(now, error.reason, name, compact=True)
            return Dead(error.reason, name)
        case Ambiguous() if can_ask:
            return Again(now + FIRST_LOOK, error.reason, name, doubt=Doubt.AMBIGUOUS)
    doubt = Doubt.REPEAT if isinstance(error, Ambiguous) else delivery.doubt
    if delivery.probe:
        return _in_time(delivery, Again(now + PROBE_OPEN, error.reason, name, spent=False, doubt=doubt))
    left = wait(delivery.tries + 1, jitter)
    if left is None:
        return Dead("attempts_spent", name)
    return _in_time(delivery, Again(now + left, error.reason, name, doubt=doubt))


def _in_time(delivery: Delivery, again: Again) -> Again | Dead:
    return again if again.at < delivery.expires_at else Dead("too_old", again.error_class)


def asked(delivery: Delivery, found: Receipt | None, now: datetime) -> Settlement:
    """Decide after the channel was asked for a delivery in doubt: found, or absent twice and then sent again."""
    if found is not None:
        return Done(found)
    if delivery.lookups + 1 < LOOKS:
        return Again(
            now + SECOND_LOOK, "absent", "ambiguous", spent=False, doubt=Doubt.AMBIGUOUS, lookups=delivery.lookups + 1
        )
    return Again(now, "absent", "ambiguous", spent=False)


def cannot_ask(delivery: Delivery, error: DeliveryError, now: datetime, *, resend: bool) -> Settlement:
    """Decide after the question itself failed: ask on for half an hour, then send a possible repeat or hold."""
    since = delivery.doubt_since or now
    if now - since < LOOKUP_PATIENCE:
        pause = min(max(error.retry_after or FIRST_LOOK, FIRST_LOOK), PAUSE_CEILING)
        step = max(pause, min((now - since) / 2, 5 * M))
        return Again(
            now + step, error.reason, "ambiguous", spent=False, doubt=Doubt.AMBIGUOUS, lookups=delivery.lookups
        )
    if resend:
        return Again(now, "possible_repeat", "ambiguous", spent=False, doubt=Doubt.REPEAT)
    return Hold("cannot_ask", "ambiguous")


def pause_of(state: ChannelState, error: DeliveryError) -> timedelta:
    """Say how long a channel waits after it asked to: what it said, else a second, doubling to a minute."""
    if error.retry_after is not None:
        return error.retry_after
    return min(PAUSE_FLOOR * (1 << min(state.failures, 10)), BARE_PAUSE_CEILING)


def is_broken(state: ChannelState, error: ChannelBroken) -> bool:
    """Tell whether a refusal has come often enough in a row to believe it."""
    return state.health is ChannelHealth.BROKEN or state.failures + 1 >= error.strikes


def after_success(state: ChannelState, now: datetime) -> ChannelState:
    """Close the circuit: one success is enough."""
    if state.health is ChannelHealth.OK and not state.failures:
        return state
    since = state.since if state.health is ChannelHealth.OK else now
    return ChannelState(state.channel, since=since, paused_until=None)


def after_error(state: ChannelState, error: DeliveryError, now: datetime) -> ChannelState:
    """Change a channel's state after an attempt failed: pause it, open its circuit, or mark it broken."""
    match error:
        case ChannelBroken() if is_broken(state, error):
            since = state.since if state.health is ChannelHealth.BROKEN else now
            return replace(
                state, health=ChannelHealth.BROKEN, since=since, reason=error.reason, probe_at=now + PROBE_BROKEN
            )
        case Rejected() | Poison() | Deferred():
            return state
        case Throttled():
            until = now + pause_of(state, error)
            return replace(state, paused_until=until, failures=state.failures + (error.retry_after is None))
    failures = state.failures + 1
    if state.health is ChannelHealth.BROKEN:
        return replace(state, failures=failures, probe_at=now + PROBE_BROKEN)
    if failures < OPENS_AFTER:
        return replace(state, failures=failures)
    since = state.since if state.health is ChannelHealth.OPEN else now
    return replace(
        state,
        health=ChannelHealth.OPEN,
        failures=failures,
        since=since,
        reason=error.reason,
        probe_at=now + PROBE_OPEN,
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """A rate of one per `every` with room for `burst` at once."""

    every: timedelta
    burst: int = 1


def paced(earliest: datetime | None, pace: Pace, now: datetime) -> tuple[datetime, datetime]:
    """Ask a bucket for one more: when it may go, and the bucket's state once it went (GCRA).

    `earliest` is the state, None for a full bucket. The caller keeps the new state only if it goes at that time.
    """
    base = max(earliest or now, now)
    at = max(now, base - pace.every * (pace.burst - 1))
    return at, base + pace.every


class Gate(Enum):
    """What may pass to a channel: every due row, one probe, or nothing."""

    OPEN = "open"
    PROBE = "probe"
    SHUT = "shut"


def gate(state: ChannelState, now: datetime) -> Gate:
    """Say what may be sent over a channel now."""
    if state.paused_until is not None and state.paused_until > now:
        return Gate.SHUT
    if state.health is ChannelHealth.OK:
        return Gate.OPEN
    return Gate.PROBE if state.probe_at is None or state.probe_at <= now else Gate.SHUT


def probing(state: ChannelState, now: datetime) -> ChannelState:
    """Mark that a probe is on its way, so that nobody else sends one."""
    return replace(state, probe_at=now + (PROBE_BROKEN if state.health is ChannelHealth.BROKEN else PROBE_OPEN))


def opens_at(state: ChannelState) -> datetime | None:
    """Say from when a channel takes something again; None for now."""
    times = [state.paused_until, state.probe_at if state.health is not ChannelHealth.OK else None]
    return max((at for at in times if at is not None), default=None)
