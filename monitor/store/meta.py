"""Small facts about the installation itself, by name."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from monitor.store import tables


def get(connection: Connection, key: str) -> str | None:
    """Read one fact, None when it was never put."""
    value: str | None = connection.execute(
        select(tables.meta.c.value).where(tables.meta.c.key == key)
    ).scalar_one_or_none()
    return value


def put(connection: Connection, key: str, value: str) -> None:
    """Write one fact, replacing what was there."""
    make = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert
    fact = make(tables.meta).values(key=key, value=value)
    connection.execute(fact.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
