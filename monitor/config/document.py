"""A file as read: plain values, their places, the raw lines, and the faults of its form. Pure; made by `reading`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from monitor.errors import Problem

Path = tuple[str | int, ...]
"""Where a value stands: keys and list positions from the top."""


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of one line; all counted from 1, the end is exclusive. `style` is the YAML style of a scalar."""

    line: int
    column: int
    end_column: int
    style: str | None = None


START = Place(1, 1, 1)


@dataclass(slots=True)
class Document:
    """A file as read: plain values, places, raw lines, and the faults of its form."""

    file: str
    lines: tuple[str, ...]
    data: Any = None
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def key_place(self, path: Path) -> Place:
        """Find the place of a key, or of the value or nearest parent where there is none."""
        return self.keys.get(path) or self.value_place(path)

    def value_place(self, path: Path) -> Place:
        """Find the place of a value, or of its nearest parent that has one."""
        while path:
            if path in self.values:
                return self.values[path]
            path = path[:-1]
        return START

    def raw(self, line: int) -> str:
        """Give one line of the file, counted from 1; empty beyond its end."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else ""


def problem_at(file: str, code: str, message: str, place: Place, *, hint: str | None = None, path: str = "") -> Problem:
    """Build a problem of the file's form."""
    return Problem(code, path, message, file, place.line, place.column, place.end_column, hint)
