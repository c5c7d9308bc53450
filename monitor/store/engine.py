"""The database engine: one function for SQLite and Postgres, and the rules of `BEGIN`.

SQLite: WAL, `synchronous=FULL` (a lost "sent" mark would be a second message) and `BEGIN IMMEDIATE`, because a plain
BEGIN that reads and then writes fails with "database is locked" in spite of the busy timeout.

Postgres: every statement, lock and idle transaction has an end, so that a stuck worker never holds the others up.
Behind a transaction pooler nothing may stick to a connection: no prepared statements, limits set by each transaction.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, ExceptionContext, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.pool import QueuePool

from monitor.errors import StoreError, StoreNotWritable, StoreUnreachable
from monitor.store import sqlite_file

_PRAGMAS = ("busy_timeout=10000", "synchronous=full", "foreign_keys=on")
_WAL_WITHIN_S = 10.0
_STORY_LOCK = (7, 1)
_START_LOCK = (7, 2)
_LOCK = text("select pg_advisory_xact_lock(:a, :b)")
LIMITS = {
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "30s",
    "lock_timeout": "10s",
}
"""What a Postgres session may take."""

_ENDED = ("25P03", "25P04")
"""What Postgres says to a session whose transaction lay idle, or went on, for too long."""
_READ_ONLY = "25006"
"""What Postgres says to who would change something where nothing may be changed; a new session may hear otherwise."""
_MAY_CHANGE = text("show transaction_read_only")
_AT_PEAKS = 2
"""Connections beyond the pool; few, since the server's limit is shared by many processes."""


def open_engine(url: str, *, pool: int = 10, role: str = "", pooled: bool = False) -> Engine:
    """Make the engine of a database address, creating the folder of a SQLite file.

    `role` is what an administrator sees in pg_stat_activity; `pooled` says that a transaction pooler stands between.
    Errors: StoreError for an address nobody can use, StoreUnreachable when nothing answers there.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed)
    if parsed.get_backend_name() == "postgresql":
        return _open_postgres(parsed, pool, role, pooled=pooled)
    raise StoreError(f"storage.url: {parsed.get_backend_name()} is not supported; use sqlite or postgresql")


def parse_url(url: str) -> URL:
    """Read a database address.

    Errors: StoreError; an address that cannot be read is not repeated, since its password could not be hidden.
    """
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as exc:  # ValueError: a port that is no number
        raise StoreError("storage.url is no database address, such as sqlite:///data/storywatch.db") from exc


def plain_url(url: str) -> str:
    """A Postgres address as libpq reads it, password included."""
    return parse_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def is_outage(error: BaseException) -> bool:
    """Whether an error says that the database is away, full or locked for now: it may pass, and is no fault of ours."""
    return isinstance(error, (OperationalError, InterfaceError, StoreUnreachable)) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


def is_refused_by_pooler(error: StoreUnreachable) -> bool:
    """Whether a pooler answered instead of a server: it takes none of the settings a session begins with."""
    return "unsupported startup parameter" in str(error)


def _open_sqlite(url: URL) -> Engine:
    file = _file(url)
    engine = create_engine(
        url.set(drivername="sqlite"),
        pool_use_lifo=True,  # who writes again finds what it read still in memory
        hide_parameters=True,  # errors are logged; texts and addresses are not to be
        connect_args={"isolation_level": None, "check_same_thread": False, "timeout": 10},
        poolclass=QueuePool,
        pool_size=1 if url.database in (None, "", ":memory:") else 5,
        max_overflow=0 if url.database in (None, "", ":memory:") else 10,
        execution_options={"file": file},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        for pragma in _PRAGMAS:
            connection.execute(f"pragma {pragma}")
        _use_wal(connection)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        plain = connection.get_execution_options().get("reads", False)
        if file is not None and not plain and (fault := file.fault()) is not None:
            raise OperationalError("begin immediate", None, sqlite3.OperationalError(fault))
        connection.exec_driver_sql("begin" if plain else "begin immediate")

    if file is not None:
        _hold_on_to(engine, file)
    return engine


def _file(url: URL) -> sqlite_file.SqliteFile | None:
    """The file of a database, its folder made; None for one in memory."""
    if url.database in (None, "", ":memory:"):
        return None
    path = Path(str(url.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StoreError(f"{path.parent}: cannot be made ({exc.strerror}); choose another storage.url") from exc
    if (fault := sqlite_file.locked_up(path)) is not None:
        raise StoreNotWritable(fault)
    return sqlite_file.SqliteFile(path)


def _hold_on_to(engine: Engine, file: sqlite_file.SqliteFile) -> None:
    """Let every connection after the first be one to the same file: where it is gone, none is made."""

    @event.listens_for(engine, "do_connect")
    def _find(_dialect: Any, _record: Any, words: list[Any], more: dict[str, Any]) -> None:
        if file.is_known:
            if (fault := file.fault()) is not None:
                raise sqlite3.OperationalError(fault)
            words[:], more["uri"] = [file.address], True

    @event.listens_for(engine, "connect")
    def _know(_connection: Any, _record: Any) -> None:
        if not file.is_known:
            file.know()


def _use_wal(connection: Any) -> None:
    """Change to the write-ahead log, which SQLite refuses at once, whatever its timeout, while others open the file."""
    until = time.monotonic() + _WAL_WITHIN_S
    while True:
        try:
            connection.execute("pragma journal_mode=wal")
            return
        except sqlite3.OperationalError as exc:
            if "locked" not in str(exc) or time.monotonic() > until:
                raise
            time.sleep(0.02)


def _open_postgres(url: URL, pool: int, role: str, *, pooled: bool) -> Engine:
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_use_lifo=True,  # statements are prepared by connection
            hide_parameters=True,
            pool_size=pool,
            max_overflow=_AT_PEAKS,
            pool_pre_ping=True,
            connect_args={
                "application_name": f"storywatch/{role}" if role else "storywatch",
                "connect_timeout": 5,
                **({"prepare_threshold": None} if pooled else {"options": _session_options()}),
            },
        )
    except ImportError as exc:  # left out of the installation, or without the library it speaks through
        said = "the driver for Postgres cannot be used"
        raise StoreError(f"storage.url: {said} ({exc}); pip install 'psycopg[binary]'") from exc
    event.listen(engine, "handle_error", _notice_end)
    event.listen(engine, "connect", _send_arrays_in_binary)
    if pooled:  # a pooler refuses options at connecting, and a session's settings would meet strangers
        limits = "; ".join(f"set local {name} = '{value}'" for name, value in LIMITS.items())

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql(limits)

    return engine


def _send_arrays_in_binary(connection: Any, _record: Any) -> None:
    """As text, every element of an array is quoted in Python: three times the work."""
    from psycopg.types.array import ListBinaryDumper  # there with the driver, which is not everywhere

    connection.adapters.register_dumper(list, ListBinaryDumper)


def _notice_end(context: ExceptionContext) -> None:
    """Take a session that the server ended because we stood still for an ended one: the driver calls it a fault.

    So it does with a change that is refused because the database is read-only for now; all sessions are made anew then.
    """
    state = getattr(context.original_exception, "sqlstate", None)
    if state in (*_ENDED, _READ_ONLY):
        context.is_disconnect, context.invalidate_pool_on_disconnect = True, state == _READ_ONLY


def _session_options() -> str:
    return " ".join(f"-c {name}={value}" for name, value in {**LIMITS, "timezone": "UTC"}.items())


def check_reachable(engine: Engine) -> None:
    """Ask the database for one row.

    Errors: StoreUnreachable with what the driver said, in one line; StoreError when a file is no sound database.
    """
    try:
        with reading(engine) as connection:
            connection.execute(text("select 1"))
    except (OperationalError, DBAPIError, NoSuchModuleError) as exc:
        said = " ".join(str(getattr(exc, "orig", exc)).split())
        if engine.dialect.name == "sqlite" and isinstance(exc, DatabaseError) and not isinstance(exc, OperationalError):
            raise StoreError(f"{engine.url.database}: {said}; put a backup in its place") from exc
        raise StoreUnreachable(f"{engine.url.render_as_string(hide_password=True)} cannot be reached: {said}") from exc


def check_writable(engine: Engine) -> None:
    """Ask the database whether it takes changes.

    Errors: as `check_reachable`; StoreNotWritable when it answers, or did, and takes none.
    """
    file: sqlite_file.SqliteFile | None = engine.get_execution_options().get("file")
    if file is not None and (fault := file.fault()) is not None:
        raise StoreNotWritable(fault)
    check_reachable(engine)
    if engine.dialect.name != "postgresql":
        return
    with reading(engine) as connection:
        if connection.execute(_MAY_CHANGE).scalar_one() == "on":
            connection.invalidate()  # what a session may do is settled when it begins
            shown = engine.url.render_as_string(hide_password=True)
            raise StoreNotWritable(f"{shown} is read-only: it takes no changes")


def reading(engine: Engine) -> Connection:
    """A connection for reads: on SQLite it never takes the write lock."""
    return engine.connect().execution_options(reads=True)


def lock_starting(connection: Connection) -> None:
    """Serialise what starts write; released by the end of the transaction. SQLite's file lock is the lock already."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK, {"a": _START_LOCK[0], "b": _START_LOCK[1]})


def lock_stories(connection: Connection) -> None:
    """Serialise clustering until the end of the transaction. SQLite's single writer is the lock already."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK, {"a": _STORY_LOCK[0], "b": _STORY_LOCK[1]})
