"""Results of many polls that brought nothing new, written by one statement: each row fenced by its own token.

Called by `jobs`; a result that changes more than the feed's schedule is `feeds.settle`'s, in a transaction of its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from monitor.store import feeds
from monitor.store.feeds import Settlement
from monitor.values import Claim, FeedId

_WRITE = text(
    """
update feed set
    next_at = result.next_at, next_reason = result.next_reason, schedule = result.schedule,
    last_attempt_at = result.at, last_ok_at = result.at, lease_until = null,
    fail_reason = null, fail_message = null, first_fail_at = null,
    etag = case when result.validated then decode(result.etag, 'hex') else feed.etag end,
    last_modified = case when result.validated then decode(result.last_modified, 'hex') else feed.last_modified end,
    state = case when feed.state = 'paused' or result.state is null then feed.state else result.state end
from json_to_recordset(cast(:results as json)) as result (
    id bigint, token int, next_at timestamptz, next_reason text, schedule json, at timestamptz,
    validated bool, etag text, last_modified text, state text
)
where feed.id = result.id and feed.lease_token = result.token
returning feed.id
"""
)


def is_plain(result: Settlement) -> bool:
    """Whether a result changes a feed's schedule and validators only."""
    moved = result.moved_to is not None or result.document is not None or result.standing is not None
    return result.ok and not moved and not result.new and not result.baseline


def settle(connection: Connection, results: Sequence[tuple[Claim, Settlement]]) -> frozenset[FeedId]:
    """Write plain results and give their claims back; returns the feeds that were still ours, the rest is dropped."""
    if connection.dialect.name != "postgresql":
        ours = feeds.still_held(connection, [held for held, _ in results])  # nobody writes in between: one writer
        feeds.settle_many(connection, [one for one in results if one[0].feed in ours])
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
    }


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()
