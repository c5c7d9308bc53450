"""Each code has a wrong and a right example, and the check tells them apart."""

from __future__ import annotations

import pytest

from monitor.config import api, catalogue

ENVIRON = {"HOOK": "https://hooks.example/x", "TOKEN": "t" * 20}
PAIRS = {one.code: one for one in catalogue.CODES.values() if one.wrong is not None and one.right is not None}


def codes_of(example: str) -> set[str]:
    bare = "version: 1" in example or example == catalogue.CODES["E002"].wrong
    text = example if bare else catalogue.HEAD + example
    return {problem.code for problem in api.check_text(text, ENVIRON)}


@pytest.mark.parametrize("code", PAIRS)
def test_the_wrong_example_of_a_code_raises_it(code: str) -> None:
    assert code in codes_of(PAIRS[code].wrong or "")


@pytest.mark.parametrize("code", PAIRS)
def test_the_right_example_of_a_code_raises_no_error_and_not_that_code(code: str) -> None:
    found = codes_of(PAIRS[code].right or "")
    assert code not in found
    assert not {one for one in found if one.startswith("E")}


@pytest.mark.parametrize("code", PAIRS)
def test_every_problem_of_a_wrong_example_has_a_place_inside_it(code: str) -> None:
    text = catalogue.HEAD + (PAIRS[code].wrong or "")
    for problem in api.check_text(text, ENVIRON):
        assert 1 <= problem.line <= len(text.splitlines())
        assert problem.column >= 1
        assert problem.end_column is None or problem.end_column > problem.column


def test_a_code_is_explained_with_both_examples() -> None:
    said = catalogue.explained("e020")
    assert said is not None
    assert said.startswith("E020: ")
    assert "Wrong:" in said
    assert "Right:" in said


def test_an_unknown_code_is_not_explained() -> None:
    assert catalogue.explained("E999") is None
