"""Since when a watch sees too few of its feeds, and whether that was told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from monitor.store import plain, tables


@dataclass(frozen=True, slots=True)
class Row:
    """One watch. `told_since` is the beginning of the low that was told and has not ended."""

    watch: str
    low_since: datetime | None = None
    told_since: datetime | None = None


def read(connection: Connection) -> dict[str, Row]:
    """Every watch something is remembered of."""
    return {row.watch: Row(**row._mapping) for row in connection.execute(select(tables.watch_coverage))}


def write(connection: Connection, row: Row) -> None:
    """Insert or replace what is remembered of a watch."""
    make = plain.INSERT[connection.dialect.name]
    facts = {"low_since": row.low_since, "told_since": row.told_since}
    insert = make(tables.watch_coverage).values(watch=row.watch, **facts)
    connection.execute(insert.on_conflict_do_update(index_elements=["watch"], set_=facts))
