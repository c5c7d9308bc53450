"""Is the database whole? What SQLite and Postgres can say of themselves, and what our own tables must agree on.

Nothing is changed. Called by `storywatch db check`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DatabaseError

from monitor.store import migrate, partitions
from monitor.store.engine import reading

WAL_LARGE = 256 * 1024 * 1024
"""So large a write-ahead log says that a reader has been keeping it from being cleared."""
_READER_LONG = timedelta(minutes=5)
_AGREE = {
    "mentions without their story": "select count(*) from mention m left join story s on s.id = m.story_id"
    " where s.id is null",
    "items without their event": "select count(*) from item i left join event e on e.id = i.event_id"
    " where e.id is null",
    "entries of no feed": "select count(*) from (select distinct feed_id from entry) e"
    " left join feed f on f.id = e.feed_id where f.id is null",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `state` is ok, amber (works, and wants attention) or bad."""

    what: str
    state: str
    said: str = ""


def check(engine: Engine, now: datetime, *, quick: bool = False) -> tuple[Finding, ...]:
    """Look at everything there is; `quick` leaves out what reads every page."""
    schema = _schema(engine)
    if migrate.current(engine) is None:
        return (schema,)
    with reading(engine) as connection:
        own = _postgres(connection, now) if engine.dialect.name == "postgresql" else _sqlite(connection, quick=quick)
        findings = [schema, *own]
        if not any(finding.state == "bad" for finding in findings):
            findings += _agreement(connection)
        return tuple(findings)


def _schema(engine: Engine) -> Finding:
    at = migrate.current(engine)
    if at == migrate.HEAD:
        return Finding("schema", "ok", f"{at}, the newest")
    return Finding("schema", "bad", f"{at or 'none'}, this version knows {migrate.HEAD}: storywatch migrate")


def _agreement(connection: Connection) -> Iterator[Finding]:
    for what, query in _AGREE.items():
        count = connection.execute(text(query)).scalar_one()
        yield Finding(what, "bad" if count else "ok", str(count))


def _sqlite(connection: Connection, *, quick: bool) -> Iterator[Finding]:
    how = "quick_check" if quick else "integrity_check"
    try:
        said = list(connection.exec_driver_sql(f"pragma {how}(20)").scalars())
    except DatabaseError as exc:  # so damaged that it cannot even be looked at
        said = [str(exc.orig)]
    yield Finding(how, "ok" if said == ["ok"] else "bad", "; ".join(said) if said != ["ok"] else "every page")
    if said != ["ok"]:
        return
    astray = len(connection.exec_driver_sql("pragma foreign_key_check").all())
    yield Finding("foreign keys", "bad" if astray else "ok", f"{astray} rows lead nowhere" if astray else "")
    size = wal_bytes(connection.engine)
    hint = "a reader has kept it from being cleared; which process has the file open?" if size > WAL_LARGE else ""
    yield Finding("write-ahead log", "amber" if size > WAL_LARGE else "ok", f"{size} bytes {hint}".rstrip())


def wal_bytes(engine: Engine) -> int:
    """The size of a SQLite file's write-ahead log; 0 where there is none."""
    database = engine.url.database
    if engine.dialect.name != "sqlite" or database in (None, "", ":memory:"):
        return 0
    log = Path(f"{database}-wal")
    return log.stat().st_size if log.exists() else 0


def _postgres(connection: Connection, now: datetime) -> Iterator[Finding]:
    broken = list(connection.execute(_BROKEN).scalars())
    hint = f"{', '.join(broken)}: reindex index concurrently" if broken else ""
    yield Finding("indexes", "bad" if broken else "ok", hint)
    open_ones = list(connection.execute(_NOT_VALID).scalars())
    yield Finding("constraints", "bad" if open_ones else "ok", ", ".join(open_ones))
    yield _partitions(connection, now)
    long_ones = connection.execute(_LONG, {"longest": _READER_LONG}).all()
    listed = ", ".join(f"process {row.pid} ({row.name or 'unnamed'}) for {row.minutes} min" for row in long_ones)
    yield Finding("long transactions", "amber" if long_ones else "ok", listed)


def _partitions(connection: Connection, now: datetime) -> Finding:
    listed = {of: partitions.listed(connection, of) for of in partitions.TABLES}
    half = [one.name for there in listed.values() for one in there if one.pending]
    if half:
        return Finding("partitions", "amber", f"{', '.join(half)} half detached; storywatch db prune finishes that")
    short = [of for of, there in listed.items() if partitions.is_short(now, there)]
    if short:
        hint = f"too few ahead of {' and '.join(short)}; a running daemon or storywatch db prune makes them"
        return Finding("partitions", "amber", hint)
    told = (f"{len(there)} of {of}, until {there[-1].until:%Y-%m-%d}" for of, there in listed.items())
    return Finding("partitions", "ok", "; ".join(told))


_BROKEN = text(
    "select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid"
    " join pg_namespace n on n.oid = c.relnamespace where not i.indisvalid and n.nspname = current_schema()"
)
_NOT_VALID = text("select conname from pg_constraint where not convalidated")
_LONG = text(
    "select pid, application_name as name, (extract(epoch from now() - xact_start) / 60)::int as minutes"
    " from pg_stat_activity where datname = current_database() and xact_start < now() - :longest order by xact_start"
)
