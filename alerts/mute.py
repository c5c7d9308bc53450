"""Whether a due group is told now, later, or in a digest: silences, quiet hours, caps. Pure.

Nothing is dropped here: what is not told now keeps its items with a reason word and comes back as news or as a count.
Called by `pipeline.Desk` when a group falls due, so that a silence made while the group waited still works.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from alerts import clock
from alerts.values import CLASS_OF, Event, EventClass, Kind, QuietHours, Rate, Recipient, Silence

ANSWERS = frozenset({Kind.RESPONSE, Kind.STANCE_CHANGE, Kind.SILENCE_BROKEN})
LONGEST_SILENCE = timedelta(days=30)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Told:
    """One prompt message that was made for a recipient: when, on which story, and whether it was urgent."""

    at: datetime
    group: str
    urgent: bool


@dataclass(frozen=True, slots=True)
class Tell:
    """Make the message now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The story had its message for this window: look again at `until`."""

    until: datetime
    reason: str = "per_story"


@dataclass(frozen=True, slots=True)
class Held:
    """Quiet hours: told in one digest at `until`."""

    until: datetime
    reason: str = "held"


@dataclass(frozen=True, slots=True)
class Demoted:
    """Over a cap: told in the next digest. `reason` names the cap."""

    reason: str


Verdict = Tell | Wait | Held | Demoted


class HasEvent(Protocol):
    """Anything that carries an event, such as an item of the outbox."""

    @property
    def event(self) -> Event:
        """The event."""


Bearer = TypeVar("Bearer", bound=HasEvent)


def mutes(silence: Silence, event: Event, now: datetime) -> bool:
    """Tell whether a silence keeps an event back.

    Operator events are never silenced by a silence of a story or outlet, and answers only if it says so: they are
    the one thing a muted story is still watched for.
    """
    active = silence.ended_by is None and silence.starts <= now < silence.until
    if not active or (event.kind in ANSWERS and not silence.responses) or event.kind is Kind.SILENCE_OVER:
        return False
    return silence.matchers.hold(event)


def silenced_by(event: Event, silences: Iterable[Silence], recipient: str, now: datetime) -> Silence | None:
    """Find the first silence that keeps an event back from a recipient."""
    of_theirs = (silence for silence in silences if silence.recipient in (None, recipient))
    return next((silence for silence in of_theirs if mutes(silence, event, now)), None)


def refusal(silence: Silence, *, everything: bool = False) -> str | None:
    """Say why a silence may not be made; None when it may."""
    if silence.until <= silence.starts:
        return "a silence ends after it begins"
    if silence.until - silence.starts > LONGEST_SILENCE:
        return "a silence lasts at most 30 days"
    if not silence.comment.strip():
        return "a silence needs a comment that says why"
    if not silence.author.strip():
        return "a silence needs an author"
    if not silence.matchers.conditions and not everything:
        return "this would mute everything; say --all if that is meant"
    return None


def quiet_until(quiet: QuietHours | None, timezone: str, now: datetime) -> datetime | None:
    """Give the end of the quiet window that `now` lies in, None outside of one."""
    if quiet is None:
        return None
    zone = ZoneInfo(timezone)
    today = clock.local(now, zone).date()
    for day in (today - DAY, today):
        if day.weekday() not in quiet.days:
            continue
        over_midnight = quiet.end <= quiet.start
        start = clock.instant(day, quiet.start, zone)
        end = clock.instant(day + DAY if over_midnight else day, quiet.end, zone)
        if start <= now < end:
            return end
    return None


def verdict(events: Sequence[Event], recipient: Recipient, told: Sequence[Told], group: str, now: datetime) -> Verdict:
    """Decide on a due group for one recipient. `told` are the recipient's prompt messages of the last day or two.

    Operator events pass every rung: who runs the daemon hears of its faults at once.
    """
    if any(event.event_class is EventClass.OPERATOR for event in events):
        return Tell()
    urgent = any(event.event_class is EventClass.URGENT for event in events)
    until = quiet_until(recipient.quiet, recipient.timezone, now)
    if until is not None and not any(event.kind in recipient.breakthrough for event in events):
        return Held(until)
    caps = recipient.caps
    of_story = [one for one in told if one.group == group and one.urgent == urgent]
    free = free_at(of_story, caps.urgent_per_story if urgent else caps.per_story, now)
    if free > now:
        return Wait(free)
    return _over(recipient, told, urgent, now) or Tell()


def through(items: Sequence[Bearer], recipient: Recipient, now: datetime) -> tuple[list[Bearer], list[Bearer]]:
    """Part what is told now from what quiet hours still hold: only kinds that break through pass them."""
    if quiet_until(recipient.quiet, recipient.timezone, now) is None:
        return list(items), []
    loud = (*recipient.breakthrough, *(kind for kind, of in CLASS_OF.items() if of is EventClass.OPERATOR))
    told = [item for item in items if item.event.kind in loud]
    return told, [item for item in items if item.event.kind not in loud]


def _over(recipient: Recipient, told: Sequence[Told], urgent: bool, now: datetime) -> Demoted | None:
    caps = recipient.caps
    in_hour = [one for one in told if one.at > now - HOUR]
    if urgent:
        full = sum(one.urgent for one in in_hour) >= caps.urgent_per_hour
        return Demoted("urgent_per_hour") if full else None
    if len(in_hour) >= caps.per_hour:
        return Demoted("per_hour")
    zone = ZoneInfo(recipient.timezone)
    today = clock.local(now, zone).date()
    if sum(clock.local(one.at, zone).date() == today for one in told) >= caps.per_day:
        return Demoted("per_day")
    return None


def free_at(told: Sequence[Told], rate: Rate, now: datetime) -> datetime:
    """Say when one more message fits into a rate: `now`, or when the oldest of a full window leaves it."""
    recent = sorted(one.at for one in told if one.at > now - rate.per)
    return now if len(recent) < rate.count else recent[-rate.count] + rate.per
