"""Local clock times as instants, across daylight saving changes. Pure: the moment is always an argument.

Arithmetic on aware datetimes of one zone is arithmetic on the wall clock; everything here goes through UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MINUTE = timedelta(minutes=1)


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Give the UTC instant at which a zone's clock shows `at` on `day`.

    A time that the clock skips becomes the first one after the gap; one that it shows twice is its first occurrence.
    """
    wall = datetime.combine(day, at)
    while not _exists(wall, zone):
        wall += MINUTE
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def _exists(wall: datetime, zone: ZoneInfo) -> bool:
    utc = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return utc.astimezone(zone).replace(tzinfo=None) == wall


def local(at: datetime, zone: ZoneInfo) -> datetime:
    """Show an instant on a zone's clock."""
    return at.astimezone(zone)


def is_zone(name: str) -> bool:
    """Whether this machine knows a time zone of this IANA name. To list all it knows means to open 600 files."""
    if name == "posixrules" or name.startswith(("posix/", "right/")):  # the database's own workings
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):  # OSError: a folder of zones
        return False
    return True
