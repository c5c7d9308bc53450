"""Move a SQLite database to Postgres: table by table, a range of keys at a time, each range in one transaction.

The target remembers which ranges it has (`copy_target`), so that an interrupted copy goes on where it was; afterwards
each range is read back and compared with what was sent. The daemon must not run meanwhile. The index of words is not
copied: a daemon builds it anew.
"""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, Table
from sqlalchemy.exc import DBAPIError

from alerts import tables as alert_tables
from alerts.tables import EPOCH
from monitor.errors import StoreError
from monitor.store import backup, copy_target, filelock, migrate, partitions, pgbinary, tables
from monitor.store import engine as engines
from monitor.store.copy_target import Range

ROWS, BYTES = 10_000, 16 * 1024 * 1024
"""A range ends after so many rows or packed bytes, whichever comes first."""
Tell = Callable[[str, str, int, int], None]
"""Hears the step (copying, comparing), the table, rows done and rows in all."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was moved: rows by table, in how many ranges, how many of those were there from an earlier run."""

    rows: dict[str, int]
    ranges: int
    resumed: int


def all_tables() -> tuple[Table, ...]:
    """Every table of both packages but the one that says which process leads: that is true of one database only."""
    every = (*tables.metadata.sorted_tables, *alert_tables.metadata.sorted_tables)
    return tuple(table for table in every if table is not tables.lease)


def copy(
    source_url: str, target_url: str, *, restart: bool = False, tell: Tell | None = None, most: int = ROWS
) -> Copied:
    """Copy a whole database and compare it; `restart` empties a target that an earlier copy began to fill.

    A range has at `most` so many rows.

    Errors: AlreadyRunning while a daemon works on the source; StoreError for a target that holds other data, a source
    that changed since the copy began, and ranges that differ; SchemaMismatch; StoreUnreachable.
    """
    path = backup.database_file(source_url)
    target = _open_target(target_url)
    try:
        with filelock.FileLock(source_url):
            _check_source(source_url, path)
            with closing(_open_source(path)) as source, copy_target.alone(target):
                copy_target.begin(target, all_tables(), _fingerprint(path), restart=restart)
                return _copy(source, target, tell or (lambda _step, _table, _done, _of: None), most)
    except DBAPIError as exc:
        said = " ".join(str(exc.orig).split())
        raise StoreError(f"the copy was interrupted: {said}; run it again to go on") from exc
    finally:
        target.dispose()


def _copy(source: sqlite3.Connection, target: Engine, tell: Tell, most: int) -> Copied:
    there = copy_target.ranges(target)
    _make_partitions(source, target)
    counts = {table.name: _count(source, table) for table in all_tables()}
    for table in all_tables():
        done = [one for one in there if one.table == table.name]
        rows = sum(one.rows for one in done)
        for one, packed in _packed(source, table, done[-1] if done else None, most):
            copy_target.put(target, table, one, packed)
            rows += one.rows
            tell("copying", table.name, rows, counts[table.name])
    ranges = copy_target.ranges(target)
    for table in all_tables():
        mine = [one for one in ranges if one.table == table.name]
        _compare(target, table, mine, counts[table.name], tell)
    copy_target.finish(target, all_tables())
    return Copied(counts, len(ranges), len(there))


def _open_target(url: str) -> Engine:
    if engines.parse_url(url).get_backend_name() != "postgresql":
        raise StoreError("--to: a Postgres address is wanted, such as postgresql://storywatch@db.example/storywatch")
    engine = engines.open_engine(url, pool=3, role="copy")
    engines.check_reachable(engine)
    return engine


def _check_source(url: str, path: Path) -> None:
    """Errors: SchemaMismatch. Empties the write-ahead log, so that the file alone tells whether anything changed."""
    engine = engines.open_engine(url)
    try:
        engines.check_reachable(engine)
        migrate.refuse_other(engine)
    finally:
        engine.dispose()
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")


def _open_source(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None, timeout=10)


def _fingerprint(path: Path) -> str:
    """What changes when the file does."""
    stat = path.stat()
    return f"{stat.st_size} bytes of {stat.st_mtime_ns}"


def _count(source: sqlite3.Connection, table: Table) -> int:
    return int(source.execute(f'select count(*) from "{table.name}"').fetchone()[0])  # noqa: S608  our own names


def _make_partitions(source: sqlite3.Connection, target: Engine) -> None:
    for of, column in ((partitions.ENTRY, "first_seen_at"), (partitions.FETCH_LOG, "at")):
        first, last = source.execute(f'select min("{column}"), max("{column}") from "{of}"').fetchone()  # noqa: S608
        if first is not None:
            since, until = (EPOCH + timedelta(microseconds=time) for time in (first, last))
            copy_target.make_partitions(target, since, until, of)


def _packed(source: sqlite3.Connection, table: Table, last: Range | None, most: int) -> Iterator[tuple[Range, bytes]]:
    """Cut what follows the last range into ranges, each with the bytes to send.

    Errors: StoreError for a value that is not of its column's type.
    """
    pack = pgbinary.row_packer(table)
    places = [list(table.columns).index(column) for column in table.primary_key.columns]
    number, lines, size, row = last.n + 1 if last else 1, [], 0, None
    for row in _rows(source, table, last):
        try:
            line = pack(row)
        except (struct.error, TypeError, AttributeError) as exc:
            key = ", ".join(str(row[place]) for place in places)
            raise StoreError(f"{table.name} {key}: a value is not of its column's type ({exc})") from exc
        lines.append(line)
        size += len(line)
        if len(lines) >= most or size >= BYTES:
            yield _range(table, number, lines, tuple(row[place] for place in places))
            number, lines, size = number + 1, [], 0
    if lines and row is not None:
        yield _range(table, number, lines, tuple(row[place] for place in places))


def _range(table: Table, number: int, lines: list[bytes], upto: tuple[Any, ...]) -> tuple[Range, bytes]:
    packed = b"".join((pgbinary.HEADER, *lines, pgbinary.TRAILER))
    return Range(table.name, number, upto, len(lines), hashlib.sha256(packed).hexdigest()), packed


def _rows(source: sqlite3.Connection, table: Table, last: Range | None) -> Iterator[tuple[Any, ...]]:
    key = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    after = f" where ({key}) > ({', '.join('?' * len(last.upto))})" if last else ""
    query = f'select {names} from "{table.name}"{after} order by {key}'  # noqa: S608  our own names
    yield from source.execute(query, last.upto if last else ())


def _compare(target: Engine, table: Table, ranges: list[Range], count: int, tell: Tell) -> None:
    """Read every range of a table back.

    Errors: StoreError naming the first that is not what was sent.
    """
    before: Range | None = None
    rows = 0
    for one in ranges:
        if copy_target.digest(target, table, before, one) != one.sha256:
            raise StoreError(f"{table.name}: rows after {before.upto if before else 'the first'} differ; --restart")
        before, rows = one, rows + one.rows
        tell("comparing", table.name, rows, count)
    found = copy_target.count(target, table)
    if not count == rows == found:
        raise StoreError(f"{table.name}: {count} rows here and {found} there; was something else writing? --restart")
