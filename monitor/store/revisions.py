"""Revisions of the configuration and what is known of each watch.

A revision is a state of config.yaml that was offered; its text is stored without secrets. Which one runs is the newest
that was accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Row, func, insert, select

from monitor.store import plain, tables

_R = tables.config_revision.c
_WHO = 64
_LOCK = (7, 3)
TROUBLE = "config_trouble"
"""The fact in `meta` that says what keeps config.yaml from being used; empty when it is."""


class Outcome(StrEnum):
    """What became of an offered state: in use, refused for its faults, or put off until the next start."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of config.yaml that was offered.

    `notes` are the lines that say what an accepted one changed, what is wrong with a refused one, or what a waiting one
    waits for. `sha256` is that of the text as it was offered, secrets included.
    """

    no: int
    sha256: str
    text: str
    who: str
    at: datetime
    outcome: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """A state as it is to be recorded; `text` is without secrets."""

    sha256: str
    text: str
    who: str
    at: datetime
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WatchState:
    """What is known of a watch: what it looks for, since when, and when older entries were looked through for it.

    For a watch that left the configuration `since` is when it did.
    """

    watch: str
    fingerprint: str
    since: datetime
    primed_at: datetime | None = None


def newest_good(connection: Connection) -> Revision | None:
    """The last revision that was accepted, None on a new database."""
    wanted = select(tables.config_revision).where(_R.outcome == Outcome.ACCEPTED)
    row = connection.execute(wanted.order_by(_R.no.desc()).limit(1)).one_or_none()
    return None if row is None else _revision(row)


def newest(connection: Connection) -> Revision | None:
    """The last revision that was offered, whatever became of it."""
    found = history(connection, 1)
    return found[0] if found else None


def by_no(connection: Connection, no: int) -> Revision | None:
    """One revision, or None."""
    row = connection.execute(select(tables.config_revision).where(_R.no == no)).one_or_none()
    return None if row is None else _revision(row)


def history(connection: Connection, limit: int) -> tuple[Revision, ...]:
    """The revisions, the newest first."""
    rows = connection.execute(select(tables.config_revision).order_by(_R.no.desc()).limit(limit))
    return tuple(_revision(row) for row in rows)


def _revision(row: Row[tuple[object, ...]]) -> Revision:
    return Revision(row.no, row.sha256, row.text, row.who, row.at, row.outcome, tuple(row.problems))


def accept(connection: Connection, offer: Offer) -> int:
    """Record a configuration as running; the same text as the newest good revision makes no new row.

    Processes that start together with the same file share one row.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(*_LOCK)))
    good = newest_good(connection)
    if good is not None and good.sha256 == offer.sha256:
        return good.no
    return record(connection, offer, Outcome.ACCEPTED)


def record(connection: Connection, offer: Offer, outcome: Outcome) -> int:
    """Write a row of its own."""
    values = {
        "sha256": offer.sha256,
        "text": offer.text,
        "who": offer.who[:_WHO],
        "at": offer.at,
        "outcome": outcome,
        "problems": list(offer.notes),
    }
    no = connection.execute(insert(tables.config_revision).values(**values).returning(_R.no)).scalar_one()
    return int(no)


def watch_states(connection: Connection) -> Mapping[str, WatchState]:
    """What is known of every watch there ever was, by name."""
    rows = connection.execute(select(tables.watch_state))
    return {row.watch: WatchState(row.watch, row.query_sha256, row.active_since, row.primed_at) for row in rows}


def put_watch_states(connection: Connection, states: Sequence[WatchState]) -> None:
    """Write what is known of some watches."""
    if not states:
        return
    make = plain.INSERT[connection.dialect.name]
    statement = make(tables.watch_state)
    changed = {name: statement.excluded[name] for name in ("query_sha256", "active_since", "primed_at")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["watch"], set_=changed),
        [
            {"watch": s.watch, "query_sha256": s.fingerprint, "active_since": s.since, "primed_at": s.primed_at}
            for s in states
        ],
    )
