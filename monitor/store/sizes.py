"""How large the database is, table by table. For `storywatch db stats`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy import table as named
from sqlalchemy.exc import OperationalError

from monitor.store import checking, migrate, partitions, tables
from monitor.store.engine import reading


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table with its indexes. `bytes` is None where this SQLite cannot say."""

    name: str
    rows: int
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Sizes:
    """The whole. `free` are bytes inside a SQLite file that new rows will use; `wal` is its write-ahead log.

    `exact` says whether rows were counted; Postgres estimates them.
    """

    database: str
    schema: str | None
    total: int
    free: int
    wal: int
    exact: bool
    tables: tuple[TableSize, ...]
    oldest_entry: datetime | None
    newest_entry: datetime | None
    partitions: tuple[partitions.Partition, ...] = ()


def read(engine: Engine) -> Sizes:
    """Measure a database. On SQLite that reads every page once."""
    with reading(engine) as connection:
        on_postgres = engine.dialect.name == "postgresql"
        found = _postgres(connection) if on_postgres else _sqlite(connection)
        times = connection.execute(
            select(func.min(tables.entry.c.first_seen_at), func.max(tables.entry.c.first_seen_at))
        ).one()
        return Sizes(
            database=engine.url.render_as_string(hide_password=True),
            schema=migrate.current(engine),
            total=_total(connection),
            free=0 if on_postgres else _pragma(connection, "freelist_count") * _pragma(connection, "page_size"),
            wal=checking.wal_bytes(engine),
            exact=not on_postgres,
            tables=tuple(sorted(found, key=lambda one: (-(one.bytes or 0), -one.rows, one.name))),
            oldest_entry=times[0],
            newest_entry=times[1],
            partitions=partitions.listed(connection),
        )


def _total(connection: Connection) -> int:
    if connection.dialect.name == "postgresql":
        return int(connection.execute(text("select pg_database_size(current_database())")).scalar_one())
    return _pragma(connection, "page_count") * _pragma(connection, "page_size")


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.exec_driver_sql(f"pragma {name}").scalar_one())


def _sqlite(connection: Connection) -> list[TableSize]:
    owned: Any = connection.exec_driver_sql(
        "select name, tbl_name from sqlite_master where rootpage > 0 and name not like 'sqlite\\_stat%' escape '\\'"
    )
    owner = {str(name): str(table) for name, table in owned}
    pages = _pages(connection)
    names = sorted(set(owner.values()))
    sizes = dict.fromkeys(names, 0)
    for name, size in (pages or {}).items():
        if name in owner:
            sizes[owner[name]] += size
    return [TableSize(name, _count(connection, name), sizes[name] if pages else None) for name in names]


def _count(connection: Connection, table: str) -> int:
    return int(connection.execute(select(func.count()).select_from(named(table))).scalar_one())


def _pages(connection: Connection) -> dict[str, int] | None:
    """Bytes of each table and index; None where this SQLite was built without dbstat."""
    try:
        rows: Any = connection.exec_driver_sql("select name, pgsize from dbstat where aggregate = true")
        return {str(name): int(size) for name, size in rows}
    except OperationalError:
        return None


def _postgres(connection: Connection) -> list[TableSize]:
    return [TableSize(row.name, int(row.rows), int(row.bytes)) for row in connection.execute(_TABLES)]


_TABLES = text(
    "select c.relname as name, sum(coalesce(s.n_live_tup, 0)) as rows, sum(pg_total_relation_size(p.relid)) as bytes"
    " from pg_class c join pg_namespace n on n.oid = c.relnamespace"
    " cross join lateral (select c.oid as relid where c.relkind = 'r'"
    " union all select t.relid from pg_partition_tree(c.oid) t where c.relkind = 'p') p"
    " left join pg_stat_user_tables s on s.relid = p.relid"
    " where n.nspname = current_schema() and c.relkind in ('r', 'p') and not c.relispartition group by c.relname"
)
