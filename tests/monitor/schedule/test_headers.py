"""What headers say about waiting and freshness."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.schedule import headers
from tests.monitor.schedule.play import NOW, days, head, hours, http

AHEAD = http(NOW + hours(1))

WAITS = {
    "seconds": ("120", None, timedelta(seconds=120)),
    "twelve hours are twelve hours": ("43200", None, hours(12)),
    "a billion seconds are 31 days": ("1000000000", None, days(31)),
    "a billion seconds in another spelling are 31 days": ("1e9", None, days(31)),
    "more digits than a number should have": ("9" * 20, None, days(31)),
    "a negative number is ignored": ("-5", None, None),
    "a word is ignored": ("xyz", None, None),
    "nothing is nothing": (None, None, None),
    "an empty value is ignored": ("", None, None),
    "a date is taken from now": (http(NOW + hours(2)), None, hours(2)),
    "a date is taken from the server's own clock": (http(NOW + hours(3)), AHEAD, hours(2)),
    "a past date is ignored": (http(NOW - hours(2)), None, None),
    "a date that is none is ignored": ("Mon, 99 Foo 2026", None, None),
    "a date beyond the ceiling is cut": (http(NOW + days(400)), None, days(31)),
}


@pytest.mark.parametrize(("value", "date", "wait"), WAITS.values(), ids=WAITS)
def test_retry_after_is_read(value: str | None, date: str | None, wait: timedelta | None) -> None:
    assert headers.retry_after(value, date, NOW) == wait


SECONDS = timedelta(seconds=1)
FRESH = {
    "max-age": (head(cache_control="max-age=600"), 600 * SECONDS),
    "max-age among others": (head(cache_control="public, Max-Age=600, must-revalidate"), 600 * SECONDS),
    "quoted max-age": (head(cache_control='max-age="600"'), 600 * SECONDS),
    "s-maxage goes before max-age": (head(cache_control="max-age=60, s-maxage=900"), 900 * SECONDS),
    "Age is taken off": (head(cache_control="max-age=600", age="590"), 10 * SECONDS),
    "an Age beyond it leaves nothing": (head(cache_control="max-age=600", age="6000"), 0 * SECONDS),
    "an Age that is no number is ignored": (head(cache_control="max-age=600", age="x"), 600 * SECONDS),
    "no-cache voids max-age": (head(cache_control="no-cache, max-age=6000"), 0 * SECONDS),
    "no-store voids max-age": (head(cache_control="no-store, max-age=6000"), 0 * SECONDS),
    "no-cache for one field voids nothing": (
        head(cache_control='no-cache="set-cookie", max-age=60'),
        60 * SECONDS,
    ),
    "of two max-age the smaller": (head(cache_control="max-age=600, max-age=60"), 60 * SECONDS),
    "of two max-age in two headers the smaller": (
        (("cache-control", b"max-age=600"), ("cache-control", b"max-age=60")),
        60 * SECONDS,
    ),
    "an unreadable max-age is ignored": (head(cache_control="max-age=abc"), None),
    "a negative max-age is ignored": (head(cache_control="max-age=-1"), None),
    "a huge max-age is a day": (head(cache_control="max-age=31536000"), days(1)),
    "an absurd max-age is a day": (head(cache_control="max-age=" + "9" * 18), days(1)),
    "Expires is relative to Date": (head(expires=http(NOW + hours(3)), date=AHEAD), hours(2)),
    "Expires without Date is relative to now": (head(expires=http(NOW + hours(3))), hours(3)),
    "Expires 0 says not at all": (head(expires="0"), 0 * SECONDS),
    "Expires -1 says not at all": (head(expires="-1"), 0 * SECONDS),
    "max-age goes before Expires": (head(expires=http(NOW + hours(3)), cache_control="max-age=60"), 60 * SECONDS),
    "Last-Modified is no freshness": (head(last_modified=http(NOW - days(300))), None),
    "no header says nothing": ((), None),
}


@pytest.mark.parametrize(("fields", "fresh"), FRESH.values(), ids=FRESH)
def test_freshness_is_read(fields: headers.Headers, fresh: timedelta | None) -> None:
    assert headers.freshness(fields, NOW) == fresh


DATES = {
    "the usual form": "Mon, 02 Mar 2026 09:00:00 GMT",
    "the form of RFC 850": "Monday, 02-Mar-26 09:00:00 GMT",
    "the form of asctime": "Mon Mar  2 09:00:00 2026",
    "another zone": "Mon, 02 Mar 2026 10:00:00 +0100",
}


@pytest.mark.parametrize("text", DATES.values(), ids=DATES)
def test_a_date_is_read_in_every_form(text: str) -> None:
    assert headers.http_date(text) == NOW


NAMES = st.sampled_from(["cache-control", "expires", "date", "age", "retry-after"])
LIKELY = st.sampled_from(["max-age=", "no-cache", "0", "-1", "9" * 25, "Mon, 02 Mar 2026 09:00:00 GMT", "=", ",", '"'])
VALUES = st.lists(LIKELY | st.text(max_size=10), max_size=4).map(lambda parts: "".join(parts).encode())


@given(st.lists(st.tuples(NAMES, VALUES), max_size=5).map(tuple))
def test_no_header_breaks_the_reading(fields: headers.Headers) -> None:
    fresh, wait = headers.freshness(fields, NOW), headers.asked_to_wait(fields, NOW)
    assert fresh is None or timedelta(0) <= fresh <= days(1)
    assert wait is None or timedelta(0) <= wait <= days(31)
