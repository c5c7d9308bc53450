"""When a planned digest runs: once per local date and time, across gaps and folds of the clock. Pure.

A slot's id names recipient, schedule, local date, time and zone; the database keeps it unique, and that alone prevents
a second run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from alerts import clock
from alerts.values import Kind, Recipient, Schedule

LATE = timedelta(hours=6)
"""Up to this late a slot still runs; later its content waits for the next one."""
JOINS = timedelta(minutes=30)
"""A flush at the end of quiet hours joins a slot that follows this soon."""
DAY = timedelta(days=1)
MAX_STORIES = 40
QUIET, HOURLY, WEEKLY = "quiet-end", "hourly-catch-up", "weekly-note"
"""Names of digests that no schedule plans; a schedule's name may be given by people, these hold no place among them."""
WEEK = Schedule(WEEKLY, (time(9, 0),), frozenset({0}))
"""When a recipient that asked for it hears what its week was made of: on Mondays at nine, by its own clock."""
CAPS = {
    "per_hour": "cap of messages per hour",
    "per_day": "cap of messages per day",
    "urgent_per_hour": "cap of urgent messages per hour",
}


@dataclass(frozen=True, slots=True)
class Slot:
    """One planned digest."""

    slot_id: str
    recipient: str
    schedule: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    """Which slot of a schedule stands next, and the note it carries when earlier ones did not run."""

    slot: Slot
    note: str | None = None


def runs(schedule: Schedule, recipient: Recipient, after: datetime) -> Iterator[Slot]:
    """List the slots due later than `after`, in order, without end."""
    zone = ZoneInfo(recipient.timezone)
    day = clock.local(after, zone).date() - DAY
    while schedule.at and schedule.days:
        if day.weekday() in schedule.days:
            due = sorted((clock.instant(day, at, zone), at) for at in schedule.at)
            for moment, at in due:
                if moment > after:
                    slot_id = f"digest:{recipient.key}:{schedule.name}:{day}T{at:%H:%M}@{recipient.timezone}"
                    yield Slot(slot_id, recipient.key, schedule.name, moment)
        day += DAY


def next_run(schedule: Schedule, recipient: Recipient, after: datetime) -> Slot | None:
    """Give the first slot due later than `after`."""
    return next(runs(schedule, recipient, after), None)


def is_too_late(due_at: datetime, now: datetime) -> bool:
    """Tell whether a slot came so late that its content waits for the next one."""
    return now - due_at > LATE


def plan_next(schedule: Schedule, recipient: Recipient, last: datetime | None, now: datetime) -> Planned | None:
    """Plan the slot after the one that was due at `last`; slots that lie too far back are folded into it."""
    first = next_run(schedule, recipient, now if last is None else last)
    if first is None:
        return None
    if not is_too_late(first.due_at, now):
        return Planned(first)
    slot = next_run(schedule, recipient, now - LATE)
    return None if slot is None else Planned(slot, missed_note(first, recipient))


def missed_note(slot: Slot, recipient: Recipient) -> str:
    """Say that a planned digest was not sent."""
    return f"The digest planned for {_stamp(slot.due_at, recipient)} was not sent; its items are here."


def flush(recipient: Recipient, schedules: Sequence[Schedule], until: datetime) -> Slot:
    """Find the digest that tells what quiet hours held: a planned one that follows soon, else one at their end."""
    follows = (next_run(schedule, recipient, until - timedelta(microseconds=1)) for schedule in schedules)
    soon = [slot for slot in follows if slot is not None and slot.due_at <= until + JOINS]
    if soon:
        return min(soon, key=lambda slot: slot.due_at)
    return Slot(f"quiet:{recipient.key}:{_utc(until)}", recipient.key, QUIET, until)


def demoted(recipient: Recipient, schedules: Sequence[Schedule], now: datetime) -> Slot:
    """Find the digest that tells what is over a cap: the next planned one, else one at the next full hour."""
    following = [slot for slot in (next_run(schedule, recipient, now) for schedule in schedules) if slot is not None]
    if following:
        return min(following, key=lambda slot: slot.due_at)
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return Slot(f"hourly:{recipient.key}:{_utc(hour)}", recipient.key, HOURLY, hour)


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def day_start(recipient: Recipient, now: datetime) -> datetime:
    """Give the instant at which the recipient's present day began."""
    zone = ZoneInfo(recipient.timezone)
    return clock.instant(clock.local(now, zone).date(), time(0, 0), zone)


def notes(slot_note: str | None, reasons: Sequence[tuple[str, str | None, Kind]]) -> tuple[str, ...]:
    """Say why a digest holds what it holds. `reasons` are (group, reason, kind) of its items."""
    found = [slot_note] if slot_note else []
    held = Counter(kind for _, reason, kind in reasons if reason == "held")
    if held:
        found.append("While quiet: " + ", ".join(counted(kind, number) for kind, number in held.items()) + ".")
    over = {(group, reason) for group, reason, _ in reasons if reason in CAPS}
    if over:
        caps = ", ".join(CAPS[reason] for reason in sorted({reason for _, reason in over if reason}))
        found.append(f"{len(over)} prompt messages moved into this digest ({caps}).")
    if any(reason == "flood" for _, reason, _ in reasons):
        found.append("A watch matched so much at once that it is told here only.")
    return tuple(found)


def counted(kind: str, number: int) -> str:
    """Say how many events of a kind there were.

    >>> counted("new_story", 2)
    '2 new stories'
    """
    words = kind.replace("_", " ")
    if number == 1:
        return f"1 {words}"
    return f"{number} {words[:-1] + 'ies' if words.endswith('y') else words + 's'}"


def undelivered_note(at: datetime, recipient: Recipient) -> str:
    """Say that an earlier message was lost."""
    return f"An earlier message of {_stamp(at, recipient)} did not reach you; its news is in this one."


def continued_note(headline: str) -> str:
    """Say in an old message about a story where it goes on."""
    return f"This story continues in \u201c{headline}\u201d."


def fallback_note(channel: str, since: datetime | None, recipient: Recipient) -> str:
    """Say why a message comes over another channel than usual."""
    when = f" since {_stamp(since, recipient)}" if since is not None else ""
    return f"{channel} has not answered{when}, so this comes here."


def _stamp(at: datetime, recipient: Recipient) -> str:
    shown = clock.local(at, ZoneInfo(recipient.timezone))
    return f"{shown.day} {shown:%b %H:%M}"
