"""The ring: the last 30 fetches of a feed, packed into a column of its row, written by the update that settles a poll.

So a fetch that brought nothing writes no row of its own. What has more to tell (a message, the names of odd headers)
stands in `fetch_log` as well, for some time. A ring is a version, the place where the next line goes, and the lines:

    at 6 | outcome, first, status 2 | took 2 | next reason 1, next 3 | reason or new 1, size 3 | sent 4 | given 4

A ring that is not full grows at its front; in a full one the oldest line is overwritten, from the back to the front:
what Postgres logs of an update ends with the last byte that differs. SQLite, which logs whole pages, moves the lines.
What this program cannot read, of another version, is an empty ring, and the next line begins it anew.

Called by `fetch_log`, which knows the rows too, and by `results`.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerts.tables import EPOCH
from monitor.values import Validators

RING = 30
"""Lines that are kept of every feed, however old."""
_VERSION = 1
_LINE = struct.Struct(">HIHHII4s4s")
_HEAD = 2
_FULL = _HEAD + RING * _LINE.size
_BEGUN = bytes((_VERSION, RING - 1))
_MS, _SECOND = timedelta(milliseconds=1), timedelta(seconds=1)
_MARK = 4
"""Bytes of a mark: of four thousand million pairs of different validators one is taken for the same."""
_NO_MARK = bytes(_MARK)
_MOST_2, _MOST_3 = 0xFFFF, 0xFFFFFF
_STATUS, _FIRST, _OUTCOME = 0x3FF, 0x400, 11
OUTCOMES = ("changed", "same_body", "not_modified", "failed")
_OUTCOME_BITS = {name: n << _OUTCOME for n, name in enumerate(OUTCOMES)}
_FAILED = "failed"
_OTHER = 255
WORDS = (
    *("", "adaptive", "burst", "cache_control", "ttl", "skip_hours", "retry_after", "host_hold", "backoff", "circuit"),
    *("host_budget", "gone", "startup_spread", "forced", "attempt_guard", "dns_temporary", "proxy", "dns_unknown"),
    *("connect", "connect_timeout", "read_timeout", "deadline", "tls_expired", "tls_self_signed", "tls_wrong_host"),
    *("tls_other", "server_error", "rate_limited", "not_found", "unauthorized", "bad_status", "blocked"),
    *("redirect_loop", "too_many_redirects", "bad_redirect", "refused_address", "bad_scheme", "short_body"),
    *("too_large", "bomb", "unexpected_304", "html", "not_a_feed", "empty_body", "empty_shell", "sitemap_index"),
    *("undecodable", "parse_timeout", "moved"),
)
"""Reasons by their number in stored rings: new ones go to the end. A word that is not here is read as `other`."""
_CODES = {word: n for n, word in enumerate(WORDS)}
PUSHED: Mapping[str, str] = {
    "sqlite": (
        f"cast(x'{_BEGUN.hex()}' || {{line}} || case when substr(feed.recent, 1, 1) = x'{_VERSION:02x}'"
        f" then substr(feed.recent, {_HEAD + 1}, {(RING - 1) * _LINE.size}) else x'' end as blob)"
    ),
    "postgresql": (
        f"case when substr(feed.recent, 1, 1) is distinct from '\\x{_VERSION:02x}'::bytea"
        f" then '\\x{_BEGUN.hex()}'::bytea || {{line}}"
        f" when length(feed.recent) < {_FULL}"
        f" then substr(feed.recent, 1, {_HEAD}) || {{line}} || substr(feed.recent, {_HEAD + 1})"
        f" else overlay(set_byte(feed.recent, 1, mod(get_byte(feed.recent, 1) + {RING - 1}, {RING}))"
        f" placing {{line}} from {_HEAD + 1} + {_LINE.size} * get_byte(feed.recent, 1)) end"
    ),
}
"""What an update of `feed` sets `recent` to, by database, with `{line}` where the packed line goes."""


@dataclass(frozen=True, slots=True)
class FetchRecord:
    """One line. `sent` and `given` are marks of the validators that were sent and of those the answer gave.

    `outcome` is changed, same_body, not_modified or failed; `odd_headers` are the names of request headers beyond
    those that every request carries.
    """

    at: datetime
    outcome: str
    status: int | None = None
    reason: str | None = None
    message: str | None = None
    size: int = 0
    took: timedelta = timedelta()
    new: int = 0
    sent: bytes | None = None
    given: bytes | None = None
    odd_headers: tuple[str, ...] = ()
    next_at: datetime | None = None
    next_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Ring:
    """What a ring holds, the newest line first. `whole` says that nothing was fetched before its oldest line."""

    records: tuple[FetchRecord, ...] = ()
    whole: bool = False


def mark(validators: Validators) -> bytes | None:
    """Four bytes that stand for validators; None for none."""
    if validators.etag is None and validators.last_modified is None:
        return None
    parts = (validators.etag, validators.last_modified)
    return hashlib.sha256(b"\0".join(b"-" if part is None else b"+" + part for part in parts)).digest()[:_MARK]


def packed(record: FetchRecord, *, first: bool = False) -> bytes:
    """A line as the ring has it; `first` for the first fetch of a feed. Message and odd headers are left out."""
    ms = (record.at - EPOCH) // _MS
    follows = 0
    if record.next_at is not None:
        code = _CODES.get(record.next_reason or "", _OTHER)
        follows = code << 24 | min(max((record.next_at - record.at) // _SECOND, 0), _MOST_3)
    more = _CODES.get(record.reason or "", _OTHER) if record.outcome == _FAILED else min(record.new, 255)
    return _LINE.pack(
        ms >> 32,
        ms & 0xFFFFFFFF,
        _OUTCOME_BITS[record.outcome] | (_FIRST if first else 0) | (record.status or 0) & _STATUS,
        min(record.took // _MS, _MOST_2),
        follows,
        more << 24 | min(record.size, _MOST_3),
        record.sent or _NO_MARK,
        record.given or _NO_MARK,
    )


def begun(lines: Sequence[bytes]) -> bytes:
    """A ring of packed lines, the newest first."""
    return _BEGUN + b"".join(lines)


def unpacked(ring: bytes | None) -> Ring:
    """Read a ring; an empty one for none and for one of a version that this program does not know."""
    if not ring or ring[0] != _VERSION:
        return Ring()
    lines = [
        (_record(*line), bool(line[2] & _FIRST))
        for line in _LINE.iter_unpack(ring[_HEAD : len(ring) - (len(ring) - _HEAD) % _LINE.size])
    ]
    lines.sort(key=lambda line: line[0].at, reverse=True)
    return Ring(tuple(record for record, _ in lines), bool(lines) and lines[-1][1])


def rounded(record: FetchRecord) -> FetchRecord:
    """A record with its times and marks as a ring keeps them, so that lines of both kinds can be compared."""
    (kept,) = unpacked(begun([packed(record)])).records
    return replace(record, at=kept.at, next_at=kept.next_at, sent=kept.sent, given=kept.given)


def _record(
    high: int, low: int, what: int, took: int, follows: int, more: int, sent: bytes, given: bytes
) -> FetchRecord:
    at = EPOCH + (high << 32 | low) * _MS
    outcome = OUTCOMES[what >> _OUTCOME & 3]
    detail = more >> 24
    return FetchRecord(
        at=at,
        outcome=outcome,
        status=what & _STATUS or None,
        reason=_word(detail) if outcome == _FAILED else None,
        size=more & _MOST_3,
        took=took * _MS,
        new=0 if outcome == _FAILED else detail,
        sent=None if sent == _NO_MARK else sent,
        given=None if given == _NO_MARK else given,
        next_at=at + (follows & _MOST_3) * _SECOND if follows else None,
        next_reason=_word(follows >> 24),
    )


def _word(code: int) -> str | None:
    return (WORDS[code] if code < len(WORDS) else "other") or None
