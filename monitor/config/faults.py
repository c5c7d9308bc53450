"""From what the shapes refuse to problems with code, place and hint. One function for every kind of refusal."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from monitor.config import words
from monitor.config.document import Document, Path, Place
from monitor.config.fields import kind_of
from monitor.config.secrets import redact
from monitor.config.shape import FileShape
from monitor.errors import Problem

MOST = 500
"""Faults of shape that are told in one run; who has more has another kind of file."""
ELSEWHERE = {
    "send_to": "routes name the channels",
    "channel": "routes name the channels",
    "channels": "routes name the channels",
    "include": "a second file is not supported: one file is the truth",
    "interval": "a feed has floor and ceiling; the pace between them follows the feed",
    "smtp": "mail is a channel: channels: {NAME: {type: email, smtp: ...}}",
    "slack": "Slack is a channel: channels: {NAME: {type: slack, ...}}",
    "sources": "what is polled stands under feeds",
    "topics": "what is looked for stands under watches",
}
"""Keys people bring from elsewhere, and where their wish belongs."""


def problem(
    document: Document,
    code: str,
    path: Path,
    message: str,
    *,
    hint: str | None = None,
    place: Place | None = None,
) -> Problem:
    """Build one problem; its place is that of the value unless given. Codes that begin with W are warnings."""
    at = place or document.value_place(path)
    severity = "warning" if code.startswith("W") else "error"
    shown = redact(shown_path(path, document.data))
    return Problem(code, shown, message, document.file, at.line, at.column, at.end_column, hint or None, severity)


def shown_path(path: Path, data: Any) -> str:
    """Write a path as people read it: list items by their name where they have one.

    >>> shown_path(("watches", 0, "alert"), {"watches": [{"name": "tps"}]})
    'watches[tps].alert'
    """
    shown, node = "", data
    for step in path:
        node = _below(node, step)
        if isinstance(step, int):
            name = node.get("name") if isinstance(node, dict) else None
            shown += f"[{name if isinstance(name, str) and len(name) <= 40 else step}]"
        else:
            shown += f".{step}" if shown else step
    return shown


def _below(node: Any, step: str | int) -> Any:
    if isinstance(node, dict):
        return node.get(step)
    if isinstance(node, list) and isinstance(step, int) and 0 <= step < len(node):
        return node[step]
    return None


def from_validation(error: ValidationError, document: Document, at: Path = ()) -> Iterator[Problem]:
    """Turn everything the shapes refused into problems; `at` is where in the document the refused part stands.

    The values themselves are never looked at for a message.
    """
    for detail in error.errors(include_input=False, include_url=False)[:MOST]:
        yield _problem(detail | {"loc": (*at, *detail["loc"])} if at else detail, document)


def _problem(detail: ErrorDetails, document: Document) -> Problem:
    path = real_path(detail["loc"], document.data)
    context = detail.get("ctx", {})
    match detail["type"]:
        case "fault":
            place = document.key_place(path) if detail["loc"][-1:] == ("[key]",) else None
            return problem(document, context["code"], path, context["message"], hint=context["hint"], place=place)
        case "extra_forbidden":
            return _unknown_key(path, document)
        case "missing":
            key = str(detail["loc"][-1])
            holder = real_path(detail["loc"][:-1], document.data)
            where = f" in {shown_path(holder, document.data)}" if holder else ""
            place = document.key_place(holder)
            return problem(document, "E010", (*holder, key), f"key {key!r} is missing{where}", place=place)
    return problem(document, "E013", path, f"{_wanted(detail['type'])} is wanted, {_found(path, document)} was found")


def _unknown_key(path: Path, document: Document) -> Problem:
    key, holder = str(path[-1]), path[:-1]
    where = f" in {shown_path(holder, document.data)}" if holder else ""
    allowed = known_keys(holder)
    hint = ELSEWHERE.get(key) or words.suggestion(key, allowed) or f"known keys: {words.listed(sorted(allowed))}"
    said = redact(f"unknown key {key!r}{where}")
    return problem(document, "E011", path, said, hint=hint, place=document.key_place(path))


def _wanted(kind: str) -> str:
    return {
        "list_type": "a list",
        "dict_type": "a mapping",
        "model_type": "a mapping",
        "model_attributes_type": "a mapping",
        "string_type": "text",
    }.get(kind, "another kind of value")


def _found(path: Path, document: Document) -> str:
    node = document.data
    for step in path:
        node = _below(node, step)
    return kind_of(node)


def real_path(loc: tuple[str | int, ...], data: Any) -> Path:
    """Follow a place as the library names it through the data; steps that are not in the file are left out.

    The last step stays even when it is not there, so that a missing key is named.
    """
    path: list[str | int] = []
    node = data
    for step in loc:
        below = _below(node, step)
        if below is None and not (isinstance(node, dict) and step in node):
            continue
        path.append(step)
        node = below
    return tuple(path)


def known_keys(path: Path) -> frozenset[str]:
    """Name the keys a mapping of the file may have; empty where any key may stand."""
    kind: Any = FileShape
    for step in path:
        kind = _inner(kind, step)
    return frozenset(field.alias or name for model in _models(kind) for name, field in model.model_fields.items())


def _models(kind: Any) -> list[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    if get_origin(kind) in (Union, types.UnionType):
        return [model for option in get_args(kind) for model in _models(option)]
    if hasattr(kind, "__metadata__"):
        return _models(get_args(kind)[0])
    return []


def _inner(kind: Any, step: str | int) -> Any:
    for model in _models(kind):
        for name, field in model.model_fields.items():
            if step == (field.alias or name):
                return field.annotation
    for option in [kind, *get_args(kind)]:
        origin, arguments = get_origin(option), get_args(option)
        if origin is list:
            return arguments[0]
        if origin is dict:
            return arguments[1]
    return None
