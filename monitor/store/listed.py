"""Feeds that stand in the database instead of config.yaml: put there, changed, taken out, read one after the other.

Such a row has settings, and be it none: an empty mapping. What they mean is `monitor.config.stored`. Called by `feed`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, exists, func, null, select, text, update

from monitor.store import plain, tables
from monitor.store.feeds import AT_A_TIME, new_row
from monitor.values import FeedId

_T = tables.feed.c
_FIND = plain.Statement(
    {
        name: select(_T.id, _T.url, _T.state, _T.settings).where(plain.among(name, _T.url, "urls"))
        for name in plain.DATABASES
    }
)
_ADD = plain.NewRows(
    tables.feed,
    ("url", "host", "shard", "next_at", "next_reason", "schedule", "settings"),
    lambda insert: insert.on_conflict_do_nothing(index_elements=["url"]),
)
_IS_CONFIGURED = exists().where(tables.configured.c.feed_id == _T.id)
_IS_REMOVED = (_T.state == "paused") & ~_IS_CONFIGURED
_RESTATE = (
    update(tables.feed)
    .where(_T.id == bindparam("feed"))
    .values(
        settings=bindparam("said", type_=_T.settings.type),
        state=case((_IS_REMOVED, "active"), else_=_T.state),
        next_at=case((_IS_REMOVED, bindparam("at", type_=_T.next_at.type)), else_=_T.next_at),
    )
)


@dataclass(frozen=True, slots=True)
class Named:
    """A feed by its address, with what it says of itself; `settings` is None for one that does not stand here."""

    url: str
    settings: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Known:
    """A row that is there."""

    id: FeedId
    url: str
    state: str
    settings: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class New:
    """A feed that is to stand here, and when it is to be asked first."""

    url: str
    host: str
    settings: Mapping[str, Any]
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Restated:
    """A feed that is there and is to stand here from now on, or to say something else.

    `first_at` is when it is to be asked if it was removed, so that it is not asked now.
    """

    id: FeedId
    settings: Mapping[str, Any]
    first_at: datetime


def find(connection: Connection, urls: Sequence[str]) -> dict[str, Known]:
    """The rows with these addresses, letter by letter."""
    with plain.by_index(connection):
        rows = [row for some in plain.chunks(urls) for row in _FIND.rows(connection, {"urls": some})]
    return {url: Known(FeedId(number), url, state, settings) for number, url, state, settings in rows}


def add(connection: Connection, feeds: Sequence[New]) -> None:
    """Write new rows; one that another process has written just now is left as that wrote it."""
    if feeds:
        rows = [{**new_row(one.url, one.host, one.first_at), "settings": dict(one.settings)} for one in feeds]
        _ADD.add(connection, rows)


def restate(connection: Connection, feeds: Sequence[Restated]) -> None:
    """Let rows say something else; one that was removed is asked again."""
    if feeds:
        rows = [{"feed": one.id, "said": dict(one.settings), "at": one.first_at} for one in feeds]
        connection.execute(_RESTATE, rows)


def remove(connection: Connection, feed: FeedId) -> None:
    """Let a feed stand here no more; unless config.yaml names it, it is paused and keeps what it brought."""
    state = case((_IS_CONFIGURED, _T.state), else_="paused")
    connection.execute(update(tables.feed).where(_T.id == feed).values(settings=null(), state=state))


def read(connection: Connection) -> Iterator[Named]:
    """All feeds that stand here, one after the other, in the order in which they came."""
    query = select(_T.url, _T.settings).where(_T.settings.is_not(null())).order_by(_T.id)
    return (Named(*row) for row in connection.execute(query.execution_options(yield_per=AT_A_TIME)))


def count(connection: Connection) -> int:
    """How many feeds stand here. Looks at every row."""
    query = select(func.count()).select_from(tables.feed).where(_T.settings.is_not(null()))
    return connection.execute(query).scalar_one()


def by_id(connection: Connection, feeds: Sequence[int]) -> dict[int, Named]:
    """Feeds by their number, for whoever has entries of theirs."""
    found: dict[int, Named] = {}
    for some in plain.chunks(feeds):
        rows = connection.execute(select(_T.id, _T.url, _T.settings).where(_T.id.in_(some)))
        found |= {row.id: Named(row.url, row.settings) for row in rows}
    return found


def every(connection: Connection) -> Iterator[tuple[int, Named]]:
    """Every feed there is, one after the other."""
    query = select(_T.id, _T.url, _T.settings).execution_options(yield_per=AT_A_TIME)
    return ((row.id, Named(row.url, row.settings)) for row in connection.execute(query))


def note_growth(connection: Connection) -> None:
    """Let Postgres count anew after very many rows came: its plans go by what it counted last."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("analyze feed"))
