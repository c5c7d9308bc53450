"""Planned digests on the nights when clocks change, and quiet hours on them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts import clock, mute
from alerts.digest import slots
from alerts.values import QuietHours, Recipient, Schedule

INSTANTS = {
    "Belgrade skips the hour": ("Europe/Belgrade", "2026-03-29", "02:30", "2026-03-29 01:00"),
    "Belgrade shows the hour twice": ("Europe/Belgrade", "2026-10-25", "02:30", "2026-10-25 00:30"),
    "Belgrade has another offset after the change": ("Europe/Belgrade", "2026-10-25", "08:00", "2026-10-25 07:00"),
    "Belgrade the day before": ("Europe/Belgrade", "2026-10-24", "08:00", "2026-10-24 06:00"),
    "London skips the hour": ("Europe/London", "2026-03-29", "01:30", "2026-03-29 01:00"),
    "New York skips the hour": ("America/New_York", "2026-03-08", "02:30", "2026-03-08 07:00"),
    "New York shows the hour twice": ("America/New_York", "2026-11-01", "01:30", "2026-11-01 05:30"),
    "Lord Howe skips half an hour": ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03 15:30"),
    "Lord Howe shows half an hour twice": ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04 14:45"),
    "Cairo skips midnight": ("Africa/Cairo", "2026-04-24", "00:00", "2026-04-23 22:00"),
    "Santiago skips midnight": ("America/Santiago", "2026-09-06", "00:00", "2026-09-06 04:00"),
    "Casablanca folds before Ramadan": ("Africa/Casablanca", "2026-02-15", "02:30", "2026-02-15 01:30"),
    "Casablanca skips after Ramadan": ("Africa/Casablanca", "2026-03-22", "02:30", "2026-03-22 02:00"),
    "Kathmandu never changes": ("Asia/Kathmandu", "2026-07-01", "07:00", "2026-07-01 01:15"),
}

ZONES = (
    "Europe/Belgrade",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Santiago",
    "Asia/Kathmandu",
)


@pytest.mark.parametrize(("zone", "day", "at", "utc"), INSTANTS.values(), ids=INSTANTS.keys())
def test_a_local_time_is_the_instant_people_mean(zone: str, day: str, at: str, utc: str) -> None:
    found = clock.instant(date.fromisoformat(day), time.fromisoformat(at), ZoneInfo(zone))
    assert f"{found:%Y-%m-%d %H:%M}" == utc


@pytest.mark.parametrize("zone", ZONES)
def test_every_slot_of_a_year_runs_once(zone: str) -> None:
    schedule = Schedule("plan", (time(2, 30), time(8, 0)))
    recipient = Recipient("desk", "desk", timezone=zone)
    end, now = datetime(2027, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    ids = []
    while (slot := slots.next_run(schedule, recipient, now)) is not None and slot.due_at < end:
        ids.append(slot.slot_id)
        assert slot.due_at > now
        now = slot.due_at
    assert len(ids) == len(set(ids))
    days = {slot_id.partition("T")[0].rpartition(":")[2] for slot_id in ids}
    assert len(ids) in (2 * 365 - 1, 2 * 365, 2 * 365 + 1)
    assert len(days) in (365, 366)


def test_days_of_the_week_are_local() -> None:
    schedule = Schedule("plan", (time(0, 30),), days=frozenset({0}))
    slot = slots.next_run(schedule, Recipient("d", "d", timezone="Pacific/Auckland"), datetime(2026, 6, 13, tzinfo=UTC))
    assert slot is not None
    assert f"{slot.due_at:%a %H:%M}" == "Sun 12:30"


NIGHTS = QuietHours(time(22, 0), time(2, 30))
QUIET = {
    "on an ordinary night": ("2026-06-15 23:00", "2026-06-16 00:30"),
    "on the night when the clock skips its end": ("2026-03-28 23:00", "2026-03-29 01:00"),
    "on the night when the clock shows its end twice": ("2026-10-24 23:00", "2026-10-25 00:30"),
    "not in the afternoon": ("2026-06-15 13:00", None),
    "not at its end": ("2026-06-16 00:30", None),
}


@pytest.mark.parametrize(("now", "ends"), QUIET.values(), ids=QUIET.keys())
def test_quiet_hours_end_by_the_clock(now: str, ends: str | None) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    found = mute.quiet_until(NIGHTS, "Europe/Belgrade", moment)
    assert (f"{found:%Y-%m-%d %H:%M}" if found else None) == ends


def test_a_clock_set_back_runs_no_slot_again() -> None:
    schedule, recipient = Schedule("plan", (time(8, 0),)), Recipient("d", "d")
    last = datetime(2026, 6, 15, 8, 0, tzinfo=UTC)
    planned = slots.plan_next(schedule, recipient, last, last - timedelta(days=1))
    assert planned is not None
    assert planned.slot.due_at == last + timedelta(days=1)
