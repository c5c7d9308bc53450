"""`storywatch db` as people and scripts meet it: exit codes, messages, JSON."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from monitor.store import filelock
from tests.commands import storywatch

CONFIG = """\
version: 1
contact: https://newsroom.example/storywatch
watches:
  - {name: w, keywords: [deportation]}
channels:
  out: {type: stdout}
"""


def db(*words: str, url: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    (cwd / "config.yaml").write_text(CONFIG, encoding="utf-8")
    environ = {**os.environ, "STORYWATCH_STORAGE_URL": url}
    return storywatch("db", *words, cwd=cwd, env=environ)


def test_a_database_is_backed_up_checked_pruned_and_measured(sqlite_url: str, tmp_path: Path) -> None:
    made = db("backup", "copy.db", url=sqlite_url, cwd=tmp_path)
    assert made.stdout.startswith("copy.db: ")
    again = db("backup", "copy.db", url=sqlite_url, cwd=tmp_path)
    assert (again.returncode, "--replace" in again.stderr) == (3, True)
    checked = db("check", url=f"sqlite:///{tmp_path / 'copy.db'}", cwd=tmp_path)
    assert (checked.returncode, "bad" in checked.stdout) == (0, False)
    would = db("prune", "--dry-run", "--json", url=sqlite_url, cwd=tmp_path)
    assert json.loads(would.stdout)["rows"]["unmatched entries"] == 0
    measured = db("stats", "--json", url=sqlite_url, cwd=tmp_path)
    assert {one["name"] for one in json.loads(measured.stdout)["tables"]} >= {"entry", "event"}


BAD = {
    "no database there": (["backup"], "sqlite:///nowhere.db", 3, "no such database"),
    "a file that is none": (["check"], "sqlite:///config.yaml", 3, "file is not a database; put a backup in its place"),
    "Postgres has its own tool": (["backup"], "postgresql://u:secret@h/d", 3, "pg_dump --format=custom"),
}


@pytest.mark.parametrize(("words", "url", "code", "says"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_done_is_a_message_and_an_exit_code(
    words: list[str], url: str, code: int, says: str, tmp_path: Path
) -> None:
    done = db(*words, url=url, cwd=tmp_path)
    assert (done.returncode, says in done.stderr, "secret" in done.stderr) == (code, True, False), done.stderr


def test_a_damaged_database_is_bad(sqlite_url: str, tmp_path: Path) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with path.open("r+b") as file:
        file.seek(4096 * 30)
        file.write(b"\xff" * 4096 * 4)
    done = db("check", url=sqlite_url, cwd=tmp_path)
    assert (done.returncode, "bad" in done.stdout) == (1, True), done.stderr


def test_a_newer_schema_is_refused_with_both_numbers(sqlite_url: str, tmp_path: Path) -> None:
    path = sqlite_url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
    connection.close()
    done = db("stats", url=sqlite_url, cwd=tmp_path)
    assert done.returncode == 3
    assert "the database is at 9999, this version knows" in done.stderr


@pytest.mark.postgres
def test_a_database_is_moved_to_postgres_once_no_daemon_works_on_it(
    sqlite_url: str, postgres_url: str, tmp_path: Path
) -> None:
    with filelock.FileLock(sqlite_url):
        refused = db("copy", "--to", postgres_url, url=sqlite_url, cwd=tmp_path)
    assert (refused.returncode, "already running" in refused.stderr) == (5, True)
    moved = db("copy", "--to", postgres_url, "--json", url=sqlite_url, cwd=tmp_path)
    assert (moved.returncode, json.loads(moved.stdout)["resumed"]) == (0, 0), moved.stderr
    checked = db("check", url=postgres_url, cwd=tmp_path)
    assert (checked.returncode, "bad" in checked.stdout) == (0, False), checked.stdout
