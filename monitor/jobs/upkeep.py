"""Tidying up: fetch lines and bodies that are old enough to go, a chunk at a time so that nothing waits long."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitor.store import documents, fetch_log

CHUNK = 1000


def prune(connection: Connection, now: datetime, *, log_kept: timedelta, bytes_kept: timedelta) -> int:
    """Delete what is due to go, at most a chunk of each kind; returns how many rows went, 0 when there is no more."""
    lines = fetch_log.prune(connection, now - log_kept, CHUNK)
    return lines + documents.prune(connection, now - bytes_kept)
