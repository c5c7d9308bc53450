"""The command line. It parses words, calls one function and prints; no policy, and nothing heavy before it is needed.

Data goes to stdout, talk to stderr. Exit codes: 0 fine, 1 refused or red, 2 warnings with --strict, 3 database
refused, 5 already running, 64 wrong command line, 69 database unreachable, 70 internal failure.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

import monitor
from monitor.errors import ConfigError, MonitorError, SchemaMismatch, StoreError, StoreUnreachable

USAGE, UNREACHABLE, INTERNAL = 64, 69, 70
_CONFIG = "config.yaml"
LAB_STEPS = ("parse", "canonical", "match", "cluster", "detect")

app = typer.Typer(
    name="storywatch",
    help="Watch news feeds for a story; be told when a new outlet picks it up or a government answers.",
    epilog="Start with `storywatch demo`, then `storywatch check` and `storywatch run`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
feed_app = typer.Typer(help="Look at feeds: what is polled, when next, and why.", no_args_is_help=True)
story_app = typer.Typer(help="Look at stories: who carries them, who answered.", no_args_is_help=True)
outbox_app = typer.Typer(help="Look at deliveries, send them again or give them up.", no_args_is_help=True)
app.add_typer(feed_app, name="feed")
app.add_typer(story_app, name="story")
app.add_typer(outbox_app, name="outbox")
silence_app = typer.Typer(help="Mute a story, an outlet or a watch for a while.", no_args_is_help=True)
app.add_typer(silence_app, name="silence")

Config = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.", envvar="STORYWATCH_CONFIG")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def main() -> None:
    """Run the command line; known errors are one message and an exit code, never a traceback."""
    try:
        result = app(standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except (typer.Exit, SystemExit):
        raise
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    except ConfigError as exc:
        _fail("\n".join(str(problem) for problem in exc.problems), 1)
    except SchemaMismatch as exc:
        _fail(str(exc), 3)
    except StoreUnreachable as exc:
        _fail(str(exc), UNREACHABLE)
    except StoreError as exc:
        _fail(str(exc), 5 if type(exc).__name__ == "AlreadyRunning" else 3)
    except MonitorError as exc:
        _fail(str(exc), 1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as exc:  # noqa: BLE001  a wrong command line, or a fault of ours
        if hasattr(exc, "format_message"):
            _usage(exc)
        _fault()


def _fault() -> NoReturn:
    """End on a fault of ours: its traceback is wanted in a report, without secrets."""
    from monitor.config import secrets

    sys.stderr.write(secrets.redact(traceback.format_exc()))
    sys.exit(INTERNAL)


def _usage(exc: Any) -> NoReturn:
    where = f"Try '{exc.ctx.command_path} --help'." if getattr(exc, "ctx", None) else ""
    _fail(f"{exc.format_message()}\n{where}".rstrip(), USAGE)


def _fail(message: str, code: int) -> NoReturn:
    sys.stderr.write(f"storywatch: {message}\n" if "\n" not in message else f"{message}\n")
    sys.exit(code)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"storywatch {monitor.__version__}\n")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Watch news feeds for a story; be told when a new outlet picks it up or a government answers."""


@app.command(epilog="Example: storywatch run --config config.yaml --port 8081")
def run(
    config: Config = Path(_CONFIG),
    port: Annotated[int | None, typer.Option(help="Port of the page, instead of web.listen's.")] = None,
) -> None:
    """Poll, match and deliver until asked to stop (SIGTERM, Ctrl-C)."""
    from monitor import daemon

    raise typer.Exit(daemon.run(config, os.environ, port=port))


@app.command(epilog="Example: storywatch poll --once --ignore-schedule")
def poll(
    config: Config = Path(_CONFIG),
    once: Annotated[bool, typer.Option("--once", help="One round of what is due, then exit (always so).")] = True,
    ignore_schedule: Annotated[bool, typer.Option(help="Make every feed due now.")] = False,
    force: Annotated[
        bool, typer.Option(help="Ask feeds again although they were asked within 10 minutes. Never lifts a hold.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Poll what is due once, deliver what is due by then, say which feeds answered and which were left out."""
    from monitor import daemon

    report = daemon.poll_once(config, os.environ, ignore_schedule=ignore_schedule, force=force)
    sys.stdout.write(report.as_json() if as_json else report.as_text())


@app.command(epilog="Example: storywatch check config.yaml --format github")
def check(
    file: Annotated[Path | None, typer.Argument(help="The file to check; the shipped one when there is none.")] = None,
    form: Annotated[str, typer.Option("--format", help="text, json, github or sarif.")] = "text",
    as_json: Json = False,
    strict: Annotated[bool, typer.Option(help="End with 2 when there are warnings.")] = False,
    explain: Annotated[str | None, typer.Option(help="Explain a code, such as E051, with examples.")] = None,
) -> None:
    """Say everything that is wrong in a configuration file, with its place. Touches no network."""
    from monitor import resources
    from monitor.config import api, rendering

    if explain is not None:
        _explain_code(explain)
        return
    if form not in ("text", "json", "github", "sarif"):
        _fail(f"--format {form}: one of text, json, github, sarif", USAGE)
    path = file or (Path(_CONFIG) if Path(_CONFIG).exists() else resources.resource_path(_CONFIG))
    problems = api.check(path, os.environ)
    source = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    sys.stdout.write(rendering.render(problems, source, "json" if as_json else form))
    if form == "text" and not as_json:
        sys.stderr.write(f"{path}: {rendering.summary(problems)}\n")
    raise typer.Exit(rendering.exit_code(problems, strict=strict))


def _explain_code(code: str) -> None:
    from monitor.config import catalogue

    text = catalogue.explained(code.upper())
    if text is None:
        _fail(f"there is no code {code}; storywatch check prints those of your file", USAGE)
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
    config: Config = Path(_CONFIG),
    as_json: Json = False,
) -> None:
    """Play a recorded stream through the real pipeline under a virtual clock, in a throw-away database."""
    from monitor import replay as replaying

    if not file.is_file():
        _fail(f"{file}: there is no such file", 1)
    sink = replaying.json_sink(sys.stdout) if as_json else replaying.text_sink(sys.stdout)
    raise typer.Exit(replaying.run(file, config, os.environ, sink, progress=sys.stderr))


@app.command(epilog="Example: storywatch demo --fast")
def demo(
    fast: Annotated[bool, typer.Option("--fast", help="No pauses, for scripts.")] = False,
    folder: Annotated[Path, typer.Option(help="Where database and digests are left.")] = Path("storywatch-demo"),
) -> None:
    """Watch an invented story unfold: feeds on this machine, polled over HTTP, on a clock that runs fast."""
    from monitor.demo import play

    raise typer.Exit(play.run(folder, fast=fast))


@app.command(epilog="Example: storywatch lab match --query-field query < rows.jsonl")
def lab(
    step: Annotated[str, typer.Argument(help="parse, canonical, match, cluster or detect.")],
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Use this file's watches and outlets.")] = None,
    query_field: Annotated[
        str | None, typer.Option(help="match: each row brings its own query in this member.")
    ] = None,
    explain: Annotated[bool, typer.Option(help="detect: say which rule found or rejected each span.")] = False,
) -> None:
    """Run one step of the pipeline over JSON Lines, for tuning and bug reports. Reads stdin, writes stdout."""
    if step not in LAB_STEPS:
        _fail(f"lab {step}: one of {', '.join(LAB_STEPS)}", USAGE)
    from monitor import lab as bench

    options = bench.Options(datetime.now(UTC), query_field=query_field, explain=explain)
    bench.run(step, sys.stdin, sys.stdout, bench.knowledge(config, os.environ), options)


@app.command()
def migrate(config: Config = Path(_CONFIG)) -> None:
    """Bring the database to the newest schema. `run` does this by itself."""
    from monitor import daemon
    from monitor.store import engine, migrate

    opened = engine.open_engine(daemon.storage_url(config, os.environ))
    engine.check_reachable(opened)
    changed = migrate.ensure(opened)
    sys.stdout.write(f"schema {migrate.HEAD}{'' if changed else ', already there'}\n")


@app.command()
def health(config: Config = Path(_CONFIG), as_json: Json = False) -> None:
    """Ask the running daemon how it is; ends with 0 when it is well. For container health checks."""
    from monitor import daemon

    answer = daemon.ask_health(config, os.environ)
    _print_json(answer) if as_json else sys.stdout.write(
        f"{answer.get('state', 'down')}: {answer.get('message', '')}\n"
    )
    raise typer.Exit(0 if answer.get("state") in ("green", "amber") else 1)


@app.command()
def status(config: Config = Path(_CONFIG), as_json: Json = False) -> None:
    """Say how feeds, stories and deliveries stand. Reads the database; works while the daemon is down."""
    from monitor import status as stands

    with _reading(config) as connection:
        standing = stands.read(connection, datetime.now(UTC))
    _print_json(standing.as_dict()) if as_json else sys.stdout.write(standing.as_text())
    raise typer.Exit(standing.exit_code)


@feed_app.command("list")
def feed_list(config: Config = Path(_CONFIG), as_json: Json = False) -> None:
    """List feeds with their state, entries and next poll."""
    from monitor import status as stands

    with _reading(config) as connection:
        rows = stands.feeds(connection)
    _print_json([row.as_dict() for row in rows]) if as_json else sys.stdout.write(stands.feed_table(rows))


@story_app.command("list")
def story_list(
    config: Config = Path(_CONFIG), limit: Annotated[int, typer.Option(help="How many.")] = 20, as_json: Json = False
) -> None:
    """List the stories with the newest mentions."""
    from monitor import status as stands

    with _reading(config) as connection:
        rows = stands.stories_of(connection, limit)
    _print_json([row.as_dict() for row in rows]) if as_json else sys.stdout.write(stands.story_table(rows))


@story_app.command("show")
def story_show(key: str, config: Config = Path(_CONFIG), as_json: Json = False) -> None:
    """Show one story: outlets in order, copies, answers, silences."""
    from monitor import status as stands

    with _reading(config) as connection:
        shown = stands.story(connection, key)
    if shown is None:
        _fail(f"there is no story {key}; storywatch story list shows them", 1)
    _print_json(shown.as_dict()) if as_json else sys.stdout.write(shown.as_text())


@outbox_app.command("list")
def outbox_list(
    config: Config = Path(_CONFIG),
    state: Annotated[
        str | None, typer.Option(help="ready, sending, sent, held, dead, superseded or discarded.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List deliveries, newest first."""
    from alerts.outbox import admin

    with _reading(config) as connection:
        rows = admin.listed(connection, state=state)
    if as_json:
        _print_json([dataclasses.asdict(row) for row in rows])
        return
    lines = [f"{r.delivery_id}  {r.state:10} {r.recipient:24} {r.subject}  {r.error or ''}".rstrip() for r in rows]
    sys.stdout.write("\n".join(lines or ["no deliveries"]) + "\n")


@outbox_app.command("retry")
def outbox_retry(delivery: str, config: Config = Path(_CONFIG)) -> None:
    """Send a dead or held delivery again, with the same id and bytes."""
    from alerts.outbox import admin

    with _writing(config) as connection:
        done = admin.retry(connection, datetime.now(UTC), delivery_id=delivery)
    _said(done, delivery)


@outbox_app.command("discard")
def outbox_discard(
    delivery: str, reason: Annotated[str, typer.Option(help="Why.")], config: Config = Path(_CONFIG)
) -> None:
    """Give a delivery up for good."""
    from alerts.outbox import admin

    with _writing(config) as connection:
        done = admin.discard(connection, reason, delivery_id=delivery)
    _said(done, delivery)


@silence_app.command(
    "add", epilog='Example: storywatch silence add --story st_0123456789 --for 24h --comment "covered"'
)
def silence_add(
    lasting: Annotated[str, typer.Option("--for", help="How long: 30m, 24h, 7d; at most 30d.")],
    comment: Annotated[str, typer.Option(help="Why; others see it.")],
    story: Annotated[str | None, typer.Option(help="The story's key.")] = None,
    outlet: Annotated[str | None, typer.Option(help="An outlet's domain; * and ? work.")] = None,
    watch: Annotated[str | None, typer.Option(help="A watch's name.")] = None,
    kind: Annotated[str | None, typer.Option(help="A kind of event, such as new_outlet.")] = None,
    responses: Annotated[bool, typer.Option(help="Mute governments' answers too.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Allow a silence that matches everything.")] = False,
    preview: Annotated[bool, typer.Option(help="Only say what it would have muted in the last 7 days.")] = False,
    author: Annotated[str, typer.Option(help="Who mutes.", envvar="USER")] = "operator",
    config: Config = Path(_CONFIG),
) -> None:
    """Mute what matches, for a while. Nothing is lost: at its end you are told what was muted."""
    from monitor import silences

    fields = {"story": story, "outlet": outlet, "watch": watch, "kind": kind}
    wish = silences.wish(fields, lasting, comment, author, responses=responses, now=datetime.now(UTC))
    with _writing(config) as connection:
        said = silences.preview(connection, wish) if preview else silences.add(connection, wish, everything=everything)
    sys.stdout.write(said)


@silence_app.command("list")
def silence_list(config: Config = Path(_CONFIG), as_json: Json = False) -> None:
    """List silences with what they have muted so far."""
    from alerts.outbox import muted

    with _reading(config) as connection:
        rows = muted.listed(connection, datetime.now(UTC))
    if as_json:
        _print_json([dataclasses.asdict(silence) | {"muted": count} for silence, count in rows])
        return
    lines = [f"{s.silence_id}  until {s.until:%d %b %H:%M}  {s.author}  {s.comment}  muted {n}" for s, n in rows]
    sys.stdout.write("\n".join(lines or ["no silences"]) + "\n")


@silence_app.command("end")
def silence_end(silence: str, config: Config = Path(_CONFIG)) -> None:
    """End a silence now; what it muted is told."""
    from alerts.outbox import muted

    now = datetime.now(UTC)
    with _writing(config) as connection:
        done = muted.end(connection, silence, os.environ.get("USER", "operator"), now)
    _said(int(done), silence)


def _said(done: int, delivery: str) -> None:
    if not done:
        _fail(f"{delivery}: no such delivery, or it is not in a state for this", 1)
    sys.stdout.write(f"{delivery}: done\n")


def _engine(config: Path) -> Any:
    from monitor import daemon
    from monitor.store import engine, migrate

    opened = engine.open_engine(daemon.storage_url(config, os.environ))
    engine.check_reachable(opened)
    migrate.refuse_other(opened)
    return opened


def _reading(config: Path) -> Any:
    from monitor.store import engine

    return engine.reading(_engine(config))


def _writing(config: Path) -> Any:
    return _engine(config).begin()
