"""How politely a feed was asked, judged from the log of our own fetches. All columns zero is perfect.

The columns are those of Rachel Kroll's feed reader score: unconditional requests although validators were known, stale
or invented validators, cookies, referrers, headers and parameters that defeat caches, polls that follow too soon.
What is meant to be so does not count: the first poll and the first after a move, a question without validators after a
day of 304, the week in which a server's 304 is not believed, a poll that a person forced, retries while our own network
is down. Pure; called by `monitor.feed.manners`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from monitor.schedule import attempts, trust
from monitor.schedule.reasons import FailReason, NextReason

_WHOLE = frozenset({"changed", "same_body"})
_COOKIES = frozenset({"cookie", "cookie2"})
_REFERRER = frozenset({"referer"})
_BUSTING = frozenset({"cache-control", "pragma"})
_CRUFT = frozenset({"_", "cachebuster", "cachebust", "cb", "nocache", "no_cache", "rand", "random", "timestamp", "ts"})


@dataclass(frozen=True, slots=True)
class Line:
    """One fetch. `sent` and `given` are marks of the validators that were sent and given; None for none."""

    at: datetime
    outcome: str
    reason: str | None = None
    sent: bytes | None = None
    given: bytes | None = None
    odd_headers: tuple[str, ...] = ()
    next_at: datetime | None = None
    next_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A feed as it was asked. `log` is the oldest fetch first; before `whole_from` lines may be missing from it.

    `cut` says that the last document had no end: validators of such documents are not kept, and the log does not say
    which they were. `own_headers` are names that the configuration asks for.
    """

    url: str
    log: Sequence[Line]
    whole_from: int = 0
    floor: timedelta = attempts.GUARD
    moves: Collection[datetime] = ()
    untrusted_since: datetime | None = None
    cut: bool = False
    own_headers: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Manners:
    """Faults by column, out of so many `fetches`. `by_hand` are early polls that a person forced: no fault."""

    fetches: int = 0
    unconditional: int = 0
    stale: int = 0
    cookies: int = 0
    referrer: int = 0
    cache_busting: int = 0
    odd_headers: int = 0
    query_cruft: int = 0
    too_fast: int = 0
    by_hand: int = 0

    @property
    def faults(self) -> int:
        """The sum of all columns that are faults."""
        return sum(getattr(self, name) for name in COLUMNS)

    def __add__(self, other: Manners) -> Manners:
        """Sum column by column."""
        return Manners(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


COLUMNS = tuple(one.name for one in fields(Manners) if one.name not in ("fetches", "by_hand"))


def judge(asked: Asked) -> Manners:
    """Count what was impolite."""
    unconditional, stale = _conditions(asked)
    too_fast, by_hand = _pace(asked)
    names = [frozenset(line.odd_headers) - frozenset(asked.own_headers) for line in asked.log]
    return Manners(
        fetches=len(asked.log),
        unconditional=unconditional,
        stale=stale,
        cookies=sum(bool(odd & _COOKIES) for odd in names),
        referrer=sum(bool(odd & _REFERRER) for odd in names),
        cache_busting=sum(bool(odd & _BUSTING) for odd in names),
        odd_headers=sum(bool(odd - _COOKIES - _REFERRER - _BUSTING) for odd in names),
        query_cruft=len(asked.log) if has_cruft(asked.url) else 0,
        too_fast=too_fast,
        by_hand=by_hand,
    )


def has_cruft(url: str) -> bool:
    """Whether an address carries parameters that name no document: to count visitors or to get round caches."""
    names = (name.lower() for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True))
    return any(name in _CRUFT or name.startswith("utm_") for name in names)


# ----------------------------------------------------------------------------------------------------- pace


def _pace(asked: Asked) -> tuple[int, int]:
    """Polls too soon after the one before: those of the schedule, and those before its own time, by a person."""
    least, fast, by_hand = min(attempts.GUARD, asked.floor), 0, 0
    for before, line in zip(asked.log, asked.log[1:], strict=False):
        if line.at - before.at >= least or before.next_reason == NextReason.CIRCUIT:
            continue
        early = before.next_at is not None and line.at < before.next_at
        by_hand, fast = by_hand + early, fast + (not early)
    return fast, by_hand


# ------------------------------------------------------------------------------------------------ conditions


@dataclass(frozen=True, slots=True)
class _Known:
    """What we hold of a server's validators: whether any (None: not on record), and their marks (None: likewise)."""

    any: bool | None = None
    marks: frozenset[bytes] | None = None


def _conditions(asked: Asked) -> tuple[int, int]:
    """Unconditional requests although validators were known, and validators that were not those given last."""
    known = _Known() if asked.whole_from else _Known(any=False)
    bare = stale = 0
    excuses = _Excuses(asked)
    for number, line in enumerate(asked.log):
        excuses.pass_to(line)
        if number < asked.whole_from:
            continue
        before = asked.log[number - 1].at if number else None
        if any((before is None or before <= at) and at <= line.at for at in asked.moves):
            known = _Known()
        if not asked.cut:
            bare += line.sent is None and known.any is True and not excuses.hold(line.at)
            stale += line.sent is not None and _is_wrong(line.sent, known)
        known = _after(known, line)
    return bare, stale


def _is_wrong(sent: bytes, known: _Known) -> bool:
    """Whether validators are old or made up: none were given, or others."""
    return known.any is False or (known.marks is not None and sent not in known.marks)


def _after(known: _Known, line: Line) -> _Known:
    """What we hold after a fetch."""
    if line.outcome in _WHOLE:
        return _Known(line.given is not None, frozenset({line.given} if line.given is not None else ()))
    if line.outcome == "not_modified" and line.sent is not None:
        # A 304 may name one of two validators: what we then hold is a mix that the log has no mark of.
        same = line.given is None or line.given == line.sent
        return _Known(True, frozenset({line.sent}) if same else None)
    return _Known(any=False) if line.reason == FailReason.UNEXPECTED_304 else known


class _Excuses:
    """When a request without validators is meant: to test a server's 304, and while they are not believed."""

    def __init__(self, asked: Asked) -> None:
        since = asked.untrusted_since
        self._spans = [(since, since + trust.RETRY_TRUST)] if since else []
        self._begins_late = asked.whole_from > 0
        self._before: Line | None = None
        self._last_whole: datetime | None = None
        self._last_probe: datetime | None = None
        self._probe = False

    def pass_to(self, line: Line) -> None:
        """Take up the next line of the log, in its order."""
        first = self._last_probe is None or line.at - self._last_probe >= trust.PROBE_EVERY
        self._probe = line.sent is None and first and self._is_quiet(line.at)
        if self._probe:
            self._last_probe = line.at
            if line.outcome == "changed":
                self._spans.append((line.at, line.at + trust.RETRY_TRUST))
        if line.outcome in _WHOLE:
            self._last_whole = line.at
        self._before = line

    def _is_quiet(self, at: datetime) -> bool:
        """Whether nothing but 304 came for a day, as far as the log goes back."""
        if self._before is None or (self._before.outcome in _WHOLE and not self._begins_late):
            return False
        return self._begins_late if self._last_whole is None else at - self._last_whole >= trust.PROBE_EVERY

    def hold(self, at: datetime) -> bool:
        """Whether the line taken up last is excused."""
        return self._probe or any(since <= at <= until for since, until in self._spans)
