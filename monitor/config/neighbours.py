"""What the telling half says about its sections of the file. Called by `checking`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from monitor.config.reading import Path


def alert_faults(raw: Mapping[str, Any], watches: tuple[str, ...]) -> Iterator[tuple[str, Path, str, str | None]]:
    """Ask the telling half about its sections."""
    try:
        settings = import_module("alerts.config")
    except ImportError:
        return
    for found in settings.problems(raw):
        yield found.code, found.path, found.message, found.hint
