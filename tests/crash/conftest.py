"""Prints the crash matrix after its tests: per point and channel how often the far side has the message."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import pytest

MATRIX: pytest.StashKey[Matrix] = pytest.StashKey()


@dataclass
class Matrix:
    """What each run left behind: (point, channel, database) to the number of copies the far side took."""

    copies: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """The table, with what was lost and doubled below."""
        columns = sorted({(channel, database) for _, channel, database in self.copies})
        rows: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
        for (point, channel, database), number in self.copies.items():
            rows[point][channel, database] = number
        width = max(len(point) for point in rows)
        heads = [f"{channel}/{database}" for channel, database in columns]
        table = [f"{'killed':{width}}  " + "  ".join(heads)]
        for point, found in rows.items():
            cells = (str(found.get(column, "-")).rjust(len(head)) for column, head in zip(columns, heads, strict=True))
            table.append(f"{point:{width}}  " + "  ".join(cells))
        lost = sum(number < 1 for number in self.copies.values())
        doubled = sum(number > 1 for number in self.copies.values())
        return [*table, f"{len(self.copies)} runs, {lost} lost, {doubled} doubled"]


def pytest_configure(config: pytest.Config) -> None:
    """Begin an empty table."""
    config.stash[MATRIX] = Matrix()


@pytest.fixture
def matrix(pytestconfig: pytest.Config) -> Matrix:
    """The table that is printed at the end."""
    return pytestconfig.stash[MATRIX]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table when there is one."""
    found = config.stash[MATRIX]
    if found.copies:
        terminalreporter.section("crash matrix: copies at the far side")
        for line in found.lines():
            terminalreporter.write_line(line)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the channels whose far side is an HTTP server or a folder to SQLite: on Postgres they are `long`."""
    for item in items:
        asked = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if asked.get("storage_url") == "postgres" and asked.get("channel") in ("slack_webhook", "webhook", "folder"):
            item.add_marker(pytest.mark.long)
