"""One check for the command line, the start and the reload: a text in, every problem and the shapes out.

Order: form of the file, variables, shapes, what needs two places, secrets, queries, the telling half. Nothing stops at
the first fault except an unreadable file. Called by `api` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from alerts import config as alerts_config
from alerts.errors import ConfigError as AlertsConfigError
from monitor.config import faults, lexicon_checks, queries, references, secret_checks
from monitor.config.document import Document, Path
from monitor.config.interpolation import resolve
from monitor.config.shape import FileShape
from monitor.errors import LexiconError, Problem
from monitor.match.concepts import Concepts

FEED_FAULTS = frozenset({"E040", "E041", "E042"})
"""Faults of single feeds: a start can do without those feeds."""


WORKABLE = frozenset({"E080"})
"""Faults that `check` reports and a running daemon does with: its messages are made without the template."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. `file` is None when the shapes refused it; in `data` variables are resolved.

    `concepts` is the lexicon the queries were read with; None when the file could not be read at all.
    """

    document: Document
    data: Mapping[str, Any]
    problems: tuple[Problem, ...]
    file: FileShape | None
    concepts: Concepts | None = None


def check(document: Document, environ: Mapping[str, str], *, with_secrets: bool = True) -> Checked:
    """Check a file that was read. With `with_secrets` off nothing but the text itself is looked at."""
    if not isinstance(document.data, dict):
        return Checked(document, {}, in_order(document.problems), None)
    found = list(document.problems)

    def missing(path: Path, name: str) -> None:
        said = f"environment variable {name} is not set"
        found.append(faults.problem(document, "E070", path, said, hint=f"a default: ${{{name}:-...}}"))

    data = resolve(document.data, environ, missing)
    form = len(found)
    file = _shapes(document, data, found)
    found += references.problems(document, data)
    if with_secrets:
        found += secret_checks.problems(document, environ)
    concepts = _queries(document, data, found)
    found += lexicon_checks.problems(document, file.governments) if file is not None else ()
    found += _alerts(document, data)
    return Checked(document, data, in_order(found, form), file, concepts)


def shapes(data: Mapping[str, Any]) -> FileShape:
    """Make the shapes of plain values that are known to be right."""
    return FileShape.model_validate(data)


def _shapes(document: Document, data: Mapping[str, Any], found: list[Problem]) -> FileShape | None:
    try:
        return shapes(data)
    except ValidationError as exc:
        found += faults.from_validation(exc, document)
        return None


def _queries(document: Document, data: Mapping[str, Any], found: list[Problem]) -> Concepts:
    """Check concepts and queries; answers the lexicon they were read with."""
    own = data.get("concepts")
    try:
        concepts = queries.lexicon(own if isinstance(own, dict) else {})
    except LexiconError as error:
        if error.file != "concepts":
            raise
        found.append(queries.lexicon_problem(document, error))
        concepts = queries.lexicon({})
    for path, watch in references.rows(data, "watches"):
        if "query" in watch:
            found += queries.query_problems(document, (*path, "query"), watch, concepts)
        if "keywords" in watch:
            found += queries.keyword_problems(document, (*path, "keywords"), watch["keywords"], concepts)
    return concepts


def _alerts(document: Document, data: Mapping[str, Any]) -> Iterator[Problem]:
    """Ask the telling half about its sections."""
    for found in alerts_config.problems({key: data[key] for key in alerts_config.SECTIONS if key in data}):
        code, path = _placed(found)
        place = document.key_place(path) if code in _AT_THE_KEY else document.value_place(path)
        said = f"{path[1]} is {found.message}" if code == "W021" else found.message
        yield faults.problem(document, code, path, said, hint=found.hint, place=place)


_AT_THE_KEY = ("E010", "E011", "E026", "W022")
"""Faults that are told where a thing is named, not where its value begins."""


def _placed(found: AlertsConfigError) -> tuple[str, Path]:
    """Put a fault of the telling half where people look for it: what a type of channel cannot do stands at the type."""
    match found.code, found.path:
        case "W021", (section, name, *_):
            return "W021", (section, name, "type")
        case "E060", (*_, "fallback"):
            return "E062", found.path
    return found.code, found.path


def in_order(problems: list[Problem], form: int = 0) -> tuple[Problem, ...]:
    """Sort by place, each fault once: two checks may see the same one.

    The first `form` problems are about the text itself; what is found at their places follows from them.
    """
    broken = {(found.line, found.column) for found in problems[:form]}
    seen: dict[tuple[int, int, str, str], Problem] = {}
    for i, found in enumerate(problems):
        if i < form or (found.line, found.column) not in broken:
            seen.setdefault((found.line, found.column, found.code, found.path), found)
    return tuple(sorted(seen.values(), key=lambda one: (one.line, one.column, one.code)))


def errors(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Keep what makes a file unusable."""
    return tuple(problem for problem in problems if problem.severity == "error" and problem.code not in WORKABLE)
