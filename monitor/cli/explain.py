"""`storywatch explain`: why an article did, or did not, become an alert."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from monitor.cli.root import CONFIG, Config, Json, fail, print_json

app = typer.Typer()


@app.command(epilog="Example: storywatch explain https://outlet.example/article\n\nOr: pbpaste | storywatch explain -")
def explain(
    what: Annotated[str, typer.Argument(help="An article's address, an entry's number, a text file, or - for stdin.")],
    config: Config = CONFIG,
    title: Annotated[str | None, typer.Option(help="The title of a text; else its first line.")] = None,
    lang: Annotated[str | None, typer.Option(help="The language of a text; else it is recognised.")] = None,
    outlet: Annotated[str | None, typer.Option(help="Whose text it is: a domain or a name.")] = None,
    at: Annotated[datetime | None, typer.Option(help="When a text was published (UTC); else now.")] = None,
    spans: Annotated[bool, typer.Option("--spans", help="Show actors, verbs and guards sentence by sentence.")] = False,
    watch: Annotated[str | None, typer.Option(help="Only this watch, with every part of its query.")] = None,
    as_json: Json = False,
) -> None:
    """Say why an article did, or did not, become an alert: every stage, for and against.

    A stored entry is explained by what was decided then. Anything else is worked out and marked "would"; the page of
    an address that is not stored is fetched, as politely as the daemon would.
    """
    from monitor.explain import running
    from monitor.explain.subject import Wish

    wish = Wish(what, title, lang, outlet, at.replace(tzinfo=UTC) if at else None)
    text = sys.stdin.read() if what == "-" else None
    told = asyncio.run(running.explain(wish, text, config, os.environ, datetime.now(UTC)))
    if watch is not None:
        _one_watch(told, watch)
        return
    if as_json:
        print_json(told.as_dict())
        return
    from monitor.explain import rendering

    sys.stdout.write(rendering.as_text(told, colour=sys.stdout.isatty(), spans=spans))


def _one_watch(told: Any, name: str) -> None:
    trees = {one.watch: one.tree or one.why for one in told.watches}
    if name not in trees:
        fail(f"there is no watch {name}; the watches are {', '.join(trees)}", 1)
    sys.stdout.write(trees[name] + "\n")
