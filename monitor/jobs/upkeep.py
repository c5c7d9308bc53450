"""Tidying up: what is old enough goes, a chunk at a time so that nothing waits long; partitions are made ahead.

Called by the daemon now and then, and by `storywatch db prune`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from monitor.config.values import Keep
from monitor.store import partitions, retention


def prepare(engine: Engine, now: datetime, keep: Keep) -> int:
    """Make room for the entries of the next months: at start and before each pruning. Returns what was made."""
    if engine.dialect.name != "postgresql":
        return 0
    with engine.begin() as connection:
        return partitions.make_ahead(connection, now, retention.longest(keep))


def begin(engine: Engine, now: datetime, keep: Keep) -> retention.Pruning:
    """Begin to delete what is due to go: `step` is called until it answers False, with a pause between."""
    prepare(engine, now, keep)
    return retention.Pruning(engine, keep, now)
