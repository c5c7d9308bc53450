"""The scenarios of tuning: the table is complete, and those that belong to no other file."""

from __future__ import annotations

import random
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from monitor import cli
from tests.commands import storywatch
from tests.monitor.config.test_mutations import damaged
from tests.monitor.test_reloading import BASE, house

TESTS = Path(__file__).parent.parent
TABLE = YAML(typ="safe", pure=True).load((TESTS / "data" / "tuning-scenarios.yaml").read_text(encoding="utf-8"))
CANARY = "zugvogel-canary-4711"


def test_every_scenario_has_a_test_that_is_there() -> None:
    assert list(TABLE) == [f"T{n}" for n in range(1, 21)]
    for number, row in TABLE.items():
        assert row["tests"], number
        for named in row["tests"]:
            file, _, function = named.partition("::")
            assert f"def {function}(" in (TESTS / file).read_text(encoding="utf-8"), (number, named)


async def test_a_secret_that_is_missing_keeps_the_old_state(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        knowledge = at.running.context.knowledge
        at.write("channels:", "web: {login: {user: a, password: {env: NO_SUCH_SECRET}}}\nchannels:")
        answer = await at.reloader.reload("signal")
        assert answer.outcome == "refused"
        assert "config.yaml:11:34 E070 web.login.password: environment variable NO_SUCH_SECRET" in answer.notes[0]
        assert at.running.context.knowledge is knowledge


async def test_a_damaged_file_never_takes_the_place_of_a_good_one(tmp_path: Path) -> None:
    rng = random.Random(7)
    async with house(tmp_path) as at:
        whole = at.file.read_text(encoding="utf-8")
        for _ in range(12):
            at.file.write_text(damaged(whole, rng), encoding="utf-8")
            before = at.running.context.knowledge, at.running.config
            answer = await at.reloader.reload("signal")
            if answer.outcome in ("refused", "waiting"):
                assert (at.running.context.knowledge, at.running.config) == before
            assert all(":" in note for note in answer.notes if answer.outcome == "refused")
        assert at.running.context.knowledge.rules is not None


def run(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return storywatch(*words, cwd=folder, env=environ)


COMMANDS = (
    ("check",),
    ("check", "--json"),
    ("check", "--format", "sarif"),
    ("config", "show", "--origin"),
    ("config", "show", "--json"),
    ("config", "history"),
    ("config", "diff"),
    ("config", "fix", "--dry"),
    ("backtest", "--json"),
    ("status",),
)


def test_no_command_about_the_file_shows_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PAGE", f"{CANARY}-env")
    (tmp_path / "key").write_text(f"{CANARY}-file-0123456789\n", encoding="utf-8")
    headers = f"headers: {{{{X-Api-Key: {CANARY}-written}}}}"
    login, keys = "login: {{user: a, password: {{env: PAGE}}}}", "link_keys: [{{file: '{folder}/key'}}]"
    secret = f"web: {{{{{login}, {keys}}}}}\n"
    text = BASE.replace("tags: [balkan]", f"tags: [balkan], {headers}") + secret
    for more in ("", f"contct: {CANARY}-env\n", f"password: {CANARY}-env\n"):
        (tmp_path / "config.yaml").write_text((text + more).format(folder=tmp_path), encoding="utf-8")
        CliRunner().invoke(cli.app, ["migrate"])
        for words in COMMANDS:
            done = CliRunner().invoke(cli.app, list(words))
            assert CANARY not in done.output + str(done.exception or ""), words


def test_status_answers_without_a_daemon_and_beside_a_writer_and_refuses_a_newer_schema(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(BASE.format(folder=tmp_path), encoding="utf-8")
    assert run(tmp_path, "migrate").returncode == 0
    with closing(sqlite3.connect(tmp_path / "storywatch.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        assert run(tmp_path, "status").returncode == 0
        other.execute("rollback")
        other.execute("update alembic_version set version_num = '9999'")
    newer = run(tmp_path, "status")
    assert newer.returncode == 3
    assert "9999" in newer.stderr


SILENCES = {
    "without an end": ("--story", "st_0123456789"),
    "for a month and a day": ("--story", "st_0123456789", "--for", "31d"),
    "of everything": ("--for", "1h"),
}


@pytest.mark.parametrize("case", SILENCES)
def test_a_silence_that_would_hide_too_much_is_refused(case: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(BASE.format(folder=tmp_path), encoding="utf-8")
    run(tmp_path, "migrate")
    done = run(tmp_path, "silence", "add", "--comment", "covered", *SILENCES[case])
    assert done.returncode != 0
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr
