"""The worked example of docs/tuning.md is run as it stands there: its files, its command, its output."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor import cli
from monitor.config import api

PAGE = Path(__file__).parent.parent / "docs" / "tuning.md"
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w*\n(.*?)```", re.DOTALL)
RUN = re.compile(r"<!-- run -->\n```\n\$ storywatch ([^\n]*)\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("page")
    for name, text in FILE.findall(PAGE.read_text(encoding="utf-8")):
        (made / name).write_text(text, encoding="utf-8")
    return made


def test_the_command_of_the_page_prints_what_the_page_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    ((words, said),) = RUN.findall(PAGE.read_text(encoding="utf-8"))
    done = CliRunner().invoke(cli.app, shlex.split(words))
    assert done.exit_code == 0, done.output
    assert done.output == said


def test_the_example_saves_a_third_and_loses_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    ((words, _),) = RUN.findall(PAGE.read_text(encoding="utf-8"))
    told = json.loads(CliRunner().invoke(cli.app, [*shlex.split(words), "--json"]).stdout)
    assert told["candidate"]["alerts"] <= 0.7 * told["running"]["alerts"]
    assert told["labels"]["missed_candidate"] == 0
    assert told["labels"]["wrong_told"] == [1, 0]


@pytest.mark.parametrize("name", ["noisy.yaml", "narrow.yaml"])
def test_the_files_of_the_page_have_no_problem(name: str, folder: Path) -> None:
    assert api.check(folder / name, {}) == ()
