"""Which clock a date without a zone was written by: the configured zone, else the outlet's country, host or language.

Called by `monitor.parse.feed` (once per document) and `monitor.parse.dates`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import get_global

ABBREVIATIONS = {
    "Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "MEZ": 60, "CEST": 120,
    "MESZ": 120, "EET": 120, "EEST": 180, "MSK": 180, "TRT": 180, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300,
    "MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "AKST": -540, "AKDT": -480, "HST": -600, "JST": 540,
    "KST": 540, "AEST": 600, "AEDT": 660, "NZST": 720, "NZDT": 780, "SAST": 120, "WIB": 420, "HKT": 480, "SGT": 480,
    "PKT": 300,
}  # fmt: skip
"""Zone names with one meaning in news feeds, minutes east of Greenwich. IST has three, so it is not here."""

_SUFFIX_COUNTRIES = {
    "uk": "GB",
    "xn--90a3ac": "RS",
    "xn--d1alf": "MK",
    "xn--90ae": "BG",
    "xn--p1ai": "RU",
    "xn--qxam": "GR",
}
_WORLDWIDE = frozenset({
    "ac", "ag", "ai", "am", "as", "bz", "cc", "cd", "cx", "dj", "eu", "fm", "gg", "gl", "gs", "im", "in", "io", "la",
    "ly", "ms", "mu", "nu", "pn", "pw", "sc", "sh", "so", "st", "su", "tk", "to", "tv", "vc", "vg", "ws",
})  # fmt: skip
"""Country suffixes that are sold all over the world, and those of no country."""
_LANGUAGE_COUNTRIES = {
    "sr": "RS", "hr": "HR", "bs": "BA", "cnr": "ME", "mk": "MK", "sq": "AL", "sl": "SI", "bg": "BG", "el": "GR",
    "ro": "RO", "tr": "TR", "it": "IT", "de": "DE", "fr": "FR", "pl": "PL", "cs": "CZ", "sk": "SK", "hu": "HU",
    "uk": "UA",
}  # fmt: skip
"""Languages whose newspapers share one clock, nearly all of them."""


def outlet_zone(*, zone: str | None, country: str | None, host: str | None, language: str | None) -> tzinfo:
    """The zone of an outlet by what is known of it, UTC if nothing is."""
    named = _zone(zone) if zone else None
    return named or _of_country(country) or _of_country(country_of_host(host)) or _of_language(language) or UTC


@cache
def fixed(minutes: int) -> tzinfo:
    """A zone at that many minutes east of Greenwich."""
    return timezone(timedelta(minutes=minutes))


def country_of_host(host: str | None) -> str | None:
    """The country of a host's suffix in ISO alpha-2, None for a generic one."""
    suffix = (host or "").rstrip(".").lower().rpartition(".")[2]
    if suffix in _WORLDWIDE:
        return None
    return _SUFFIX_COUNTRIES.get(suffix) or (suffix.upper() if len(suffix) == 2 else None)


def _of_language(language: str | None) -> tzinfo | None:
    return _of_country(_LANGUAGE_COUNTRIES.get((language or "").replace("_", "-").split("-")[0].lower()))


@cache
def _of_country(country: str | None) -> tzinfo | None:
    """The zone of a country whose zones show one time all year; None for a country with several times."""
    if country is None:
        return None
    if country.upper() == "XK":
        return _zone("Europe/Belgrade")
    names = get_global("territory_zones").get(country.upper(), ())
    zones = [zone for zone in map(_zone, names) if zone is not None]
    times = {tuple(zone.utcoffset(moment) for moment in (_WINTER, _SUMMER)) for zone in zones}
    return zones[0] if len(times) == 1 else None


_WINTER, _SUMMER = datetime(2025, 1, 15, 12), datetime(2025, 7, 15, 12)  # noqa: DTZ001  local times to ask zones about


@cache
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
