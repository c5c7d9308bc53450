"""What is due, and which of it a claim takes: of any shard (`claims`), or of one of them for a run (`shards`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, func, select

from monitor.store import tables

_T = tables.feed.c


def is_due(now: datetime | BindParameter[Any]) -> ColumnElement[bool]:
    """Whether a feed is to be polled by now, whoever holds it."""
    return and_(tables.POLLED, _T.next_at <= now)


def chosen(wanted: ColumnElement[bool], still: ColumnElement[bool]) -> Select[Any]:
    """The numbers of feeds that are `wanted`, the longest overdue first: `per_host` of one host, `most` in all.

    They are sought among the first `looked_at`, all three parameters of the statement: a claim costs the same however
    many are due, and where one host has them all the others wait for the next claim, which finds it busy. `order by`
    stands beside each `limit`, or a prepared statement may scan the table.

    What is `still` to hold stands twice on purpose: Postgres skips rows that are locked now, not rows that were locked,
    changed and released since the statement began; only conditions on the locking level are read again.
    """
    longest = select(_T.id, _T.host, _T.next_at).where(wanted).order_by(_T.next_at)
    near = longest.limit(bindparam("looked_at")).subquery()
    place = func.row_number().over(partition_by=near.c.host, order_by=(near.c.next_at, near.c.id)).label("place")
    placed = select(near.c.id, place).subquery()
    return (
        select(_T.id)
        .join(placed, placed.c.id == _T.id)
        .where(placed.c.place <= bindparam("per_host"), still)
        .order_by(_T.next_at, _T.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True, of=tables.feed)
    )
