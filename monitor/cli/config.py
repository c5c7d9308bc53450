"""config.yaml while the daemon runs: take it up, see what changed, go back, show what counts, repair it."""

from __future__ import annotations

import difflib
import getpass
import os
import signal
import socket
import sys
import time
from datetime import UTC, timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from monitor.cli.root import CONFIG, Config, Json, fail, open_engine, print_json, reading

WAIT_S = 45.0
"""A daemon that cannot be signalled looks every 30 seconds."""
top = typer.Typer()
app = typer.Typer(help="Revisions of config.yaml: history, differences, rollback; what counts, and safe repairs.")


@top.command(epilog="Example: storywatch reload --backfill 7d")
def reload(
    config: Config = CONFIG,
    partial: Annotated[
        bool, typer.Option("--partial", help="Take up the rest when some keys have to wait for a restart.")
    ] = False,
    backfill: Annotated[
        str | None,
        typer.Option(
            metavar="7d",
            help="Tell once, in one digest, what the watches that are new or changed found in so much of the past.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Let the running daemon take up config.yaml now, and say what became of it."""
    _print_answer(_ask(config, None, partial, _past(backfill)), as_json)


def _past(given: str | None) -> timedelta | None:
    """How much of the past is to be told; what is stored is looked through 30 days back."""
    from monitor import priming
    from monitor.config import units

    if given is None:
        return None
    try:
        back = units.duration(given)
    except ValueError:
        back = None
    if back is None or not timedelta() < back <= priming.REACH:
        fail(f"--backfill {given}: wants a duration up to {priming.REACH.days}d, such as 7d", 64)
    return back


@app.command(epilog="Example: storywatch config history --limit 5")
def history(
    config: Config = CONFIG,
    limit: Annotated[int, typer.Option(help="How many revisions.")] = 20,
    as_json: Json = False,
) -> None:
    """List the revisions that were offered, the newest first: what they changed, or why they were refused."""
    from monitor.store import revisions

    with reading(config) as connection:
        found = revisions.history(connection, limit)
        good = revisions.newest_good(connection)
    for one in found:
        running = good is not None and one.no == good.no
        outcome = "running" if running else "replaced" if one.outcome == "accepted" else one.outcome
        if as_json:
            row = {"no": one.no, "at": one.at.isoformat(), "who": one.who, "outcome": outcome, "sha256": one.sha256}
            print_json(row | {"notes": list(one.notes)})
        else:
            said = "; ".join(one.notes[:3]) + (f"; and {len(one.notes) - 3} more" if len(one.notes) > 3 else "")
            at = one.at.astimezone(UTC)
            sys.stdout.write(f"{one.no:>4}  {at:%d %b %Y %H:%M} UTC  {one.who:<8} {outcome:<8}  {said}".rstrip() + "\n")


@app.command(epilog="Example: storywatch config diff 40 41")
def diff(
    old: Annotated[int | None, typer.Argument(help="A revision; the running one unless given.")] = None,
    new: Annotated[int | None, typer.Argument(help="Another; the file unless given.")] = None,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Say what differs between two revisions, or between one and the file, and what follows from it."""
    from monitor.config import api, changes, locating

    file = locating.config_file(config)
    with reading(config) as connection:
        before = api.parse_text(_text(connection, old), os.environ, file=f"revision {old or ''}", with_secrets=False)
        after = (
            api.load(file, os.environ, with_secrets=False)
            if new is None
            else api.parse_text(_text(connection, new), os.environ, file=f"revision {new}", with_secrets=False)
        )
    found = changes.changes(before, after)
    if not as_json:
        sys.stdout.writelines(f"{line}\n" for line in changes.told(found))
        return
    for one in found:
        print_json({"sign": one.sign, "path": one.path, "note": one.note, "primes": one.primes, "restart": one.restart})


def _text(connection: Any, no: int | None) -> str:
    from monitor.store import revisions

    found = revisions.newest_good(connection) if no is None else revisions.by_no(connection, no)
    if found is None:
        fail(f"revision {no}: there is none; storywatch config history lists them" if no else "no revision yet", 1)
    return found.text


@app.command(epilog="Example: storywatch config rollback 40 --write")
def rollback(
    no: Annotated[int, typer.Argument(help="The revision to go back to.")],
    config: Config = CONFIG,
    write: Annotated[bool, typer.Option("--write", help="Write its text into config.yaml too.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Go back with the rest when some keys have to wait for a restart.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Let the daemon run the text of an earlier revision. What waits in the outbox is sent as it was rendered."""
    from monitor.config import api, locating, secrets

    with reading(config) as connection:
        text = _text(connection, no)
    if secrets.HIDDEN in text:
        fail(f"revision {no}: a secret stood in its text and was not stored; it cannot be run again", 1)
    api.parse_text(text, os.environ, file=f"revision {no}")
    is_down = _daemon(locating.storage_url(config, os.environ)) == "down"
    if is_down and not write:
        fail("no daemon is running on this database: with --write its next start takes the text from the file", 1)
    answer = None if is_down else _ask(config, no, partial)
    if write and (answer is None or answer["outcome"] in ("accepted", "unchanged")):
        _replace(config, text)
        sys.stderr.write(f"{config}: now holds the text of revision {no}\n")
    if answer is not None:
        _print_answer(answer, as_json)
    if not write:
        sys.stderr.write(f"{config} still holds what it held: write it too with --write\n")


@app.command(epilog="Example: storywatch config show --origin | grep timezone")
def show(
    config: Config = CONFIG,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value comes from.")] = False,
    as_json: Json = False,
) -> None:
    """Print every key with the value that counts, defaults included. Secrets are never shown."""
    from monitor.config import api, effective, locating

    file = locating.config_file(config)
    found = effective.lines(api.read_file(file), str(file), os.environ)
    sys.stdout.write(effective.as_json(found) if as_json else effective.as_text(found, origin=origin))


@app.command(epilog="Example: storywatch config fix --dry")
def fix(
    config: Config = CONFIG,
    dry: Annotated[bool, typer.Option("--dry", help="Only print what would change.")] = False,
) -> None:
    """Repair what can be repaired without a doubt: quotes, queries as blocks, keys with a typing error."""
    from monitor.config import api, editing, redaction

    before = api.read_file(config).decode("utf-8")
    after = editing.fixed(before)
    known = redaction.known_values(before, os.environ)
    sys.stdout.write(_difference(before, after, str(config), known))
    if before != after and not dry:
        _replace(config, after)
    sys.stderr.write(f"{config}: {'nothing to repair' if before == after else 'not written' if dry else 'repaired'}\n")


def _difference(before: str, after: str, name: str, known: tuple[str, ...]) -> str:
    from monitor.config import secrets

    rows = difflib.unified_diff(before.splitlines(True), after.splitlines(True), name, f"{name} (repaired)")
    return "".join(secrets.redact(row, known) if row.endswith("\n") else f"{row}\n" for row in rows)


def _replace(path: Path, text: str) -> None:
    """Write a file so that whoever reads it meanwhile sees the old or the new one, never half of it."""
    target = path.resolve()
    beside = target.with_name(f".{target.name}.new")
    beside.write_text(text, encoding="utf-8")
    if target.exists():
        beside.chmod(target.stat().st_mode)
    beside.replace(target)


def _daemon(url: str) -> int | str:
    """The process to signal; `down` where it is known that none runs, `unknown` where that cannot be seen."""
    from monitor.store import filelock

    if not url.startswith("sqlite"):
        return "unknown"
    found = filelock.holder(url)
    if found is None:
        return "down"
    process, host = found
    return process if host == socket.gethostname() else "unknown"


def _ask(config: Path, no: int | None, partial: bool, backfill: timedelta | None = None) -> dict[str, Any]:
    """Leave a request in the database, wake the daemon, and wait for its answer."""
    import json

    from monitor import asking
    from monitor.config import locating
    from monitor.store import engine as engines
    from monitor.store import meta

    process = _daemon(locating.storage_url(config, os.environ))
    if process == "down":
        fail("no daemon is running on this database: its next start takes the file as it is", 1)
    asked = asking.Request(uuid4().hex, _user(), no, partial, backfill)
    engine = open_engine(config)
    with engine.begin() as connection:
        meta.put(connection, asking.REQUEST, asked.as_json())
    if isinstance(process, int):
        os.kill(process, signal.SIGHUP)
    answer: dict[str, Any] = {}
    until = time.monotonic() + WAIT_S
    while answer.get("id") != asked.id and time.monotonic() < until:
        time.sleep(0.1)
        with engines.reading(engine) as connection:
            answer = json.loads(meta.get(connection, asking.ANSWER) or "{}")
    if answer.get("id") == asked.id:
        return dict(answer)
    return fail(
        f"the daemon did not answer within {WAIT_S:.0f} s; storywatch config history shows what became of it", 1
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "command"


def _print_answer(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json({name: value for name, value in answer.items() if name != "id"})
    else:
        for note in answer["notes"]:
            sys.stdout.write(f"{note}\n")
        words = {
            "accepted": "revision {} is running",
            "unchanged": "nothing changed; revision {} goes on",
            "refused": "refused; revision {} goes on",
            "waiting": "waits; revision {} goes on (--partial takes up the rest)",
        }
        sys.stderr.write(words[answer["outcome"]].format(answer["revision"]) + "\n")
    raise typer.Exit(0 if answer["outcome"] in ("accepted", "unchanged") else 1)
