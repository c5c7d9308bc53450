"""The page about queries: every query it shows can be read, and its YAML extends the lexicon."""

from __future__ import annotations

import re
from pathlib import Path

from ruamel.yaml import YAML

from monitor import lexicons
from monitor.match import query
from monitor.match.concepts import Concepts, from_raw

PAGE = (Path(__file__).parents[3] / "docs/queries.md").read_text(encoding="utf-8")


def shown() -> list[str]:
    """The queries in the first column of the tables."""
    rows = [line.split(" | ")[0] for line in PAGE.splitlines() if line.startswith("| `")]
    return [text.replace("\\|", "|") for row in rows for text in re.findall(r"`([^`]+)`", row)]


def test_every_query_shown_can_be_read(lexicon: Concepts) -> None:
    assert len(shown()) > 20
    assert {text: query.problems(text, lexicon) for text in shown() if query.problems(text, lexicon)} == {}


def test_every_concept_is_named(lexicon: Concepts) -> None:
    assert [name for name in lexicon.names if f"`~{name}`" not in PAGE] == []


def test_the_configuration_shown_extends_the_lexicon() -> None:
    block = PAGE.partition("```yaml\n")[2].partition("```")[0]
    extended = from_raw(lexicons.load("match/concepts"), YAML(typ="safe", pure=True).load(block)["concepts"])
    assert extended.named("ferry") is not None


def test_acronyms_that_are_words_are_listed(lexicon: Concepts) -> None:
    listed = PAGE.partition("also words (")[2].partition(")")[0]
    assert {word.strip().lower() for word in listed.split(",")} == lexicon.acronyms_that_are_words
