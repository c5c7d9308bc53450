"""What the commands share: the program itself, how errors become exit codes, options, and the way to the database."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

import monitor
from monitor.errors import ConfigError, MonitorError, SchemaMismatch, StoreError, StoreUnreachable

USAGE, UNREACHABLE, INTERNAL = 64, 69, 70
CONFIG = Path("config.yaml")
_FIRST = ("run", "poll", "check", "explain", "schema", "replay", "demo", "lab")
"""What a newcomer looks for; the help shows the others behind them, as they are added."""

Config = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.", envvar="STORYWATCH_CONFIG")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


class _Ordered(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        """Name the commands in the order of the help."""
        names = super().list_commands(ctx)
        return sorted(names, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))


def program() -> typer.Typer:
    """Make the program without any command."""
    made = typer.Typer(
        name="storywatch",
        cls=_Ordered,
        help="Watch news feeds for a story; be told when a new outlet picks it up or a government answers.",
        epilog="Start with `storywatch demo`, then `storywatch check` and `storywatch run`.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_root)
    return made


def main(program: typer.Typer) -> None:
    """Run a program; known errors are one message and an exit code, never a traceback."""
    try:
        result = program(standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except (typer.Exit, SystemExit):
        raise
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except ConfigError as exc:
        fail("\n".join(str(problem) for problem in exc.problems), 1)
    except SchemaMismatch as exc:
        fail(str(exc), 3)
    except StoreUnreachable as exc:
        fail(str(exc), UNREACHABLE)
    except StoreError as exc:
        fail(str(exc), 5 if type(exc).__name__ == "AlreadyRunning" else 3)
    except MonitorError as exc:
        fail(str(exc), 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as exc:  # noqa: BLE001  a wrong command line, or a fault of ours
        if hasattr(exc, "format_message"):
            _usage(exc)
        if type(exc).__module__ == "sqlalchemy.exc" and getattr(exc, "orig", None) is not None:
            fail(_database_failed(exc), UNREACHABLE if _may_pass(exc) else 3)
        _fault()


def _database_failed(exc: Any) -> str:
    """What the driver said of a failure in the middle of a command, and what became of the command."""
    from sqlalchemy.exc import DatabaseError, InternalError, OperationalError

    said = " ".join(str(exc.orig).split())
    is_damaged = type(exc) is DatabaseError  # what SQLite says of pages it cannot read is none of the finer kinds
    if not is_damaged and not isinstance(exc, (OperationalError, InternalError)):  # then a statement of ours is wrong
        _fault()
    return f"the database failed: {said}; what was not finished is not stored, run it again when that is mended"


def _may_pass(exc: Any) -> bool:
    """Whether the database was only busy, or went away: a supervisor may try again."""
    return exc.connection_invalidated or getattr(exc.orig, "sqlite_errorname", "") in ("SQLITE_BUSY", "SQLITE_LOCKED")


def _fault() -> NoReturn:
    """End on a fault of ours: its traceback is wanted in a report, without secrets."""
    from monitor.config import secrets

    sys.stderr.write(secrets.redact(traceback.format_exc(), _secrets_of(_named_config())))
    sys.exit(INTERNAL)


def _named_config() -> Path:
    """The configuration the command line names, read by hand: the command itself has just failed."""
    words = sys.argv[1:]
    for before, word in pairwise(words):
        if before in ("--config", "-c"):
            return Path(word)
    return Path(os.environ.get("STORYWATCH_CONFIG", CONFIG))


def _secrets_of(config: Path) -> tuple[str, ...]:
    """Read the secrets a configuration refers to, for a text that must not hold them."""
    from monitor.config import redaction

    try:
        return redaction.known_values(config.read_text(encoding="utf-8", errors="replace"), os.environ)
    except OSError:
        return ()


def _usage(exc: Any) -> NoReturn:
    where = f"Try '{exc.ctx.command_path} --help'." if getattr(exc, "ctx", None) else ""
    fail(f"{exc.format_message()}\n{where}".rstrip(), USAGE)


def fail(message: str, code: int) -> NoReturn:
    """End with a message on stderr and an exit code."""
    sys.stderr.write(f"storywatch: {message}\n" if "\n" not in message else f"{message}\n")
    sys.exit(code)


def print_json(value: Any) -> None:
    """Print one line of JSON; what JSON has no form for is written as text."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Draw a progress bar on stderr, where somebody sits before it."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)


def print_json_list(values: Iterable[Any]) -> None:
    """Print a list of any length as one line of JSON."""
    sys.stdout.write("[")
    for n, value in enumerate(values):
        sys.stdout.write((", " if n else "") + json.dumps(value, ensure_ascii=False, default=str))
    sys.stdout.write("]\n")


def operator() -> str:
    """Who gives the command, as corrections and silences remember it."""
    return os.environ.get("USER") or "operator"


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"storywatch {monitor.__version__}\n")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Watch news feeds for a story; be told when a new outlet picks it up or a government answers."""


def log_quietly() -> None:
    """Let the machinery that a command starts log to stderr, warnings and worse only: stdout is for data."""
    from monitor import logs

    logs.configure(sys.stderr, quiet=True)


def reachable(config: Path) -> Any:
    """Open the configured database, whatever its schema. Errors: StoreUnreachable."""
    from monitor.config import locating
    from monitor.store import engine

    pooled = locating.direct_url(config, os.environ) is not None
    opened = engine.open_engine(locating.storage_url(config, os.environ), pool=2, role="cli", pooled=pooled)
    engine.check_reachable(opened)
    return opened


def open_engine(config: Path) -> Any:
    """Open the configured database. Errors: StoreUnreachable; SchemaMismatch unless its schema is ours."""
    from monitor.store import migrate

    opened = reachable(config)
    migrate.refuse_other(opened)
    return opened


def reading(config: Path) -> Any:
    """Give a `with` whose connection reads and writes nothing."""
    from monitor.store import engine

    return engine.reading(open_engine(config))


def writing(config: Path) -> Any:
    """Give a `with` whose connection is one transaction."""
    return open_engine(config).begin()
