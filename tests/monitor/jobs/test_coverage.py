"""When a watch that sees too little is told: after a quarter of an hour, once, and once when it sees again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.jobs import coverage
from monitor.store.coverage import Row

NOW = datetime(2025, 6, 5, 8, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
QUIET, LOW = Row("w"), Row("w", NOW - QUARTER)
TOLD = Row("w", NOW - 2 * QUARTER, NOW - 2 * QUARTER)

CASES: dict[str, tuple[Row, int, int, Row, str | None]] = {
    "enough is seen": (QUIET, 8, 10, QUIET, None),
    "a watch without feeds is not blind": (QUIET, 0, 0, QUIET, None),
    "too little, since now": (QUIET, 7, 10, Row("w", NOW), None),
    "too little, not long yet": (Row("w", NOW - QUARTER / 2), 7, 10, Row("w", NOW - QUARTER / 2), None),
    "too little for a quarter of an hour": (LOW, 7, 10, Row("w", NOW - QUARTER, NOW - QUARTER), "low"),
    "too little and told": (TOLD, 7, 10, TOLD, None),
    "a low that passed before it was told": (LOW, 8, 10, QUIET, None),
    "a low that was told and is over": (TOLD, 9, 10, QUIET, "ok"),
}


@pytest.mark.parametrize(("before", "healthy", "feeds", "kept", "told"), CASES.values(), ids=CASES)
def test_what_a_watch_sees_is_judged(before: Row, healthy: int, feeds: int, kept: Row, told: str | None) -> None:
    judged = coverage.judge(before, healthy, feeds, NOW, 1)
    assert judged.row == kept
    assert (judged.event.key.split(":")[2] if judged.event else None) == told
