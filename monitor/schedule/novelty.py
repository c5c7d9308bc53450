"""When a document has too much that is new to be news: old entries shown again, an archive opened, a flood.

Called by `pipeline` before anything of the document is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from monitor.schedule import rate
from monitor.schedule import state as st

LEAST = 10
"""Fewer new entries are never held back, whatever their dates."""
OLD = timedelta(hours=24)
FLOOD_TIMES, FLOOD_LEAST = 20, 50


def is_mass_change(
    state: st.FeedState, total: int, new: int, published: Sequence[datetime | None], now: datetime
) -> bool:
    """Whether the new entries of a document are to be stored and not told.

    More than half of it is new, and most of that is dated before what was read last, or there is twenty times as much
    as the habit of this feed explains. A first document is a baseline anyway.
    """
    if state.last_ok_at is None or new < LEAST or new * 2 <= total:
        return False
    dated_old = sum(at is not None and at < state.last_ok_at - OLD for at in published)
    if dated_old * 2 > new:
        return True
    return new >= FLOOD_LEAST and new > FLOOD_TIMES * rate.expected(state.rate, state.last_ok_at, now)
