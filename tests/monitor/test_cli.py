"""The command line as people and scripts meet it: help, exit codes, clear errors, nothing heavy before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from monitor import cli
from monitor.cli import service
from tests.commands import storywatch

CONFIG = """\
version: 1
contact: https://newsroom.example/storywatch
watches:
  - {name: w, keywords: [deportation]}
channels:
  out: {type: stdout}
"""
HEAVY = ("sqlalchemy", "httpx", "aiohttp", "feedparser", "fastapi", "apscheduler", "trafilatura", "babel", "pydantic")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def commands() -> list[tuple[str, object]]:
    root = get_command(cli.app)
    found = []
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found += [(f"{name} {sub}", c) for sub, c in inner.items()] if inner else [(name, command)]
    return found


@pytest.mark.parametrize(("name", "command"), commands())
def test_every_command_and_option_has_help(name: str, command: object) -> None:
    assert command.help, name  # type: ignore[attr-defined]
    for parameter in command.params:  # type: ignore[attr-defined]
        if parameter.param_type_name == "option":
            assert parameter.help, f"{name} {parameter.name}"


def test_what_a_machine_starts_is_found_without_the_other_commands() -> None:
    assert sorted(get_command(service.app).commands) == sorted(service.COMMANDS)  # type: ignore[attr-defined]


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    program = f"import sys, monitor.cli.everything; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    {
        "an unknown command": (("rnu",), 64, "No such command 'rnu'"),
        "an unknown option": (("poll", "--onec"), 64, "--onec"),
        "an unknown lab step": (("lab", "guess"), 64, "one of parse, canonical, match, cluster, detect"),
        "an unknown format": (("check", "config.yaml", "--format", "xml"), 64, "one of text, json, github, sarif"),
        "a replay file that is not there": (("replay", "nothing.jsonl"), 1, "nothing.jsonl"),
        "a configuration that is named and not there": (("status", "-c", "typo.yaml"), 1, "typo.yaml:1:1 E001"),
        "a delivery in a database that is empty": (("outbox", "retry", "d1"), 3, "run storywatch migrate"),
        "a story that is not there": (("story", "show", "st_0000000000"), 3, "run storywatch migrate"),
    }.values(),
)
def test_a_wrong_call_is_one_message_and_an_exit_code(
    folder: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    done = storywatch(*words, cwd=folder)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert says in done.stderr


def test_a_config_error_shows_place_value_and_what_is_allowed_all_at_once(folder: Path) -> None:
    broken = CONFIG.replace("keywords:", "keyword:").replace("stdout", "stdot")
    (folder / "config.yaml").write_text(broken, encoding="utf-8")
    done = storywatch("check", "config.yaml", cwd=folder)
    assert done.returncode == 1
    assert "config.yaml:4:" in done.stdout
    assert "config.yaml:6:" in done.stdout
    refused = storywatch("run", cwd=folder)
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr


def test_a_database_that_cannot_be_reached_is_a_message(folder: Path) -> None:
    config = CONFIG + f"storage: {{url: 'postgresql://u@/none?host={folder}'}}\n"
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    done = storywatch("status", cwd=folder)
    assert done.returncode == 69
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "code", "says"),
    {
        "an address with a port that is no number": ("postgresql://u:sekret@h:port/db", 3, "no database address"),
        "a folder that is a file": ("sqlite:///config.yaml/x.db", 3, "choose another storage.url"),
        "a file that is no database": ("sqlite:///config.yaml", 3, "put a backup in its place"),
    }.values(),
)
def test_a_database_nobody_can_use_is_a_message(
    folder: Path, monkeypatch: pytest.MonkeyPatch, url: str, code: int, says: str
) -> None:
    monkeypatch.setenv("STORYWATCH_STORAGE_URL", url)
    done = storywatch("poll", cwd=folder)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert says in done.stderr
    assert "sekret" not in done.stderr


def test_a_secret_of_the_database_that_is_not_set_is_a_message(folder: Path) -> None:
    (folder / "config.yaml").write_text(CONFIG + "storage: {url: {env: NOT_SET_ANYWHERE}}\n", encoding="utf-8")
    done = storywatch("status", cwd=folder)
    assert (done.returncode, done.stderr) == (1, "storywatch: environment variable NOT_SET_ANYWHERE is not set\n")


def test_replay_leaves_out_rows_that_are_no_text_and_goes_on(folder: Path) -> None:
    at = "2025-06-05T08:00:00Z"
    rows = [
        {"at": at, "title": 5},
        {"at": at, "title": "half \ud800"},
        {"at": at, "title": "Deportation flight leaves"},
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = storywatch("replay", "rows.jsonl", "--json", cwd=folder)
    assert done.returncode == 1
    assert done.stderr == "line 1: title: 5 is no text; left out\nline 2: title: holds half a character; left out\n"
    *_, summary = map(json.loads, done.stdout.splitlines())  # every line is JSON, whatever is logged
    assert (summary["rows"], summary["bad"], summary["matched"]) == (1, 2, 1)


def test_check_prints_json_for_programs(folder: Path) -> None:
    (folder / "config.yaml").write_text(CONFIG.replace("watches", "watchs"), encoding="utf-8")
    done = storywatch("check", "config.yaml", "--json", cwd=folder)
    assert {"line", "column", "code", "message"} <= set(json.loads(done.stdout)[0])


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    from monitor import __version__

    assert storywatch("--version", cwd=tmp_path).stdout == f"storywatch {__version__}\n"


@pytest.mark.parametrize(
    ("step", "row", "wants"),
    {
        "match": ("match", {"id": 1, "title": "Deportation flight leaves", "text": ""}, '"watch": "w"'),
        "canonical": ("canonical", {"url": "https://www.a.example/x/?utm_source=y"}, '"key": "a.example/x"'),
        "cluster": (
            "cluster",
            {"id": 1, "date": "2025-06-05", "title": "A", "text": "B", "lang": "en"},
            '"cluster": 1',
        ),
        "detect": (
            "detect",
            {"id": 1, "lang": "en", "text": "The White House declined to comment."},
            "declined_to_comment",
        ),
    }.values(),
)
def test_lab_runs_one_step_and_a_bad_row_costs_nothing_else(
    folder: Path, step: str, row: dict[str, object], wants: str
) -> None:
    done = storywatch("lab", step, "-c", "config.yaml", cwd=folder, stdin=f"nonsense\n{json.dumps(row)}\n{{}}\n")
    first, second, third = done.stdout.splitlines()
    assert "bad_row" in first
    assert "line 1" in first
    assert wants in second
    assert "bad_row" in third


def test_lab_parse_answers_for_each_document(folder: Path) -> None:
    feed = folder / "feed.xml"
    feed.write_text("<rss version='2.0'><channel><title>T</title><item><title>One</title></item></channel></rss>")
    rows = [{"path": str(feed), "url": "https://a.example/rss"}, {"path": str(folder / "gone.xml"), "url": ""}]
    done = storywatch(
        "lab", "parse", "-c", "config.yaml", cwd=folder, stdin="".join(json.dumps(r) + "\n" for r in rows)
    )
    good, bad = (json.loads(line) for line in done.stdout.splitlines())
    assert [entry["title"] for entry in good["entries"]] == ["One"]
    assert "No such file" in bad["error"]["message"]
