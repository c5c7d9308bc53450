"""From what a fetch and a parser gave to what the schedule needs to know. Called by `pipeline`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from monitor.schedule import state as st
from monitor.schedule.reasons import FailReason
from monitor.values import Fetched, FetchFailed, NotModified, ParsedFeed, ParseReason

_IM_USED = 226
"""The answer holds only what is new (RFC 3229)."""


def changed(
    fetched: Fetched,
    parsed: ParsedFeed,
    *,
    new: int,
    known: int,
    published: Sequence[datetime | None] = (),
    total: int | None = None,
    same_feed: bool | None = None,
    mass_change: bool = False,
    rekeyed: bool = False,
) -> st.Changed:
    """Describe a changed document. `published` are the dates of the `new` entries.

    `total` defaults to the parsed entries: more where only what is new was parsed. `same_feed` defaults to "some entry
    was known before".
    """
    return st.Changed(
        new=new,
        total=len(parsed.entries) if total is None else total,
        asked_at=fetched.at,
        known=known,
        published=tuple(at for at in published if at is not None),
        headers=fetched.headers,
        validators=fetched.validators,
        hops=fetched.hops,
        url=fetched.url,
        bytes=max(fetched.wire_bytes, len(fetched.body)),
        complete=not parsed.truncated,
        same_feed=known > 0 if same_feed is None else same_feed,
        wishes=st.Wishes(parsed.ttl, parsed.update_period, parsed.skip_hours, parsed.skip_days),
        moved_to=parsed.moved_to,
        mass_change=mass_change,
        rekeyed=rekeyed,
        partial=is_partial(fetched),
    )


def is_partial(fetched: Fetched) -> bool:
    """Whether an answer adds to the document before instead of replacing it; nobody asks for that, some send it."""
    return fetched.status == _IM_USED


def unchanged(outcome: NotModified | Fetched) -> st.Unchanged:
    """Describe a 304, or a 200 whose body is the one before."""
    if isinstance(outcome, NotModified):
        return st.Unchanged(outcome.at, outcome.headers, outcome.validators, outcome.hops, outcome.url)
    size = max(outcome.wire_bytes, len(outcome.body))
    return st.Unchanged(
        outcome.at, outcome.headers, outcome.validators, outcome.hops, outcome.url, not_modified=False, bytes=size
    )


def failed(outcome: FetchFailed | Fetched, reason: str = "") -> st.Failed:
    """Describe a failed fetch, or a body that did not parse for `reason` (a word of the parser).

    `moved` is no failure to somebody who follows it; who does not has read something that is no feed.
    """
    word = outcome.reason if isinstance(outcome, FetchFailed) else reason
    return st.Failed(
        FailReason.NOT_A_FEED if word == ParseReason.MOVED else FailReason(word),
        outcome.headers,
        outcome.hops,
        outcome.url,
    )
