"""What a changed configuration would have done, before it counts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.cli.root import CONFIG, USAGE, Json, fail, log_quietly, open_engine

LOST = 4
app = typer.Typer()


@app.command(epilog="Example: storywatch backtest --config candidate.yaml --since 30d --fail-if-lost")
def backtest(
    candidate: Annotated[Path, typer.Option("--config", "-c", help="The configuration to try.")] = CONFIG,
    running: Annotated[
        Path | None,
        typer.Option("--running", help="What it is compared with; the running revision unless given."),
    ] = None,
    since: Annotated[str, typer.Option(help="How far back, such as 7d or 12h.")] = "30d",
    label: Annotated[list[Path] | None, typer.Option(help="JSON Lines: story, entry or url; verdict.")] = None,
    entries: Annotated[
        Path | None, typer.Option(help="Replay this recorded stream (as for replay) instead of what is stored.")
    ] = None,
    fail_if_lost: Annotated[
        bool, typer.Option("--fail-if-lost", help="End with 4 when a labelled story would be missed.")
    ] = False,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Propose small changes that would have saved most messages.")
    ] = False,
    show_lost: Annotated[bool, typer.Option("--show-lost", help="List every lost story and alert.")] = False,
    show_new: Annotated[bool, typer.Option("--show-new", help="List every new story and alert.")] = False,
    as_digest: Annotated[
        Path | None, typer.Option(help="Write what the candidate would have sent into this folder.")
    ] = None,
    as_html: Annotated[Path | None, typer.Option("--html", help="Write the comparison as a page.")] = None,
    as_json: Json = False,
) -> None:
    """Replay stored history with the running and a candidate configuration, and say what differs and why.

    Nothing is fetched or sent, and nothing stored changes.
    """
    from monitor.backtest import compare, report

    log_quietly()
    new = _file(candidate)
    with _source(entries, _home(candidate, running)) as (engine, stored):
        old, name = (_file(running), str(running)) if running else stored or (new, str(candidate))
        labels = _labels(engine, label or [])
        kept = _Kept(as_digest, suggest, labels, old)
        with _progress() as progress:
            found = compare.compare(
                engine, old, new, _span(engine, since), labels, progress=progress, on_passes=kept.look
            )
    names = (name, str(candidate))
    sys.stdout.write(
        report.as_json(found, names)
        if as_json
        else report.text(
            found, names, lost=10**6 if show_lost else report.SHOWN, new=10**6 if show_new else report.SHOWN
        )
    )
    for line in kept.told():
        (sys.stderr if as_json else sys.stdout).write(f"{line}\n")
    if as_html is not None:
        as_html.write_text(report.page(found, names), encoding="utf-8")
    if fail_if_lost and found.loses_label:
        raise typer.Exit(LOST)


def _home(candidate: Path, running: Path | None) -> Path:
    """The file that names the database: the one in use, where there is one beside the candidate."""
    if running is not None:
        return running
    usual = Path(os.environ.get("STORYWATCH_CONFIG", CONFIG))
    return usual if usual.exists() else candidate


def _file(path: Path) -> Any:
    """Read a configuration; a faulty one is not tried. Errors: ConfigError."""
    from monitor.backtest import compare
    from monitor.config import api

    content = api.read_file(path)
    config = api.parse_bytes(content, os.environ, file=str(path), with_secrets=False)
    return compare.File(config, content.decode("utf-8-sig"))


@contextmanager
def _source(stream: Path | None, config: Path) -> Iterator[tuple[Any, tuple[Any, str] | None]]:
    """The history to replay, and the running revision where there is one."""
    if stream is not None:
        with _recorded(stream, config) as engine:
            yield engine, None
        return
    engine = open_engine(config)
    try:
        yield engine, _running(engine)
    finally:
        engine.dispose()


def _running(engine: Any) -> tuple[Any, str] | None:
    from monitor.backtest import compare
    from monitor.config import api
    from monitor.store import engine as engines
    from monitor.store import revisions

    with engines.reading(engine) as connection:
        good = revisions.newest_good(connection)
    if good is None:
        return None
    name = f"revision {good.no}"
    return compare.File(api.parse_text(good.text, os.environ, file=name, with_secrets=False), good.text), name


@contextmanager
def _recorded(stream: Path, config: Path) -> Iterator[Any]:
    """A database made of a recorded stream."""
    import tempfile

    from monitor import replay
    from monitor.config import api
    from monitor.store import engine as engines

    if not stream.is_file():
        fail(f"{stream}: there is no such file", 1)
    loaded = api.load(config, os.environ, with_secrets=False)
    with tempfile.TemporaryDirectory(prefix="storywatch-") as folder:
        with stream.open(encoding="utf-8", errors="replace") as rows:
            replay.play(replay.read(rows, sys.stderr), loaded, Path(folder), lambda line: None)
        engine = engines.open_engine(f"sqlite:///{folder}/replay.db")
        try:
            yield engine
        finally:
            engine.dispose()


def _span(engine: Any, since: str) -> Any:
    from monitor.backtest import compare
    from monitor.config import units
    from monitor.store import engine as engines

    try:
        back = units.duration(since)
    except ValueError:
        fail(f"--since {since}: a duration such as 30d or 12h", USAGE)
    with engines.reading(engine) as connection:
        span = compare.span_of(connection, back)
    if span is None:
        fail("nothing is stored yet: there is no history to replay", 1)
    return span


def _labels(engine: Any, files: list[Path]) -> list[Any]:
    from monitor.backtest import labels
    from monitor.store import engine as engines

    found: list[Any] = []
    with engines.reading(engine) as connection:
        found += labels.stored(connection)
        for file in files:
            if not file.is_file():
                fail(f"{file}: there is no such file", 1)
            found += labels.read(connection, file.read_text(encoding="utf-8").splitlines(), str(file))
    return found


class _Kept:
    """What is wanted of the two passes before their databases go."""

    def __init__(self, folder: Path | None, suggest: bool, labels: list[Any], running: Any) -> None:
        self._folder, self._suggest, self._labels, self._file = folder, suggest, labels, running
        self._made: tuple[Any, ...] = ()

    def look(self, old: Any, new: Any, before: Any) -> None:
        """Write the digests, and try small changes."""
        if self._folder is not None:
            _write_digests(self._folder, new)
        if self._suggest:
            from monitor.backtest import causes, suggest

            side = causes.Side(old.config, self._file.document, old.plan_context)
            self._made = suggest.suggestions(old, before, side, self._labels)

    def told(self) -> Iterator[str]:
        """The suggestions as lines."""
        if self._suggest and not self._made:
            yield "no single term or outlet could go without a loss"
        for one in self._made[:5]:
            yield f"suggestion: {one}"


def _write_digests(folder: Path, new: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, (message, body) in enumerate(new.bodies(), start=1):
        to = message.recipient.replace("/", "-").replace(os.sep, "-")
        (folder / f"{number:05d}-{message.at:%Y%m%dT%H%M%SZ}-{message.form}-{to}.txt").write_text(body, "utf-8")


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr where a person watches."""
    if not sys.stderr.isatty():
        yield lambda done, of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("replaying", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
