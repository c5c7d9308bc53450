"""The operator's guide to feeds names commands as they are, and leaves none out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from monitor import cli
from monitor.feed.explanation import WHY

GUIDE = (Path(__file__).parent.parent / "docs" / "feeds.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ storywatch feed (.+)$", GUIDE, re.MULTILINE)
FEED = get_command(cli.app).commands["feed"].commands  # type: ignore[attr-defined]


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_of_the_guide_is_understood(words: str) -> None:
    name, *rest = shlex.split(words)
    FEED[name].make_context(name, rest)


def test_the_guide_names_every_command() -> None:
    assert {words.split()[0] for words in COMMANDS} == set(FEED)


@pytest.mark.parametrize("name", FEED)
def test_the_help_of_a_feed_command_has_an_example_that_is_understood(name: str) -> None:
    example = FEED[name].epilog.removeprefix(f"Example: storywatch feed {name}").partition(" > ")[0]
    FEED[name].make_context(name, shlex.split(example))


def test_the_guide_explains_the_words_of_next_polls() -> None:
    ours = {"startup", "forced", "attempt_guard", "secret_missing", "internal_error"}
    assert set(WHY) - ours <= set(re.findall(r"`(\w+)`", GUIDE))
