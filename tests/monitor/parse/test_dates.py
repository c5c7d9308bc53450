"""Dates in the spellings of real feeds. The table is the specification."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from babel.core import Locale, get_global
from hypothesis import given
from hypothesis import strategies as st

from monitor.parse import dates, zones
from monitor.parse.months import MONTHS

NOW = datetime(2025, 6, 6, 8, 0, tzinfo=UTC)
BELGRADE = zones.outlet_zone(zone="Europe/Belgrade", country=None, host=None, language=None)

NOON = "2025-06-05T12:02:00"
SPELLINGS = {
    "Thu, 05 Jun 2025 14:02:00 +0200": NOON,
    "05 Jun 2025 14:02:00 +0200": NOON,
    "Thu, 5 Jun 2025 14:02 +0200": NOON,
    "Thu,05 Jun 2025 14:02:00 +0200": NOON,
    "Fri, 05 Jun 2025 14:02:00 +0200": NOON,
    "Thu, 05 Jun 25 12:02:00 GMT": NOON,
    "Thu, 05 June 2025 12:02:00 Z": NOON,
    "čet, 05 jun 2025 14:02:00 +0200": NOON,
    "Четвртак, 05. јун 2025. 14:02": NOON,
    "četvrtak, 5. lipnja 2025. u 14:02": NOON,
    "četvrtak, 05. juni 2025 14:02": NOON,
    "E enjte, 05 Qershor 2025 14:02": NOON,
    "четврток, 05 јуни 2025 14:02": NOON,
    "четвъртък, 5 юни 2025 г. 14:02": NOON,
    "jue, 05 jun 2025 08:02:00 -0400": NOON,
    "jeudi 5 juin 2025 à 14h02": NOON,
    "Donnerstag, 5. Juni 2025 14:02 Uhr": NOON,
    "Πέμ, 05 Ιουν 2025 15:02:00 +0300": NOON,
    "Πέμπτη, 5 Ιουνίου 2025 15:02 EEST": NOON,
    "5 Haziran 2025 Perşembe 15:02 TRT": NOON,
    "2025-06-05T14:02:00+02:00": NOON,
    "2025-06-05T12:02:00.123456Z": NOON,
    "2025-06-05 14:02:00": NOON,
    "2025-06-05 2:02 PM": NOON,
    "2025/06/05 14:02": NOON,
    "20250605T120200Z": NOON,
    "20250605140200": NOON,
    "1749124920": NOON,
    "1749124920000": NOON,
    "05.06.2025. 14:02": NOON,
    "05.06.2025. u 14.02": NOON,
    "5/6/2025 14:02": NOON,
    "05.Jun.2025, 14:02": NOON,
    "14:02, 5. jun 2025.": NOON,
    "06/05/2025 2:02 PM": NOON,
    "June 5, 2025 - 2:02pm": NOON,
    "Thursday, June 5, 2025 08:02 AM EDT": NOON,
    "Thu, 5 Jun 2025 14:02 CEST": NOON,
    "Thu, 05 Jun 2025 13:02:00 BST": NOON,
    "Thu, 05 Jun 2025 08:02:00 EDT": NOON,
    "Thu, 05 Jun 2025 05:02:00 PDT": NOON,
    "Thu, 05 Jun 2025 14:02:00 +0200 (CEST)": NOON,
    "Thu, 05 Jun 2025 14:02:00 GMT+2": NOON,
    "Thu, 05 Jun 2025 14:02:00 UTC+0200": NOON,
    "Thu Jun 05 2025 14:02:00 GMT+0200 (Central European Summer Time)": NOON,
    "Thu Jun  5 12:02:00 UTC 2025": NOON,
    '<time datetime="2025-06-05T14:02:00+02:00">juče</time>': NOON,
    "Wed, 04 Jun 2025 24:00:00 GMT": "2025-06-05T00:00:00",
    "2025-06-05": "2025-06-04T22:00:00",
    "٢٠٢٥-٠٦-٠٥": "2025-06-04T22:00:00",
    "Mon, 03 Mar 97 10:00:00 PST": "1997-03-03T18:00:00",
    "31 Dec 2024 23:59:60 GMT": "2024-12-31T23:59:59",
}


@pytest.mark.parametrize(("raw", "utc"), SPELLINGS.items(), ids=SPELLINGS)
def test_a_date_is_read(raw: str, utc: str) -> None:
    found = dates.read(raw, NOW, BELGRADE).at
    assert found is not None
    assert found.strftime("%Y-%m-%dT%H:%M:%S") == utc


NO_DATES = (
    "", "  ", "Invalid Date", "juče", "Вчера, 20:41", "pre 8 sati", "0000-00-00 00:00:00",
    "Mon, 00 Jan 0001 00:00:00 GMT",
    "Thu, 01 Jan 1970 00:00:00 GMT", "99/99/9999", "2025-02-30", "2525-01-01", "12:30", "1", "17491249200000000000",
    "9" * 5000, "2025-06-05T99:99:99Z", "June", "5. lip",
)  # fmt: skip


@pytest.mark.parametrize("raw", NO_DATES, ids=lambda raw: raw[:30] or "empty")
def test_what_is_no_date_is_none(raw: str) -> None:
    assert dates.read(raw, NOW, BELGRADE).at is None


def test_nothing_is_none() -> None:
    assert dates.read(None, NOW) == dates.Dated(None)


NOTES = {
    "Thu, 01 Jan 2035 00:00:00 GMT": "future",
    "Thu, 01 Jan 1970 00:00:00 GMT": "too_old",
    "06/05/2025 2:02 PM": "ambiguous",
    "2003-12": "month_only",
    "Thu, 05 Jun 2025 14:02:00 +0200": None,
}


@pytest.mark.parametrize(("raw", "note"), NOTES.items(), ids=NOTES)
def test_what_is_odd_is_noted(raw: str, note: str | None) -> None:
    assert dates.read(raw, NOW, BELGRADE).note == note


def test_a_month_of_two_meanings_needs_the_language() -> None:
    assert dates.read("12. listopada 2024.", NOW).at is None
    croatian, polish = (dates.read("12. listopada 2024.", NOW, language=code).at for code in ("hr", "pl"))
    assert croatian is not None
    assert polish is not None
    assert (croatian.month, polish.month) == (10, 11)


ZONES = {
    "the configured one": ({"zone": "Europe/London", "country": "RS"}, "Europe/London"),
    "a country's": ({"country": "RS"}, "Europe/Belgrade"),
    "Kosovo's": ({"country": "XK"}, "Europe/Belgrade"),
    "a country with two zones of one time": ({"country": "DE"}, "Europe/Berlin"),
    "the host's": ({"host": "www.cdv.example.cz"}, "Europe/Prague"),
    "the Serbian Cyrillic suffix's": ({"host": "xn--b1agj9af.xn--90a3ac"}, "Europe/Belgrade"),
    "the language's, on a generic suffix": ({"host": "novine.example.com", "language": "sr-Latn"}, "Europe/Belgrade"),
    "the language's, on a suffix sold everywhere": ({"host": "vesti.example.tv", "language": "mk"}, "Europe/Skopje"),
    "UTC for a country of many times": ({"country": "US", "host": "a.example.com", "language": "en"}, "UTC"),
    "UTC for an unknown name": ({"zone": "Mars/Olympus"}, "UTC"),
}


@pytest.mark.parametrize(("known", "zone"), ZONES.values(), ids=ZONES)
def test_the_zone_of_an_outlet_is(known: dict[str, str], zone: str) -> None:
    found = zones.outlet_zone(**{"zone": None, "country": None, "host": None, "language": None} | known)
    assert str(found) == zone


@given(
    st.datetimes(datetime(1988, 1, 1), datetime(2028, 1, 1)),
    st.sampled_from(("GMT", "UTC", "Z", "+0200", "-0530", "+1600", "+0075")),
    st.sampled_from(("%a, %d %b %Y %H:%M:%S", "%d %b %Y %H:%M:%S", "%d %b %Y 24:00:%S", "31 %b %Y %H:%M:60")),
)
def test_the_standard_spelling_is_read_as_by_the_way_for_all_spellings(at: datetime, zone: str, form: str) -> None:
    spelt_out = form.replace("%b", "%B")  # "June" is not the standard's
    assert dates.read(f"{at.strftime(form)} {zone}", NOW) == dates.read(f"{at.strftime(spelt_out)} {zone}", NOW)


def test_the_months_are_those_of_cldr() -> None:
    for code, months in MONTHS.items():
        locale = Locale.parse(code.replace("-", "_"))
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in locale.months[context][width].items():
                    assert name.casefold().strip(". ") in months[number - 1].split()


def test_babel_knows_the_zones_of_countries() -> None:
    assert get_global("territory_zones")["RS"] == ["Europe/Belgrade"]
