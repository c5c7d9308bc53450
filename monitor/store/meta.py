"""Small facts about the installation itself, by name."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from monitor.store import tables


def get(connection: Connection, key: str) -> str | None:
    """Read one fact, None when it was never put."""
    value: str | None = connection.execute(
        select(tables.meta.c.value).where(tables.meta.c.key == key)
    ).scalar_one_or_none()
    return value


def put(connection: Connection, key: str, value: str) -> None:
    """Write one fact, replacing what was there."""
    changed = connection.execute(update(tables.meta).where(tables.meta.c.key == key).values(value=value))
    if changed.rowcount == 0:
        connection.execute(insert(tables.meta).values(key=key, value=value))
