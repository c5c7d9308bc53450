"""What is remembered of hosts and registrable domains: until when they are left alone, and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, bindparam, select

from monitor.store import plain, tables

_AMONG = select(tables.host).where(tables.host.c.name.in_(bindparam("names", expanding=True)))
"""Asked with every claim: made once, since making it costs more than running it."""


@dataclass(frozen=True, slots=True)
class HostRow:
    """What is remembered of a host or a registrable domain (`kind`)."""

    kind: Literal["host", "domain"]
    name: str
    hold_until: datetime | None = None
    hold_reason: str | None = None
    last_at: datetime | None = None
    ever_429: bool = False


def read(connection: Connection) -> tuple[HostRow, ...]:
    """Every host and domain something is remembered of."""
    return tuple(HostRow(**row._mapping) for row in connection.execute(select(tables.host)))


def of(connection: Connection, names: Collection[str]) -> tuple[HostRow, ...]:
    """What is remembered of these hosts and domains."""
    return tuple(HostRow(**row._mapping) for row in connection.execute(_AMONG, {"names": sorted(names)}))


def remember(connection: Connection, row: HostRow) -> None:
    """Insert or replace what is known of a host."""
    make = plain.INSERT[connection.dialect.name]
    facts = {
        "hold_until": row.hold_until,
        "hold_reason": row.hold_reason,
        "last_at": row.last_at,
        "ever_429": row.ever_429,
    }
    insert = make(tables.host).values(kind=row.kind, name=row.name, **facts)
    connection.execute(insert.on_conflict_do_update(index_elements=["kind", "name"], set_=facts))
