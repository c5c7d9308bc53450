"""Structured logs: JSON lines when nobody watches, short lines on a terminal, secrets redacted last of all.

Lines of the standard library's `logging` (ours below the shell, other people's) take the same way: their tracebacks
may name an address with a token in it. What a line is about is bound by `following`. Called by `daemon` and `demo`.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TextIO

import structlog

from monitor.config import secrets


@dataclass(slots=True)
class Known:
    """The secrets that no line may hold; filled once the configuration is read, and by every reload."""

    values: tuple[str, ...] = ()


def configure(out: TextIO, *, quiet: bool = False, known: Known | None = None) -> None:
    """Send log lines to a stream; `quiet` keeps warnings and worse only."""
    redact = partial(_redact, known or Known())
    level = logging.WARNING if quiet else logging.INFO
    terminal = out.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=terminal, exception_formatter=structlog.dev.plain_traceback)
        if terminal
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    named: list[Any] = [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    written: list[Any] = [structlog.processors.format_exc_info, redact, renderer]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *named, *written],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.contextvars.merge_contextvars, *named, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *written],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _redact(known: Known, _logger: Any, _name: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in line.items():
        line[key] = _hidden(value, known.values)
    return line


def _hidden(value: Any, known: tuple[str, ...]) -> Any:
    """Redact every text in a field, however deep it lies."""
    if isinstance(value, str):
        return secrets.redact(value, known)
    if isinstance(value, (list, tuple)):
        return [_hidden(item, known) for item in value]
    if isinstance(value, dict):
        return {name: _hidden(item, known) for name, item in value.items()}
    return value
