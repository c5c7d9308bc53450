"""Partitions on Postgres: of entries a month each, or a day each where they are kept 30 days or less; of the fetch log
a week each.

They are made ahead at start and by `prune`; a row that finds none makes it in its own transaction. Made as a table
of its own and attached, so that nobody who writes is waited for. Old ones are detached and dropped, row by row nothing.
There is no default partition: with one, `detach concurrently` is refused. On SQLite nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from monitor.store import meta

ENTRY, FETCH_LOG = "entry", "fetch_log"
TABLES = (ENTRY, FETCH_LOG)
"""What is cut into partitions. Every function is told of which it is asked; of entries, when it is told nothing."""
MONTHS_AHEAD, DAYS_AHEAD = 3, 30
_LONGEST_BY_DAY, _WEEK = timedelta(days=30), timedelta(days=7)
_STEP = "entry_partitions"
"""The fact in `meta` that says how long a partition of entries is."""
_LOCK = (7, 5)
_KNOWN = "{}_partition"
_LIST = text(
    "select c.relname as name, pg_get_expr(c.relpartbound, c.oid) as bound, i.inhdetachpending as pending"
    " from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = cast(:of as regclass)"
)
_DETACHED = text(
    "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = current_schema()"
    " and c.relkind = 'r' and not c.relispartition and c.relname ~"
    " ('^' || :of || '_[0-9]{4}_[0-9]{2}(_[0-9]{2})?(_to_[0-9]{4}_[0-9]{2}_[0-9]{2})?$') order by c.relname"
)
_HOW = {False: "concurrently", True: "finalize"}


class Step(StrEnum):
    """How long a partition is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Partition:
    """Rows from `since` on and before `until`. `pending`: it was to be detached, and half is."""

    name: str
    since: datetime
    until: datetime
    pending: bool = False


def step_for(kept: timedelta) -> Step:
    """Choose how long partitions of entries are: days where entries are kept a month or less."""
    return Step.DAY if kept <= _LONGEST_BY_DAY else Step.MONTH


def around(at: datetime, step: Step, of: str = ENTRY) -> Partition:
    """Give the partition a time belongs to.

    >>> around(datetime(2026, 12, 5, 8, tzinfo=UTC), Step.MONTH).name
    'entry_2026_12'
    """
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if step is Step.DAY:
        return Partition(f"{of}_{day:%Y_%m_%d}", day, day + timedelta(days=1))
    if step is Step.WEEK:
        monday = day - timedelta(days=day.weekday())
        return Partition(f"{of}_{monday:%Y_%m_%d}", monday, monday + _WEEK)
    first = day.replace(day=1)
    return Partition(f"{of}_{day:%Y_%m}", first, (first + timedelta(days=31)).replace(day=1))


def wanted(now: datetime, step: Step, there: Sequence[Partition], of: str = ENTRY) -> Iterator[Partition]:
    """Name the partitions to be made so that there are enough ahead; none overlaps one that is there."""
    ahead = timedelta(days=MONTHS_AHEAD * 31 if step is Step.MONTH else DAYS_AHEAD)
    at = now
    while at <= now + ahead:
        fitted = _fitted(around(at, step, of), at, there, of)
        if fitted is None:
            at = next(one.until for one in there if one.since <= at < one.until)
            continue
        yield fitted
        at = fitted.until


def _fitted(one: Partition, at: datetime, there: Sequence[Partition], of: str) -> Partition | None:
    """Cut a partition back to the room that is free around a time; None where there is none."""
    if any(other.since <= at < other.until for other in there):
        return None
    since = max([one.since, *(other.until for other in there if other.until <= at)])
    until = min([one.until, *(other.since for other in there if other.since > at)])
    whole = (since, until) == (one.since, one.until) and all(other.name != one.name for other in there)
    return one if whole else Partition(f"{of}_{since:%Y_%m_%d}_to_{until:%Y_%m_%d}", since, until)


def listed(connection: Connection, of: str = ENTRY) -> tuple[Partition, ...]:
    """The partitions there are, the oldest first; none on SQLite."""
    if connection.dialect.name != "postgresql":
        return ()
    rows = connection.execute(_LIST, {"of": of}).all()
    found = [Partition(row.name, *_bounds(row.bound), row.pending) for row in rows if row.bound]
    return tuple(sorted(found, key=lambda one: one.since))


def _bounds(said: str) -> tuple[datetime, datetime]:
    """Read `FOR VALUES FROM ('...') TO ('...')`."""
    _, since, _, until, _ = said.split("'")
    return _instant(since), _instant(until)


def _instant(said: str) -> datetime:
    # Postgres writes a whole hour's offset as +00, which Python reads from 3.11 on.
    return datetime.fromisoformat(said).astimezone(UTC)


def make_ahead(connection: Connection, now: datetime, kept: timedelta) -> int:
    """Make the partitions of the next months, weeks or days; returns how many were made. `kept` says it of entries."""
    if connection.dialect.name != "postgresql":
        return 0
    step = step_for(kept)
    if meta.get(connection, _STEP) != step:
        meta.put(connection, _STEP, step)
    return sum(make_next(connection, now, of) for of in TABLES)


def make_next(connection: Connection, now: datetime, of: str) -> int:
    """Make the partitions of one table; returns how many were made."""
    step = _step(connection, of)
    if not list(wanted(now, step, listed(connection, of), of)):
        return 0
    _lock(connection)
    missing = list(wanted(now, step, listed(connection, of), of))
    for one in missing:
        _make(connection, one, of)
    return len(missing)


def _step(connection: Connection, of: str) -> Step:
    return Step.WEEK if of == FETCH_LOG else Step(meta.get(connection, _STEP) or Step.MONTH)


def make_room(connection: Connection, at: datetime, of: str = ENTRY) -> None:
    """See that a row of this time can be stored; asks the database only when it has not done so on this connection.

    To be called in the transaction that stores it, for entries before anything else is locked.
    """
    if connection.dialect.name != "postgresql":
        return
    known: Partition | None = connection.info.get(_KNOWN.format(of))
    if known is not None and known.since <= at < known.until:
        return
    found = _holding(connection, at, of)
    if found is None:
        _lock(connection)
        found = _holding(connection, at, of) or _made(connection, at, of)
        return  # known to others only after the commit, and not to us if it fails
    connection.info[_KNOWN.format(of)] = found


def _holding(connection: Connection, at: datetime, of: str) -> Partition | None:
    return next((one for one in listed(connection, of) if one.since <= at < one.until and not one.pending), None)


def _made(connection: Connection, at: datetime, of: str) -> Partition:
    there = listed(connection, of)
    fitted = _fitted(around(at, _step(connection, of), of), at, there, of)
    assert fitted is not None
    _make(connection, fitted, of)
    return fitted


def _lock(connection: Connection) -> None:
    connection.execute(text("select pg_advisory_xact_lock(:a, :b)"), {"a": _LOCK[0], "b": _LOCK[1]})


def _make(connection: Connection, one: Partition, of: str) -> None:
    """Make a table and attach it: `create table ... partition of` would wait for all who write to the whole."""
    connection.exec_driver_sql(f'create table "{one.name}" (like "{of}" including all)')
    connection.exec_driver_sql(
        f'alter table "{of}" attach partition "{one.name}" for values from (\'{one.since.isoformat()}\')'
        f" to ('{one.until.isoformat()}')"
    )


def old(connection: Connection, before: datetime, of: str = ENTRY) -> tuple[Partition, ...]:
    """The partitions that hold nothing from this time on."""
    return tuple(one for one in listed(connection, of) if one.until <= before)


def drop_old(engine: Engine, before: datetime, of: str = ENTRY) -> tuple[str, ...]:
    """Detach and drop what is old; returns the names of what went.

    What a long reader holds up stays half detached; the next call finishes that. Each statement is on its own, since
    `detach concurrently` refuses a transaction.
    """
    if engine.dialect.name != "postgresql":
        return ()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for one in old(connection, before, of):
            _try(connection, f'alter table "{of}" detach partition "{one.name}" {_HOW[one.pending]}')
        detached = list(connection.execute(_DETACHED, {"of": of}).scalars())  # also by one who was killed before this
        return tuple(name for name in detached if _try(connection, f'drop table "{name}"'))


def _try(connection: Connection, statement: str) -> bool:
    """Run what may be done next time: a statement's or a lock's time may be up, or another process at it."""
    try:
        connection.exec_driver_sql(statement)
    except DBAPIError as exc:
        if exc.connection_invalidated:
            raise
        return False
    return True


def is_short(now: datetime, there: Sequence[Partition]) -> bool:
    """Whether less than a third of what should be ahead is left."""
    if not there:
        return True
    newest = there[-1]
    in_months = newest.until - newest.since > _WEEK
    return newest.until < now + timedelta(days=MONTHS_AHEAD * 31 if in_months else DAYS_AHEAD) / 3
