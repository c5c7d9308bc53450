"""`storywatch evidence` and `storywatch verify`: a story as a signed file, and whether such a file is unchanged."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.root import CONFIG, Config, fail, open_engine

app = typer.Typer()


@app.command()
def evidence(
    key: Annotated[str, typer.Argument(help="The story's key.")],
    config: Config = CONFIG,
    folder: Annotated[Path, typer.Option("--out", help="Where the two files go.")] = Path(),
    signer: Annotated[
        Path | None, typer.Option("--key", help="A file with a signing key; else the database's own is used.")
    ] = None,
) -> None:
    """Write a story as signed evidence: one HTML and one JSON file."""
    from monitor import evidence as making
    from monitor import wiring
    from monitor.config import api, locating

    loaded = api.load(locating.config_file(config), os.environ, with_secrets=False)
    known = wiring.knowledge(loaded, config_rev=0)
    with open_engine(config).begin() as connection:
        seed = making.key_from(signer) if signer else making.key_of(connection)
        content = making.gather(connection, key, known.outlets, known.governments, datetime.now(UTC))
    if content is None:
        fail(f"there is no story {key}; storywatch story list shows them", 1)
    folder.mkdir(parents=True, exist_ok=True)
    for ending, made in (("html", making.as_html(content, seed)), ("json", making.as_json(content, seed))):
        path = folder / f"{content['story']['key']}.{ending}"
        path.write_bytes(made)
        sys.stdout.write(f"{path}\n")
    sys.stderr.write(f"signed by {making.fingerprint_of(seed)}\n")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="An HTML or JSON file made by `storywatch evidence`.")],
    fingerprint: Annotated[
        str | None, typer.Option("--fingerprint", help="The key's fingerprint it must bear.")
    ] = None,
) -> None:
    """Check that a file of evidence is as it was signed; exit code 1 when it is not."""
    from monitor import evidence as making

    try:
        raw = file.read_bytes()
    except OSError as exc:
        fail(f"{file}: {exc.strerror}", 1)
    about = making.verify(raw, fingerprint)
    sys.stdout.write(f"unchanged: story {about.story}, made {about.made_at}, signed by {about.fingerprint}\n")
    if fingerprint is None:
        sys.stderr.write("compare the fingerprint with the one you were told, or give it with --fingerprint\n")
