"""No secret in any output, and no secret that is not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.config import api, rendering, secrets
from monitor.config.secrets import SecretMissing, SecretRef
from monitor.errors import ConfigError

CANARY = "kanarienvogel-7f3a"
HEAD = "version: 1\ncontact: desk@paper.example\n"
LEAKS = {
    "a Slack token as a value": f"channels: {{desk: {{type: slack, token: xoxb-{CANARY}}}}}\n",
    "a plain word where a secret is wanted": f"web: {{link_keys: [{CANARY}]}}\n",
    "a password in a feed's address": f"feeds: [{{url: 'https://ana:{CANARY}@a.example/rss'}}]\n",
    "a webhook's address": f"web: {{public_url: https://hooks.slack.com/services/T0/B0/{CANARY}}}\n",
    "a signing key in a note": f"feeds: [{{url: https://a.example/rss, note: whsec_{CANARY}}}]\n",
    "a password of the wrong kind": f"feeds: [{{url: https://a.example, auth: {{user: a, password: [{CANARY}]}}}}]\n",
    "a token as a key": f"xoxb-{CANARY}: 1\n",
    "a token behind broken YAML": f"token: xoxb-{CANARY}\nweb: [\n",
    "a password on a broken line": f'password: "{CANARY}\n',
    "a token as an alias": f"web: *xoxb-{CANARY}\n",
    "a database with its password": f"storage: {{url: 'postgresql://sw:{CANARY}@db.example/sw'}}\n",
}


@pytest.mark.parametrize("case", LEAKS)
@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_a_secret_in_the_file_is_in_no_output(case: str, form: str) -> None:
    text = HEAD + LEAKS[case]
    problems = api.check_text(text, {})
    assert problems
    assert CANARY not in rendering.render(problems, text, form)
    assert CANARY not in str(ConfigError(problems))


INLINE = (
    "a Slack token as a value",
    "a password in a feed's address",
    "a webhook's address",
    "a signing key in a note",
)


@pytest.mark.parametrize("case", [*INLINE, "a plain word where a secret is wanted"])
def test_a_secret_in_the_file_is_an_error(case: str) -> None:
    assert "E071" in [problem.code for problem in api.check_text(HEAD + LEAKS[case], {})]


def test_a_missing_variable_is_told_with_its_place() -> None:
    (problem,) = api.check_text(HEAD + "web: {link_keys: [{env: KEY_OF_NOBODY}]}\n", {})
    assert (problem.code, problem.line, problem.column) == ("E070", 3, 19)
    assert "KEY_OF_NOBODY" in problem.message


def test_an_empty_secret_is_missing(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("\n", encoding="utf-8")
    (problem,) = api.check_text(HEAD + f"web: {{link_keys: [{{file: {tmp_path / 'key'}}}]}}\n", {})
    assert problem.code == "E070"


def test_a_file_that_everybody_reads_is_worth_a_warning(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("k" * 32, encoding="utf-8")
    key.chmod(0o644)
    text = HEAD + f"web: {{link_keys: [{{file: {key}}}]}}\n"
    assert [problem.code for problem in api.check_text(text, {})] == ["W070"]
    key.chmod(0o600)
    assert api.check_text(text, {}) == ()


def test_a_short_key_is_refused() -> None:
    (problem,) = api.check_text(HEAD + "web: {link_keys: [{env: KEY}]}\n", {"KEY": "short"})
    assert problem.code == "E073"
    assert "short" not in problem.message.replace("shorter", "")


def test_a_secret_is_read_without_its_last_newline(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n", encoding="utf-8")
    assert secrets.reveal(SecretRef("file", str(tmp_path / "key")), {}) == "s3cret"
    assert secrets.reveal(SecretRef("credential", "key"), {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "s3cret"
    assert secrets.reveal("plain", {}) == "plain"


def test_white_space_inside_a_secret_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("two words", encoding="utf-8")
    with pytest.raises(SecretMissing):
        secrets.reveal(SecretRef("file", str(tmp_path / "key")), {})


def test_a_rotated_file_is_seen_at_the_next_use(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("old", encoding="utf-8")
    reference = SecretRef("file", str(key))
    assert secrets.reveal(reference, {}) == "old"
    key.write_text("new", encoding="utf-8")
    assert secrets.reveal(reference, {}) == "new"


def test_a_known_secret_is_hidden_wherever_it_stands() -> None:
    data = {"a": [{"env": "KEY"}, {"env": "NOT_THERE"}]}
    known = secrets.known_values(data, {"KEY": CANARY})
    assert secrets.redact(f"it was {CANARY}, twice {CANARY}", known) == "it was [hidden], twice [hidden]"


def test_references_are_no_secrets() -> None:
    assert secrets.redact("token: {env: SLACK_TOKEN}") == "token: {env: SLACK_TOKEN}"


def test_json_tells_every_field() -> None:
    rows = json.loads(rendering.as_json(api.check_text(HEAD + "timezone: Nowhere\n", {})))
    assert set(rows[0]) == {"file", "line", "column", "end_column", "severity", "code", "path", "message", "hint"}
