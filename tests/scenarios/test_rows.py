"""The table of proven rows is whole, and names only tests that exist."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.scenarios import rows

TESTS = Path(__file__).parent.parent
NEVER_GIVEN = {*range(44, 55), 56, 57}
WANTED = {f"F{n}" for n in range(1, 80) if n not in NEVER_GIVEN} | {f"P{n}" for n in range(1, 61)}


@cache
def _names_in(path: str) -> frozenset[str]:
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds) and node.name.startswith("test_"))


def test_every_row_is_proven_or_says_why_not() -> None:
    assert set(rows.TESTS) | set(rows.UNPROVEN) == WANTED
    assert not set(rows.TESTS) & set(rows.UNPROVEN)
    assert set(rows.NOTES) <= WANTED
    assert all(rows.UNPROVEN.values())


@pytest.mark.parametrize("row", rows.TESTS)
def test_the_tests_of_a_row_exist(row: str) -> None:
    for place in rows.TESTS[row]:
        path, _, name = place.partition("::")
        assert name in _names_in(path), place
