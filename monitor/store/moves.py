"""Where feeds moved to: learnt from redirects, from what their documents say, and taken back by a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from monitor.parse import links
from monitor.store import tables
from monitor.store.shards import shard_of
from monitor.values import FeedId

_T = tables.feed.c


@dataclass(frozen=True, slots=True)
class Move:
    """A change of a feed's address: `why` is redirect, https, dead_url or undone."""

    at: datetime
    old: str
    new: str
    why: str


def note(connection: Connection, feed: FeedId, to: str, why: str, at: datetime) -> dict[str, Any]:
    """Note a move; a feed that leads to another one of ours is merged with it: from now on only that one is asked."""
    before = connection.execute(select(func.coalesce(_T.moved_to, _T.url)).where(_T.id == feed)).scalar_one()
    connection.execute(insert(tables.feed_url_history).values(feed_id=feed, at=at, old=before, new=to, why=why))
    ours = select(_T.id).where(_T.id != feed, tables.POLLED, func.coalesce(_T.moved_to, _T.url) == to)
    taken = connection.execute(ours.limit(1)).first() is not None
    host = links.host_of(to)  # from now on it is this one that is spaced and held
    lives = {"host": host, "shard": shard_of(host)} if host else {}
    return {"moved_to": to} | lives | ({"state": "merged"} if taken else {})


def merged(connection: Connection) -> dict[str, tuple[str, ...]]:
    """The configured addresses of feeds that turned out to be another one, by the address that is asked for them."""
    found: dict[str, tuple[str, ...]] = {}
    for row in connection.execute(select(_T.moved_to, _T.url).where(_T.state == "merged").order_by(_T.id)):
        found[row.moved_to] = (*found.get(row.moved_to, ()), row.url)
    return found


def undo(connection: Connection, feed: FeedId, now: datetime) -> str | None:
    """Take the last learnt move back; returns the address that is asked again, None when there was no move."""
    history = tables.feed_url_history.c
    last = connection.execute(
        select(history.old, history.new)
        .where(history.feed_id == feed, history.why != "undone")
        .order_by(history.at.desc())
        .limit(1)
    ).first()
    row = connection.execute(select(_T.url, _T.moved_to, _T.schedule).where(_T.id == feed)).one()
    if last is None or row.moved_to != last.new:
        return None
    connection.execute(
        insert(tables.feed_url_history).values(feed_id=feed, at=now, old=last.new, new=last.old, why="undone")
    )
    back = None if last.old == row.url else last.old
    known = {name: value for name, value in row.schedule.items() if name != "redirect"}
    forgotten: dict[str, Any] = {"etag": None, "last_modified": None, "body_sha256": None, "items": None}
    forgotten["schedule"] = known
    if host := links.host_of(last.old):
        forgotten |= {"host": host, "shard": shard_of(host)}
    connection.execute(
        update(tables.feed).where(_T.id == feed).values(moved_to=back, state="active", next_at=now, **forgotten)
    )
    return str(last.old)


def of_feed(connection: Connection, feed: FeedId) -> tuple[Move, ...]:
    """The moves of a feed, the newest first."""
    history = tables.feed_url_history
    rows = connection.execute(select(history).where(history.c.feed_id == feed).order_by(history.c.at.desc()))
    return tuple(Move(row.at, row.old, row.new, row.why) for row in rows)
