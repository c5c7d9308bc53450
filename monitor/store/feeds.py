"""Feeds and hosts: what is due, who holds it, and how a poll's result is written.

A claim carries a token; every write names it, so a worker that woke up late changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from monitor.errors import LeaseLost
from monitor.store import tables
from monitor.values import Claim, FeedId, Validators

_T = tables.feed.c


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


@dataclass(frozen=True, slots=True)
class Settlement:
    """What one poll changes in its feed row. Fields left at None keep what is stored, but for `fail_reason`."""

    next_at: datetime
    next_reason: str
    schedule: Mapping[str, Any]
    at: datetime
    ok: bool
    validators: Validators | None = None
    body_sha256: bytes | None = None
    gen: int | None = None
    state: str | None = None
    new: int = 0
    fail_reason: str | None = None
    fail_message: str | None = None
    baseline: bool = False
    moved_to: str | None = None
    moved_why: str | None = None


@dataclass(frozen=True, slots=True)
class FetchRecord:
    """One line of the fetch log."""

    at: datetime
    outcome: str
    status: int | None = None
    reason: str | None = None
    message: str | None = None
    bytes: int = 0
    took: timedelta = timedelta()
    new: int = 0
    conditional: bool = False


@dataclass(frozen=True, slots=True)
class HostRow:
    """What is remembered of a host or a registrable domain (`kind`)."""

    kind: str
    name: str
    hold_until: datetime | None = None
    hold_reason: str | None = None
    last_at: datetime | None = None
    ever_429: bool = False


def sync(connection: Connection, seeds: Sequence[Seed], now: datetime) -> int:
    """Make the feed rows those of the configuration; a feed that left it is paused and keeps its entries.

    Returns the number of feeds that are new.
    """
    known = {row.url: row for row in connection.execute(select(_T.id, _T.url, _T.state))}
    new = [seed for seed in seeds if seed.url not in known]
    if new:
        make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(
            make(tables.feed).on_conflict_do_nothing(index_elements=["url"]),  # another process may start just now
            [
                {
                    "url": s.url,
                    "host": s.host,
                    "state": "paused" if s.paused else "active",
                    "next_at": now,
                    "next_reason": "startup",
                    "schedule": {},
                }
                for s in new
            ],
        )
    wanted = {seed.url: "paused" if seed.paused else "active" for seed in seeds}
    for url, row in known.items():
        state = wanted.get(url, "paused")
        if row.state != state and not (row.state == "gone" and state == "active"):
            connection.execute(update(tables.feed).where(_T.id == row.id).values(state=state))
    return len(new)


def make_due(connection: Connection, now: datetime) -> None:
    """Make every active feed due now, as `poll --ignore-schedule` asks."""
    connection.execute(update(tables.feed).where(_T.state != "paused").values(next_at=now, next_reason="forced"))


def due_count(connection: Connection, now: datetime) -> int:
    """How many feeds wait to be polled."""
    return connection.execute(select(func.count()).select_from(tables.feed).where(_is_due(now))).scalar_one()


def _is_due(now: datetime) -> Any:
    return and_(_T.state != "paused", _T.next_at <= now, or_(_T.lease_until.is_(None), _T.lease_until < now))


def claim(
    connection: Connection,
    now: datetime,
    *,
    lease: timedelta,
    limit: int = 200,
    per_host: int = 9,
    busy: Sequence[str] = (),
    only: FeedId | None = None,
) -> tuple[FeedRow, ...]:
    """Take due feeds, the longest overdue first, at most `per_host` of one host and none of a `busy` one.

    Nine are what a host's spacing of 5 s lets begin before a lease of 90 s gets short. The conditions stand twice on
    purpose: Postgres skips rows that are locked now, not rows that were locked, changed and released since the
    statement began; only conditions on the locking level are read again.
    """
    place = func.row_number().over(partition_by=_T.host, order_by=(_T.next_at, _T.id)).label("place")
    wanted = [_is_due(now), *([_T.host.not_in(busy)] if busy else []), *([_T.id == only] if only is not None else [])]
    due = select(_T.id, place).where(*wanted).subquery()
    take = (
        select(_T.id)
        .join(due, due.c.id == _T.id)
        .where(due.c.place <= per_host, _is_due(now))
        .order_by(_T.next_at, _T.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=tables.feed)
    )
    until = now + lease
    taken = connection.execute(
        update(tables.feed)
        .where(_T.id.in_(take))
        .values(lease_until=until, lease_token=_T.lease_token + 1)
        .returning(*tables.feed.c)
    ).all()
    rows = (_feed(row, Claim(FeedId(row.id), row.lease_token, until)) for row in taken)
    return tuple(sorted(rows, key=lambda row: (row.next_at, row.id)))


def fence(connection: Connection, held: Claim) -> None:
    """Check, as the first statement of a result's transaction, that the claim is still ours.

    Errors: LeaseLost when another worker has taken the feed since.
    """
    fenced = connection.execute(
        update(tables.feed).where(_T.id == held.feed, _T.lease_token == held.token).values(lease_until=held.until)
    )
    if fenced.rowcount != 1:
        raise LeaseLost(f"feed {held.feed} was taken over: token {held.token} is old")


def settle(connection: Connection, held: Claim, result: Settlement) -> None:
    """Write what a poll learnt and give the claim back.

    Errors: LeaseLost as `fence`.
    """
    values: dict[str, Any] = {
        "next_at": result.next_at,
        "next_reason": result.next_reason,
        "schedule": dict(result.schedule),
        "last_attempt_at": result.at,
        "lease_until": None,
    }
    values |= _outcome_values(result)
    if result.moved_to is not None:
        _record_move(connection, held.feed, result)
        values["moved_to"] = result.moved_to
    done = connection.execute(
        update(tables.feed).where(_T.id == held.feed, _T.lease_token == held.token).values(**values)
    )
    if done.rowcount != 1:
        raise LeaseLost(f"feed {held.feed} was taken over: token {held.token} is old")


def _record_move(connection: Connection, feed: FeedId, result: Settlement) -> None:
    before = connection.execute(select(func.coalesce(_T.moved_to, _T.url)).where(_T.id == feed)).scalar_one()
    why = result.moved_why or "redirect"
    connection.execute(
        insert(tables.feed_url_history).values(feed_id=feed, at=result.at, old=before, new=result.moved_to, why=why)
    )


def _outcome_values(result: Settlement) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if result.ok:
        values |= {"last_ok_at": result.at, "fail_reason": None, "fail_message": None, "first_fail_at": None}
    else:
        first = func.coalesce(_T.first_fail_at, literal(result.at, _T.first_fail_at.type))
        values |= {"fail_reason": result.fail_reason, "fail_message": result.fail_message, "first_fail_at": first}
    if result.validators is not None:
        values |= {"etag": result.validators.etag, "last_modified": result.validators.last_modified}
    optional = {"body_sha256": result.body_sha256, "gen": result.gen, "state": result.state}
    values |= {name: value for name, value in optional.items() if value is not None}
    if result.new:
        values["last_new_at"] = result.at
    if result.baseline:
        values["baseline_at"] = result.at
    return values


def release(connection: Connection, claims: Iterable[Claim]) -> None:
    """Give claims back that were not begun: the feeds are due again at once."""
    for held in claims:
        connection.execute(
            update(tables.feed).where(_T.id == held.feed, _T.lease_token == held.token).values(lease_until=None)
        )


def void_claims(connection: Connection) -> None:
    """Free every claim: for a process that knows it is alone, and so that all of them are a dead one's."""
    connection.execute(update(tables.feed).where(_T.lease_until.is_not(None)).values(lease_until=None))


def postpone(connection: Connection, held: Claim, until: datetime, reason: str) -> None:
    """Leave a claimed feed alone until a time, without having asked its server."""
    connection.execute(
        update(tables.feed)
        .where(_T.id == held.feed, _T.lease_token == held.token)
        .values(lease_until=None, next_at=until, next_reason=reason)
    )


def log_fetch(connection: Connection, feed: FeedId, record: FetchRecord) -> None:
    """Keep one line about a fetch."""
    connection.execute(
        insert(tables.fetch_log).values(
            feed_id=feed,
            at=record.at,
            outcome=record.outcome,
            status=record.status,
            reason=record.reason,
            message=record.message,
            bytes=record.bytes,
            took_ms=int(record.took.total_seconds() * 1000),
            new=record.new,
            conditional=record.conditional,
        )
    )


def prune_log(connection: Connection, before: datetime, chunk: int = 1000) -> int:
    """Delete fetch lines older than a time, at most `chunk` of them; returns how many went."""
    log = tables.fetch_log
    old = connection.execute(select(log.c.feed_id, log.c.at).where(log.c.at < before).limit(chunk)).all()
    for row in old:
        connection.execute(log.delete().where(log.c.feed_id == row.feed_id, log.c.at == row.at))
    return len(old)


def all_rows(connection: Connection) -> tuple[FeedRow, ...]:
    """Every feed, in the order of their ids."""
    return tuple(_feed(row) for row in connection.execute(select(tables.feed).order_by(_T.id)))


def by_url(connection: Connection, url: str) -> FeedRow | None:
    """The feed with this configured address."""
    row = connection.execute(select(tables.feed).where(_T.url == url)).one_or_none()
    return None if row is None else _feed(row)


def hosts(connection: Connection) -> tuple[HostRow, ...]:
    """Every host and domain something is remembered of."""
    return tuple(HostRow(**row._mapping) for row in connection.execute(select(tables.host)))


def remember_host(connection: Connection, row: HostRow) -> None:
    """Insert or replace what is known of a host."""
    key = and_(tables.host.c.kind == row.kind, tables.host.c.name == row.name)
    values = {
        "hold_until": row.hold_until,
        "hold_reason": row.hold_reason,
        "last_at": row.last_at,
        "ever_429": row.ever_429,
    }
    if connection.execute(update(tables.host).where(key).values(**values)).rowcount == 0:
        connection.execute(insert(tables.host).values(kind=row.kind, name=row.name, **values))


def _feed(row: Row[Any], held: Claim | None = None) -> FeedRow:
    return FeedRow(
        id=FeedId(row.id),
        url=row.url,
        moved_to=row.moved_to,
        host=row.host,
        state=row.state,
        validators=Validators(row.etag, row.last_modified),
        body_sha256=row.body_sha256,
        gen=row.gen,
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
