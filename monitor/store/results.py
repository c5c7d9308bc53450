"""What polls learnt, written to their feeds' rows: each write names the claim's token and gives the claim back.

One result in its own transaction, or those of many polls that brought nothing new by one statement. Called by `jobs`
and `pipeline`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, text, update

from monitor.errors import LeaseLost
from monitor.parse.identity import TRUSTED, Trust
from monitor.store import claims, fetch_ring, moves, plain, tables
from monitor.values import Claim, FeedId, Validators

_T = tables.feed.c
_FAILING_SINCE = "failing_since"
_COLUMN = {_FAILING_SINCE: "first_fail_at"}
"""What is no column of its own."""
_WRITE = text(
    """
update feed set
    next_at = result.next_at, next_reason = result.next_reason, schedule = result.schedule,
    last_attempt_at = result.at, last_ok_at = result.at, lease_until = null,
    fail_reason = null, fail_message = null, first_fail_at = null,
    etag = case when result.validated then decode(result.etag, 'hex') else feed.etag end,
    last_modified = case when result.validated then decode(result.last_modified, 'hex') else feed.last_modified end,
    state = case when feed.state = 'paused' or result.state is null then feed.state else result.state end,
    recent = case when result.line is null then feed.recent
        else {pushed} end
from json_to_recordset(cast(:results as json)) as result (
    id bigint, token int, next_at timestamptz, next_reason text, schedule json, at timestamptz,
    validated bool, etag text, last_modified text, state text, line text
)
where feed.id = result.id and feed.lease_token = result.token
returning feed.id
""".format(pushed=fetch_ring.PUSHED["postgresql"].format(line="decode(result.line, 'hex')"))
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a parsed document leaves in its feed's row, written with its entries or not at all.

    `body_sha256` is None for a body that must be read again; `items` is `monitor.parse.delta.Memory`, packed.
    """

    gen: int
    body_sha256: bytes | None = None
    items: bytes | None = None
    trust: Trust = TRUSTED


@dataclass(frozen=True, slots=True)
class Settlement:
    """What one poll changes in its feed row. Fields left at None keep what is stored, but for `fail_reason`.

    `line` is that of the fetch, as the feed's ring has it (`fetch_ring.packed`).
    """

    next_at: datetime
    next_reason: str
    schedule: Mapping[str, Any]
    at: datetime
    ok: bool
    validators: Validators | None = None
    document: Recorded | None = None
    state: str | None = None
    standing: str | None = None
    new: int = 0
    fail_reason: str | None = None
    fail_message: str | None = None
    baseline: bool = False
    moved_to: str | None = None
    moved_why: str | None = None
    line: bytes | None = None


def settle(connection: Connection, held: Claim, result: Settlement) -> None:
    """Write what a poll learnt and give the claim back.

    Errors: LeaseLost as `fence`.
    """
    values = _outcome_values(result)
    if result.moved_to is not None:
        values |= moves.note(connection, held.feed, result.moved_to, result.moved_why or "redirect", result.at)
    if _settling(tuple(sorted(values))).run(connection, _given(held, values)) != 1:
        raise LeaseLost(f"feed {held.feed} was taken over: token {held.token} is old")


def is_plain(result: Settlement) -> bool:
    """Whether a result changes a feed's schedule and validators only."""
    moved = result.moved_to is not None or result.document is not None or result.standing is not None
    return result.ok and not moved and not result.new and not result.baseline


def settle_plain(connection: Connection, results: Sequence[tuple[Claim, Settlement]]) -> frozenset[FeedId]:
    """Write plain results and give their claims back; returns the feeds that were still ours, the rest is dropped."""
    if connection.dialect.name != "postgresql":
        ours = claims.still_held(connection, [held for held, _ in results])  # nobody writes in between: one writer
        _settle_alike(connection, [one for one in results if one[0].feed in ours])
        return ours
    # In the order of their ids, so that two workers never wait for each other.
    rows = [_row(held, result) for held, result in sorted(results, key=lambda one: one[0].feed)]
    written = connection.execute(_WRITE, {"results": json.dumps(rows)}).scalars()  # arrays of texts cost five times it
    return frozenset(FeedId(n) for n in written)


def _row(held: Claim, result: Settlement) -> dict[str, Any]:
    known = result.validators
    return {
        "id": held.feed,
        "token": held.token,
        "next_at": result.next_at.isoformat(),
        "next_reason": result.next_reason,
        "schedule": dict(result.schedule),
        "at": result.at.isoformat(),
        "validated": known is not None,
        "etag": _hex(known.etag) if known is not None else None,
        "last_modified": _hex(known.last_modified) if known is not None else None,
        "state": result.state,
        "line": _hex(result.line),
    }


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def _settle_alike(connection: Connection, results: Sequence[tuple[Claim, Settlement]]) -> None:
    """Write what polls learnt that moved no feed, and give their claims back; what is no longer ours is left alone."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for held, result in results:
        values = _outcome_values(result)
        alike.setdefault(tuple(sorted(values)), []).append(_given(held, values))
    for names, rows in alike.items():
        _settling(names).each(connection, rows)


def _given(held: Claim, values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of `_settling`, named apart from the columns."""
    return {f"new_{name}": value for name, value in values.items()} | {"feed": held.feed, "token": held.token}


@cache
def _settling(names: tuple[str, ...]) -> plain.Statement:
    """The statement that writes these columns; made once, since making it costs more than running it."""
    given = {name: bindparam(f"new_{name}", type_=_T[_COLUMN.get(name, name)].type) for name in names}
    values: dict[str, Any] = {"lease_until": None, **given}
    if "state" in given:  # a feed that was paused or removed while it was polled stays so
        values["state"] = case((_T.state == "paused", "paused"), else_=given["state"])
    if _FAILING_SINCE in given:  # the first failure of a row of them is the one that counts
        values["first_fail_at"] = func.coalesce(_T.first_fail_at, values.pop(_FAILING_SINCE))
    ours = (_T.id == bindparam("feed"), _T.lease_token == bindparam("token"))
    if "recent" not in given:
        return plain.Statement(update(tables.feed).where(*ours).values(**values))
    line = values.pop("recent")
    pushed = {name: text(how.format(line=f":{line.key}")).bindparams(line) for name, how in fetch_ring.PUSHED.items()}
    return plain.Statement(
        {name: update(tables.feed).where(*ours).values(**values, recent=how) for name, how in pushed.items()}
    )


def _outcome_values(result: Settlement) -> dict[str, Any]:
    """What a poll changes, by column."""
    values: dict[str, Any] = {
        "next_at": result.next_at,
        "next_reason": result.next_reason,
        "schedule": dict(result.schedule),
        "last_attempt_at": result.at,
        "fail_reason": None if result.ok else result.fail_reason,
        "fail_message": None if result.ok else result.fail_message,
    }
    values |= {"last_ok_at": result.at, "first_fail_at": None} if result.ok else {_FAILING_SINCE: result.at}
    if result.validators is not None:
        values |= {"etag": result.validators.etag, "last_modified": result.validators.last_modified}
    if result.document is not None:
        values |= _document_values(result.document)
    if result.state is not None:
        values["state"] = result.state
    if result.standing is not None:
        values |= {"standing": result.standing, "standing_since": result.at}
    if result.new:
        values["last_new_at"] = result.at
    if result.baseline:
        values["baseline_at"] = result.at
    if result.line is not None:
        values["recent"] = result.line
    return values


def _document_values(document: Recorded) -> dict[str, Any]:
    return {
        "gen": document.gen,
        "body_sha256": document.body_sha256,
        "items": document.items,
        "identity_policy": str(document.trust.policy),
        "identity_troubled": document.trust.troubled,
        "identity_trouble_at": document.trust.last_trouble,
    }
