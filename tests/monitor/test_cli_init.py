"""`storywatch init` writes a file that checks, without asking when it is told everything."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor import cli
from monitor.config import api, starting

CASES = {
    "one concept to the console": (("--topic", "~deportation"), {"console": "stdout"}),
    "a phrase to a folder and to Slack": (
        ("--topic", "third country", "--language", "en", "--channel", "folder", "--channel", "slack"),
        {"digests": "folder", "desk": "slack"},
    ),
    "words in another script by mail": (("--topic", "Косово, Srbija", "--channel", "email"), {"mail": "email"}),
    "a webhook": (("--topic", "TPS", "--channel", "webhook"), {"hook": "webhook"}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_file_has_no_fault_but_secrets_that_are_not_there_yet(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, channels = CASES[case]
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli.app, ["init", *words, "--contact", "desk@paper.example"])
    assert done.exit_code == 0, done.output
    config = api.load(tmp_path / "config.yaml", {}, with_secrets=False)
    assert {name: raw["type"] for name, raw in config.alerts_raw["channels"].items()} == channels
    assert len(config.feeds) > 20
    assert "#" in (tmp_path / "config.yaml").read_text(encoding="utf-8")


def test_a_file_that_is_there_is_not_replaced_by_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("mine", encoding="utf-8")
    assert CliRunner().invoke(cli.app, ["init", "--topic", "TPS"]).exit_code == 1
    assert (tmp_path / "config.yaml").read_text(encoding="utf-8") == "mine"
    assert CliRunner().invoke(cli.app, ["init", "--topic", "TPS", "--force"]).exit_code == 0


def test_without_a_topic_and_a_person_to_ask_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(cli.app, ["init"]).exit_code == 64
    assert not (tmp_path / "config.yaml").exists()


def test_an_unknown_channel_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli.app, ["init", "--topic", "TPS", "--channel", "pigeon"])
    assert done.exit_code == 64
    assert "pigeon" in done.output


def test_a_quote_in_a_topic_breaks_nothing() -> None:
    assert starting.query(['a "b" c', "~d", ""]) == '"a b c" OR ~d'
