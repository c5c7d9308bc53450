"""A look at all feeds that are polled: small parts of their rows, a thousand at a time, whatever their number.

For coverage and for the manners towards hosts. What a poll needs of a feed is in `feeds`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from monitor.store import tables
from monitor.store.feeds import AT_A_TIME

_T = tables.feed.c


@dataclass(frozen=True, slots=True)
class Sight:
    """What says whether a feed is seen."""

    url: str
    next_at: datetime
    last_ok_at: datetime | None
    first_fail_at: datetime | None
    fail_reason: str | None


def read(connection: Connection) -> Iterator[Sight]:
    """The feeds that are polled, one after the other, in the order of their ids."""
    columns = (_T.url, _T.next_at, _T.last_ok_at, _T.first_fail_at, _T.fail_reason)
    query = select(*columns).where(tables.POLLED).order_by(_T.id)
    return (Sight(*row) for row in connection.execute(query.execution_options(yield_per=AT_A_TIME)))


def host_counts(connection: Connection) -> dict[str, int]:
    """How many feeds that are polled each host has."""
    counted = select(_T.host, func.count().label("many")).where(tables.POLLED).group_by(_T.host)
    return {row.host: row.many for row in connection.execute(counted.execution_options(yield_per=AT_A_TIME))}
