"""A copy of a SQLite database that is being written to: one state of it, whole and checked, or no file at all.

A copy made by other means while the daemon runs would lack what stands in the write-ahead log. Postgres has tools of
its own; `pg_dump_command` names the one.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import URL

from monitor.errors import StoreError
from monitor.store import engine as engines

_PAGES = 2000
"""Copied at a time: 8 MiB, after which the progress is told."""


@dataclass(frozen=True, slots=True)
class Made:
    """A finished copy."""

    path: Path
    size: int


def database_file(url: str) -> Path:
    """The file of a SQLite database.

    Errors: StoreError when it is none, naming Postgres' own tool; or when it is not there.
    """
    parsed = engines.parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        raise StoreError(f"Postgres is backed up with its own tool:\n  {pg_dump_command(parsed)}")
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        raise StoreError("storage.url names no database file")
    path = Path(str(parsed.database))
    if not path.is_file():
        raise StoreError(f"{path}: no such database; storage.url in config.yaml says where it is")
    return path


def pg_dump_command(url: URL) -> str:
    """The line that backs a Postgres database up; its password is left to ~/.pgpass or PGPASSWORD."""
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query).render_as_string()
    return f"pg_dump --format=custom --file=storywatch.dump '{plain}'"


def target_of(source: Path, wish: Path | None, now: datetime) -> Path:
    """Where a copy goes: the file that was named; in a folder, or beside the database, a name with the time."""
    name = f"{source.stem}-{now:%Y%m%d-%H%M%S}.db"
    if wish is None:
        return source.parent / name
    return wish / name if wish.is_dir() else wish


def make(
    source: Path, target: Path, *, replace: bool, compact: bool = False, tell: Callable[[int, int], None] | None = None
) -> Made:
    """Copy a database as it is at this moment; writers go on. `tell` hears how many pages are done of how many.

    `compact` leaves out free pages; that takes longer.
    Errors: StoreError; then there is no new file, and one that was there is untouched.
    """
    _refuse(source, target, replace=replace)
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(source, part, compact=compact, tell=tell or (lambda _done, _all: None))
        _examine(part)
        _keep(part, target)
    except (sqlite3.Error, OSError) as exc:
        raise StoreError(f"{target}: no backup was made: {exc}") from exc
    finally:
        part.unlink(missing_ok=True)
    return Made(target, target.stat().st_size)


def _refuse(source: Path, target: Path, *, replace: bool) -> None:
    if target.exists() and target.samefile(source):
        raise StoreError(f"{target} is the database itself; name another file")
    if target.exists() and not replace:
        raise StoreError(f"{target} is there already; name another file, or say --replace")
    if not target.parent.is_dir():
        raise StoreError(f"{target.parent}: no such folder")
    log = source.with_name(f"{source.name}-wal")
    free = shutil.disk_usage(target.parent).free
    needed = source.stat().st_size + (log.stat().st_size if log.exists() else 0)
    if free < needed:
        raise StoreError(f"{target.parent}: {mebibytes(needed)} are needed and {mebibytes(free)} are free")


def mebibytes(size: int) -> str:
    """A size as people read it.

    >>> mebibytes(3 * 1024 * 1024)
    '3.0 MiB'
    """
    return f"{size / 1024 / 1024:,.1f} MiB"


def _copy(source: Path, part: Path, *, compact: bool, tell: Callable[[int, int], None]) -> None:
    with closing(_read_only(source)) as reading:
        if compact:
            reading.execute("vacuum into ?", (str(part),))
            return
        reading.execute("begin")
        reading.execute("select count(*) from sqlite_master").fetchone()  # from here on it is one state
        with closing(sqlite3.connect(part, isolation_level=None)) as writing:
            reading.backup(writing, pages=_PAGES, progress=lambda _s, left, pages: tell(pages - left, pages))
            writing.execute("pragma journal_mode=delete")  # one file, without companions


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None, timeout=10)


def _examine(part: Path) -> None:
    """Errors: StoreError when the copy cannot be trusted, and so the database neither."""
    with closing(_read_only(part)) as connection:
        said = [row[0] for row in connection.execute("pragma quick_check(5)")]
    if said != ["ok"]:
        raise StoreError(f"the database is damaged, no backup was made: {said[0]}; see storywatch db check")


def _keep(part: Path, target: Path) -> None:
    """Give the copy its name once its bytes are on the disk."""
    for path in (part, target.parent):
        if path == target.parent:
            part.replace(target)
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
