"""`storywatch story`: who carries what."""

from __future__ import annotations

import dataclasses
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.root import CONFIG, USAGE, Config, Json, fail, operator, print_json, reading, writing
from monitor.values import EntryId, StoryKey

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from alerts import route

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


@app.command("merge", epilog="Example: storywatch story merge st_0123456789 st_abcdefghij")
def story_merge(
    keys: Annotated[list[str], typer.Argument(help="Two or more keys; the oldest story keeps its own.")],
    note: Annotated[str, typer.Option(help="Why; kept with the correction.")] = "",
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Make one story of several. The other keys lead to it, readers of both hear of it, nothing is told again."""
    from monitor import retelling, stories

    now = datetime.now(UTC)
    with writing(config) as connection:
        changes = stories.merge(connection, [StoryKey(key) for key in keys], operator(), now, note)
        retelling.tell(connection, changes, _plan(connection, config), now)
    if as_json:
        print_json([dataclasses.asdict(change) for change in changes])
        return
    for change in changes:
        moved = f"{len(change.entries)} entries moved" if len(change.entries) != 1 else "1 entry moved"
        sys.stdout.write(f"{', '.join(change.gone)} is now {change.story}: {moved}\n")


@app.command("split", epilog="Example: storywatch story split 4711 4712 --note 'another flight'")
def story_split(
    entries: Annotated[list[int], typer.Argument(help="Numbers of entries that do not belong; story show has them.")],
    note: Annotated[str, typer.Option(help="Why; kept with the correction.")] = "",
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Give entries of a story a story of their own. The machine will not join them again."""
    from monitor import retelling, stories

    now = datetime.now(UTC)
    with writing(config) as connection:
        change = stories.split(connection, [EntryId(n) for n in entries], operator(), now, note)
        retelling.tell(connection, (change,), _plan(connection, config), now)
    if as_json:
        print_json(dataclasses.asdict(change))
        return
    sys.stdout.write(f"{change.story}: {len(change.entries)} entries have a story of their own\n")


def _plan(connection: Connection, config: Path) -> route.Plan:
    """Who hears of a correction: the configuration's recipients, under the revision the daemon runs."""
    from monitor import wiring
    from monitor.config import api, locating
    from monitor.store import revisions

    loaded = api.load(locating.config_file(config), os.environ, with_secrets=False)
    good = revisions.newest_good(connection)
    return wiring.plan_of(loaded, good.no if good else 0)


label_app = typer.Typer()


@label_app.command(
    "label",
    epilog="Example: storywatch label st_0123456789 wrong --note 'a football match'\n\n"
    "Or: storywatch label --missed https://outlet.example/article",
)
def label(
    subject: Annotated[str | None, typer.Argument(help="A story's key, an entry's number or an address.")] = None,
    verdict: Annotated[str | None, typer.Argument(help="right or wrong.")] = None,
    missed: Annotated[str | None, typer.Option(help="The address of an article that should have been told.")] = None,
    note: Annotated[str, typer.Option(help="Why.")] = "",
    export: Annotated[bool, typer.Option("--export", help="Print all labels as JSON Lines.")] = False,
    config: Config = CONFIG,
) -> None:
    """Say what storywatch got right, wrong or missed. Labels are kept for tuning; nothing is told again."""
    from monitor import stories
    from monitor.store.corrections import Verdict

    if export:
        with reading(config) as connection:
            sys.stdout.writelines(f"{line}\n" for line in stories.labelled(connection))
        return
    if missed is not None:
        subject, verdict = missed, Verdict.MISSED
    if subject is None or verdict not in (Verdict.RIGHT, Verdict.WRONG, Verdict.MISSED):
        fail("label what? storywatch label KEY right|wrong, or --missed ADDRESS", USAGE)
    with writing(config) as connection:
        kept = stories.label(connection, subject, Verdict(verdict), operator(), datetime.now(UTC), note)
    where = f", story {kept.story}" if kept.story else ""
    sys.stdout.write(f"{kept.subject}: {kept.verdict}{where}\n")
