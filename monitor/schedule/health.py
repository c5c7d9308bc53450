"""How a feed fares, as a colour with its reasons, and whether its silence is out of habit.

Called by `status`, `explain` and the pages. Nothing is decided from it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.schedule import rate, trust
from monitor.schedule import state as st
from monitor.schedule.reasons import FailReason, Note

RED_AFTER = timedelta(hours=24)
"""So long without success, however often it was tried."""
AMBER_FAILURES = 2
SILENT_AFTER = 6.9
"""Expected entries that did not come: by chance that happens once in a thousand times (e^-6.9)."""


class Colour(StrEnum):
    """Green is well, amber wants a look, red brings nothing."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Health:
    """A colour and the words that explain it; no words when it is green."""

    colour: Colour
    reasons: tuple[str, ...] = ()


def health(state: st.FeedState, now: datetime, *, insecure_tls: bool = False) -> Health:
    """Judge a feed by what is remembered of it. `insecure_tls` says that its certificate is not looked at."""
    if state.gone:
        return Health(Colour.RED, ("gone",))
    fail = state.fail
    down_since = state.last_ok_at or fail.first_at
    if fail.count and fail.reason and down_since and now - down_since >= RED_AFTER:
        return Health(Colour.RED, (fail.reason,))
    reasons: list[str] = []
    if fail.count >= AMBER_FAILURES and fail.reason:
        reasons.append(fail.reason)
    if not fail.count and is_silent(state, now):
        reasons.append("silent")
    if trust.is_distrusted(state.cache, now):
        reasons.append("validators_untrusted")
    if insecure_tls:
        reasons.append("insecure_tls")
    return Health(Colour.AMBER if reasons else Colour.GREEN, tuple(reasons))


def standing(before: str, state: st.FeedState, notes: Collection[Note], now: datetime) -> str:
    """What the operator should know of a feed, in one word; `before` is the word told last.

    ok, failing, gone, blocked, silent, overflowing or mass_change. A failure of less than a day changes nothing.
    """
    if state.gone:
        return "gone"
    fail = state.fail
    if fail.count:
        if fail.reason == FailReason.BLOCKED and fail.count >= AMBER_FAILURES:
            return "blocked"
        down_since = state.last_ok_at or fail.first_at
        return "failing" if down_since and now - down_since >= RED_AFTER else before
    if Note.MASS_CHANGE in notes:
        return "mass_change"
    if Note.WINDOW_OVERFLOW in notes:
        return "overflowing"
    return "silent" if is_silent(state, now) else "ok"


def is_silent(state: st.FeedState, now: datetime) -> bool:
    """Whether nothing new came for so long that, by this feed's own hours, chance cannot explain it."""
    if state.last_new_at is None:
        return False
    return rate.expected(state.rate, state.last_new_at, now) > SILENT_AFTER
