"""Linguistic knowledge: read as YAML by people, shipped as JSON, handed to the core as plain values.

Parsing sixty YAML files at each start would cost seconds, the compiled JSON a few milliseconds, so
`python -m monitor.lexicons` compiles each folder of data into one JSON file beside it. A test compares both.
Called by `config` (which merges what the operator adds), by `lab` and by the daemon.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from monitor.errors import LexiconError

_PACKAGE = Path(__file__).parent
FOLDERS = ("match/concepts", "detect/lexicon", "cluster/data")
"""Folders of YAML data, relative to the package; each is compiled to `<folder>.json`."""

Raw = dict[str, Any]
"""File path within the folder, without its ending, to what the file holds."""


def load(folder: str) -> Raw:
    """Read one compiled folder, e.g. ``load("match/concepts")``.

    Errors: LexiconError when the compiled file is missing or damaged.
    """
    path = _PACKAGE / f"{folder}.json"
    try:
        data: Raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise LexiconError(str(path), "file", "not there; run python -m monitor.lexicons") from exc
    except json.JSONDecodeError as exc:
        raise LexiconError(str(path), f"line {exc.lineno}", "is no JSON; run python -m monitor.lexicons") from exc
    return data


def read_yaml(folder: str) -> Raw:
    """Read the YAML files of one folder: the source of `load`.

    Errors: LexiconError with file and line for a syntax error or a duplicate key.
    """
    # Only compiling needs YAML: the daemon's start does not pay for it.
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

    base = _PACKAGE / folder
    raw: Raw = {}
    for path in sorted(base.rglob("*.yaml")):
        yaml = YAML(typ="safe", pure=True)
        try:
            raw[path.relative_to(base).with_suffix("").as_posix()] = yaml.load(path.read_text(encoding="utf-8"))
        except MarkedYAMLError as exc:
            line = exc.problem_mark.line + 1 if exc.problem_mark else 1
            raise LexiconError(str(path), f"line {line}", str(exc.problem or exc)) from exc
    return raw


def compiled(folder: str) -> str:
    """The text the compiled file of a folder must have."""
    return json.dumps(read_yaml(folder), ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str) + "\n"


def compile_all() -> list[Path]:
    """Write every compiled file; answers the paths that changed."""
    changed = []
    for folder in FOLDERS:
        path, text = _PACKAGE / f"{folder}.json", compiled(folder)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def main(arguments: list[str]) -> int:
    """Compile; with ``--check`` only say what is stale. 1 when something was."""
    if "--check" not in arguments:
        for path in compile_all():
            sys.stdout.write(f"{path}\n")
        return 0
    stale = [f for f in FOLDERS if (_PACKAGE / f"{f}.json").read_text(encoding="utf-8") != compiled(f)]
    for folder in stale:
        sys.stderr.write(f"monitor/{folder}.json is older than its source: run python -m monitor.lexicons\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
