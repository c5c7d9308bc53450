"""What stored history says of a configuration: watches that find nothing or everything, feeds that are dead, caps that
will not do. Warnings for `storywatch check`; reads the database, touches no network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from alerts import tables as alert_tables
from alerts.values import EventState
from monitor import understanding, wiring
from monitor.config import faults, stored
from monitor.config.document import Document
from monitor.config.reading import read_text
from monitor.config.references import rows
from monitor.config.values import Config
from monitor.errors import Problem
from monitor.store import listed, plain, tables
from monitor.store.entries import entry_of
from monitor.values import Entry

BACK = timedelta(days=30)
MOST = 20_000
"""Entries that are looked at: the newest. More would take longer than people wait for a check."""
ENOUGH = 50
"""With fewer entries nothing found means nothing."""
_PER_DAY = 200
_NEARLY_ALL = 0.9
_SAMPLES = 3
_DEAD_FOR = timedelta(days=1)
_PAGE = 500


@dataclass(slots=True)
class _Found:
    count: int = 0
    titles: list[str] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        """Count an entry; the first few are shown."""
        self.count += 1
        if len(self.titles) < _SAMPLES:
            self.titles.append(entry.title[:80])


def problems(config: Config, text: str, connection: Connection, now: datetime) -> tuple[Problem, ...]:
    """Everything history has to say."""
    document = read_text(text, config.file)
    found = [*_estimates(config, document, connection, now)]
    found += _dead_feeds(document, connection, now)
    found += _low_caps(document, connection, now)
    return tuple(found)


# ----------------------------------------------------------------------------------------------------- estimates


def _estimates(config: Config, document: Document, connection: Connection, now: datetime) -> Iterator[Problem]:
    counted, total, first = _counted(config, connection, now)
    if total < ENOUGH or first is None:
        return
    days = max((now - first).total_seconds() / 86400, 0.04)
    names = {row.get("name"): path for path, row in rows(document.data, "watches")}
    for watch in config.watches:
        if watch.paused:
            continue
        seen = counted.get(watch.name, _Found())
        said = _judged(seen, total, days)
        if said is not None:
            path = (*names[watch.name], "query") if watch.name in names else ("watches",)
            yield faults.problem(document, "W008", path, said, hint=_hint(seen))


def _counted(
    config: Config, connection: Connection, now: datetime
) -> tuple[Mapping[str, _Found], int, datetime | None]:
    """Matches by watch over the newest entries, how many those were, and when the oldest of them came."""
    known = wiring.knowledge(config, config_rev=0)
    configured = {feed.url: feed for feed in config.feeds}
    tags: dict[int, frozenset[str]] = {}
    found: dict[str, _Found] = {}
    total, first = 0, None
    for row in _newest(connection, now):
        entry = entry_of(row)
        total, first = total + 1, entry.first_seen
        if entry.feed not in tags:
            named = listed.by_id(connection, [entry.feed]).get(entry.feed)
            tags[entry.feed] = stored.tags_of(configured, named.url, named.settings) if named else frozenset()
        for match in understanding.matches_of(entry, known, tags[entry.feed]):
            found.setdefault(match.watch, _Found()).add(entry)
    return found, total, first


def _newest(connection: Connection, now: datetime) -> Iterator[Any]:
    entry = tables.entry.c
    wanted = (
        select(tables.entry)
        .where(entry.first_seen_at >= now - BACK, entry.alias_of.is_(None))
        .order_by(entry.first_seen_at.desc(), entry.id.desc())
        .limit(MOST)
    )
    for part in connection.execute(wanted.execution_options(yield_per=_PAGE)).partitions(_PAGE):
        yield from part


def _judged(seen: _Found, total: int, days: float) -> str | None:
    span = f"{total:,} entries of {days:.0f} d" if days >= 1 else f"{total:,} entries of {24 * days:.0f} h"
    if not seen.count:
        return f"the query found none of {span}"
    if seen.count >= _NEARLY_ALL * total:
        return f"the query found nearly everything: {seen.count:,} of {span}"
    if seen.count / days > _PER_DAY:
        return f"the query found {seen.count / days:.0f} entries a day: {seen.count:,} of {span}"
    return None


def _hint(seen: _Found) -> str:
    if not seen.titles:
        return "storywatch explain shows what an article lacks"
    return "such as " + "; ".join(f'"{title}"' for title in seen.titles)


# --------------------------------------------------------------------------------------------------------- feeds


def _dead_feeds(document: Document, connection: Connection, now: datetime) -> Iterator[Problem]:
    known = _feed_rows(document, connection)
    for path, feed in rows(document.data, "feeds"):
        row = known.get(feed.get("url"))
        if row is None or feed.get("paused"):
            continue
        failing = row.first_fail_at is not None and now - row.first_fail_at > _DEAD_FOR
        if failing or row.state == "gone" or row.standing in ("silent", "blocked", "failing"):
            last = f"{row.last_ok_at:%d %b %Y %H:%M} UTC" if row.last_ok_at else "never"
            why = row.fail_reason or row.standing
            said = f"this feed is dead or silent: last answer {last}, {why}"
            yield faults.problem(document, "W040", (*path, "url"), said, hint=f"storywatch explain {row.url}")


def _feed_rows(document: Document, connection: Connection) -> dict[Any, Any]:
    """The rows of the file's feeds, by address."""
    urls = [feed["url"] for _, feed in rows(document.data, "feeds") if isinstance(feed.get("url"), str)]
    feed = tables.feed.c
    columns = (feed.url, feed.first_fail_at, feed.last_ok_at, feed.state, feed.standing, feed.fail_reason)
    asked = (select(*columns).where(feed.url.in_(some)) for some in plain.chunks(urls))
    return {row.url: row for query in asked for row in connection.execute(query)}


# ---------------------------------------------------------------------------------------------------------- caps


def _low_caps(document: Document, connection: Connection, now: datetime) -> Iterator[Problem]:
    """A cap for the day that the last weeks would have passed on most days."""
    event = alert_tables.event.c
    told = event.state.in_((EventState.OPEN, EventState.UNROUTED))
    groups, first = connection.execute(
        select(func.count(event.group_key.distinct()), func.min(event.decided_at)).where(
            event.decided_at >= now - BACK, told, event["class"].in_(("routine", "urgent"))
        )
    ).one()
    if not groups:
        return
    usual = groups / max((now - first).total_seconds() / 86400, 1.0)
    for path, place in document.values.items():
        if path[-2:] == ("caps", "per_day") and isinstance(cap := _at(document.data, path), int) and cap < usual:
            said = f"a cap of {cap} a day is below what comes: {usual:.0f} stories a day"
            yield faults.problem(document, "W032", path, said, hint="a digest, or a narrower watch", place=place)


def _at(data: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        data = data[step]
    return data
