"""Durations, sizes, clock times and addresses as people write them. Pure: text in, value or ValueError out."""

from __future__ import annotations

import re
from datetime import time, timedelta
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

import idna

_DURATION = re.compile(r"(?:\d{1,9}(?:s|m|h|d))+", re.ASCII)
_PART = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZE = re.compile(r"(\d{1,12})(B|KiB|MiB|GiB|kB|MB|GB)?", re.ASCII)
_BYTES = {None: 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 10**3, "MB": 10**6, "GB": 10**9}
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_LONGEST = timedelta(days=3650)
_LISTEN = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[^:\s]*):(?P<port>\d{1,5})", re.ASCII)


@lru_cache(maxsize=256)
def duration(text: str) -> timedelta:
    """Read a sum of whole seconds, minutes, hours, days.

    Errors: ValueError.

    >>> duration("1h30m")
    datetime.timedelta(seconds=5400)
    """
    if not _DURATION.fullmatch(text):
        raise ValueError("no duration")
    total = sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    if total > _LONGEST.total_seconds():
        raise ValueError("longer than ten years")
    return timedelta(seconds=total)


def written_duration(value: timedelta) -> str:
    """Write a duration as the file would.

    >>> written_duration(timedelta(hours=26, seconds=5))
    '1d2h5s'
    """
    rest, parts = int(value.total_seconds()), ""
    for unit, seconds in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, seconds)
        parts += f"{count}{unit}" if count else ""
    return parts or "0s"


def size(text: str) -> int:
    """Read a size in bytes; a bare number counts bytes.

    Errors: ValueError.

    >>> size("5MiB")
    5242880
    """
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError("no size")
    return int(found[1]) * _BYTES[found[2]]


def clock(text: str) -> time:
    """Read a clock time of two and two digits.

    Errors: ValueError.

    >>> clock("22:30")
    datetime.time(22, 30)
    """
    found = _CLOCK.fullmatch(text)
    if not found:
        raise ValueError("no clock time")
    return time(int(found[1]), int(found[2]))


def is_this_machine(host: str) -> bool:
    """Whether only this machine reaches what listens there.

    >>> is_this_machine("127.0.0.1"), is_this_machine("0.0.0.0")
    (True, False)
    """
    return host in ("localhost", "::1") or host.startswith("127.")


def listen(text: str) -> tuple[str, int]:
    """Split host:port; an empty host means every address.

    Errors: ValueError.

    >>> listen("127.0.0.1:8080")
    ('127.0.0.1', 8080)
    """
    found = _LISTEN.fullmatch(text)
    if not found or int(found["port"]) > 65535:
        raise ValueError("no host:port")
    return found["host"].strip("[]") or "0.0.0.0", int(found["port"])  # noqa: S104  the operator asked for it


_PLAIN_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE | re.ASCII)


def host(text: str) -> str:
    """Write a host name in its ASCII form, lower case; addresses and single labels pass.

    Errors: ValueError for what cannot be a host, as ``☃.net``. Source: RFC 5891.
    """
    if not text or len(text) > 253 or re.search(r"[\s/\\?#@]", text):
        raise ValueError("no host name")
    if re.fullmatch(r"[a-z0-9_.:-]+", text, re.IGNORECASE | re.ASCII) and ".." not in text:
        if ":" in text or "_" in text:
            return text.lower()
        if re.fullmatch(r"[\d.]+", text):
            return _ipv4(text)
        if _PLAIN_HOST.fullmatch(text) and "--" not in text:
            return text.lower()  # IDNA has nothing to say about it, and takes a fifth of a millisecond to say so
    return idna.encode(text, uts46=True).decode("ascii").lower()  # IDNAError is a ValueError


def _ipv4(text: str) -> str:
    parts = text.split(".")
    if len(parts) != 4 or any(not part or int(part) > 255 for part in parts):
        raise ValueError("no address")
    return text


_PLAIN_ADDRESS = re.compile(
    r"https?://((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63})(/[\w./%+=@~:;,!$&*'()-]*)?(\?[\w./%+=@~:;,!$&*'()?-]+)?",
    re.ASCII,
)
"""An address as nearly all feeds have one, about which there is no doubt. Taking one apart by the rules takes ten times
as long, and a file may hold thousands."""


def is_plain_address(text: str) -> bool:
    """Whether an address is http(s) at a named host, with nothing in it that needs a closer look.

    >>> is_plain_address("https://example.org/rss?n=1"), is_plain_address("https://☃.example/rss")
    (True, False)
    """
    return _plain(text) is not None


def _plain(text: str) -> re.Match[str] | None:
    found = _PLAIN_ADDRESS.fullmatch(text) if len(text) <= 253 else None
    return None if found is None or "--" in found[1] else found


def split_url(text: str) -> SplitResult:
    """Split an http(s) address.

    Errors: ValueError for other schemes, for white space and for unreadable ports.
    """
    parts = urlsplit(text.strip())
    _ = parts.port  # raises for what is no port
    if parts.scheme.lower() not in ("http", "https") or re.search(r"\s", text.strip()):
        raise ValueError("not http(s)")
    return parts


def same_address(url: str) -> str:
    """Name the resource behind an address: scheme, case of the host, default port, fragment, last slash do not count.

    >>> same_address("HTTP://Example.org:80/rss/#top") == same_address("https://example.org/rss")
    True
    """
    if found := _plain(url):
        return f"{found[1]}{(found[2] or '').rstrip('/')}{found[3] or ''}"
    parts = urlsplit(url.strip())
    try:
        name = host(parts.hostname or "")
    except ValueError:
        name = (parts.hostname or "").lower()
    port = parts.port
    at = f":{port}" if port and port not in (80, 443) else ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{name}{at}{parts.path.rstrip('/')}{query}"
