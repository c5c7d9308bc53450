"""Small facts about the installation itself, by name."""

from __future__ import annotations

from sqlalchemy import Connection, select

from monitor.store import plain, tables


def get(connection: Connection, key: str) -> str | None:
    """Read one fact, None when it was never put."""
    value: str | None = connection.execute(
        select(tables.meta.c.value).where(tables.meta.c.key == key)
    ).scalar_one_or_none()
    return value


def keep(connection: Connection, key: str, value: str) -> str:
    """Write one fact unless it is there, and answer what is: of several that write at once all hear the same."""
    make = plain.INSERT[connection.dialect.name]
    fact = make(tables.meta).values(key=key, value=value)
    connection.execute(fact.on_conflict_do_nothing(index_elements=["key"]))
    return get(connection, key) or value


def put(connection: Connection, key: str, value: str) -> None:
    """Write one fact, replacing what was there."""
    make = plain.INSERT[connection.dialect.name]
    fact = make(tables.meta).values(key=key, value=value)
    connection.execute(fact.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
