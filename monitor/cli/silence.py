"""`storywatch silence`: mutes made by people."""

from __future__ import annotations

import dataclasses
import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from monitor.cli.root import CONFIG, Config, Json, fail, print_json, reading, writing

app = typer.Typer(help="Mute a story, an outlet or a watch for a while.", no_args_is_help=True)


@app.command("add", epilog='Example: storywatch silence add --story st_0123456789 --for 24h --comment "covered"')
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
    config: Config = CONFIG,
) -> None:
    """Mute what matches, for a while. Nothing is lost: at its end you are told what was muted."""
    from monitor import silences

    fields = {"story": story, "outlet": outlet, "watch": watch, "kind": kind}
    wish = silences.wish(fields, lasting, comment, author, responses=responses, now=datetime.now(UTC))
    with writing(config) as connection:
        text = silences.preview(connection, wish) if preview else silences.add(connection, wish, everything=everything)
    sys.stdout.write(text)


@app.command("list")
def silence_list(config: Config = CONFIG, as_json: Json = False) -> None:
    """List silences with what they have muted so far."""
    from alerts.outbox import muted

    with reading(config) as connection:
        rows = muted.listed(connection, datetime.now(UTC))
    if as_json:
        print_json([dataclasses.asdict(silence) | {"muted": count} for silence, count in rows])
        return
    lines = [f"{s.silence_id}  until {s.until:%d %b %H:%M}  {s.author}  {s.comment}  muted {n}" for s, n in rows]
    sys.stdout.write("\n".join(lines or ["no silences"]) + "\n")


@app.command("end")
def silence_end(silence: str, config: Config = CONFIG) -> None:
    """End a silence now; what it muted is told."""
    from alerts.outbox import muted

    now = datetime.now(UTC)
    with writing(config) as connection:
        done = muted.end(connection, silence, os.environ.get("USER", "operator"), now)
    if not done:
        fail(f"{silence}: no such silence, or it is over; storywatch silence list shows them", 1)
    sys.stdout.write(f"{silence} ended; what it muted is told\n")
