"""Who leads: a lock held by a session, and a lease row with a token. Needs Postgres.

The lock finds a dead leader at once: its session ends with it. The lease unseats one that is stuck with its session
open, and its token goes into every statement that only a leader may make. Called by `monitor.engines.leader`, on one
connection of its own that no pooler stands before: behind a pooler the lock lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, or_, select, text, update
from sqlalchemy.dialects import postgresql

from monitor.errors import LeaseLost
from monitor.store import tables

LEADER = "leader"
TTL = timedelta(seconds=15)
_LOCK = 8002
_L = tables.lease.c


@dataclass(frozen=True, slots=True)
class Leadership:
    """Proof of leading: the owner and the token a leader's statement must name."""

    owner: str
    token: int


def try_lock(connection: Connection) -> bool:
    """Take the session's lock, if it is free."""
    return bool(connection.execute(text("select pg_try_advisory_lock(:key)"), {"key": _LOCK}).scalar_one())


def unlock(connection: Connection) -> None:
    """Give the lock back, so that it is not kept by one who does not lead."""
    connection.execute(text("select pg_advisory_unlock(:key)"), {"key": _LOCK})


def take(connection: Connection, owner: str, ttl: timedelta = TTL) -> Leadership | None:
    """Lead, as the holder of the lock. None while another leads by its lease alone: it gets the lock next."""
    values = {"owner": owner, "until": func.now() + ttl, "locked": True}
    insert = postgresql.insert(tables.lease).values(name=LEADER, token=1, **values)
    taken = insert.on_conflict_do_update(
        index_elements=["name"],
        set_=values | {"token": _L.token + 1},
        where=or_(_L.locked, _L.until < func.now(), _L.owner == owner),
    ).returning(_L.token)
    token = connection.execute(taken).scalar_one_or_none()
    return None if token is None else Leadership(owner, token)


def take_expired(connection: Connection, owner: str, ttl: timedelta = TTL) -> Leadership | None:
    """Lead without the lock, because whoever has it has not renewed its lease in time."""
    values = {"owner": owner, "until": func.now() + ttl, "locked": False, "token": _L.token + 1}
    taken = update(tables.lease).where(_L.name == LEADER, _L.until < func.now()).values(**values).returning(_L.token)
    token = connection.execute(taken).scalar_one_or_none()
    return None if token is None else Leadership(owner, token)


def renew(connection: Connection, mine: Leadership, ttl: timedelta = TTL, *, locked: bool) -> bool:
    """Lead on; false when somebody else leads by now."""
    renewed = update(tables.lease).where(*_is(mine)).values(until=func.now() + ttl, locked=locked)
    return connection.execute(renewed).rowcount == 1


def resign(connection: Connection, mine: Leadership) -> None:
    """Let the next one lead at once."""
    connection.execute(update(tables.lease).where(*_is(mine)).values(until=func.now(), locked=True))


def check(connection: Connection, mine: Leadership) -> None:
    """Refuse to go on when somebody else leads by now; for the first statement of a leader's transaction.

    Errors: LeaseLost.
    """
    if connection.execute(select(_L.token).where(*_is(mine))).scalar_one_or_none() is None:
        raise LeaseLost(f"{mine.owner} leads no more: token {mine.token} is old")


def is_vacant(connection: Connection) -> bool:
    """Whether nobody leads."""
    led = select(_L.token).where(_L.name == LEADER, _L.until >= func.now())
    return connection.execute(led).scalar_one_or_none() is None


def vacant_since(connection: Connection, at_least: timedelta) -> datetime | None:
    """Since when nobody has led, if that is so long ago; None also where nobody ever did."""
    ended = select(_L.until).where(_L.name == LEADER, _L.until < func.now() - at_least)
    since: datetime | None = connection.execute(ended).scalar_one_or_none()
    return since


def _is(mine: Leadership) -> tuple[ColumnElement[bool], ...]:
    return _L.name == LEADER, _L.owner == mine.owner, _L.token == mine.token
