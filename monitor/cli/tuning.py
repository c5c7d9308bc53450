"""What needs no daemon: checking a configuration, playing streams and the demo, single steps of the pipeline."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.cli.root import CONFIG, USAGE, Config, Json, fail, log_quietly

LAB_STEPS = ("parse", "canonical", "match", "cluster", "detect")
_SHOWN = 20
app = typer.Typer()


@app.command(epilog="Example: storywatch check config.yaml --format github")
def check(
    file: Annotated[Path | None, typer.Argument(help="The file to check; the shipped one when there is none.")] = None,
    form: Annotated[str, typer.Option("--format", help="text, json, github or sarif.")] = "text",
    as_json: Json = False,
    strict: Annotated[bool, typer.Option(help="End with 2 when there are warnings.")] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Ask channels and feeds too, without sending anything; at most 30 s.")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate/--no-estimate", help="Try the queries on what is stored of the last 30 days.")
    ] = True,
    compare: Annotated[
        bool, typer.Option("--compare/--no-compare", help="Say what differs from the revision that runs.")
    ] = True,
    explain: Annotated[str | None, typer.Option(help="Explain a code, such as E051, with examples.")] = None,
) -> None:
    """Say everything that is wrong in a configuration file, with its place. Touches no network without --live."""
    from monitor import resources
    from monitor.config import api, checking, rendering

    if explain is not None:
        _explain_code(explain)
        return
    if form not in ("text", "json", "github", "sarif"):
        fail(f"--format {form}: one of text, json, github, sarif", USAGE)
    path = file or (CONFIG if CONFIG.exists() else resources.resource_path(CONFIG.name))
    found = api.examine(path, os.environ)
    problems = found.problems
    if found.config is not None and (live or estimate):
        problems = checking.in_order([*problems, *_asked(found.config, found.text, live=live, estimate=estimate)])
    sys.stdout.write(rendering.render(problems, found.text, "json" if as_json else form, known=found.known))
    if form == "text" and not as_json:
        sys.stderr.write(f"{path}: {rendering.summary(problems)}\n")
        if compare:
            sys.stderr.writelines(f"{line}\n" for line in _beside_what_runs(path, found.config, live=live))
    raise typer.Exit(rendering.exit_code(problems, strict=strict))


def _asked(config: Any, text: str, *, live: bool, estimate: bool) -> list[Any]:
    """What stored history and, where that is wanted, the servers say of a file without a fault."""
    found = list(_from_history(config, text, live=live)) if estimate else []
    if live:
        from monitor import probing

        log_quietly()
        found += asyncio.run(probing.problems(config, text, os.environ, lambda: datetime.now(UTC)))
    return found


def _from_history(config: Any, text: str, *, live: bool) -> tuple[Any, ...]:
    """Estimates on stored entries; a database that is not there yet says nothing."""
    from monitor.config import locating

    url = locating.url_of(config, os.environ)
    if not _may_be_asked(url, live=live):
        return ()
    # Not before it is needed: the pipeline's modules take half a second, and many checks have no database.
    from monitor.backtest import estimate
    from monitor.config import faults, reading, secrets
    from monitor.errors import StoreError
    from monitor.store import engine as engines

    try:
        engine = _database(url)
        if engine is None:
            return ()
        with engines.reading(engine) as connection:
            return estimate.problems(config, text, connection, datetime.now(UTC))
    except StoreError as exc:
        document = reading.read_text(text, config.file)
        return (faults.problem(document, "E081", ("storage", "url"), secrets.redact(str(exc))),)


def _may_be_asked(url: str, *, live: bool) -> bool:
    """Whether a check may open a database: a file that is there; one elsewhere only with --live."""
    return Path(url.removeprefix("sqlite:///")).exists() if url.startswith("sqlite:///") else live


def _database(url: str) -> Any:
    """Open a database; None for one that holds nothing of ours yet.

    Errors: StoreError when it cannot be reached or has another schema.
    """
    from monitor.store import engine as engines
    from monitor.store import migrate

    engine = engines.open_engine(url)
    engines.check_reachable(engine)
    if migrate.current(engine) is None:
        return None
    migrate.refuse_other(engine)
    return engine


def _beside_what_runs(path: Path, config: Any, *, live: bool) -> Iterator[str]:
    """What would differ from the newest revision that was good; nothing where no database can say which that is."""
    from monitor.config import locating

    if config is None:
        url = os.environ.get("STORYWATCH_STORAGE_URL") or locating.url_in(path, os.environ)
    else:
        url = locating.url_of(config, os.environ)
    if url is None or not _may_be_asked(url, live=live):
        return
    good = _newest_good(url)
    if good is None:
        return
    if config is None:
        yield f"revision {good.no} goes on"
    elif config.sha256 == good.sha256:
        yield f"this is revision {good.no}"
    else:
        yield from _differences(good, config)


def _newest_good(url: str) -> Any:
    """The revision that runs, or ran last; None where the database does not answer: that is no fault of the file."""
    from sqlalchemy.exc import SQLAlchemyError

    from monitor.errors import StoreError
    from monitor.store import engine as engines
    from monitor.store import revisions

    try:
        engine = _database(url)
        if engine is None:
            return None
        with engines.reading(engine) as connection:
            return revisions.newest_good(connection)
    except (StoreError, SQLAlchemyError):
        return None


def _differences(good: Any, config: Any) -> Iterator[str]:
    from monitor.config import api, changes
    from monitor.errors import ConfigError

    try:
        before = api.parse_text(good.text, os.environ, file=f"revision {good.no}", with_secrets=False)
    except ConfigError:  # a secret stood in its text and was not stored, or an older version took it
        yield f"revision {good.no} cannot be compared: its stored text is no configuration any more"
        return
    found = changes.changes(before, config)
    yield f"against revision {good.no}:" if found else f"nothing that counts differs from revision {good.no}"
    yield from changes.told(found, _SHOWN)
    waits = changes.needs_restart(found)
    if waits:
        yield f"{changes.restart_wanted(waits)}; storywatch reload --partial takes up the rest"


def _explain_code(code: str) -> None:
    from monitor.config import catalogue

    text = catalogue.explained(code.upper())
    if text is None:
        fail(f"there is no code {code}; storywatch check prints those of your file", USAGE)
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


@app.command(epilog="Example: storywatch schema > storywatch.schema.json")
def schema(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="The reference page instead of the JSON Schema.")
    ] = False,
) -> None:
    """Print the JSON Schema of config.yaml, for editors that complete and check while you write."""
    from monitor.config import schema as schemas

    sys.stdout.write(schemas.reference_page() if markdown else schemas.schema_text())


@app.command(epilog="Example: storywatch replay stream.jsonl --config config.yaml --json > events.jsonl")
def replay(
    file: Annotated[Path, typer.Argument(help="JSON Lines: id, at, feed, outlet, url, title, summary, text, lang.")],
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Play a recorded stream through the real pipeline under a virtual clock, in a throw-away database."""
    from monitor import replay as replaying

    log_quietly()
    if not file.is_file():
        fail(f"{file}: there is no such file", 1)
    sink = replaying.json_sink(sys.stdout) if as_json else replaying.text_sink(sys.stdout)
    raise typer.Exit(replaying.run(file, config, os.environ, sink, progress=sys.stderr))


@app.command(epilog="Example: storywatch demo --fast")
def demo(
    fast: Annotated[bool, typer.Option("--fast", help="No pauses, for scripts.")] = False,
    folder: Annotated[Path, typer.Option(help="Where database and digests are left.")] = Path("storywatch-demo"),
    log: Annotated[Path | None, typer.Option(help="Write the daemon's log here, as JSON lines.")] = None,
) -> None:
    """Watch an invented story unfold: feeds on this machine, polled over HTTP, on a clock that runs fast."""
    from monitor.demo import play

    raise typer.Exit(play.run(folder, fast=fast, log=log))


@app.command(epilog="Example: storywatch lab match --query-field query < rows.jsonl")
def lab(
    step: Annotated[str, typer.Argument(help="parse, canonical, match, cluster or detect.")],
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Use this file's watches and outlets.")] = None,
    query_field: Annotated[
        str | None, typer.Option(help="match: each row brings its own query in this member.")
    ] = None,
    explain: Annotated[bool, typer.Option(help="detect: say which rule found or rejected each span.")] = False,
    delta: Annotated[str, typer.Option(help="parse: off, or in parts (halves, each) that must give the same.")] = "off",
) -> None:
    """Run one step of the pipeline over JSON Lines, for tuning and bug reports. Reads stdin, writes stdout."""
    if step not in LAB_STEPS:
        fail(f"lab {step}: one of {', '.join(LAB_STEPS)}", USAGE)
    if delta not in ("off", "halves", "each"):
        fail(f"--delta {delta}: one of off, halves, each", USAGE)
    from monitor import lab as bench

    options = bench.Options(datetime.now(UTC), query_field=query_field, explain=explain, delta=delta)
    bench.run(step, sys.stdin, sys.stdout, bench.knowledge(config, os.environ), options)
