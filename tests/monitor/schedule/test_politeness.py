"""Our own manners, read from the log of our fetches: what counts as a fault, and what only looks like one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.schedule.politeness import COLUMNS, Asked, Line, Manners, has_cruft, judge

START = datetime(2025, 6, 1, 0, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
URL = "https://paper.example/rss"
A, B = b"validat1", b"validat2"


def line(after: timedelta, outcome: str = "not_modified", **more: Any) -> Line:
    return Line(START + after, outcome, **more)


def first(given: bytes | None = A) -> Line:
    return line(timedelta(), "changed", given=given)


def unchanged(*hours: float, sent: bytes = A) -> list[Line]:
    return [line(n * HOUR, sent=sent) for n in hours]


def asked(*log: Line, **more: Any) -> Asked:
    return Asked(URL, log, **more)


GOOD = {
    "a first poll and conditional ones": asked(first(), *unchanged(1, 2, 3)),
    "a server without validators": asked(first(None), line(HOUR, "changed"), line(2 * HOUR, "same_body")),
    "new validators are taken up": asked(first(), line(HOUR, "changed", sent=A, given=B), *unchanged(2, sent=B)),
    "the same body under a new mark": asked(first(), line(HOUR, "same_body", sent=A, given=B), *unchanged(2, sent=B)),
    "a server that stops giving validators": asked(
        first(), line(HOUR, "changed", sent=A, given=None), line(2 * HOUR, "same_body")
    ),
    "a 304 that names one of two validators": asked(
        first(), line(HOUR, sent=A, given=B), line(2 * HOUR, sent=b"amixture"), line(3 * HOUR, sent=b"amixture")
    ),
    "a failure keeps what was known": asked(
        first(), line(HOUR, "failed", sent=A, reason="server_error"), *unchanged(2)
    ),
    "after a 304 that was not asked for nothing is sent": asked(
        first(), line(HOUR, "failed", sent=A, reason="unexpected_304"), line(2 * HOUR, "same_body", given=A)
    ),
    "the first poll after a move": asked(
        first(), *unchanged(1), line(2 * HOUR, "changed", given=B), moves=[START + HOUR + MINUTE]
    ),
    "a question without validators after a day of 304": asked(
        first(), *unchanged(1, 12, 24), line(25 * HOUR, "same_body", given=A), *unchanged(26)
    ),
    "the week in which its 304 is not believed": asked(
        first(),
        *unchanged(1, 12, 24),
        line(25 * HOUR, "changed", given=B),
        line(26 * HOUR, "same_body", given=B),
        line(3 * DAY, "changed", given=B),
        line(9 * DAY, sent=B),
    ),
    "the week of disbelief as the feed's row has it": asked(
        first(), line(HOUR, "same_body", given=A), untrusted_since=START + MINUTE
    ),
    "what stood before the log began is not held against us": asked(
        *[line(n * HOUR, "changed", given=A) for n in range(3)], *unchanged(3, 4), whole_from=2
    ),
    "a document that ends too soon keeps the old validators": asked(
        first(), line(HOUR, "changed", sent=A, given=B), line(2 * HOUR, "changed", sent=A, given=B), cut=True
    ),
    "a header the operator asked for": asked(line(HOUR, "changed", odd_headers=("x-key",)), own_headers=["x-key"]),
    "a floor of five minutes that was configured": asked(
        first(), line(6 * MINUTE, sent=A), line(12 * MINUTE, sent=A), floor=5 * MINUTE
    ),
    "one host a minute while our own network is down": asked(
        line(HOUR, "failed", reason="connect", next_at=START + HOUR + MINUTE, next_reason="circuit"),
        line(HOUR + MINUTE, "failed", reason="connect"),
    ),
}
BAD = {
    "validators that are known and not sent": (
        asked(first(), line(HOUR, "same_body", given=A), line(2 * HOUR, "same_body", given=A)),
        {"unconditional": 2},
    ),
    "never a validator, however new each document is": (
        asked(*[line(n * DAY * 1.5, "changed", given=bytes([n]) * 8) for n in range(1, 4)]),
        {"unconditional": 2},
    ),
    "never a validator, every hour": (
        asked(*[line(n * HOUR, "changed", given=bytes([n]) * 8) for n in range(1, 4)]),
        {"unconditional": 2},
    ),
    "two questions without validators on one day": (
        asked(first(), *unchanged(1, 24), line(25 * HOUR, "failed"), line(26 * HOUR, "same_body", given=A)),
        {"unconditional": 1},
    ),
    "validators that a newer answer has replaced": (
        asked(first(), line(HOUR, "same_body", sent=A, given=B), *unchanged(2, sent=A)),
        {"stale": 1},
    ),
    "validators that nobody gave": (asked(first(None), *unchanged(1)), {"stale": 1}),
    "a cookie": (asked(line(HOUR, "changed", odd_headers=("cookie",))), {"cookies": 1}),
    "a referrer": (asked(line(HOUR, "changed", odd_headers=("referer",))), {"referrer": 1}),
    "headers that get round caches": (
        asked(line(HOUR, "changed", odd_headers=("cache-control", "pragma"))),
        {"cache_busting": 1},
    ),
    "a header nobody asked for": (asked(line(HOUR, "changed", odd_headers=("x-odd",))), {"odd_headers": 1}),
    "two polls within ten minutes": (
        asked(line(HOUR, "changed", next_at=START + HOUR + MINUTE), line(HOUR + 2 * MINUTE, "changed")),
        {"too_fast": 1},
    ),
    "a poll before its time was made by hand": (
        asked(line(HOUR, "changed", next_at=START + 2 * HOUR), line(HOUR + 2 * MINUTE, "changed")),
        {"by_hand": 1},
    ),
}


@pytest.mark.parametrize("feed", GOOD.values(), ids=GOOD)
def test_what_is_meant_to_be_so_is_no_fault(feed: Asked) -> None:
    manners = judge(feed)
    assert {name: getattr(manners, name) for name in COLUMNS if getattr(manners, name)} == {}
    assert manners.faults == 0


@pytest.mark.parametrize(("feed", "counts"), BAD.values(), ids=BAD)
def test_what_is_impolite_is_counted_in_its_column(feed: Asked, counts: dict[str, int]) -> None:
    manners = judge(feed)
    found = {name: getattr(manners, name) for name in (*COLUMNS, "by_hand") if getattr(manners, name)}
    assert found == counts


CRUFT = {
    "https://a.example/rss": False,
    "https://a.example/rss?id=7&format=xml": False,
    "https://a.example/rss?utm_source=x": True,
    "https://a.example/rss?_=1749808204": True,
    "https://a.example/rss?nocache": True,
}


@pytest.mark.parametrize(("url", "cruft"), CRUFT.items())
def test_parameters_that_name_no_document(url: str, cruft: bool) -> None:
    assert has_cruft(url) is cruft
    assert judge(Asked(url, [first(), *unchanged(1)])).query_cruft == (2 if cruft else 0)


def test_manners_add_up_column_by_column() -> None:
    one = Manners(fetches=3, stale=1, by_hand=2)
    assert one + one == Manners(fetches=6, stale=2, by_hand=4)
    assert (one + one).faults == 2
