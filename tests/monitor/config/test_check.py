"""Everything that is wrong with a file is told at once, each fault at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import api, rendering
from monitor.errors import ConfigError, Problem

DATA = Path(__file__).parents[2] / "data" / "config"
HEAD = "version: 1\ncontact: https://paper.example/about\n"
ENVIRON = {"PAGER_HOOK": "https://hooks.example/pager"}


def check(text: str, environ: dict[str, str] | None = None) -> tuple[Problem, ...]:
    told = "" if "channels:" in text else "channels: {console: {type: stdout}}\n"
    return api.check_text(HEAD + text + told, environ or {})


def places(problems: tuple[Problem, ...]) -> list[str]:
    return [f"{problem.line}:{problem.column} {problem.code}" for problem in problems]


def test_seven_faults_of_one_file_are_told_in_one_run_each_at_its_place() -> None:
    problems = api.check(DATA / "seven-faults.yaml", ENVIRON)
    assert places(problems) == [
        "8:11 E051",
        "10:7 E011",
        "11:21 E020",
        "12:5 E011",
        "14:19 E033",
        "17:11 W021",
        "19:15 E031",
    ]
    assert "did you mean 'group_interval'?" in (problems[1].hint or "")
    assert problems[3].hint == "routes name the channels"
    assert rendering.summary(problems) == "6 errors, 1 warning"


def test_carets_stand_under_the_fault() -> None:
    path = DATA / "seven-faults.yaml"
    shown = rendering.text(api.check(path, ENVIRON), path.read_text(encoding="utf-8"))
    assert "  8 |       AND (Balkan OR Albanija\n    |           ^\n" in shown
    assert " 10 |       group_inteval: 20m\n    |       ^^^^^^^^^^^^^\n" in shown


WORDS_OF_YAML_1_1 = {
    "NO stays Norway": ("governments: {watch: [NO, RS]}\n", []),
    "a quoted clock time is a clock time": ('channels: {console: {type: stdout}}\ndigests: {d: {at: ["22:30"]}}\n', []),
    "a bare clock time is one too": ("channels: {console: {type: stdout}}\ndigests: {d: {at: [22:30]}}\n", []),
    "on is text and no truth value": ("web: {feeds: on}\n", ["3:14 E013"]),
    "the second of two equal keys is the wrong one": ("web: {feeds: true}\nweb: {feeds: true}\n", ["4:1 E012"]),
    "a number is no name": ("watches: [{name: 017, keywords: [TPS]}]\n", ["3:18 E013"]),
    "a version number is no text": ("feeds: [{url: https://a.example/x, note: 1.10}]\n", ["3:42 E013"]),
    "a date is no text": ("feeds: [{url: https://a.example/x, note: 2025-06-13}]\n", ["3:42 E013"]),
    "a number is no key": ("outlets: {24: {name: x}}\n", ["3:11 E013"]),
    "off switches a duration off": ("watches: [{name: a, keywords: [TPS], alert: {remind_after: off}}]\n", []),
}


@pytest.mark.parametrize("case", WORDS_OF_YAML_1_1)
def test_yaml_1_2_is_read(case: str) -> None:
    text, expected = WORDS_OF_YAML_1_1[case]
    assert places(check(text)) == expected


FORM = {
    "an empty file": ("", "1:1 E002"),
    "a file of comments": ("# nothing\n", "1:1 E002"),
    "a list": ("- version: 1\n", "1:1 E002"),
    "a second document": ("version: 1\n---\nversion: 1\n", "2:1 E004"),
    "a tab as indent": ("web:\n\tfeeds: true\n", "2:1 E003"),
    "a directive that would bring YAML 1.1 back": ("%YAML 1.1\n---\nversion: 1\n", "1:1 E003"),
    "an unknown alias": ("web: *nowhere\n", "1:6 E003"),
    "a tag": ("version: !int 1\n", "1:10 E005"),
    "a Python object": ("version: !!python/object:os.system x\n", "1:10 E005"),
    "an alias that holds itself": ("web: &a [*a]\n", "1:6 E006"),
    "brackets without end": ("[" * 3000, "1:201 E006"),
    "a control character": ("version: 1\nweb: \x00\n", "2:6 E003"),
}


@pytest.mark.parametrize("case", FORM)
def test_a_file_of_the_wrong_form_is_told_with_its_place(case: str) -> None:
    text, expected = FORM[case]
    assert expected in places(api.check_text(text, {}))


def test_nine_levels_of_nine_aliases_are_stopped_soon() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert places(api.check_text("\n".join(lines), {}))[0].endswith("E006")


def test_a_file_that_is_not_utf_8_is_told_with_its_byte(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"version: 1\ncontact: caf\xe9\n")
    (problem,) = api.check(path, {})
    assert (problem.code, problem.line, problem.column) == ("E003", 2, 13)
    assert "0xe9" in problem.message


def test_a_missing_file_is_not_a_default_one(tmp_path: Path) -> None:
    (problem,) = api.check(tmp_path / "config.yaml", {})
    assert problem.code == "E001"
    assert rendering.exit_code((problem,)) == 3
    with pytest.raises(ConfigError):
        api.load(tmp_path / "config.yaml", {})


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    assert api.check(tmp_path, {})[0].code == "E001"


MESSAGES = {
    "a country by its habit": ("governments: {watch: [UK]}\n", "E033", "did you mean 'GB'?"),
    "Greece by its language": ("governments: {watch: [EL]}\n", "E033", "did you mean 'GR'?"),
    "Kosovo by a guess": ("governments: {watch: [KS]}\n", "E033", "did you mean 'XK'?"),
    "a country by its name": ("governments: {watch: [Serbia]}\n", "E024", "did you mean 'RS'?"),
    "a row of the lexicon that is none": ("governments: {disable: [gb-dowming]}\n", "E027", "no row 'gb-dowming'"),
    "a body of no known kind": (
        "governments: {extra: [{government: RS, body: ministy, names: {sr: [Zavod]}}]}\n",
        "E027",
        "unknown body 'ministy'",
    ),
    "a body that ends before it begins": (
        "governments: {extra: [{government: RS, body: agency, names: {sr: [Zavod]},"
        " valid_from: 2025-01-01, valid_to: 2020-01-01}]}\n",
        "E027",
        "ends before it begins",
    ),
    "a verb that begins with no word": ("governments: {speech: {sr: {denied: ['.. demantuje']}}}\n", "E027", "a word"),
    "a verb with an odd gap": ("governments: {speech: {sr: {denied: ['on ... pori']}}}\n", "E027", "'...' is no gap"),
    "a zone in small letters": ("timezone: europe/belgrade\n", "E023", "Europe/Belgrade"),
    "a zone that climbs out of its folder": ("timezone: ../../etc/passwd\n", "E023", "IANA"),
    "an unknown top key": ("chanels: {}\n", "E011", "did you mean 'channels'?"),
    "an include": ("include: other.yaml\n", "E011", "not supported"),
    "an unknown key of a feed": ("feeds: [{url: https://a.example, tag: [x]}]\n", "E011", "did you mean 'tags'?"),
    "a wrong word": ("engine: {kind: locl}\n", "E027", "did you mean 'local'?"),
    "a wrong kind of event": ("watches: [{name: a, keywords: [TPS], alert_on: [respons]}]\n", "E027", "'response'"),
    "a language by its country": ("feeds: [{url: https://a.example, language: rs}]\n", "E027", "'sr'"),
    "a name with capitals": ("watches: [{name: Tps Watch, keywords: [TPS]}]\n", "E026", "'tps-watch'"),
    "an unknown language of a threshold": ("stories: {threshold: {srb: {with_text: 0.2}}}\n", "E027", "'sr'"),
    "a threshold out of bounds": ("stories: {threshold: {with_text: 0.9}}\n", "E028", None),
    "a window too long": ("stories: {window: 30d}\n", "E028", None),
    "a floor that is unkind": ("feeds: [{url: https://a.example, floor: 1m}]\n", "E028", "5m"),
    "a ceiling below its floor": ("feeds: [{url: https://a.example, floor: 2h, ceiling: 1h}]\n", "E028", None),
    "a wait that is no duration": (
        "watches: [{name: a, keywords: [TPS], alert: {group_wait: {response: 5}}}]\n",
        "E020",
        None,
    ),
    "a watch without a query": ("watches: [{name: a}]\n", "E010", "keywords"),
    "a watch with both": ('watches: [{name: a, keywords: [TPS], query: "Serbia"}]\n', "E027", None),
    "many processes on SQLite": ("engine: {kind: pgqueuer}\n", "E027", "storage.url"),
    "text kept shorter than it is needed": ("storage: {keep: {text: 1h}}\n", "E028", None),
    "an unset variable": ("timezone: ${ZONE_OF_NOWHERE}\n", "E070", "${ZONE_OF_NOWHERE:-...}"),
    "a concept that is no mapping": ("concepts: {plane: 5}\n", "E013", None),
    "a pattern that cannot be read": ("concepts: {plane: {en: ['pl*']}}\n", "E013", None),
    "a keyword that is only a wildcard": ("watches: [{name: a, keywords: [TPS, '*']}]\n", "E050", None),
    "a language with its script": ("feeds: [{url: https://a.example, language: sr-Latn}]\n", "E027", "'sr'"),
    "a contact without an address": ("contact: me\n", "E012", None),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_a_fault_says_what_to_do(case: str) -> None:
    text, code, hint = MESSAGES[case]
    found = [problem for problem in check(text) if problem.severity == "error"]
    assert code in [problem.code for problem in found]
    if hint:
        assert any(hint in f"{problem.message} {problem.hint}" for problem in found if problem.code == code)


def test_a_missing_key_is_told_where_its_holder_stands() -> None:
    problems = api.check_text("version: 1\nfeeds:\n  - {url: https://a.example/rss}\n  - tags: [x]\n", {})
    assert places(problems) == ["1:1 E010", "4:5 E010"]
    assert problems[1].message == "key 'url' is missing in feeds[1]"


def test_two_missing_keys_are_two_faults() -> None:
    problems = api.check_text("web: {}\n", {})
    assert [problem.path for problem in problems] == ["version", "contact"]


def test_what_follows_from_a_broken_value_is_not_told() -> None:
    assert places(api.check_text("version: !int 1\ncontact: ${NOBODY}\n", {})) == ["1:10 E005", "2:10 E070"]


QUERIES = {
    "in a block": ("    query: |\n      Serbia AND\n      (Kosovo\n", "6:7"),
    "in a block with a deeper second line": ("    query: |\n      Serbia\n        AND (Kosovo\n", "6:13"),
    "in a block after an empty line": ("    query: |\n\n      (Kosovo\n", "6:7"),
    "in a block that keeps its last lines": ("    query: |+\n      (Kosovo\n\n", "5:7"),
    "on one line": ("    query: Serbia AND (Kosovo\n", "4:23"),
    "in quotes": ('    query: "Serbia AND (Kosovo"\n', "4:24"),
    "in a folded block, whose places are lost": ("    query: >\n      Serbia AND\n      (Kosovo\n", "4:12"),
}


@pytest.mark.parametrize("case", QUERIES)
def test_a_fault_of_a_query_is_placed_in_the_file(case: str) -> None:
    text, place = QUERIES[case]
    head = "version: 1\nwatches:\n  - name: q\n"
    problems = api.check_text(head + text + "contact: a@b.example\n", {})
    (fault,) = [problem for problem in problems if problem.severity == "error"]
    assert (fault.code, f"{fault.line}:{fault.column}") == ("E051", place)


def test_a_query_of_six_faults_tells_several_at_once() -> None:
    text = "watches:\n  - name: q\n    query: |\n      tittle:a1 AND ~depotation AND lang:srb AND country:Serbia\n"
    assert [problem.code for problem in check(text)] == ["E052"] * 4


def test_two_watches_of_one_name_are_told_with_the_line_of_the_first() -> None:
    problems = check("watches:\n  - {name: a, keywords: [TPS]}\n  - {name: a, keywords: [Balkan]}\n")
    assert [(problem.code, problem.line) for problem in problems] == [("E036", 5)]
    assert "line 4" in problems[0].message


def test_the_whole_example_has_no_problem() -> None:
    environ = dict.fromkeys(("LINK_KEY", "PAGE_PASSWORD", "SECOND_PASSWORD", "SECOND_KEY"), "k" * 32)
    assert api.check(DATA / "whole.yaml", environ) == ()
