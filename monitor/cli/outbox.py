"""`storywatch outbox`: deliveries."""

from __future__ import annotations

import dataclasses
import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from monitor.cli.root import CONFIG, USAGE, Config, Json, fail, print_json, reading, writing

app = typer.Typer(help="Look at deliveries, send them again or give them up.", no_args_is_help=True)
Which = Annotated[str | None, typer.Argument(help="A delivery's id; left out with --channel.")]
Of = Annotated[str | None, typer.Option(help="All deliveries of this channel that are in a state for it.")]


@app.command("list")
def outbox_list(
    config: Config = CONFIG,
    state: Annotated[
        str | None, typer.Option(help="ready, sending, sent, held, dead, superseded or discarded.")
    ] = None,
    channel: Annotated[str | None, typer.Option(help="Only this channel's.")] = None,
    as_json: Json = False,
) -> None:
    """List deliveries, newest first."""
    from alerts.outbox import admin

    with reading(config) as connection:
        rows = admin.listed(connection, state=state, channel=channel)
    if as_json:
        print_json([dataclasses.asdict(row) for row in rows])
        return
    lines = [f"{r.delivery_id}  {r.state:10} {r.recipient:24} {r.subject}  {r.error or ''}".rstrip() for r in rows]
    sys.stdout.write("\n".join(lines or ["no deliveries"]) + "\n")


@app.command("show", epilog="Example: storywatch outbox show dlv_01JXYZ --body")
def outbox_show(
    delivery: str,
    config: Config = CONFIG,
    body: Annotated[bool, typer.Option("--body", help="Print the stored bytes and nothing else.")] = False,
    as_json: Json = False,
) -> None:
    """Show one delivery: its state, every attempt and how it ended, what it tells."""
    from alerts.outbox import admin

    with reading(config) as connection:
        shown = admin.show(connection, delivery)
    if shown is None:
        fail(f"{delivery}: no such delivery; storywatch outbox list shows them", 1)
    if body:
        sys.stdout.buffer.write(shown.body)
    elif as_json:
        attempts = [dataclasses.asdict(attempt) for attempt in shown.attempts]
        print_json(dataclasses.asdict(shown.row) | {"attempts": attempts})
    else:
        sys.stdout.write(admin.as_text(shown))


@app.command("retry")
def outbox_retry(delivery: Which = None, channel: Of = None, config: Config = CONFIG) -> None:
    """Send dead or held deliveries again, with the same id and bytes."""
    from alerts.outbox import admin

    _need(delivery, channel)
    with writing(config) as connection:
        _said(admin.retry(connection, datetime.now(UTC), delivery_id=delivery, channel=channel), "ready again")


@app.command("discard")
def outbox_discard(
    reason: Annotated[str, typer.Option(help="Why.")],
    delivery: Which = None,
    channel: Of = None,
    config: Config = CONFIG,
) -> None:
    """Give deliveries up for good; what they tell rides along once with the next message."""
    from alerts.outbox import admin

    _need(delivery, channel)
    with writing(config) as connection:
        _said(admin.discard(connection, reason, delivery_id=delivery, channel=channel), "discarded")


@app.command("move", epilog="Example: storywatch outbox move --channel old-desk --to desk")
def outbox_move(
    to: Annotated[str, typer.Option(help="The channel that tells it instead.")],
    delivery: Which = None,
    channel: Of = None,
    config: Config = CONFIG,
) -> None:
    """Tell what waits or is held over another channel, rendered anew for it."""
    from alerts.outbox import admin
    from monitor import wiring
    from monitor.config import api, locating

    _need(delivery, channel)
    read = api.load(locating.config_file(config), os.environ, with_secrets=False)
    recipients = wiring.plan_of(read, 0).of_channel(to)
    if not recipients:
        fail(f"--to {to}: no such channel", 1)
    with writing(config) as connection:
        moved = admin.move(connection, recipients, datetime.now(UTC), delivery_id=delivery, channel=channel)
        _said(moved, f"told over {to} instead")


@app.command("resolve")
def outbox_resolve(config: Config = CONFIG) -> None:
    """Let go what was held because an older database was put back; Slack is asked first what it has."""
    from alerts.outbox import admin
    from monitor import wiring
    from monitor.config import api, locating

    read = api.load(locating.config_file(config), os.environ, with_secrets=False)
    askable = [name for name, channel in wiring.channels_of(read).items() if channel.manners.can_ask]
    with writing(config) as connection:
        _said(admin.resolve(connection, askable, datetime.now(UTC)), "let go")


def _need(delivery: str | None, channel: str | None) -> None:
    if (delivery is None) == (channel is None):
        fail("name a delivery, or a channel with --channel", USAGE)


def _said(done: int, what: str) -> None:
    """Say how many deliveries something was done to, or fail when there was none."""
    if not done:
        fail("no such delivery, or it is not in a state for this; storywatch outbox list shows them", 1)
    sys.stdout.write(f"{done} {'delivery' if done == 1 else 'deliveries'} {what}\n")
