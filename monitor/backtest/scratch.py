"""A throw-away database that begins as the real one stood at some time: its feeds, live stories, and what was decided.

Row ids are those of the real one, because stories are named after feeds and events after entries. Nothing is ever
written to the real one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Engine, Select, Table, event, insert, select

from alerts import tables as alert_tables
from monitor.priming import REACH
from monitor.store import engine as engines
from monitor.store import migrate, tables
from monitor.store.entries import text_hash
from monitor.values import Entry

_CHUNK = 500
_OF_A_MENTION = (tables.match, tables.attribution, tables.response)


def opened(file: Path) -> Engine:
    """An empty database; it need not survive a crash, so it does not wait for the disk."""
    engine = engines.open_engine(f"sqlite:///{file}")

    @event.listens_for(engine, "connect")
    def _hurry(connection: Any, _record: Any) -> None:
        connection.execute("pragma synchronous=off")

    migrate.ensure(engine)
    return engine


def seed(source: Connection, target: Engine, at: datetime, *, entries: bool) -> None:
    """Copy what was known at a time; with `entries` also what nobody wanted, for watches that are to be primed."""
    story, mention = tables.story.c, tables.mention.c
    lively = (
        select(mention.story_id).where(mention.seen_at >= at - REACH, mention.seen_at < at).distinct().scalar_subquery()
    )
    taken = select(mention.entry_id).where(mention.story_id.in_(lively), mention.seen_at < at).scalar_subquery()
    groups = select(story.key).where(story.id.in_(lively)).scalar_subquery()
    old: ColumnElement[bool] = tables.entry.c.id.in_(taken)
    if entries:
        old = old | (tables.entry.c.first_seen_at >= at - REACH) & (tables.entry.c.first_seen_at < at)
    with target.begin() as tx:
        _copy(source, tx, tables.feed, select(tables.feed), lease_until=None)
        _copy(source, tx, tables.entry, select(tables.entry).where(old), alias_of=None)
        _copy(source, tx, tables.story, select(tables.story).where(story.id.in_(lively)), merged_into=None)
        known = mention.story_id.in_(lively) & (mention.seen_at < at)
        _copy(source, tx, tables.mention, select(tables.mention).where(known).order_by(mention.entry_id))
        for table in _OF_A_MENTION:
            _copy(source, tx, table, select(table).where(table.c.entry_id.in_(taken)))
        decided = alert_tables.event.c
        earlier = select(alert_tables.event).where(decided.group_key.in_(groups), decided.decided_at < at)
        _copy(source, tx, alert_tables.event, earlier)


def _copy(source: Connection, target: Connection, table: Table, rows: Select[Any], **instead: object) -> None:
    columns: Sequence[Column[Any]] = list(table.columns)
    result = source.execute(rows.execution_options(yield_per=_CHUNK))
    for part in result.partitions(_CHUNK):
        target.execute(insert(table), [{c.name: row._mapping[c] for c in columns} | instead for row in part])


def put_entry(tx: Connection, entry: Entry) -> None:
    """Store an entry under the id it has in the real database."""
    tx.execute(
        insert(tables.entry).values(
            id=entry.id,
            feed_id=entry.feed,
            entry_key=entry.entry_key,
            url=entry.url,
            url_key=entry.url_key,
            outlet=entry.outlet,
            via=entry.via,
            alias_of=None,
            title=entry.title,
            summary=entry.summary,
            content=entry.content,
            author=entry.author,
            lang=entry.language,
            published_at=entry.published,
            first_seen_at=entry.first_seen,
            gen=0,
            text_sha256=text_hash(entry.title, entry.summary, entry.content),
        )
    )


def retell(tx: Connection, entry: Entry, sha256: bytes) -> None:
    """Let a stored entry read as it does now."""
    tx.execute(
        tables.entry.update()
        .where(tables.entry.c.id == entry.id)
        .values(title=entry.title, summary=entry.summary, content=entry.content, text_sha256=sha256)
    )
