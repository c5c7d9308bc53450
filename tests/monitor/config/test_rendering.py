"""Problems as people and machines read them."""

from __future__ import annotations

import json

import pytest

from monitor.config import rendering, words
from monitor.errors import Problem

FAULT = Problem("E020", "a.b", "'5x' is not a duration", "config.yaml", 2, 6, 8, "5m?")
WARNING = Problem("W012", "contact", "a placeholder", "config.yaml", 1, 1, 3, None, "warning")
SOURCE = "contact: x\nb:   5x\n"


def test_the_text_lines_up_and_points() -> None:
    assert rendering.text((WARNING, FAULT), SOURCE) == (
        "config.yaml:1:1  W012 contact: a placeholder\n"
        "  1 | contact: x\n"
        "    | ^^\n"
        "config.yaml:2:6  E020 '5x' is not a duration; 5m?\n"
        "  2 | b:   5x\n"
        "    |      ^^\n"
    )


def test_a_place_beyond_the_file_shows_no_line() -> None:
    assert rendering.excerpt(Problem("E003", "", "x", line=9), SOURCE.splitlines()) == []


def test_a_code_host_gets_one_command_per_problem() -> None:
    (line, _) = rendering.github((FAULT, WARNING)).splitlines()
    assert line == "::error file=config.yaml,line=2,col=6,endColumn=8,title=E020::'5x' is not a duration; 5m?"


def test_sarif_names_rule_level_and_region() -> None:
    (run,) = json.loads(rendering.sarif((FAULT, WARNING)))["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["E020", "W012"]
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 2, "startColumn": 6, "endColumn": 8}
    assert [result["level"] for result in run["results"]] == ["error", "warning"]


EXITS = {
    "nothing": ((), False, 0),
    "a warning": ((WARNING,), False, 0),
    "a warning that counts": ((WARNING,), True, 2),
    "an error": ((FAULT, WARNING), True, 1),
    "a file that cannot be read": ((Problem("E001", "", "x"),), False, 3),
}


@pytest.mark.parametrize("case", EXITS)
def test_the_exit_code_says_how_bad_it_is(case: str) -> None:
    problems, strict, code = EXITS[case]
    assert rendering.exit_code(problems, strict=strict) == code


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(KeyError):
        rendering.render((), "", "xml")


def test_a_long_list_is_cut() -> None:
    assert words.listed([str(n) for n in range(20)]).endswith("and 8 more")
