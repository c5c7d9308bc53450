"""Problems as text with carets, as JSON, as annotations of a code host, as SARIF. Pure: values in, text out.

Source lines are redacted before they are shown. Called by the command line.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from monitor.config.secrets import HIDDEN, redact
from monitor.errors import Problem

_TAB = "\t"


def render(problems: Sequence[Problem], source: str, form: str, *, known: tuple[str, ...] = ()) -> str:
    """Write problems in a form: text, json, github or sarif. `source` is the text of the file, `known` its secrets.

    Redaction comes first: what is left cannot be broken by it.

    Errors: KeyError for an unknown form.
    """
    write = {"text": text, "json": as_json, "github": github, "sarif": sarif}[form]
    shown = redact(source, known) if problems else ""  # of a large file it takes a tenth of a second
    return write([_redacted(one, known) for one in problems], shown)


def _redacted(problem: Problem, known: tuple[str, ...]) -> Problem:
    hint = redact(problem.hint, known) if problem.hint else None
    return replace(problem, path=redact(problem.path, known), message=redact(problem.message, known), hint=hint)


def text(problems: Sequence[Problem], source: str) -> str:
    """Write each problem with its source line and a caret below the fault."""
    places = [f"{one.file}:{one.line}:{one.column}" for one in problems]
    width = max((len(place) for place in places), default=0) + 2
    lines = source.splitlines()
    parts = []
    for place, one in zip(places, problems, strict=True):
        parts.append(f"{place:<{width}}{one.code} {said(one)}")
        parts += excerpt(one, lines)
    return "\n".join(parts) + "\n" if parts else ""


def said(problem: Problem) -> str:
    """Write what is wrong: message and hint; faults of a query name their watch, since their message does not."""
    where = f"{problem.path}: " if problem.code[:3] in ("E05", "W00", "W01") and problem.path else ""
    hint = f"; {problem.hint}" if problem.hint else ""
    return f"{where}{problem.message}{hint}"


def excerpt(problem: Problem, lines: Sequence[str]) -> list[str]:
    """Show the source line and carets under the fault; nothing when the line hides a secret or does not exist."""
    if not 0 < problem.line <= len(lines):
        return []
    line = lines[problem.line - 1].replace(_TAB, " ")
    if problem.code == "E071" or HIDDEN in line or HIDDEN in redact(line):
        return []
    end = max(problem.end_column or problem.column + 1, problem.column + 1)
    carets = "^" * max(1, min(end, len(line) + 1) - problem.column)
    number = f"{problem.line:>3}"
    return [f"{number} | {line}", f"{' ' * len(number)} | {' ' * (problem.column - 1)}{carets}"]


def as_json(problems: Sequence[Problem], source: str = "") -> str:
    """Write one object per problem, as a JSON list."""
    return json.dumps([_object(one) for one in problems], ensure_ascii=False, indent=2) + "\n"


def _object(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "end_column": problem.end_column,
        "severity": problem.severity,
        "code": problem.code,
        "path": problem.path,
        "message": problem.message,
        "hint": problem.hint,
    }


def github(problems: Sequence[Problem], source: str = "") -> str:
    """Write workflow commands that code hosts show beside the line."""
    rows = [
        f"::{one.severity} file={_property(one.file)},line={one.line},col={one.column},"
        f"endColumn={one.end_column or one.column + 1},title={one.code}::{_data(said(one))}"
        for one in problems
    ]
    return "".join(f"{row}\n" for row in rows)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def sarif(problems: Sequence[Problem], source: str = "") -> str:
    """Write SARIF 2.1.0, as code scanners exchange it."""
    rules = sorted({one.code for one in problems})
    run = {
        "tool": {"driver": {"name": "storywatch", "rules": [{"id": code} for code in rules]}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one) for one in problems],
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _result(problem: Problem) -> dict[str, Any]:
    region = {
        "startLine": problem.line,
        "startColumn": problem.column,
        "endColumn": problem.end_column or problem.column + 1,
    }
    location = {"physicalLocation": {"artifactLocation": {"uri": problem.file}, "region": region}}
    return {
        "ruleId": problem.code,
        "level": problem.severity,
        "message": {"text": said(problem)},
        "locations": [location],
    }


def summary(problems: Sequence[Problem]) -> str:
    """Count errors and warnings.

    >>> summary([])
    'no problems'
    """
    counts = [
        (sum(one.severity == "error" for one in problems), "error"),
        (sum(one.severity == "warning" for one in problems), "warning"),
    ]
    parts = [f"{count} {noun}{'s' * (count != 1)}" for count, noun in counts if count]
    return ", ".join(parts) or "no problems"


def exit_code(problems: Sequence[Problem], *, strict: bool = False) -> int:
    """Give the exit code of a check: 0 fine, 1 errors, 2 warnings where they count, 3 the file cannot be read."""
    if any(one.code == "E001" for one in problems):
        return 3
    if any(one.severity == "error" for one in problems):
        return 1
    return 2 if strict and problems else 0
