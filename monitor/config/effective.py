"""The configuration as it counts: every key with its value, defaults included, and where each value comes from. Pure.

Where a value can stand twice (recipient, then the top of the file, then built in) the origin names the one that won.
Secrets appear as references, what is secret in the file itself not at all. Called by `storywatch config show`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import time, timedelta
from enum import Enum
from typing import Any

from pydantic import BaseModel

from alerts import config as alerts_config
from alerts.values import QuietHours, Rate, Recipient
from monitor.config import checking, secrets, units
from monitor.config.document import Document, Path
from monitor.config.reading import read
from monitor.config.shape import ALERT_SECTIONS
from monitor.errors import ConfigError

BUILT_IN = "built in"


@dataclass(frozen=True, slots=True)
class Line:
    """One value with its path. `origin` is file:line, or `built in`."""

    path: Path
    value: Any
    origin: str


def lines(content: bytes, file: str, environ: Mapping[str, str]) -> tuple[Line, ...]:
    """List every value of a file in the order of its sections.

    Errors: ConfigError as when it is loaded.
    """
    checked = checking.check(read(content, file), environ, with_secrets=False)
    faulty = checking.errors(checked.problems)
    if faulty or checked.file is None:
        raise ConfigError(faulty)
    known = secrets.known_values(checked.document.data, environ)
    found = [*_sections(checked.file, checked.document), *_telling(checked.data, checked.document)]
    return tuple(Line(one.path, _hidden(one.path, one.value, known), one.origin) for one in found)


def _sections(file: BaseModel, document: Document) -> Iterator[Line]:
    for name in type(file).model_fields:
        if name not in ALERT_SECTIONS:
            yield from _leaves((name,), _plain(getattr(file, name)), document)


def _leaves(path: Path, value: Any, document: Document) -> Iterator[Line]:
    if isinstance(value, dict) and value and secrets.as_reference(value) is None:
        for key, below in value.items():
            yield from _leaves((*path, key), below, document)
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for i, below in enumerate(value):
            yield from _leaves((*path, i), below, document)
    else:
        yield Line(path, value, _origin(document, path))


def _origin(document: Document, *paths: Path) -> str:
    """Name the first of some places that is written in the file."""
    for path in paths:
        if path in document.values:
            return f"{document.file}:{document.values[path].line}"
    return BUILT_IN


def _telling(data: Mapping[str, Any], document: Document) -> Iterator[Line]:
    """The telling half: its sections as written, and each recipient with what counts for it."""
    for section in ALERT_SECTIONS:
        if section in data:
            yield from _leaves((section,), data[section], document)
    raw = {key: data[key] for key in alerts_config.SECTIONS if key in data}
    config = alerts_config.from_raw(raw)
    for channel in config.channels:
        for i, recipient in enumerate(channel.recipients):
            yield from _recipient(("channels", channel.name, "recipients", i), recipient, document)


def _recipient(path: Path, recipient: Recipient, document: Document) -> Iterator[Line]:
    zone = _origin(document, (*path, "timezone"), ("timezone",))
    yield Line((*path, "timezone"), recipient.timezone, zone)
    quiet = _hours(recipient.quiet)
    yield Line((*path, "quiet_hours"), quiet, _origin(document, (*path, "quiet_hours")))
    for field in fields(recipient.caps):
        origin = _origin(document, (*path, "caps", field.name), ("caps", field.name))
        yield Line((*path, "caps", field.name), _cap(getattr(recipient.caps, field.name)), origin)


def _hours(quiet: QuietHours | None) -> str | None:
    return None if quiet is None else f"{quiet.start:%H:%M}-{quiet.end:%H:%M}"


def _cap(value: int | Rate) -> int | str:
    return f"{value.count}/{units.written_duration(value.per)}" if isinstance(value, Rate) else value


def _plain(value: Any) -> Any:
    """Write a value of the shapes as the file would."""
    if isinstance(value, BaseModel):
        return {key: _plain(getattr(value, key)) for key in type(value).model_fields}
    if isinstance(value, secrets.SecretRef):
        return {value.kind: value.name}
    if isinstance(value, timedelta):
        return units.written_duration(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(below) for key, below in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def _hidden(path: Path, value: Any, known: tuple[str, ...]) -> Any:
    """Hide what is secret: by its key, by its form, or because a reference leads to it."""
    if isinstance(value, list):
        return [_hidden(path, item, known) for item in value]
    if not isinstance(value, str):
        return value
    named = [step for step in path if isinstance(step, str)]
    is_secret = path[0] not in ("watches", "concepts", "outlets") and secrets.sounds_secret(named[-1])
    return secrets.HIDDEN if is_secret else secrets.redact_values(value, known)


def as_text(found: tuple[Line, ...], *, origin: bool) -> str:
    """Write one line per value, as `path: value`, with its origin behind it where that is wanted.

    >>> as_text((Line(("limits", "body"), 10, "built in"),), origin=True)
    'limits.body: 10  # built in\\n'
    """
    seen: dict[str, Line] = {}
    for one in found:  # a recipient's line that counts stands in the place of the one that was written
        seen[_shown(one.path)] = one
    rows = [f"{path}: {json.dumps(one.value, ensure_ascii=False)}" for path, one in seen.items()]
    origins = [one.origin for one in seen.values()]
    if not origin:
        return "".join(f"{row}\n" for row in rows)
    return "".join(f"{row}  # {said}\n" for row, said in zip(rows, origins, strict=True))


def _shown(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def as_json(found: tuple[Line, ...]) -> str:
    """Write one object per value."""
    rows = [{"path": _shown(one.path), "value": one.value, "origin": one.origin} for one in found]
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
