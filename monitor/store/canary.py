"""The rows of the canary: its feed, which nobody polls, and its stories, which are put aside once they are out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from monitor.store import plain, tables
from monitor.store.shards import shard_of

ASIDE = "canary"
"""The state of its stories: not open, so no list shows them and nothing joins them by hand."""


def ensure_feed(connection: Connection, url: str, host: str, now: datetime) -> bool:
    """Make sure that the feed has a row; whether its baseline is still to be taken."""
    make = plain.INSERT[connection.dialect.name]
    row = {
        "url": url,
        "host": host,
        "shard": shard_of(host),
        "state": "paused",
        "next_at": now,
        "next_reason": "startup",
        "schedule": {},
    }
    connection.execute(make(tables.feed).values(**row).on_conflict_do_nothing(index_elements=["url"]))
    columns = tables.feed.c
    known = connection.execute(select(columns.baseline_at).where(columns.url == url))
    return known.scalar_one() is None


def put_aside(connection: Connection, outlet: str) -> None:
    """Take the stories of this outlet from the readers' lists."""
    mention = tables.mention.c
    told = select(mention.story_id).where(mention.outlet == outlet)
    connection.execute(
        update(tables.story).where(tables.story.c.state == "open", tables.story.c.id.in_(told)).values(state=ASIDE)
    )
