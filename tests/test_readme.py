"""README and CI say the same, and the README promises nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

from typer.main import get_command

from monitor import cli

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_ci_runs_the_readmes_test_command() -> None:
    block = re.search(r"## Tests\n\n```console\n\$ (.+)\n```", README)
    assert block is not None
    assert f"\n{block.group(1)}\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_command_the_readme_names_exists() -> None:
    root = get_command(cli.app)
    for named in set(re.findall(r"`storywatch ([a-z]+(?:-[a-z]+)*)", README)):
        assert named in root.commands, named  # type: ignore[attr-defined]


def test_every_link_leads_to_a_file() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_changelog_has_the_version() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
