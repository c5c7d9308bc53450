"""Every exception monitor raises, one sentence each.

    MonitorError
    +- ConfigError       path, line, column, code, hint
    +- QueryError        column, message, hint (positions count within the query)
    +- LexiconError      file, row
    +- ParseError        reason
    +- StoreError
       +- LeaseLost
       +- SchemaMismatch
       +- StoreNotWritable
       +- StoreUnreachable

Everyday outcomes of a fetch (a refused connection, a 404) are values, not exceptions: `monitor.values.FetchFailed`.
"""

from __future__ import annotations

from dataclasses import dataclass


class MonitorError(Exception):
    """Something storywatch can name went wrong."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a configuration file. `line` and `column` start at 1; `severity` is error or warning."""

    code: str
    path: str
    message: str
    file: str = "config.yaml"
    line: int = 1
    column: int = 1
    end_column: int | None = None
    hint: str | None = None
    severity: str = "error"

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        where = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}:{self.column} {self.code} {where}{self.message}{hint}"


class ConfigError(MonitorError):
    """The configuration cannot be used; `problems` lists every fault at once."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class QueryError(MonitorError):
    """A watch query cannot be read. `column` counts characters of the query from 1; `code` is one of E050 to E056."""

    def __init__(self, column: int, message: str, hint: str | None = None, *, code: str = "E050") -> None:
        super().__init__(f"column {column}: {message}" + (f"; {hint}" if hint else ""))
        self.column = column
        self.message = message
        self.hint = hint
        self.code = code


class LexiconError(MonitorError):
    """A data file of the lexicon breaks its schema; `file` and `row` say where."""

    def __init__(self, file: str, row: str, message: str) -> None:
        super().__init__(f"{file}: {row}: {message}")
        self.file = file
        self.row = row
        self.message = message


class ParseError(MonitorError):
    """A body is no feed. `reason` is one of the words of `monitor.values.ParseReason`."""

    def __init__(self, reason: str, message: str, *, found: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.found = found

    def __reduce__(self) -> tuple[object, ...]:
        return _parse_error, (self.reason, self.message, self.found)


def _parse_error(reason: str, message: str, found: tuple[str, ...]) -> ParseError:
    return ParseError(reason, message, found=found)


class StoreError(MonitorError):
    """The database refused or failed."""


class LeaseLost(StoreError):
    """Another worker owns this feed now; the result was dropped."""


class SchemaMismatch(StoreError):
    """The database's schema is newer than this program, or too old to be used."""


class StoreUnreachable(StoreError):
    """The database cannot be reached."""


class StoreNotWritable(StoreError):
    """The database is there, or was, and takes no changes."""
