"""Typed reading of one mapping of the configuration, collecting every problem with its place.

The channel modules and `alerts.config` read their settings through it. It knows no YAML: `monitor.config` parses the
file and turns the paths of the problems into lines and columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import time, timedelta
from difflib import get_close_matches
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from alerts import clock
from alerts.channels.secrets import KINDS, Secret
from alerts.errors import ConfigError

Path = tuple[str | int, ...]
Default = TypeVar("Default")

DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+")
DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
NAME = re.compile(r"[a-z0-9-]{1,40}")
SECRET_LOOK = re.compile(r"xox[abeoprs]-|hooks\.slack\.com/|whsec_|://[^/@\s]+:[^/@\s]+@")


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Offer the word that was probably meant, as a hint."""
    found = get_close_matches(word, sorted(words), 1, 0.6)
    return f"did you mean '{found[0]}'?" if found else None


def duration(value: object) -> timedelta | None:
    """Read ``30s``, ``5m``, ``1h30m``; None when it is no duration."""
    if not isinstance(value, str) or not DURATION.fullmatch(value):
        return None
    return timedelta(seconds=sum(float(number) * UNITS[unit] for number, unit in DURATION_PART.findall(value)))


class Section:
    """One mapping of the file while it is read: what was taken, and what is wrong."""

    def __init__(self, raw: object, path: Path, problems: list[ConfigError]) -> None:
        self.path = path
        self.problems = problems
        self.raw: Mapping[str, Any] = {}
        self._known: set[str] = set()
        if isinstance(raw, Mapping):
            self.raw = {str(key): value for key, value in raw.items()}
        elif raw is not None:
            self.fault((), "a mapping of keys and values is wanted here")

    def fault(self, below: Path, message: str, hint: str | None = None, code: str = "E027") -> None:
        """Note a problem at a key of this section."""
        self.problems.append(ConfigError((*self.path, *below), message, hint, code=code))

    def has(self, key: str) -> bool:
        """Tell whether the key stands in the file with a value."""
        self._known.add(key)
        return self.raw.get(key) is not None

    def need(self, key: str) -> bool:
        """Tell whether the key is there, and note a problem if it is not."""
        if self.has(key):
            return True
        self.fault((), f"the key '{key}' is missing", code="E010")
        return False

    def section(self, key: str) -> Section:
        """Open the mapping below a key; empty when the key is absent."""
        return Section(self.raw.get(key) if self.has(key) else None, (*self.path, key), self.problems)

    def sections(self, key: str) -> tuple[Section, ...]:
        """Open a list of mappings."""
        return tuple(Section(row, (*self.path, key, n), self.problems) for n, row in enumerate(self._list(key)))

    def named(self, key: str) -> tuple[tuple[str, Section], ...]:
        """Open a mapping of names to mappings, checking the names."""
        below = self.section(key)
        for name in below.raw:
            if not NAME.fullmatch(name):
                below.fault(
                    (name,), f"'{name}' is not a name: small letters, digits and hyphens, at most 40", code="E026"
                )
        return tuple((name, Section(row, (*below.path, name), self.problems)) for name, row in below.raw.items())

    def text(self, key: str, default: Default) -> str | Default:
        """Read a text."""
        if not self.has(key):
            return default
        value = self.raw[key]
        if isinstance(value, str):
            return value
        self.fault((key,), f"{value!r} is not a text", "put it in quotes")
        return default

    def texts(self, key: str) -> tuple[str, ...]:
        """Read a text or a list of texts."""
        if not self.has(key):
            return ()
        value = self.raw[key]
        rows = [value] if isinstance(value, str) else self._list(key)
        for n, row in enumerate(rows):
            if not isinstance(row, str):
                self.fault((key, n), f"{row!r} is not a text", "put it in quotes")
        return tuple(row for row in rows if isinstance(row, str))

    def choice(self, key: str, words: Sequence[str], default: str) -> str:
        """Read one of a few words."""
        value = self.text(key, default)
        return self._chosen((key,), value, words, default)

    def choices(self, key: str, words: Sequence[str]) -> tuple[str, ...]:
        """Read a list of words out of a few."""
        return tuple(
            value
            for n, value in enumerate(self.texts(key))
            if self._chosen((key, n) if not isinstance(self.raw[key], str) else (key,), value, words, "")
        )

    def _chosen(self, below: Path, value: str, words: Sequence[str], default: str) -> str:
        if value in words:
            return value
        self.fault(below, f"'{value}' is none of: {', '.join(words)}", nearest(value, words))
        return default

    def flag(self, key: str, default: bool) -> bool:
        """Read true or false."""
        if not self.has(key):
            return default
        value = self.raw[key]
        if not isinstance(value, bool):
            self.fault((key,), "true or false is wanted here")
            return default
        return value

    def number(self, key: str, default: int, low: int = 1, high: int = 1_000_000) -> int:
        """Read a whole number within bounds."""
        if not self.has(key):
            return default
        value = self.raw[key]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.fault((key,), f"a whole number from {low} to {high} is wanted here")
            return default
        return value

    def duration(self, key: str, default: Default) -> timedelta | Default:
        """Read a duration."""
        if not self.has(key):
            return default
        found = duration(self.raw[key])
        if found is None:
            self.fault((key,), f"'{self.raw[key]}' is not a duration (30s, 5m, 2h, 1d)", code="E020")
            return default
        return found

    def clock(self, key: str) -> time | None:
        """Read a clock time."""
        return self._clock((key,), self.raw[key]) if self.need(key) else None

    def clocks(self, key: str) -> tuple[time, ...]:
        """Read a list of clock times, sorted, each once."""
        rows = self.raw[key] if self.has(key) else []
        rows = rows if isinstance(rows, list | tuple) else [rows]
        found = [self._clock((key, n), row) for n, row in enumerate(rows)]
        return tuple(sorted({clock for clock in found if clock is not None}))

    def _clock(self, below: Path, value: object) -> time | None:
        match = CLOCK.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.fault(below, f"'{value}' is not a clock time; write it as \"07:30\"", code="E022")
            return None
        return time(int(match[1]), int(match[2]))

    def zone(self, key: str, default: str) -> str:
        """Read the IANA name of a time zone."""
        value = self.text(key, default)
        if not clock.is_zone(value):
            self.fault((key,), f"'{value}' is not a time zone", nearest(value, available_timezones()), "E023")
            return default
        if self.has(key) and value.startswith("Etc/"):
            self.fault((key,), f"'{value}' has the opposite sign of what it seems", "name a city's zone", "W033")
        return value

    def url(self, key: str, schemes: tuple[str, ...] = ("https", "http")) -> str | None:
        """Read an address written in the file; user names and tokens in it are refused."""
        value = self.text(key, None) if self.need(key) else None
        if value is None:
            return None
        if SECRET_LOOK.search(value):
            self.fault((key,), "an address with a secret in it belongs in {env: NAME} or {file: PATH}", code="E071")
            return None
        try:
            parts = urlsplit(value)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in schemes or not parts.hostname:
            self.fault((key,), f"not an address that begins with {' or '.join(schemes)}", code="E025")
            return None
        return value

    def secret(self, key: str, *, required: bool = True) -> Secret | None:
        """Read a reference to a secret."""
        present = self.need(key) if required else self.has(key)
        return self._secret((key,), self.raw[key]) if present else None

    def secrets(self, key: str) -> tuple[Secret, ...]:
        """Read a list of references to secrets."""
        found = [self._secret((key, n), row) for n, row in enumerate(self._list(key))]
        return tuple(secret for secret in found if secret is not None)

    def _secret(self, below: Path, value: object) -> Secret | None:
        if isinstance(value, str):
            self.fault(below, "a secret may not stand in the file", "write {env: NAME} or {file: PATH}", "E071")
            return None
        if isinstance(value, Mapping) and len(value) == 1:
            kind, name = next(iter(value.items()))
            if kind in KINDS and isinstance(name, str) and name:
                return Secret(str(kind), name)
        self.fault(below, "a secret is written as {env: NAME}, {file: PATH} or {credential: NAME}")
        return None

    def _list(self, key: str) -> list[Any]:
        if not self.has(key):
            return []
        value = self.raw[key]
        if isinstance(value, list | tuple):
            return list(value)
        self.fault((key,), "a list is wanted here")
        return []

    def close(self) -> None:
        """Note every key of the file that nobody asked for."""
        for key in self.raw:
            if key not in self._known:
                self.fault((key,), f"unknown key '{key}'", nearest(key, self._known), "E011")
