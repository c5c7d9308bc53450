"""Keeps what readers say of stories and entries, where nothing better is wired in; see `sources.Corrections`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from monitor.errors import MonitorError
from monitor.store import tables


class NotThere(MonitorError):
    """The story or entry that was labelled is not there."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels only: no merging, no splitting."""

    merge: Callable[..., object] | None = None
    split: Callable[..., object] | None = None

    def label(self, tx: Connection, subject: str, verdict: str, who: str, now: datetime, note: str = "") -> object:
        """Keep a label; saying the same again changes nothing.

        Errors: NotThere for an entry or story that does not exist.
        """
        if subject.isdigit() and not _is_entry(tx, int(subject)):
            raise NotThere(f"there is no entry {subject}")
        label = tables.label.c
        same = select(label.id).where(label.subject == subject, label.verdict == verdict, label.note == note).limit(1)
        if tx.execute(same.where(label.who == who)).first() is None:
            tx.execute(insert(tables.label).values(subject=subject, verdict=verdict, who=who, note=note, at=now))
        return None


def _is_entry(tx: Connection, entry: int) -> bool:
    mention = tables.mention.c
    return tx.execute(select(mention.entry_id).where(mention.entry_id == entry)).first() is not None
