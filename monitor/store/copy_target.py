"""The Postgres side of `storywatch db copy`: which ranges are there, foreign keys put aside, sequences set right.

Two tables of its own remember the work and are gone at its end: `copy_job`, and a row in `copy_range` for each range,
written in the transaction that brought its rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Engine, String, Table, Text, func, inspect, select, text

from monitor.errors import StoreError
from monitor.store import migrate, partitions, pgbinary
from monitor.store.engine import reading

_LOCK = (7, 4)
_JOB = (
    "create table copy_job (source text not null, keys json not null)",
    "create table copy_range (place bigserial primary key, name text not null, n int not null, upto json not null,"
    " amount bigint not null, sha256 text not null, unique (name, n))",
)
_KEYS = text(
    "select conrelid::regclass::text as table, conname as name, pg_get_constraintdef(oid) as means from pg_constraint"
    " where contype = 'f' and conparentid = 0 and connamespace = current_schema()::regnamespace"
)


@dataclass(frozen=True, slots=True)
class Range:
    """Rows of a table whose keys follow those of the range before, up to `upto` (as SQLite gives it)."""

    table: str
    n: int
    upto: tuple[Any, ...]
    rows: int
    sha256: str


@contextmanager
def alone(target: Engine) -> Iterator[None]:
    """Keep a second copy away from a target.

    Errors: StoreError when one is at work.
    """
    with target.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        key = {"a": _LOCK[0], "b": _LOCK[1]}
        if not connection.execute(text("select pg_try_advisory_lock(:a, :b)"), key).scalar_one():
            raise StoreError("another copy to this database is at work")
        try:
            yield
        finally:
            if not connection.closed and not connection.invalidated:
                connection.execute(text("select pg_advisory_unlock(:a, :b)"), key)


def begin(target: Engine, tables: Sequence[Table], source: str, *, restart: bool) -> None:
    """Make a target ready, or find it as an earlier run left it.

    Errors: StoreError when it holds data that no copy brought, or another state of the source.
    """
    with reading(target) as connection:
        names = inspect(connection).get_table_names()
    if names and "alembic_version" not in names:
        raise StoreError(f"the target holds tables of something else ({', '.join(names[:3])}): name an empty database")
    migrate.ensure(target)
    with target.begin() as connection:
        begun = connection.execute(text("select source from copy_job")).scalar() if "copy_job" in names else None
        if begun is not None and restart:
            _empty(connection, tables)
        elif begun is not None and begun != source:
            raise StoreError("the source has changed since this copy began: begin again with --restart")
        if begun is None:
            _refuse_data(connection, tables)
            _prepare(connection, source)
        elif restart:
            connection.execute(text("update copy_job set source = :source"), {"source": source})


def _refuse_data(connection: Connection, tables: Sequence[Table]) -> None:
    filled = [t.name for t in tables if connection.execute(text(f'select exists (select 1 from "{t.name}")')).scalar()]  # noqa: S608
    if filled:
        raise StoreError(f"the target holds data already ({', '.join(filled[:5])}): name an empty database")


def _empty(connection: Connection, tables: Sequence[Table]) -> None:
    names = ", ".join(f'"{table.name}"' for table in tables)
    connection.exec_driver_sql(f"truncate {names}, copy_range")


def _prepare(connection: Connection, source: str) -> None:
    """Remember the foreign keys and put them aside: a story may lead to a later one."""
    keys = [(row.table, row.name, row.means) for row in connection.execute(_KEYS)]
    for statement in _JOB:
        connection.exec_driver_sql(statement)
    connection.execute(
        text("insert into copy_job values (:source, cast(:keys as json))"), {"source": source, "keys": json.dumps(keys)}
    )
    for table, name, _ in keys:
        connection.exec_driver_sql(f'alter table {table} drop constraint "{name}"')


def make_partitions(target: Engine, since: datetime, until: datetime, of: str) -> None:
    """Make room for rows of a whole stretch of time."""
    with target.begin() as connection:
        at = since
        while at <= until:
            partitions.make_room(connection, at, of)
            at = next(one.until for one in partitions.listed(connection, of) if one.since <= at < one.until)


def ranges(target: Engine) -> tuple[Range, ...]:
    """The ranges that are there, in the order in which they came."""
    with reading(target) as connection:
        rows = connection.execute(text("select name, n, upto, amount, sha256 from copy_range order by place")).all()
    return tuple(Range(r.name, r.n, tuple(map(_from_json, r.upto)), r.amount, r.sha256) for r in rows)


def put(target: Engine, table: Table, one: Range, packed: bytes) -> None:
    """Bring a range and the memory of it, both or neither."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    with target.begin() as connection:
        connection.exec_driver_sql("set local synchronous_commit = off")  # both come back or neither
        with _cursor(connection).copy(f'copy "{table.name}" ({names}) from stdin (format binary)') as sending:
            sending.write(packed)
        connection.execute(
            text("insert into copy_range (name, n, upto, amount, sha256) values (:t, :n, cast(:u as json), :r, :s)"),
            {"t": one.table, "n": one.n, "u": json.dumps([_json(v) for v in one.upto]), "r": one.rows, "s": one.sha256},
        )


def digest(target: Engine, table: Table, before: Range | None, one: Range) -> str:
    """Hash a range as the target holds it."""
    key = [_sorted_as_bytes(column) for column in table.primary_key.columns]
    keys, places = ", ".join(key), ", ".join(["%s"] * len(key))
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    wanted = f"({keys}) <= ({places})" + (f" and ({keys}) > ({places})" if before else "")
    query = f'copy (select {names} from "{table.name}" where {wanted} order by {keys}) to stdout (format binary)'  # noqa: S608
    values = [*_bound(table, one), *(_bound(table, before) if before else ())]
    found = hashlib.sha256()
    with reading(target) as connection, _cursor(connection).copy(query, values) as coming:
        for block in coming:
            found.update(block)
    return found.hexdigest()


def _sorted_as_bytes(column: Column[Any]) -> str:
    """A column of a key in SQLite's order, which knows no language."""
    return f'"{column.name}" collate "C"' if isinstance(column.type, (String, Text)) else f'"{column.name}"'


def _bound(table: Table, one: Range) -> list[Any]:
    return [pgbinary.bound(c, value) for c, value in zip(table.primary_key.columns, one.upto, strict=True)]


def count(target: Engine, table: Table) -> int:
    """How many rows a table of the target has."""
    with reading(target) as connection:
        return int(connection.execute(text(f'select count(*) from "{table.name}"')).scalar_one())  # noqa: S608


def finish(target: Engine, tables: Sequence[Table]) -> None:
    """Put the foreign keys back, which checks them, set the sequences right, and forget the work."""
    with target.begin() as connection:
        connection.exec_driver_sql("set local statement_timeout = 0")
        for table, name, means in connection.execute(text("select keys from copy_job")).scalar_one():
            connection.exec_driver_sql(f'alter table {table} add constraint "{name}" {means}')
        for table in tables:
            _set_sequence(connection, table)
        connection.exec_driver_sql("drop table copy_range, copy_job")
    with target.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("analyze")


def _set_sequence(connection: Connection, table: Table) -> None:
    key = next(iter(table.primary_key.columns))
    asked = {"table": f'"{table.name}"', "key": key.name}
    name = connection.execute(text("select pg_get_serial_sequence(:table, :key)"), asked).scalar()
    if name is not None:
        newest = connection.execute(select(func.max(key))).scalar()
        connection.execute(select(func.setval(name, newest or 1, newest is not None)))


def _cursor(connection: Connection) -> Any:
    """Psycopg's own cursor in the transaction of a connection: SQLAlchemy knows no COPY."""
    raw: Any = connection.connection.driver_connection
    return raw.cursor()


def _json(value: Any) -> Any:
    return {"hex": value.hex()} if isinstance(value, bytes) else value


def _from_json(value: Any) -> Any:
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value
