"""When the next poll happens and why. Pure: `now` and the random number are arguments.

`after` decides after a poll, `may_attempt` guards before one, `to_send` names the validators to send, `needs_baseline`
says whether entries are stored without telling, `spread` spreads what is overdue. Nothing here fetches or stores.
Called by `pipeline` and `jobs`.
"""

from monitor.schedule.attempts import first_poll, may_attempt, needs_baseline, spread, to_send
from monitor.schedule.bounds import host_interval
from monitor.schedule.circuit import Circuit
from monitor.schedule.decide import after, forgive
from monitor.schedule.health import Colour, Health, health, standing
from monitor.schedule.novelty import is_mass_change
from monitor.schedule.outcomes import changed, failed, is_partial, unchanged
from monitor.schedule.reasons import FailReason, NextReason, Note
from monitor.schedule.state import (
    NEW_FEED,
    Changed,
    Failed,
    FeedState,
    Hold,
    HostFacts,
    Move,
    Next,
    Outcome,
    Policy,
    Refusal,
    Unchanged,
    Wishes,
    from_json,
    to_json,
)

__all__ = [
    "NEW_FEED",
    "Changed",
    "Circuit",
    "Colour",
    "FailReason",
    "Failed",
    "FeedState",
    "Health",
    "Hold",
    "HostFacts",
    "Move",
    "Next",
    "NextReason",
    "Note",
    "Outcome",
    "Policy",
    "Refusal",
    "Unchanged",
    "Wishes",
    "after",
    "changed",
    "failed",
    "first_poll",
    "forgive",
    "from_json",
    "health",
    "host_interval",
    "is_mass_change",
    "is_partial",
    "may_attempt",
    "needs_baseline",
    "spread",
    "standing",
    "to_json",
    "to_send",
    "unchanged",
]
