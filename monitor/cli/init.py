"""`storywatch init`: the first config.yaml, by a few questions or by options."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.root import CONFIG, USAGE, fail

app = typer.Typer()


@app.command(epilog="Example: storywatch init --topic ~deportation --language en --channel folder")
def init(
    topic: Annotated[list[str] | None, typer.Option(help="A word, a phrase or a ~concept; may be repeated.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="A language code such as en; all unless given.")] = None,
    channel: Annotated[
        list[str] | None, typer.Option(help="console, folder, slack, email or webhook; may be repeated.")
    ] = None,
    contact: Annotated[str | None, typer.Option(help="Your https page or mail address, shown to servers.")] = None,
    timezone: Annotated[str, typer.Option(help="The zone of digests and quiet hours.")] = "UTC",
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a first, commented config.yaml, and check it. Asks for what no option says, where a person can answer."""
    from monitor import resources
    from monitor.config import api, rendering, starting, vocabulary

    if output.exists() and not force:
        fail(f"{output} is there already; --force replaces it, -o names another", 1)
    asking = sys.stdin.isatty()
    answers = starting.Answers(
        topics=_answer(topic, "What are you looking for? Words or phrases, with commas between", "", asking),
        languages=_answer(language, "In which languages? Codes such as en, sr; empty for all", " ", asking),
        channels=_answer(channel, f"How should you be told? {', '.join(starting.CHANNELS)}", "console", asking),
        contact=contact or (_ask("Your https page or mail address", vocabulary.PLACEHOLDER_CONTACT, asking)),
        timezone=timezone,
    )
    if not answers.topics:
        fail("--topic says what to look for", USAGE)
    unknown = [name for name in answers.channels if name not in starting.CHANNELS]
    if unknown:
        fail(f"--channel {unknown[0]}: one of {', '.join(starting.CHANNELS)}", USAGE)
    text = starting.text(answers, resources.resource_path(CONFIG.name).read_text(encoding="utf-8"))
    found = api.check_text(text, os.environ, file=str(output))
    unset = ("E070",)  # secrets that are still to be put in place
    if any(problem.severity == "error" and problem.code not in unset for problem in found):
        fail(rendering.render(found, text, "text"), 1)
    output.write_text(text, encoding="utf-8")
    sys.stdout.write(rendering.render(found, text, "text"))
    sys.stderr.write(f"{output}: written. Next: storywatch check, storywatch poll --once, storywatch run\n")


def _answer(given: list[str] | None, question: str, usual: str, asking: bool) -> tuple[str, ...]:
    """What the options say, else what the person answers, with commas between."""
    said = given if given is not None else [_ask(question, usual, asking)]
    return tuple(word.strip() for part in said for word in part.split(",") if word.strip())


def _ask(question: str, usual: str, asking: bool) -> str:
    return str(typer.prompt(question, default=usual, err=True)) if asking else usual
