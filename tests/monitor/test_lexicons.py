"""What is shipped as JSON is what people wrote as YAML."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from monitor import lexicons
from monitor.errors import LexiconError

PACKAGE = Path(lexicons.__file__).parent


@pytest.mark.parametrize("folder", lexicons.FOLDERS)
def test_the_compiled_file_is_as_new_as_its_source(folder: str) -> None:
    shipped = (PACKAGE / f"{folder}.json").read_text(encoding="utf-8")
    assert shipped == lexicons.compiled(folder), "run python -m monitor.lexicons"


@pytest.mark.parametrize("folder", lexicons.FOLDERS)
def test_every_source_file_is_in_the_compiled_one(folder: str) -> None:
    sources = {
        path.relative_to(PACKAGE / folder).with_suffix("").as_posix() for path in (PACKAGE / folder).rglob("*.yaml")
    }
    assert sources
    assert set(lexicons.load(folder)) == sources


def test_no_folder_of_data_is_forgotten() -> None:
    compiled = {path.relative_to(PACKAGE).with_suffix("").as_posix() for path in PACKAGE.rglob("*.json")}
    assert set(lexicons.FOLDERS) <= compiled


def test_the_core_reads_no_yaml_when_it_loads() -> None:
    program = (
        "import sys; from monitor import lexicons; lexicons.load('match/concepts'); print('ruamel' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_missing_file_says_what_to_do() -> None:
    with pytest.raises(LexiconError, match=r"run python -m monitor\.lexicons"):
        lexicons.load("match/nothing")
