"""The command line. It parses words, calls one function and prints; no policy, and nothing heavy before it is needed.

Data goes to stdout, talk to stderr. Exit codes: 0 fine, 1 refused or red, 2 warnings with --strict, 3 database
refused, 5 already running, 64 wrong command line, 69 database unreachable, 70 internal failure.

A file holds the commands of one group; a new command needs a new function there and nothing here. The commands that a
machine starts are looked for first: the sixty others, which take a tenth of a second to build, are in `everything`.
"""

from __future__ import annotations

import sys
from typing import Any

from monitor.cli import root, service

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line."""
    program = root.program()
    program.add_typer(service.app)
    root.main(program if sys.argv[1:2] and sys.argv[1] in service.COMMANDS else __getattr__("app"))


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from monitor.cli.everything import app  # here: see above

    return app
