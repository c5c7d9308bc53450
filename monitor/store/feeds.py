"""Feeds: what is due, who holds it, and how a poll's result is written.

A claim carries a token; every write names it, so a worker that woke up late changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, and_, bindparam, case, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from monitor.errors import LeaseLost
from monitor.parse import links
from monitor.parse.identity import TRUSTED, Policy, Trust
from monitor.store import plain, tables
from monitor.store.shards import shard_of
from monitor.values import Claim, FeedId, Validators

_T = tables.feed.c
AT_A_TIME = 1000
"""Rows that are in memory at once where all are looked at."""
POLLED = ("active", "gone")
"""States of feeds that are asked; paused and merged ones are not."""
_TOKENS = plain.Statement(
    {name: select(_T.id, _T.lease_token).where(plain.among(name, _T.id, "feeds")) for name in plain.DATABASES}
)
_FENCE = plain.Statement(
    update(tables.feed)
    .where(_T.id == bindparam("feed"), _T.lease_token == bindparam("token"))
    .values(lease_until=bindparam("until"))
)
_FAILING_SINCE = "failing_since"
_COLUMN = {_FAILING_SINCE: "first_fail_at"}
"""What is no column of its own."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A feed as the configuration names it; `url` is the configured address."""

    url: str
    host: str
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """A change of a feed's address: `why` is redirect, https, dead_url or undone."""

    at: datetime
    old: str
    new: str
    why: str


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
    """What one poll changes in its feed row. Fields left at None keep what is stored, but for `fail_reason`."""

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
        make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
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
    connection.execute(update(tables.feed).where(_T.state.in_(POLLED)).values(next_at=now, next_reason="forced"))


def due_count(connection: Connection, now: datetime) -> int:
    """How many feeds wait to be polled."""
    return connection.execute(select(func.count()).select_from(tables.feed).where(_is_due(now))).scalar_one()


def due_hosts(connection: Connection, now: datetime) -> tuple[str, ...]:
    """The hosts with feeds that wait to be polled, in the order of their names."""
    rows = connection.execute(select(_T.host).distinct().where(_is_due(now)).order_by(_T.host))
    return tuple(row[0] for row in rows)


def host_names(connection: Connection) -> tuple[str, ...]:
    """The host of each feed that is polled, as often as it has feeds."""
    return tuple(connection.execute(select(_T.host).where(_T.state.in_(POLLED))).scalars())


def _is_due(now: datetime | BindParameter[Any]) -> Any:
    return and_(_T.state.in_(POLLED), _T.next_at <= now, _is_free(now))


def _is_free(now: datetime | BindParameter[Any]) -> Any:
    return or_(_T.lease_until.is_(None), _T.lease_until < now)


def claim(
    connection: Connection,
    now: datetime,
    *,
    lease: timedelta,
    limit: int = 200,
    per_host: int = 9,
    busy: Sequence[str] = (),
    host: str | None = None,
    only: FeedId | None = None,
) -> tuple[FeedRow, ...]:
    """Take due feeds of any shard, the longest overdue first, at most `per_host` of one host, none of a `busy` one.

    For a process that is alone, or a person's request: no run of a shard takes such a claim over before it ends.

    `host` and `only` narrow the choice, to a host's feeds or to one feed.
    Nine are what a host's spacing of 5 s lets begin before a lease of 90 s gets short. The conditions stand twice on
    purpose: Postgres skips rows that are locked now, not rows that were locked, changed and released since the
    statement began; only conditions on the locking level are read again.
    """
    until = now + lease
    given: dict[str, Any] = {"now": now, "until": until, "per_host": per_host, "most": limit}
    chosen = {"busy": list(busy) or None, "of_host": host, "only": only}
    given |= {name: value for name, value in chosen.items() if value is not None}
    taken = connection.execute(_claiming(frozenset(given)), given).all()
    return claimed_rows(taken, until)


@cache
def _claiming(given: frozenset[str]) -> Any:
    """The statement that claims with these parameters; made once, since making it costs more than running it."""
    now = bindparam("now", type_=_T.next_at.type)
    place = func.row_number().over(partition_by=_T.host, order_by=(_T.next_at, _T.id)).label("place")
    narrowed = {
        "busy": _T.host.not_in(bindparam("busy", expanding=True)),
        "of_host": _T.host == bindparam("of_host"),
        "only": _T.id == bindparam("only"),
    }
    wanted = [condition for name, condition in narrowed.items() if name in given]
    due = select(_T.id, place).where(_is_due(now), *wanted).subquery()
    take = (
        select(_T.id)
        .join(due, due.c.id == _T.id)
        .where(due.c.place <= bindparam("per_host"), _is_due(now))
        .order_by(_T.next_at, _T.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True, of=tables.feed)
    )
    claimed = {"lease_run": None, "lease_until": bindparam("until"), "lease_token": _T.lease_token + 1}
    return update(tables.feed).where(_T.id.in_(take)).values(**claimed).returning(*tables.feed.c)


def claimed_rows(taken: Iterable[Row[Any]], until: datetime) -> tuple[FeedRow, ...]:
    """Feeds that an update has just claimed, the longest overdue first."""
    rows = (_feed(row, Claim(FeedId(row.id), row.lease_token, until)) for row in taken)
    return tuple(sorted(rows, key=lambda row: (row.next_at, row.id)))


def seize(connection: Connection, feed: FeedId, now: datetime, lease: timedelta) -> Claim | None:
    """Take one feed although it is not due, for work that belongs to its last poll; None while another has it."""
    until = now + lease
    token = connection.execute(
        update(tables.feed)
        .where(_T.id == feed, _is_free(now))
        .values(lease_run=None, lease_until=until, lease_token=_T.lease_token + 1)
        .returning(_T.lease_token)
    ).scalar_one_or_none()
    return None if token is None else Claim(feed, token, until)


def fence(connection: Connection, held: Claim) -> None:
    """Check, as the first statement of a result's transaction, that the claim is still ours.

    Errors: LeaseLost when another worker has taken the feed since.
    """
    if _FENCE.run(connection, {"feed": held.feed, "token": held.token, "until": held.until}) != 1:
        raise LeaseLost(f"feed {held.feed} was taken over: token {held.token} is old")


def settle(connection: Connection, held: Claim, result: Settlement) -> None:
    """Write what a poll learnt and give the claim back.

    Errors: LeaseLost as `fence`.
    """
    values = _outcome_values(result)
    if result.moved_to is not None:
        values |= _moved(connection, held.feed, result.moved_to, result.moved_why or "redirect", result.at)
    if _settling(tuple(sorted(values))).run(connection, _given(held, values)) != 1:
        raise LeaseLost(f"feed {held.feed} was taken over: token {held.token} is old")


def still_held(connection: Connection, claims: Sequence[Claim]) -> frozenset[FeedId]:
    """The feeds of these claims that no other worker has taken since."""
    asked = (_TOKENS.rows(connection, {"feeds": some}) for some in plain.chunks([held.feed for held in claims]))
    tokens = dict(row for rows in asked for row in rows)
    return frozenset(held.feed for held in claims if tokens.get(held.feed) == held.token)


def settle_many(connection: Connection, results: Sequence[tuple[Claim, Settlement]]) -> None:
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
    return plain.Statement(update(tables.feed).where(*ours).values(**values))


def _moved(connection: Connection, feed: FeedId, to: str, why: str, at: datetime) -> dict[str, Any]:
    """Note a move; a feed that leads to another one of ours is merged with it: from now on only that one is asked."""
    before = connection.execute(select(func.coalesce(_T.moved_to, _T.url)).where(_T.id == feed)).scalar_one()
    connection.execute(insert(tables.feed_url_history).values(feed_id=feed, at=at, old=before, new=to, why=why))
    ours = select(_T.id).where(_T.id != feed, _T.state.in_(POLLED), func.coalesce(_T.moved_to, _T.url) == to)
    taken = connection.execute(ours.limit(1)).first() is not None
    host = links.host_of(to)  # from now on it is this one that is spaced and held
    lives = {"host": host, "shard": shard_of(host)} if host else {}
    return {"moved_to": to} | lives | ({"state": "merged"} if taken else {})


def merged(connection: Connection) -> dict[str, tuple[str, ...]]:
    """The configured addresses of feeds that turned out to be another one, by the address that is asked for them."""
    found: dict[str, tuple[str, ...]] = {}
    for row in connection.execute(select(_T.moved_to, _T.url).where(_T.state == "merged").order_by(_T.id)):
        found[row.moved_to] = (*found.get(row.moved_to, ()), row.url)
    return found


def undo_move(connection: Connection, feed: FeedId, now: datetime) -> str | None:
    """Take the last learnt move back; returns the address that is asked again, None when there was no move."""
    history = tables.feed_url_history.c
    last = connection.execute(
        select(history.old, history.new)
        .where(history.feed_id == feed, history.why != "undone")
        .order_by(history.at.desc())
        .limit(1)
    ).first()
    row = connection.execute(select(_T.url, _T.moved_to, _T.schedule).where(_T.id == feed)).one()
    if last is None or row.moved_to != last.new:
        return None
    connection.execute(
        insert(tables.feed_url_history).values(feed_id=feed, at=now, old=last.new, new=last.old, why="undone")
    )
    back = None if last.old == row.url else last.old
    known = {name: value for name, value in row.schedule.items() if name != "redirect"}
    forgotten: dict[str, Any] = {"etag": None, "last_modified": None, "body_sha256": None, "items": None}
    forgotten["schedule"] = known
    if host := links.host_of(last.old):
        forgotten |= {"host": host, "shard": shard_of(host)}
    connection.execute(
        update(tables.feed).where(_T.id == feed).values(moved_to=back, state="active", next_at=now, **forgotten)
    )
    return str(last.old)


def moves(connection: Connection, feed: FeedId) -> tuple[Move, ...]:
    """The moves of a feed, the newest first."""
    history = tables.feed_url_history
    rows = connection.execute(select(history).where(history.c.feed_id == feed).order_by(history.c.at.desc()))
    return tuple(Move(row.at, row.old, row.new, row.why) for row in rows)


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


def ask_now(connection: Connection, feed: FeedId, now: datetime) -> None:
    """Make one feed due."""
    connection.execute(update(tables.feed).where(_T.id == feed).values(next_at=now, next_reason="forced"))


def pause(connection: Connection, feed: FeedId) -> None:
    """Ask a feed no more; what it brought stays."""
    connection.execute(update(tables.feed).where(_T.id == feed).values(state="paused"))


def reschedule(connection: Connection, times: Mapping[FeedId, datetime], reason: str) -> None:
    """Move the next polls of feeds that nobody holds; those that somebody holds are about to be decided anew."""
    for feed, at in times.items():
        connection.execute(
            update(tables.feed).where(_T.id == feed, _T.lease_until.is_(None)).values(next_at=at, next_reason=reason)
        )


def remember(connection: Connection, feed: FeedId, schedule: Mapping[str, Any], *, failing: bool) -> None:
    """Correct what is remembered of a feed that nobody holds; `failing` is false when its failure was taken back."""
    mended = {} if failing else {"fail_reason": None, "fail_message": None, "first_fail_at": None}
    connection.execute(
        update(tables.feed).where(_T.id == feed, _T.lease_until.is_(None)).values(schedule=dict(schedule), **mended)
    )


def all_rows(connection: Connection) -> tuple[FeedRow, ...]:
    """Every feed, in the order of their ids."""
    return tuple(_feed(row) for row in connection.execute(select(tables.feed).order_by(_T.id)))


def overdue(connection: Connection, now: datetime) -> Iterator[FeedRow]:
    """Feeds that fell due and were asked before; one after the other, since a farm's do not fit into memory at once."""
    wanted = (_T.state.in_(POLLED), _T.last_attempt_at.is_not(None), _T.next_at <= now)
    query = select(tables.feed).where(*wanted).order_by(_T.id).execution_options(yield_per=AT_A_TIME)
    return map(_feed, connection.execute(query))


def failing(
    connection: Connection, hosts: Collection[str], reasons: Collection[str], since: datetime
) -> tuple[FeedRow, ...]:
    """Feeds of these hosts that failed for one of these reasons since a time, in the order of their ids."""
    wanted = (_T.host.in_(hosts), _T.fail_reason.in_(reasons), _T.last_attempt_at >= since)
    return tuple(_feed(row) for row in connection.execute(select(tables.feed).where(*wanted).order_by(_T.id)))


def by_id(connection: Connection, feed: FeedId) -> FeedRow | None:
    """One feed, or None."""
    row = connection.execute(select(tables.feed).where(_T.id == feed)).one_or_none()
    return None if row is None else _feed(row)


def by_url(connection: Connection, url: str) -> FeedRow | None:
    """The feed with this configured address."""
    row = connection.execute(select(tables.feed).where(_T.url == url)).one_or_none()
    return None if row is None else _feed(row)


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
