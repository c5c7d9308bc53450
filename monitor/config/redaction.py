"""The text of a configuration as it may be stored: what is secret in it is hidden, everything else stays as written.

`secrets.redact` is for lines that people read and hides rather too much; a stored text must still be readable as a
configuration, since a rollback runs it. Called by the revision history.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from monitor.config import secrets
from monitor.config.document import Document, Path, Place
from monitor.config.reading import read_text

_BREAK = re.compile(r"(\r\n|[\n\r\x85\u2028\u2029])")
_SECTIONS = ("channels", "feeds", "web", "storage", "canary")
"""Where a key that sounds secret holds one; a concept or a watch may be called anything."""


def known_values(text: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Read the secrets a text refers to; none for a text that cannot be read."""
    return secrets.known_values(read_text(text, "config.yaml").data, environ)


def storable(text: str, environ: Mapping[str, str]) -> str:
    """Hide what is secret in a text. One that cannot be read is never run again and loses whatever looks secret."""
    document = read_text(text, "config.yaml")
    return storable_document(document, text, secrets.known_values(document.data, environ))


def storable_document(document: Document, text: str, known: tuple[str, ...]) -> str:
    """Hide what is secret in a text that was read already; `known` are the secrets it refers to."""
    if not isinstance(document.data, dict) or document.problems:
        return secrets.redact(text, known)
    places = list(_secret_places(document))
    if any(place.style in ("|", ">") for place in places):
        return secrets.redact(text, known)
    parts = _BREAK.split(text)  # every second one is what ends a line
    for place in sorted(places, key=lambda one: (one.line, one.column), reverse=True):
        at = 2 * (place.line - 1)
        parts[at] = f'{parts[at][: place.column - 1]}"{secrets.HIDDEN}"{parts[at][place.end_column - 1 :]}'
    return secrets.redact_values("".join(parts), known)


def _secret_places(document: Document) -> Iterator[Place]:
    """Find the values that stand in the file itself under a key that sounds secret."""
    for path, place in document.values.items():
        if path and path[0] in _SECTIONS and path[-1] not in secrets.KINDS and _is_scalar(document, path):
            named = [step for step in path if isinstance(step, str)]
            if secrets.sounds_secret(named[-1]) or _is_header(named):
                yield place


def _is_header(named: list[str]) -> bool:
    """Whether this is a request header of a feed: servers call their keys what they like."""
    return named[0] == "feeds" and "headers" in named and not named[-1].lower().startswith("accept")


def _is_scalar(document: Document, path: Path) -> bool:
    node = document.data
    for step in path:
        node = node[step]
    return isinstance(node, (str, int, float)) and not isinstance(node, bool)
