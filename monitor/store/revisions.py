"""Revisions of the configuration and what is known of each watch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from monitor.store import tables


@dataclass(frozen=True, slots=True)
class Revision:
    """One state of config.yaml that was offered: accepted or refused."""

    no: int
    sha256: str
    text: str
    who: str
    at: datetime
    outcome: str


def newest_good(connection: Connection) -> Revision | None:
    """The last revision that was accepted, None on a new database."""
    revision = tables.config_revision.c
    row = connection.execute(
        select(tables.config_revision).where(revision.outcome == "accepted").order_by(revision.no.desc()).limit(1)
    ).one_or_none()
    return None if row is None else Revision(row.no, row.sha256, row.text, row.who, row.at, row.outcome)


def accept(connection: Connection, sha256: str, text: str, who: str, now: datetime) -> int:
    """Record a configuration as running; the same text as the newest good revision makes no new row."""
    newest = newest_good(connection)
    if newest is not None and newest.sha256 == sha256:
        return newest.no
    return _insert(connection, sha256, text, who, now, "accepted", ())


def refuse(connection: Connection, sha256: str, text: str, who: str, now: datetime, problems: Sequence[str]) -> int:
    """Record that a configuration was refused, and why."""
    return _insert(connection, sha256, text, who, now, "refused", problems)


def _insert(
    connection: Connection, sha256: str, text: str, who: str, now: datetime, outcome: str, problems: Sequence[str]
) -> int:
    values = {"sha256": sha256, "text": text, "who": who, "at": now, "outcome": outcome, "problems": list(problems)}
    no = connection.execute(
        insert(tables.config_revision).values(**values).returning(tables.config_revision.c.no)
    ).scalar_one()
    return int(no)
