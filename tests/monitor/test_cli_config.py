"""`storywatch reload` and `storywatch config` against a running daemon and without one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor import cli
from monitor.store import engine as engines
from monitor.store import migrate, revisions
from tests.monitor.test_reloading import BASE, NOW
from tests.scenarios.test_daemon import running, storywatch


def ask(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.app, list(words))
    return done.exit_code, done.output


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file and a database with two accepted revisions and a refused one."""
    monkeypatch.chdir(tmp_path)
    text = BASE.format(folder=tmp_path)
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    engine = engines.open_engine(f"sqlite:///{tmp_path}/storywatch.db")
    migrate.ensure(engine)
    with engine.begin() as connection:
        revisions.record(connection, revisions.Offer("a", text, "start", NOW), revisions.Outcome.ACCEPTED)
        more = text.replace("AND Serbia", "AND (Serbia OR Kosovo)")
        noted = revisions.Offer("b", more, "ana", NOW, ("~ watches[flights].query  added Kosovo; primed again",))
        revisions.record(connection, noted, revisions.Outcome.ACCEPTED)
        bad = revisions.Offer("c", "version: [", "file", NOW, ("config.yaml:1:10 E003 never closed",))
        revisions.record(connection, bad, revisions.Outcome.REFUSED)
    engine.dispose()
    return tmp_path


def test_history_says_who_what_and_why_not(folder: Path) -> None:
    code, out = ask("config", "history")
    assert code == 0
    rows = [line.split(None, 8)[5:] for line in out.splitlines()]
    assert [row[1:3] for row in rows] == [["file", "refused"], ["ana", "running"], ["start", "replaced"]]
    assert "E003" in out


def test_diff_says_what_follows_from_a_change(folder: Path) -> None:
    assert ask("config", "diff", "1", "2") == (0, "~ watches[flights].query  added Kosovo; primed again\n")
    assert ask("config", "diff", "1") == (0, "")
    assert ask("config", "diff", "7")[0] == 1


RUNS = "AND (Serbia OR Kosovo)"
BESIDE = {
    "the file that runs": (RUNS, ("nothing that counts differs from revision 2",)),
    "another query": ("AND Serbia", ("against revision 2:", "~ watches[flights].query  removed Kosovo; primed again")),
    "a key that counts at a start": (
        f"{RUNS}\nweb: {{listen: 127.0.0.1:9090}}",
        (
            "against revision 2:",
            "~ web.port  8080 > 9090  (needs restart)",
            "needs restart: web.port; storywatch reload",
        ),
    ),
    "a faulty file": ("AND (Serbia", ("E051", "1 error", "revision 2 goes on")),
}


@pytest.mark.parametrize("case", BESIDE)
def test_check_says_what_differs_from_what_runs(folder: Path, case: str) -> None:
    said, wanted = BESIDE[case]
    file = folder / "config.yaml"
    text = file.read_text(encoding="utf-8").replace("AND Serbia", said.partition("\n")[0])
    file.write_text(text + said.partition("\n")[2], encoding="utf-8")
    code, out = ask("check", "--no-estimate")
    assert code == (case == "a faulty file")
    assert not [line for line in wanted if line not in out], out
    assert "revision" not in ask("check", "--no-estimate", "--no-compare")[1]
    assert isinstance(json.loads(CliRunner().invoke(cli.app, ["check", "--json"]).stdout), list)


def test_check_knows_the_file_that_runs_by_its_hash(folder: Path) -> None:
    text = (folder / "config.yaml").read_text(encoding="utf-8")
    offer = revisions.Offer(hashlib.sha256(text.encode()).hexdigest(), "no text", "file", NOW)
    engine = engines.open_engine(f"sqlite:///{folder}/storywatch.db")
    with engine.begin() as connection:
        revisions.record(connection, offer, revisions.Outcome.ACCEPTED)
    engine.dispose()
    assert "this is revision 4\n" in ask("check", "--no-estimate")[1]


@pytest.mark.parametrize("content", [None, b"", b"no database at all" * 99])
def test_check_compares_with_nothing_where_no_database_answers(folder: Path, content: bytes | None) -> None:
    (folder / "storywatch.db").unlink()
    if content is not None:
        (folder / "storywatch.db").write_bytes(content)
    code, out = ask("check", "--no-estimate")
    assert (code, out.splitlines()[-1]) == (0, "config.yaml: 2 warnings")


def test_rollback_needs_a_daemon_or_writes_the_file(folder: Path) -> None:
    assert ask("config", "rollback", "2")[0] == 1
    assert ask("config", "rollback", "2", "--write")[0] == 0
    assert "Kosovo" in (folder / "config.yaml").read_text(encoding="utf-8")


def test_reload_without_a_daemon_says_so(folder: Path) -> None:
    code, out = ask("reload")
    assert code == 1
    assert "no daemon" in out


def test_show_prints_what_counts_and_where_it_comes_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = folder / "config.yaml"
    secret = "web: {login: {user: ana, password: {env: PAGE}}}\n"
    file.write_text(f"{file.read_text(encoding='utf-8')}{secret}caps: {{per_hour: 3}}\n", encoding="utf-8")
    monkeypatch.setenv("PAGE", "zugvogel")
    code, out = ask("config", "show", "--origin")
    assert code == 0
    assert 'web.login.password: {"env": "PAGE"}  # config.yaml:13' in out
    assert "channels.digests.recipients[0].caps.per_hour: 3  # config.yaml:14" in out
    assert "channels.digests.recipients[0].caps.per_day: 30  # built in" in out
    assert 'limits.max_item_age: "2d"  # built in' in out
    assert "zugvogel" not in out


def test_fix_repairs_what_is_safe_and_keeps_comments(folder: Path) -> None:
    file = folder / "config.yaml"
    text = file.read_text(encoding="utf-8").replace("watches:", "# mine\nwatchs:")
    file.write_text(text, encoding="utf-8")
    code, out = ask("config", "fix", "--dry")
    assert code == 0
    assert "+watches:" in out
    assert file.read_text(encoding="utf-8") == text
    ask("config", "fix")
    assert "# mine\nwatches:" in file.read_text(encoding="utf-8")


async def test_a_running_daemon_is_asked_and_answers(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    web = "web: {{listen: '127.0.0.1:0'}}\n"
    file.write_text((BASE + web).format(folder=tmp_path), encoding="utf-8")
    async with running(tmp_path):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("AND Serbia", "AND (Serbia"), encoding="utf-8")
        code, out, err = await storywatch("reload", "--json", folder=tmp_path)
        assert (code, json.loads(out)["outcome"]) == (1, "refused"), err
        file.write_text(text.replace("AND Serbia", "AND Kosovo"), encoding="utf-8")
        code, out, err = await storywatch("reload", "--json", folder=tmp_path)
        assert code == 0, out + err
        code, _, err = await storywatch("config", "rollback", "1", folder=tmp_path)
        assert code == 0, err


PASTS = {"longer than is stored": "40d", "no duration": "week", "nothing": "0s"}


@pytest.mark.parametrize("case", PASTS)
def test_a_past_that_cannot_be_told_is_refused_before_anybody_is_asked(case: str) -> None:
    done = CliRunner().invoke(cli.app, ["reload", "--backfill", PASTS[case]])
    assert done.exit_code == 64
    assert "wants a duration up to 30d" in done.stderr
