"""Feeds: their rows, as the configuration and polls leave them.

Who holds one is `claims`, what a poll writes `results`, where it moved to `moves`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from monitor.parse.identity import Policy, Trust
from monitor.store import plain, tables
from monitor.store.shards import shard_of
from monitor.values import Claim, FeedId, Validators

_T = tables.feed.c
AT_A_TIME = 1000
"""Rows that are in memory at once where all are looked at."""
POLLED = ("active", "gone")
"""States of feeds that are asked; paused and merged ones are not."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A feed as the configuration names it; `url` is the configured address."""

    url: str
    host: str
    paused: bool = False


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A feed's state between polls. `schedule` is what `monitor.schedule` wrote there, as plain JSON."""

    id: FeedId
    url: str
    moved_to: str | None
    host: str
    state: str
    validators: Validators
    body_sha256: bytes | None
    gen: int
    items: bytes | None
    trust: Trust
    standing: str
    standing_since: datetime | None
    next_at: datetime
    next_reason: str
    schedule: Mapping[str, Any]
    fail_reason: str | None
    fail_message: str | None
    first_fail_at: datetime | None
    last_ok_at: datetime | None
    last_new_at: datetime | None
    last_attempt_at: datetime | None
    baseline_at: datetime | None
    claim: Claim | None = None


def sync(connection: Connection, seeds: Sequence[Seed], now: datetime) -> int:
    """Make the feed rows those of the configuration; a feed that left it is paused and keeps its entries.

    Returns the number of feeds that are new.
    """
    wanted = {seed.url: "paused" if seed.paused else "active" for seed in seeds}
    known: set[str] = set()
    moved: dict[int, str] = {}
    for row in connection.execute(select(_T.id, _T.url, _T.state).execution_options(yield_per=AT_A_TIME)):
        state = wanted.get(row.url, "paused")
        if row.url in wanted:
            known.add(row.url)
        if row.state != state and not (row.state in ("gone", "merged") and state == "active"):
            moved[row.id] = state
    new = [seed for seed in seeds if seed.url not in known]
    if new:
        make = plain.INSERT[connection.dialect.name]
        connection.execute(
            make(tables.feed).on_conflict_do_nothing(index_elements=["url"]),  # another process may start just now
            [
                {
                    "url": s.url,
                    "host": s.host,
                    "shard": shard_of(s.host),
                    "state": "paused" if s.paused else "active",
                    "next_at": now,
                    "next_reason": "startup",
                    "schedule": {},
                }
                for s in new
            ],
        )
    for feed, state in moved.items():
        connection.execute(update(tables.feed).where(_T.id == feed).values(state=state))
    return len(new)


def make_due(connection: Connection, now: datetime) -> None:
    """Make every active feed due now, as `poll --ignore-schedule` asks."""
    connection.execute(update(tables.feed).where(tables.POLLED).values(next_at=now, next_reason="forced"))


def ask_now(connection: Connection, feed: FeedId, now: datetime) -> None:
    """Make one feed due."""
    connection.execute(update(tables.feed).where(_T.id == feed).values(next_at=now, next_reason="forced"))


def pause(connection: Connection, feed: FeedId) -> None:
    """Ask a feed no more; what it brought stays."""
    connection.execute(update(tables.feed).where(_T.id == feed).values(state="paused"))


def reschedule(connection: Connection, times: Mapping[FeedId, datetime], reason: str) -> None:
    """Move the next polls of feeds that nobody holds; those that somebody holds are about to be decided anew."""
    if not times:
        return
    moved = {"next_at": bindparam("at"), "next_reason": reason}
    change = update(tables.feed).where(_T.id == bindparam("feed"), _T.lease_until.is_(None)).values(moved)
    connection.execute(change, [{"feed": feed, "at": at} for feed, at in times.items()])


def remember(connection: Connection, feed: FeedId, schedule: Mapping[str, Any], *, failing: bool) -> None:
    """Correct what is remembered of a feed that nobody holds; `failing` is false when its failure was taken back."""
    mended = {} if failing else {"fail_reason": None, "fail_message": None, "first_fail_at": None}
    connection.execute(
        update(tables.feed).where(_T.id == feed, _T.lease_until.is_(None)).values(schedule=dict(schedule), **mended)
    )


def all_rows(connection: Connection) -> tuple[FeedRow, ...]:
    """Every feed, in the order of their ids."""
    return tuple(of_row(row) for row in connection.execute(select(tables.feed).order_by(_T.id)))


def overdue(connection: Connection, now: datetime) -> Iterator[FeedRow]:
    """Feeds that fell due and were asked before; one after the other, since a farm's do not fit into memory at once."""
    wanted = (tables.POLLED, _T.last_attempt_at.is_not(None), _T.next_at <= now)
    query = select(tables.feed).where(*wanted).order_by(_T.id).execution_options(yield_per=AT_A_TIME)
    return map(of_row, connection.execute(query))


def failing(
    connection: Connection, hosts: Collection[str], reasons: Collection[str], since: datetime
) -> tuple[FeedRow, ...]:
    """Feeds of these hosts that failed for one of these reasons since a time, in the order of their ids."""
    wanted = (_T.host.in_(hosts), _T.fail_reason.in_(reasons), _T.last_attempt_at >= since)
    return tuple(of_row(row) for row in connection.execute(select(tables.feed).where(*wanted).order_by(_T.id)))


def by_id(connection: Connection, feed: FeedId) -> FeedRow | None:
    """One feed, or None."""
    row = connection.execute(select(tables.feed).where(_T.id == feed)).one_or_none()
    return None if row is None else of_row(row)


def by_url(connection: Connection, url: str) -> FeedRow | None:
    """The feed with this configured address."""
    row = connection.execute(select(tables.feed).where(_T.url == url)).one_or_none()
    return None if row is None else of_row(row)


def of_row(row: Row[Any], held: Claim | None = None) -> FeedRow:
    """A feed from all columns of its row, perhaps as somebody `held` it."""
    return FeedRow(
        id=FeedId(row.id),
        url=row.url,
        moved_to=row.moved_to,
        host=row.host,
        state=row.state,
        validators=Validators(row.etag, row.last_modified),
        body_sha256=row.body_sha256,
        gen=row.gen,
        items=row.items,
        trust=Trust(Policy(row.identity_policy), row.identity_troubled, row.identity_trouble_at),
        standing=row.standing,
        standing_since=row.standing_since,
        next_at=row.next_at,
        next_reason=row.next_reason,
        schedule=row.schedule,
        fail_reason=row.fail_reason,
        fail_message=row.fail_message,
        first_fail_at=row.first_fail_at,
        last_ok_at=row.last_ok_at,
        last_new_at=row.last_new_at,
        last_attempt_at=row.last_attempt_at,
        baseline_at=row.baseline_at,
        claim=held,
    )
