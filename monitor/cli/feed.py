"""`storywatch feed`: what is polled, when next and why; feeds added, removed and asked for by hand."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.root import CONFIG, Config, Json, bar, fail, print_json, print_json_list, reading, writing
from monitor.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

app = typer.Typer(help="Look at feeds and change them: what is polled, when next, and why.", no_args_is_help=True)
Url = Annotated[str, typer.Argument(help="The feed's address; https:// or http://, as config.yaml has it.")]

Dry = Annotated[bool, typer.Option("--dry", help="Only print what would change: of config.yaml, as a diff.")]
ToStore = Annotated[
    bool, typer.Option("--to-store", help="Into the database instead of config.yaml, which may hold 1 MiB.")
]


@contextmanager
def _looking_at(config: Path, url: str) -> Iterator[tuple[Any, Any]]:
    """Give a connection that reads, and what is known of one feed."""
    from monitor.config import api, locating
    from monitor.feed import facts

    known = api.load(locating.config_file(config), os.environ, with_secrets=False)
    with reading(config) as connection:
        yield connection, facts.of(connection, url, known, datetime.now(UTC))


@app.command("list", epilog="Example: storywatch feed list --failing")
def feed_list(
    config: Config = CONFIG,
    failing: Annotated[
        bool, typer.Option("--failing", help="Only those that failed last, or are amber or red.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List feeds, the worst first: colour, entries, last new one, next poll and why; any number of them.

    One that stands in the database, or in both, says so.
    """
    from monitor import status as stands
    from monitor.feed import admin
    from monitor.store import feeds

    known = admin.configured_feeds(config, os.environ)
    with reading(config) as connection:
        look = stands.Look(connection, datetime.now(UTC), admin.insecure_of(known), known)
        found = look.by_turns(failing=failing)
        if as_json:
            print_json_list(row.as_dict() for row in found)
            return
        first = next(found, None)
        if first is None and failing:
            sys.stdout.write(f"none of {feeds.count(connection)} feeds is failing\n")
            return
        sys.stdout.writelines(stands.feed_texts(chain([first], found) if first else ()))


@app.command("show", epilog="Example: storywatch feed show https://outlet.example/rss --raw > body.xml")
def feed_show(
    url: Url,
    config: Config = CONFIG,
    raw: Annotated[bool, typer.Option("--raw", help="Write the newest kept body to stdout, byte for byte.")] = False,
    number: Annotated[int, typer.Option("-n", help="Which body --raw writes: 2 is the one before the newest.")] = 1,
    kept: Annotated[bool, typer.Option("--documents", help="List the kept bodies and what they are.")] = False,
    as_json: Json = False,
) -> None:
    """Show what is stored of a feed: address and moves, state, rhythm, newest entries, pages."""
    from monitor.feed import views

    with _looking_at(config, url) as (connection, facts):
        if raw:
            sys.stdout.buffer.write(views.raw(connection, facts, number))
            return
        shown = views.show(connection, facts)
    if kept:
        documents = shown.documents
        rows = views.document_rows(documents)
        print_json(rows) if as_json else sys.stdout.write(views.document_table(documents))
        return
    print_json(shown.as_dict()) if as_json else sys.stdout.write(shown.as_text())


@app.command("explain", epilog="Example: storywatch feed explain https://outlet.example/rss")
def feed_explain(url: Url, config: Config = CONFIG, as_json: Json = False) -> None:
    """Say why a feed's next poll is when it is, what it will send, and what the last 30 fetches brought."""
    from monitor.feed import explanation as explaining

    with _looking_at(config, url) as (connection, facts):
        told = explaining.explain(connection, facts)
    print_json(told.as_dict()) if as_json else sys.stdout.write(told.as_text())


@app.command("refresh", epilog="Example: storywatch feed refresh https://outlet.example/rss")
def feed_refresh(url: Url, config: Config = CONFIG, as_json: Json = False) -> None:
    """Make a feed due now. Never within 10 minutes of its last attempt, and no hold is lifted."""
    from monitor.config import api, locating
    from monitor.feed import admin, facts

    known = api.load(locating.config_file(config), os.environ, with_secrets=False)
    with writing(config) as connection:
        about = facts.of(connection, url, known, datetime.now(UTC))
        done = admin.refresh(connection, about)
    print_json({"url": about.row.url, "due": True}) if as_json else sys.stdout.write(done)


@app.command("undo-move", epilog="Example: storywatch feed undo-move https://outlet.example/rss")
def feed_undo_move(url: Url, config: Config = CONFIG) -> None:
    """Take the last move back that was learnt from a redirect: the feed is asked at its old address again."""
    from monitor.feed import admin

    with writing(config) as connection:
        done = admin.undo_move(connection, url, datetime.now(UTC))
    sys.stdout.write(done)


@app.command("remove", epilog="Example: storywatch feed remove https://outlet.example/rss --dry")
def feed_remove(url: Url, config: Config = CONFIG, dry: Dry = False, as_json: Json = False) -> None:
    """Take a feed out of config.yaml and the database, and ask it no more; its entries and stories stay."""
    from monitor.feed import admin

    edit, removed = admin.removal_anywhere(config, url, os.environ, lambda: reading(config))
    if dry:
        sys.stdout.write(edit.diff() if edit else f"{removed} would be taken out of the database\n")
        return
    if edit is not None:
        edit.write()
    try:
        with writing(config) as connection:
            stored = admin.pause(connection, removed)
    except StoreError as exc:  # the file is edited, and the next start pauses the row
        stored = False
        sys.stderr.write(f"{exc}\n")
    if as_json:
        print_json({"removed": removed, "paused": stored})
        return
    kept = "; it is asked no more, its entries stay" if stored else "; it was never polled"
    sys.stdout.write(f"removed {removed} from {config if edit else 'the database'}{kept}\n")


@app.command("add", epilog="Example: storywatch feed add https://outlet.example/ --tags serbia,daily --dry")
def feed_add(
    url: Annotated[str, typer.Argument(help="A feed's address, or a page that offers one.")],
    tags: Annotated[str, typer.Option(help="Words that watches choose feeds by, with commas between.")] = "",
    outlet: Annotated[
        str | None, typer.Option(help="The outlet it belongs to, by domain; else its entries say.")
    ] = None,
    pick: Annotated[int | None, typer.Option(help="Which of the feeds that a page offers, from 1.")] = None,
    to_store: ToStore = False,
    config: Config = CONFIG,
    dry: Dry = False,
    as_json: Json = False,
) -> None:
    """Add a feed to config.yaml and store what it answers now as its first poll: one request, two with a page.

    With --to-store it stands in the database instead. Where a page offers several feeds they are listed, nothing is
    added, and the exit code is 1.
    """
    from monitor.feed import adding

    wish = adding.Wish(url, _tags(tags), outlet, pick, dry, to_store)
    done = adding.add(config, wish, os.environ)
    print_json(done.as_dict()) if as_json else sys.stdout.write(done.as_text())
    raise typer.Exit(done.exit_code)


def _tags(written: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag.strip() for tag in written.split(",") if tag.strip()))


@app.command("discover", epilog="Example: storywatch feed discover https://outlet.example/")
def feed_discover(
    url: Annotated[str, typer.Argument(help="A page, or a feed.")], config: Config = CONFIG, as_json: Json = False
) -> None:
    """List the feeds that a page offers; a feed says what it is. One request, nothing is stored."""
    from monitor.feed import adding

    found = adding.discover(config, url, os.environ)
    print_json(found.as_dict()) if as_json else sys.stdout.write(found.as_text())


@app.command("import", epilog="Example: storywatch feed import many.jsonl --to-store --tags imported --dry")
def feed_import(
    file: Annotated[
        Path,
        typer.Argument(
            help="A list of feeds: OPML from any reader; with --to-store also addresses, or JSON objects, one a line; "
            "- reads stdin.",
            allow_dash=True,
        ),
    ],
    to_store: ToStore = False,
    tags: Annotated[str, typer.Option(help="Tags for all of them, beside their folders and categories.")] = "",
    config: Config = CONFIG,
    dry: Dry = False,
    as_json: Json = False,
) -> None:
    """Add the feeds of a list to config.yaml, or to the database: folders and categories become tags, titles notes.

    Feeds that are there already are skipped; outlines or lines that cannot be used are named by line. Asks no server.
    A line of JSON has the keys of a feed in config.yaml but for secrets, and may change a feed of the database.
    """
    from dataclasses import replace

    from monitor.feed import lists

    if to_store:
        _import_to_store(config, file, _tags(tags), dry=dry, as_json=as_json)
        return
    done = lists.prepare(config, file, _tags(tags), os.environ)
    if done.edit is not None and not dry:
        done.edit.write()
        done = replace(done, written=True)
    sys.stderr.write(done.left_out(file))
    print_json(done.as_dict()) if as_json else sys.stdout.write(done.as_text())


def _import_to_store(config: Path, file: Path, tags: tuple[str, ...], *, dry: bool, as_json: bool) -> None:
    """Read a list piece by piece and write it a thousand feeds at a time."""
    from monitor.errors import MonitorError
    from monitor.feed import admin, formats, storing

    known, url = admin.database_of(config, os.environ)
    work = storing.Import(known, str(file), tags, datetime.now(UTC), dry=dry)
    with formats.opened(file) as (stream, size), bar(f"importing {file}") as tell, ExitStack() as stack:
        opening = stack.enter_context(storing.transactions(url, known, os.environ, dry=dry))

        def told(lines: int) -> None:
            tell(stream.tell() if size else lines, size)

        try:
            work.run(formats.read(stream), opening, told)
        except MonitorError:  # a list that breaks off: what came before is stored, and said
            sys.stderr.write(work.done.told(str(file)) + work.done.as_text())
            raise
    sys.stderr.write(work.done.told(str(file)))
    print_json(work.done.as_dict()) if as_json else sys.stdout.write(work.done.as_text())


@app.command("export", epilog="Example: storywatch feed export feeds.opml")
def feed_export(
    file: Annotated[Path | None, typer.Argument(help="Where to write it; stdout without one.")] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="opml, jsonl (all settings) or txt; else the file's name says it.")
    ] = None,
    config: Config = CONFIG,
) -> None:
    """Write all feeds, those of the database too: as OPML tags are folders and categories, notes titles. No secrets."""
    from monitor.feed import admin, lists, storing
    from monitor.store import listed

    known, url = admin.database_of(config, os.environ)
    export = lists.Export(known, lists.form_of(form, file))
    with storing.as_it_stands(url) as connection:
        lines = export.lines(listed.read(connection) if connection is not None else ())
        if file is None:
            sys.stdout.writelines(lines)
            return
        try:
            with file.open("w", encoding="utf-8") as written:
                written.writelines(lines)
        except OSError as exc:
            fail(f"{file}: cannot be written ({exc.strerror})", 1)
    sys.stderr.write(f"{export.count} feeds written to {file}\n")


@app.command("manners", epilog="Example: storywatch feed manners --json")
def feed_manners(config: Config = CONFIG, as_json: Json = False) -> None:
    """Judge how politely feeds were asked, from the log of our own fetches. All zero is perfect; else the end is 1."""
    from monitor.config import api, locating
    from monitor.feed import manners as manners

    known = api.load(locating.config_file(config), os.environ, with_secrets=False)
    with reading(config) as connection:
        score = manners.score(connection, known)
    print_json(score.as_dict()) if as_json else sys.stdout.write(score.as_text())
    raise typer.Exit(score.exit_code)
