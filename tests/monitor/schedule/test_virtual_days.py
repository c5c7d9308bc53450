"""Days of feeds under a virtual clock: how often each is polled, and how late a new entry is seen."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

import pytest

from monitor import schedule
from tests.monitor.schedule.play import NOW, days, hours


@dataclass(frozen=True)
class Figures:
    """Polls a day, and the median delay in minutes."""

    polls: float
    delay: float
    missed: float


def published(per_day: float, span: timedelta, dice: random.Random) -> Iterator[datetime]:
    """Entries as a Poisson process with a day curve: few at night, most in the afternoon."""
    at, peak = NOW, per_day / 24 * 1.8
    while at < NOW + span:
        at += timedelta(hours=dice.expovariate(peak))
        busy = 1 + 0.8 * math.sin((at.hour - 8) / 24 * 2 * math.pi)
        if dice.random() < busy / 1.8:
            yield at


def play(per_day: float, policy: schedule.Policy, *, window: int = 20, length: int = 20, seed: int = 1) -> Figures:
    """Poll one feed for some days and look at all but the first week."""
    dice = random.Random(seed)
    entries = list(published(per_day, days(length), dice))
    state, due, polls, delays, missed, read = schedule.FeedState(), NOW + hours(1), 0, [], 0, 0
    while due < NOW + days(length):
        upto = next((i for i in range(read, len(entries)) if entries[i] > due), len(entries))
        fresh = entries[read:upto]
        if due > NOW + days(7):
            polls += 1
            delays += [(due - at) / timedelta(minutes=1) for at in fresh]
            missed += max(0, len(fresh) - window)
        new = fresh[-window:]
        outcome: schedule.Outcome = (
            schedule.Changed(len(new), window, due, window - len(new), tuple(new)) if new else schedule.Unchanged(due)
        )
        decision = schedule.after(state, policy, outcome, due, dice.random())
        state, due, read = decision.state, decision.next_at, upto
    return Figures(polls / (length - 7), median(delays), missed / len(delays))


CASES = {
    "a wire of 250 entries a day is polled about every 15 minutes and nothing is missed": (
        250,
        schedule.Policy(),
        (70, 110, 9),
    ),
    "a newspaper of 40 a day is seen within 10 minutes": (40, schedule.Policy(), (45, 90, 11)),
    "a ministry of 2 a day is polled every half hour and seen within 17 minutes": (
        2,
        schedule.Policy(government=True),
        (46, 56, 17),
    ),
    "a small outlet of 2 a day is polled every hour": (2, schedule.Policy(), (22, 32, 40)),
}


@pytest.mark.parametrize(("per_day", "policy", "bounds"), CASES.values(), ids=CASES)
def test_delay_and_politeness_are_in_balance(
    per_day: float, policy: schedule.Policy, bounds: tuple[float, float, float]
) -> None:
    least, most, delay = bounds
    figures = play(per_day, policy)
    assert least <= figures.polls <= most
    assert figures.delay <= delay
    assert figures.missed == 0


def test_a_night_without_news_costs_fewer_polls_than_a_busy_afternoon() -> None:
    state, due, dice = schedule.FeedState(), NOW, random.Random(2)
    entries = [NOW.replace(hour=12) + timedelta(days=d, minutes=12 * i) for d in range(14) for i in range(30)]
    by_hour: dict[int, int] = {}
    read = 0
    while due < NOW + days(14):
        upto = next((i for i in range(read, len(entries)) if entries[i] > due), len(entries))
        new = tuple(entries[read:upto])
        by_hour[due.hour] = by_hour.get(due.hour, 0) + 1
        outcome = schedule.Changed(len(new), 20, due, 20 - len(new), new) if new else schedule.Unchanged(due)
        decision = schedule.after(state, schedule.Policy(), outcome, due, dice.random())
        state, due, read = decision.state, decision.next_at, upto
    assert sum(by_hour.get(h, 0) for h in (14, 15, 16)) > 2 * sum(by_hour.get(h, 0) for h in (2, 3, 4))


if __name__ == "__main__":
    for name, (rate, wanted, _) in CASES.items():
        print(name, play(rate, wanted, length=35))
