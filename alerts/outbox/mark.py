"""A mark outside the database: when the newest delivery was sent. It tells a database from an older copy of it.

The file lies beside the database. A database whose newest delivery is older than the mark was put back from a backup:
what it takes for unsent may have been sent, so it is held until a person has looked (`storywatch outbox resolve`).
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

NAME = "delivery.mark"


def place(engine: sa.Engine) -> Path | None:
    """Say where the mark of a database lies; None for one that is not a file here."""
    file = engine.url.database
    return Path(file).with_name(NAME) if engine.dialect.name == "sqlite" and file and file != ":memory:" else None


def read(path: Path | None) -> datetime | None:
    """Read the mark; None when there is none that can be read."""
    try:
        text = path.read_text(encoding="ascii").strip() if path is not None else ""
        return datetime.fromisoformat(text) if text else None
    except (OSError, ValueError):
        return None


def write(path: Path | None, sent_at: datetime) -> None:
    """Move the mark. A place that cannot be written is none: sending goes on without it."""
    if path is None:
        return
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(sent_at.astimezone(UTC).isoformat(), encoding="ascii")
        aside.replace(path)
    except OSError:
        return


def is_older_copy(path: Path | None, newest_sent: datetime | None) -> bool:
    """Tell whether more was sent than the database knows of."""
    marked = read(path)
    return marked is not None and (newest_sent is None or newest_sent < marked)
