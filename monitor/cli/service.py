"""The daemon and its database: run it, poll once, ask how it stands."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer

from monitor.cli.root import CONFIG, Config, Json, print_json, reachable, reading

app = typer.Typer()
_PRETTY = ("rich", "pygments")


@app.command(epilog="Example: storywatch run --config config.yaml --port 8081")
def run(
    config: Config = CONFIG,
    port: Annotated[int | None, typer.Option(help="Port of the page, instead of web.listen's.")] = None,
    role: Annotated[
        Literal["all", "web", "worker"],
        typer.Option(help="With engine.kind pgqueuer: web shows pages and may lead, worker polls and sends."),
    ] = "all",
    wait: Annotated[int, typer.Option(min=0, help="Seconds to wait for a database that does not answer.")] = 60,
) -> None:
    """Poll, match and deliver until asked to stop (SIGTERM, Ctrl-C)."""
    with plainly():
        from monitor import daemon

    patience = timedelta(seconds=wait)
    raise typer.Exit(daemon.run(config, os.environ, port=port, role=daemon.Role(role), wait=patience))


@contextmanager
def plainly() -> Iterator[None]:
    """Load a daemon without rich, and without looking for garbage in between.

    structlog and httpx load rich with its colouring of source code where it is installed: 0.15 s and 6 MB of a process
    that writes lines of JSON. Both do without it; `db` uses it.
    """
    loaded = {name: sys.modules.get(name) for name in _PRETTY}
    sys.modules |= dict.fromkeys(_PRETTY)  # type: ignore[arg-type]  # to import one fails
    gc.disable()  # `daemon.run` goes on so
    try:
        yield
    finally:
        for name, module in loaded.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


@app.command(epilog="Example: storywatch poll --once --ignore-schedule")
def poll(
    config: Config = CONFIG,
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


@app.command()
def migrate(config: Config = CONFIG) -> None:
    """Bring the database to the newest schema. `run` does this by itself."""
    from monitor.store import migrate

    changed = migrate.ensure(reachable(config))
    _make_queue(config)
    sys.stdout.write(f"schema {migrate.HEAD}{'' if changed else ', already there'}\n")


def _make_queue(config: Path) -> None:
    """Make the tables of the queue too, where several processes share the work."""
    from monitor.config import api, locating
    from monitor.errors import ConfigError

    try:
        loaded = api.load(locating.config_file(config), os.environ, with_secrets=False)
    except ConfigError:  # a file that cannot be read names no engine; `check` and `run` say what is wrong with it
        return
    if loaded.engine.kind != "pgqueuer":
        return
    from monitor.daemon import crew, running

    url = locating.storage_url(config, os.environ)
    crew.refuse_odd(loaded, url, running.Role.ALL)
    from monitor.engines import distributed  # an extra

    asyncio.run(distributed.install(locating.direct_url_of(loaded, os.environ) or url))


@app.command()
def health(config: Config = CONFIG, as_json: Json = False) -> None:
    """Ask the running daemon how it is; ends with 0 when it is well. For container health checks."""
    from monitor import daemon

    answer = daemon.ask_health(config, os.environ)
    print_json(answer) if as_json else sys.stdout.write(f"{answer.get('state', 'down')}: {answer.get('message', '')}\n")
    raise typer.Exit(0 if answer.get("state") in ("green", "amber") else 1)


@app.command()
def status(config: Config = CONFIG, as_json: Json = False) -> None:
    """Say how feeds, stories and deliveries stand. Reads the database; works while the daemon is down."""
    from monitor import status as stands
    from monitor.feed import admin

    insecure = admin.insecure_feeds(config, os.environ)
    with reading(config) as connection:
        standing = stands.read(connection, datetime.now(UTC), insecure)
    print_json(standing.as_dict()) if as_json else sys.stdout.write(standing.as_text())
    raise typer.Exit(standing.exit_code)


COMMANDS = frozenset(one.name or one.callback.__name__ for one in app.registered_commands if one.callback)
"""What is here, so that the command line finds it without building the rest."""
