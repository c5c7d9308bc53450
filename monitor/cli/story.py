"""`storywatch story`: who carries what."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from monitor.cli.root import CONFIG, Config, Json, fail, print_json, reading

app = typer.Typer(help="Look at stories: who carries them, who answered.", no_args_is_help=True)


@app.command("list")
def story_list(
    config: Config = CONFIG, limit: Annotated[int, typer.Option(help="How many.")] = 20, as_json: Json = False
) -> None:
    """List the stories with the newest mentions."""
    from monitor import status as stands

    with reading(config) as connection:
        rows = stands.stories_of(connection, limit)
    print_json([row.as_dict() for row in rows]) if as_json else sys.stdout.write(stands.story_table(rows))


@app.command("show")
def story_show(key: str, config: Config = CONFIG, as_json: Json = False) -> None:
    """Show one story: outlets in order, copies, answers, silences."""
    from monitor import status as stands

    with reading(config) as connection:
        shown = stands.story(connection, key)
    if shown is None:
        fail(f"there is no story {key}; storywatch story list shows them", 1)
    print_json(shown.as_dict()) if as_json else sys.stdout.write(shown.as_text())
