"""`storywatch feed`: what is polled."""

from __future__ import annotations

import sys

import typer

from monitor.cli.root import CONFIG, Config, Json, print_json, reading

app = typer.Typer(help="Look at feeds: what is polled, when next, and why.", no_args_is_help=True)


@app.command("list")
def feed_list(config: Config = CONFIG, as_json: Json = False) -> None:
    """List feeds with their state, entries and next poll."""
    from monitor import status as stands

    with reading(config) as connection:
        rows = stands.feeds(connection)
    print_json([row.as_dict() for row in rows]) if as_json else sys.stdout.write(stands.feed_table(rows))
