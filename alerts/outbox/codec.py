"""Events to JSON and back: the snapshot that is stored beside an event's key.

Absent fields take their defaults, unknown ones are left out, so a row written by an older or newer version can be read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from typing import Any

from alerts.values import AnswerSnapshot, Event, EventState, Kind, MentionSnapshot, Why

SHAPES: tuple[type[Any], ...] = (Event, MentionSnapshot, AnswerSnapshot, Why)
NAMES = {shape: tuple(item.name for item in fields(shape)) for shape in SHAPES}
KNOWN = {shape: frozenset(names) for shape, names in NAMES.items()}
TIMES = {shape: tuple(item.name for item in fields(shape) if "datetime" in str(item.type)) for shape in SHAPES}
LISTS = {shape: tuple(item.name for item in fields(shape) if str(item.type).startswith("tuple")) for shape in SHAPES}
ABSENT = {
    shape: {item.name: None for item in fields(shape) if item.default is MISSING and "None" in str(item.type)}
    for shape in SHAPES
}
"""`dump` leaves None out, also where a value has no default: the outlet of an entry from an aggregator."""


def dump(event: Event) -> str:
    """Write an event as compact JSON."""
    text = json.dumps(_plain(event), ensure_ascii=False, separators=(",", ":"))
    # Half a surrogate pair, which a broken feed can hold, has no place in a database.
    return text.encode("utf-8", "replace").decode("utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    names = NAMES.get(type(value))
    if names is not None:
        pairs = ((name, getattr(value, name)) for name in names)
        return {name: _plain(part) for name, part in pairs if part is not None and part != ()}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value


def load(text: str) -> Event:
    """Read an event that `dump` wrote."""
    data = json.loads(text)
    data["kind"] = Kind(data["kind"])
    data["state"] = EventState(data.get("state", EventState.OPEN))
    for name, kind in (("mention", MentionSnapshot), ("answer", AnswerSnapshot), ("why", Why)):
        if name in data:
            data[name] = kind(**_fields(kind, data[name]))
    return Event(**_fields(Event, data))


def _fields(kind: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    known = KNOWN[kind]
    values = ABSENT[kind] | {name: value for name, value in data.items() if name in known}
    for name in TIMES[kind]:
        if values.get(name) is not None:
            values[name] = datetime.fromisoformat(values[name])
    for name in LISTS[kind]:
        if name in values:
            values[name] = tuple(tuple(part) if isinstance(part, list) else part for part in values[name])
    return values
