"""How full, how late, how large: figures of the whole database for `observing`. Reads only, a few statements.

Each is one grouped query over an index or over the feeds; nothing counts entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, func, or_, select, text

from monitor.store import feeds, tables

_T = tables.feed.c


@dataclass(frozen=True, slots=True)
class Feeds:
    """Feeds by state and, of those that are asked, by standing; how many are due, and since when by shard."""

    states: dict[str, int]
    standings: dict[str, int]
    due: int
    oldest_due: dict[int, datetime]


def of_feeds(connection: Connection, now: datetime) -> Feeds:
    """Count the feeds."""
    states: dict[str, int] = {}
    standings: dict[str, int] = {}
    for state, standing, number in connection.execute(
        select(_T.state, _T.standing, func.count()).group_by(_T.state, _T.standing)
    ):
        states[state] = states.get(state, 0) + number
        if state in feeds.POLLED:
            standings[standing] = standings.get(standing, 0) + number
    is_free = or_(_T.lease_until.is_(None), _T.lease_until < now)
    waiting = connection.execute(
        select(_T.shard, func.count(), func.min(_T.next_at))
        .where(tables.POLLED, _T.next_at <= now, is_free)
        .group_by(_T.shard)
    ).all()
    return Feeds(states, standings, sum(row[1] for row in waiting), {row[0]: row[2] for row in waiting})


def queued_jobs(connection: Connection) -> int | None:
    """How many shard jobs wait in the engine's queue; None where there is no queue."""
    if connection.dialect.name != "postgresql":
        return None
    if connection.execute(text("select to_regclass('pgqueuer.pgqueuer')")).scalar_one() is None:
        return None
    waiting = text("select count(*) from pgqueuer.pgqueuer where status = 'queued'")
    return int(connection.execute(waiting).scalar_one())


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes of the database, and of the log it writes first: what waits there, and what was ever written to it.

    None where the database does not say, or not to this account.
    """

    database: int | None
    wal: int | None
    wal_written: int | None = None


def size(connection: Connection, engine: Engine) -> Size:
    """Ask how large the database is."""
    if engine.dialect.name == "postgresql":
        return _postgres_size(connection)
    if engine.url.database in (None, "", ":memory:"):
        return Size(None, None)
    file = Path(str(engine.url.database))
    return Size(_bytes(file), _bytes(file.with_name(file.name + "-wal")) or 0)


def _postgres_size(connection: Connection) -> Size:
    """The folder of the log is for members of pg_monitor only; how much was written may be asked by anybody."""
    total, written, may_look = connection.execute(
        text(
            "select pg_database_size(current_database()), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0'),"
            " has_function_privilege('pg_ls_waldir()', 'execute')"
        )
    ).one()
    folder = connection.execute(text("select sum(size) from pg_ls_waldir()")).scalar_one() if may_look else None
    return Size(int(total), None if folder is None else int(folder), int(written))


def _bytes(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return None
