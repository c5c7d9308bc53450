"""Claims: what is due, who holds it, and how it is given back.

A claim carries a token; every write names it, so a worker that woke up late changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, func, or_, select, update

from monitor.errors import LeaseLost
from monitor.store import choosing, plain, tables
from monitor.store.feeds import FeedRow, of_row
from monitor.values import Claim, FeedId

_T = tables.feed.c
CANDIDATES = 400
"""Feeds that a claim looks at, at the least."""
_PLACE = {column.name: place for place, column in enumerate(tables.FEED_STATE)}
_ID, _TOKEN = _PLACE["id"], _PLACE["lease_token"]
_TOKENS = plain.Statement(
    {name: select(_T.id, _T.lease_token).where(plain.among(name, _T.id, "feeds")) for name in plain.DATABASES}
)
_FENCE = plain.Statement(
    update(tables.feed)
    .where(_T.id == bindparam("feed"), _T.lease_token == bindparam("token"))
    .values(lease_until=bindparam("until"))
)


def due_count(connection: Connection, now: datetime) -> int:
    """How many feeds wait to be polled."""
    return connection.execute(select(func.count()).select_from(tables.feed).where(_is_due(now))).scalar_one()


def due_hosts(connection: Connection, now: datetime) -> tuple[str, ...]:
    """The hosts with feeds that wait to be polled, in the order of their names."""
    rows = connection.execute(select(_T.host).distinct().where(_is_due(now)).order_by(_T.host))
    return tuple(row[0] for row in rows)


def _is_due(now: datetime | BindParameter[Any]) -> Any:
    return and_(choosing.is_due(now), _is_free(now))


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
    Nine are what a host's spacing of 5 s lets begin before a lease of 90 s gets short. `choosing.chosen` says how it
    chooses.
    """
    until = now + lease
    looked_at = max(2 * limit, CANDIDATES)
    given: dict[str, Any] = {"now": now, "until": until, "per_host": per_host, "most": limit, "looked_at": looked_at}
    chosen = {"busy": list(busy) or None, "of_host": host, "only": only}
    given |= {name: value for name, value in chosen.items() if value is not None}
    return claimed_rows(_claiming(frozenset(given)).rows(connection, given), until)


@cache
def _claiming(given: frozenset[str]) -> plain.Statement:
    """The statement that claims with these parameters; made once, since making it costs more than running it."""
    now = bindparam("now", type_=_T.next_at.type)
    narrowed = {
        "busy": _T.host.not_in(bindparam("busy", expanding=True)),
        "of_host": _T.host == bindparam("of_host"),
        "only": _T.id == bindparam("only"),
    }
    free = _is_due(now)
    wanted = and_(free, *(condition for name, condition in narrowed.items() if name in given))
    take = choosing.chosen(wanted, still=free)
    claimed = {"lease_run": None, "lease_until": bindparam("until"), "lease_token": _T.lease_token + 1}
    claiming = update(tables.feed).where(_T.id.in_(take)).values(**claimed)
    return plain.Statement(claiming.returning(*tables.FEED_STATE))


def claimed_rows(taken: Iterable[Sequence[Any]], until: datetime) -> tuple[FeedRow, ...]:
    """Feeds that an update has just claimed, given by their `tables.FEED_STATE`, the longest overdue first."""
    rows = (of_row(cells, Claim(FeedId(cells[_ID]), cells[_TOKEN], until)) for cells in taken)
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


def still_held(connection: Connection, held: Sequence[Claim]) -> frozenset[FeedId]:
    """The feeds of these claims that no other worker has taken since."""
    asked = (_TOKENS.rows(connection, {"feeds": some}) for some in plain.chunks([one.feed for one in held]))
    tokens = dict(row for rows in asked for row in rows)
    return frozenset(one.feed for one in held if tokens.get(one.feed) == one.token)


def release(connection: Connection, held: Iterable[Claim]) -> None:
    """Give claims back that were not begun: the feeds are due again at once."""
    for one in held:
        connection.execute(
            update(tables.feed).where(_T.id == one.feed, _T.lease_token == one.token).values(lease_until=None)
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
