"""Whether every secret the file refers to can be had, and whether one stands in the file itself. Reads files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from monitor.config import secrets
from monitor.config.document import Document, Path
from monitor.config.faults import problem
from monitor.errors import Problem

_SHORTEST_KEY = 16


def problems(document: Document, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Check every reference and every text of the file."""
    yield from _walk(document, document.data, (), environ)


def _walk(document: Document, value: Any, path: Path, environ: Mapping[str, str]) -> Iterator[Problem]:
    reference = secrets.as_reference(value)
    if reference:
        yield from _reference(document, reference, path, environ)
    elif isinstance(value, dict):
        for key, below in value.items():
            yield from _walk(document, below, (*path, key), environ)
    elif isinstance(value, list):
        for i, below in enumerate(value):
            yield from _walk(document, below, (*path, i), environ)
    elif isinstance(value, str) and secrets.looks_secret(value):
        yield _written(document, path)


def _reference(
    document: Document, reference: secrets.SecretRef, path: Path, environ: Mapping[str, str]
) -> Iterator[Problem]:
    try:
        value = secrets.reveal(reference, environ)
    except secrets.SecretMissing as exc:
        yield problem(document, exc.code, path, str(exc))
        return
    if path[:2] == ("web", "link_keys") and len(value) < _SHORTEST_KEY:
        said = f"the key of {secrets.described(reference)} is shorter than {_SHORTEST_KEY} characters"
        yield problem(document, "E073", path, said)
    if secrets.open_to_others(reference, environ):
        said = f"{secrets.described(reference)} can be read by every user of this machine"
        yield problem(document, "W070", path, said, hint="chmod o-r")


def _written(document: Document, path: Path) -> Problem:
    if path[:1] == ("storage",):
        said = "a password stands in this address"
        return problem(document, "W071", path, said, hint="url: {env: NAME} or {file: PATH}")
    hint = "auth: {user: NAME, password: {env: NAME}}" if path[:1] == ("feeds",) else "{env: NAME} or {file: PATH}"
    return problem(document, "E071", path, "a secret stands in the file", hint=hint)
