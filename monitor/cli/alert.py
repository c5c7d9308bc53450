"""`storywatch test-alert` and `storywatch recipient`: whether messages arrive, and who gets none."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.root import CONFIG, Config, Json, fail, log_quietly, open_engine, print_json, reading, writing

app = typer.Typer()
recipients = typer.Typer(help="Who is set aside: unsubscribed, or refused by their server.", no_args_is_help=True)


@app.command("test-alert", epilog="Example: storywatch test-alert --to desk --dry")
def send_test(
    to: Annotated[str, typer.Option(help="The channel to try.")],
    story: Annotated[str | None, typer.Option(help="Send this stored story instead of a made-up one.")] = None,
    dry: Annotated[bool, typer.Option("--dry", help="Write the message to files in --out and send nothing.")] = False,
    out: Annotated[Path, typer.Option(help="Where --dry writes.")] = Path("out"),
    config: Config = CONFIG,
) -> None:
    """Send a message that is marked as a test through the outbox, and say what the channel answered."""
    from alerts.outbox import admin
    from monitor import trial, wiring
    from monitor.config import api, locating

    read = api.load(locating.config_file(config), os.environ, with_secrets=False)
    plan, channels, now = wiring.plan_of(read, 0), wiring.channels_of(read), datetime.now(UTC)
    events = None
    if story is not None:
        with reading(config) as connection:
            events = [event for event, _ in admin.events_of(connection, story)]
    log_quietly()
    trials = trial.make(plan, channels, to, events, now)
    _say(trial.write(trials, out) if dry else trial.send(open_engine(config), plan, channels, trials, now))


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line)
        sys.stdout.flush()


@recipients.command("list")
def recipient_list(config: Config = CONFIG, as_json: Json = False) -> None:
    """List the recipients that get no messages, since when and why."""
    from alerts.outbox import acts

    with reading(config) as connection:
        rows = acts.aside(connection)
    if as_json:
        print_json([{"recipient": name, "since": since, "reason": reason} for name, (since, reason) in rows.items()])
        return
    lines = [f"{name}  {reason} since {since:%d %b %H:%M} UTC" for name, (since, reason) in rows.items()]
    sys.stdout.write("\n".join(lines or ["nobody is set aside"]) + "\n")


@recipients.command("resume")
def recipient_resume(recipient: str, config: Config = CONFIG) -> None:
    """Send to a recipient again what is new from now on."""
    from alerts.outbox import acts

    with writing(config) as connection:
        done = acts.resume(connection, recipient)
    if not done:
        fail(f"{recipient} is not set aside; storywatch recipient list shows who is", 1)
    sys.stdout.write(f"{recipient} gets messages again\n")
