"""Keys of entries that left their feed's document so long ago that they may be forgotten: `storage.keep.seen`.

A document is read item by item and known items are passed over, so that a key's generation says when its item was read
last, and not whether it still stands there. A feed therefore goes round in three steps:

    ask      its next document is to be read whole, which marks every key in it with a newer generation
    notice   once that has happened, the keys of older generations are known to be absent, from now on
    forget   those that have not come back when the time is over go, and the round begins anew

So a key stays at least so long after its entry left, and at most twice as long. Called by `retention`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, delete, exists, func, or_, select, tuple_, update

from monitor.parse import delta
from monitor.store import plain, tables

AT_MOST = 10_000
"""Keys of one slice of the feeds that go in one pruning; the next one goes on."""
_F, _S, _A, _L = tables.feed.c, tables.seen.c, tables.absence.c, tables.fetch_log.c
_PART = 226
"""The status of an answer that holds only what is new."""
_MEMORY = _F["items"]  # the name of a method of the columns, too
_CONTEXT = func.substr(_MEMORY, 1, len(delta.UNREAD))
_ASK = (
    update(tables.feed)
    .where(_F.id == bindparam("feed"), _F.gen == bindparam("at_gen"), _F.lease_until.is_(None))
    .values(items=bindparam("unread"))
)
"""Not while it is polled: that poll has the memory already and would not read the document whole."""


def go_round(connection: Connection, feeds: tuple[int, int], now: datetime) -> None:
    """Take the feeds from the first to the last of these numbers a step further, as far as asking and noticing go."""
    _notice(connection, feeds, now)
    _ask(connection, feeds)


def _notice(connection: Connection, feeds: tuple[int, int], now: datetime) -> None:
    """A feed without a memory of its document has it read whole each time, unless it answers with parts of one."""
    in_parts = exists().where(_L.feed_id == _F.id, _L.status == _PART)
    whole = or_(_CONTEXT != delta.UNREAD, and_(_MEMORY.is_(None), ~in_parts))
    read = and_(_F.id == _A.feed_id, _F.gen > _A.gen, whole)
    asked = and_(_A.feed_id.between(*feeds), _A.since.is_(None), exists().where(read))
    connection.execute(update(tables.absence).where(asked).values(since=now))


def _ask(connection: Connection, feeds: tuple[int, int]) -> None:
    is_asked = exists().where(_A.feed_id == _F.id)
    wanted = (_F.id.between(*feeds), _F.gen > 0, tables.POLLED, _F.lease_until.is_(None), ~is_asked)
    rows = connection.execute(select(_F.id, _F.gen, _MEMORY.label("memory")).where(*wanted)).all()
    begun = [row for row in rows if row.memory is None or _is_asked(connection, row)]
    if begun:
        make = plain.INSERT[connection.dialect.name]
        row = make(tables.absence).on_conflict_do_nothing(index_elements=["feed_id"])
        connection.execute(row, [{"feed_id": row.id, "gen": row.gen} for row in begun])


def _is_asked(connection: Connection, row: Row[*tuple[Any, ...]]) -> bool:
    unread = delta.UNREAD + bytes(row.memory)[len(delta.UNREAD) :]
    return connection.execute(_ASK, {"feed": row.id, "at_gen": row.gen, "unread": unread}).rowcount == 1


def due(before: datetime, feeds: tuple[int, int] | None = None) -> Select[Any]:
    """Keys that have been absent since `before`: feed and hash. `feeds` are the first and last to look at."""
    gone = select(_S.feed_id, _S.key_hash).join(tables.absence, _A.feed_id == _S.feed_id)
    gone = gone.where(_A.since <= before, _S.gen_last <= _A.gen)
    return gone if feeds is None else gone.where(_S.feed_id.between(*feeds)).limit(AT_MOST)


def forget(connection: Connection, rows: Sequence[Row[Any]]) -> None:
    """Forget keys, unless they came back a moment ago."""
    keys = [(row.feed_id, row.key_hash) for row in rows]
    still = select(_A.gen).where(_A.feed_id == _S.feed_id).scalar_subquery()
    connection.execute(delete(tables.seen).where(tuple_(_S.feed_id, _S.key_hash).in_(keys), _S.gen_last <= still))


def end_round(connection: Connection, feeds: tuple[int, int], before: datetime) -> None:
    """Begin anew with the feeds all of whose absent keys are forgotten."""
    left = exists().where(_S.feed_id == _A.feed_id, _S.gen_last <= _A.gen)
    over = and_(_A.feed_id.between(*feeds), _A.since <= before, ~left)
    connection.execute(delete(tables.absence).where(over))
