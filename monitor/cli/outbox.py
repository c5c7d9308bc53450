"""`storywatch outbox`: deliveries."""

from __future__ import annotations

import dataclasses
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from monitor.cli.root import CONFIG, Config, Json, print_json, reading, said, writing

app = typer.Typer(help="Look at deliveries, send them again or give them up.", no_args_is_help=True)


@app.command("list")
def outbox_list(
    config: Config = CONFIG,
    state: Annotated[
        str | None, typer.Option(help="ready, sending, sent, held, dead, superseded or discarded.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List deliveries, newest first."""
    from alerts.outbox import admin

    with reading(config) as connection:
        rows = admin.listed(connection, state=state)
    if as_json:
        print_json([dataclasses.asdict(row) for row in rows])
        return
    lines = [f"{r.delivery_id}  {r.state:10} {r.recipient:24} {r.subject}  {r.error or ''}".rstrip() for r in rows]
    sys.stdout.write("\n".join(lines or ["no deliveries"]) + "\n")


@app.command("retry")
def outbox_retry(delivery: str, config: Config = CONFIG) -> None:
    """Send a dead or held delivery again, with the same id and bytes."""
    from alerts.outbox import admin

    with writing(config) as connection:
        done = admin.retry(connection, datetime.now(UTC), delivery_id=delivery)
    said(done, delivery)


@app.command("discard")
def outbox_discard(delivery: str, reason: Annotated[str, typer.Option(help="Why.")], config: Config = CONFIG) -> None:
    """Give a delivery up for good."""
    from alerts.outbox import admin

    with writing(config) as connection:
        done = admin.discard(connection, reason, delivery_id=delivery)
    said(done, delivery)
