"""Every row of the tables of faults and scenarios names the test that holds it, or says why none does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

TESTS = Path(__file__).parent.parent
ROWS: dict[str, Any] = YAML(typ="safe").load(Path(__file__).with_name("covered.yaml"))
WANTED = [*(f"D{n}" for n in range(1, 79)), *(f"A{n}" for n in range(1, 59))]


def named(row: Any) -> Iterator[str]:
    """The tests of one row."""
    if not isinstance(row, dict):
        yield from [row] if isinstance(row, str) else row


def test_no_row_is_left_out() -> None:
    assert list(ROWS) == WANTED


@pytest.mark.parametrize("row", WANTED)
def test_a_row_names_a_test_that_is_there_or_says_why_none_is(row: str) -> None:
    if isinstance(ROWS[row], dict):
        assert ROWS[row]["no"]
    for place in named(ROWS[row]):
        file, _, name = place.partition("::")
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert name in functions, place
