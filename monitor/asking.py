"""What a command asks of the running daemon about its configuration, and what became of it: two facts in the database.

    reload, rollback, backfill --Request--> database --signal--> daemon --Answer--> database

Light on purpose: a command imports it and nothing of the daemon. Read and answered by `reloading`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from monitor.store import meta

REQUEST, ANSWER = "config_request", "config_answer"


@dataclass(frozen=True, slots=True)
class Request:
    """What a command wants: the file read again, or the text of a revision taken up (`no`).

    `backfill`: tell once what the watches that this state of the file primed found in so much of the past.
    """

    id: str
    who: str
    no: int | None = None
    partial: bool = False
    backfill: timedelta | None = None

    def as_json(self) -> str:
        """As it stands in the database."""
        seconds = None if self.backfill is None else self.backfill.total_seconds()
        told = {"id": self.id, "who": self.who, "no": self.no, "partial": self.partial, "backfill": seconds}
        return json.dumps(told)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an offered state. `outcome` is unchanged, accepted, refused or waiting."""

    outcome: str
    revision: int
    notes: tuple[str, ...] = ()
    id: str = ""

    def as_json(self) -> str:
        """As it stands in the database."""
        return json.dumps({"id": self.id, "outcome": self.outcome, "revision": self.revision, "notes": self.notes})


def take(connection: Connection) -> Request | None:
    """The request that waits, taken away; None when there is none."""
    raw = meta.get(connection, REQUEST)
    if not raw:
        return None
    meta.put(connection, REQUEST, "")
    asked = json.loads(raw)
    seconds = asked.get("backfill")
    back = None if seconds is None else timedelta(seconds=seconds)
    return Request(asked["id"], asked["who"], asked["no"], asked["partial"], back)
