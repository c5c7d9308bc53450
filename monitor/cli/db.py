"""`storywatch db`: backups, checks, what is old, how large it is, and the way from SQLite to Postgres."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.cli.root import CONFIG, Config, Json, bar, open_engine, print_json, reachable

app = typer.Typer(
    help="Look after the database: back up, check, prune, measure, move to Postgres.", no_args_is_help=True
)
_PAUSE_S = 0.05
"""Between two chunks, so that a running daemon gets its turn."""


@app.command("backup", epilog="Example: storywatch db backup /backup/storywatch.db --replace")
def db_backup(
    target: Annotated[
        Path | None, typer.Argument(help="The file or folder to write to; left out, beside the database.")
    ] = None,
    config: Config = CONFIG,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a file that is there, once the new one is whole.")
    ] = False,
    compact: Annotated[bool, typer.Option("--compact", help="Leave out free pages; takes longer.")] = False,
    as_json: Json = False,
) -> None:
    """Copy a SQLite database while the daemon runs; the copy is checked before it gets its name."""
    from monitor.config import locating
    from monitor.store import backup

    source = backup.database_file(locating.storage_url(config, os.environ))
    to = backup.target_of(source, target, datetime.now(UTC))
    with bar("backing up") as tell:
        made = backup.make(source, to, replace=replace, compact=compact, tell=tell)
    if as_json:
        print_json({"path": made.path, "bytes": made.size})
    else:
        sys.stdout.write(f"{made.path}: {backup.mebibytes(made.size)}, checked\n")


@app.command("check", epilog="Example: storywatch db check --quick")
def db_check(
    config: Config = CONFIG,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out what reads every index of a SQLite file.")] = False,
    as_json: Json = False,
) -> None:
    """Say whether the database is whole; ends with 1 when it is not."""
    from monitor.store import checking

    findings = checking.check(reachable(config), datetime.now(UTC), quick=quick)
    if as_json:
        print_json([dataclasses.asdict(finding) for finding in findings])
    else:
        sys.stdout.writelines(f"{f.state:5}  {f.what:28} {f.said}".rstrip() + "\n" for f in findings)
    raise typer.Exit(1 if any(finding.state == "bad" for finding in findings) else 0)


@app.command("prune", epilog="Example: storywatch db prune --dry-run")
def db_prune(
    config: Config = CONFIG,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: Json = False,
) -> None:
    """Delete what is older than storage.keep says. The daemon does this every hour; both may run at once."""
    from monitor.config import api, locating
    from monitor.jobs import upkeep
    from monitor.store import retention

    keep = api.load(locating.config_file(config), os.environ, with_secrets=False).storage.keep
    engine, now = open_engine(config), datetime.now(UTC)
    if dry_run:
        gone = retention.counts(engine, keep, now)
    else:
        pruning = upkeep.begin(engine, now, keep)
        while pruning.step():
            time.sleep(_PAUSE_S)
        gone = dict(pruning.gone)
    if as_json:
        print_json({"dry_run": dry_run, "rows": gone})
        return
    lines = [f"{count:>10}  {name}\n" for name, count in gone.items() if count]
    heading = "would go:\n" if dry_run else "gone:\n"
    sys.stdout.write(heading + "".join(lines) if lines else "nothing is old enough to go\n")


@app.command("stats", epilog="Example: storywatch db stats --json")
def db_stats(config: Config = CONFIG, as_json: Json = False) -> None:
    """Say how large the database is, table by table."""
    from monitor.store import sizes

    found = sizes.read(open_engine(config))
    print_json(dataclasses.asdict(found)) if as_json else sys.stdout.write(_stats_text(found))


def _stats_text(found: Any) -> str:
    from monitor.store.backup import mebibytes

    rows = "rows" if found.exact else "rows (about)"
    lines = [
        f"{found.database}, schema {found.schema}",
        f"{mebibytes(found.total)} in all"
        + (f", {mebibytes(found.free)} of them free" if found.free else "")
        + (f", {mebibytes(found.wal)} write-ahead log" if found.wal else ""),
        *(
            [f"entries from {found.oldest_entry:%Y-%m-%d} to {found.newest_entry:%Y-%m-%d}"]
            if found.newest_entry
            else []
        ),
        *(
            [f"{len(found.partitions)} partitions, until {found.partitions[-1].until:%Y-%m-%d}"]
            if found.partitions
            else []
        ),
        f"{'table':24} {rows:>14} {'size':>14}",
    ]
    lines += [
        f"{one.name:24} {one.rows:>14,} {'' if one.bytes is None else mebibytes(one.bytes):>14}" for one in found.tables
    ]
    return "\n".join(lines) + "\n"


@app.command("copy", epilog="Example: storywatch db copy --to postgresql://storywatch@db.example/storywatch")
def db_copy(
    to: Annotated[
        str, typer.Option("--to", envvar="STORYWATCH_COPY_TO", help="The Postgres address, without a pooler between.")
    ],
    config: Config = CONFIG,
    restart: Annotated[
        bool, typer.Option("--restart", help="Empty a target that an earlier copy began to fill.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Move a SQLite database to an empty Postgres one and compare both; stop the daemon first.

    After an interruption the same command goes on where it was.
    """
    from monitor.config import locating
    from monitor.store import copying

    began = time.monotonic()
    with _bars() as tell:
        done = copying.copy(locating.storage_url(config, os.environ), to, restart=restart, tell=tell)
    rows, took = sum(done.rows.values()), time.monotonic() - began
    if as_json:
        print_json({"rows": done.rows, "ranges": done.ranges, "resumed": done.resumed, "seconds": round(took, 1)})
        return
    before = f", {done.resumed} of them from an earlier run" if done.resumed else ""
    sys.stdout.write(
        f"{rows:,} rows in {done.ranges} ranges{before}, each compared by count and hash, in {took:.0f} s\n"
        "Now name the new address in storage.url; the search index is built anew by the daemon.\n"
    )


@contextmanager
def _bars() -> Iterator[Callable[[str, str, int, int], None]]:
    """Draw a bar for each step and table on stderr, where somebody sits before it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks: dict[tuple[str, str], Any] = {}

        def tell(step: str, table: str, done: int, of: int) -> None:
            if of and (step, table) not in tasks:
                tasks[step, table] = progress.add_task(f"{step} {table}", total=of)
            if of:
                progress.update(tasks[step, table], completed=done)

        yield tell
