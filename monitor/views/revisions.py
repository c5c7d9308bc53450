"""The states of the configuration: when each was offered, by whom, and its text without anything that is secret."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from monitor.config import secrets
from monitor.store import tables

LISTED = 50


@dataclass(frozen=True, slots=True)
class Revision:
    """One state. `problems` say why it was refused."""

    no: int
    sha256: str
    who: str
    at: datetime
    outcome: str
    problems: tuple[str, ...]


def listed(connection: Connection) -> tuple[Revision, ...]:
    """The newest revisions first."""
    revision = tables.config_revision.c
    rows = connection.execute(
        select(revision.no, revision.sha256, revision.who, revision.at, revision.outcome, revision.problems)
        .order_by(revision.no.desc())
        .limit(LISTED)
    )
    return tuple(Revision(r.no, r.sha256, r.who, r.at, r.outcome, tuple(map(str, r.problems or ()))) for r in rows)


def text_of(connection: Connection, no: int) -> str | None:
    """The text of one revision, with everything hidden that is or looks like a secret."""
    revision = tables.config_revision.c
    text = connection.execute(select(revision.text).where(revision.no == no)).scalar_one_or_none()
    return None if text is None else secrets.redact(text)
