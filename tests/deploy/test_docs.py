"""docs/deploy.md says what is: its files exist, its configuration is accepted, its alerts are those of the rules."""

from __future__ import annotations

import re
from pathlib import Path

from monitor.config import api
from tests.deploy.test_alerting import rules

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
BASE = """\
version: 1
contact: https://newsroom.example/storywatch
watches: [{name: flights, query: "deport* AND Serbia"}]
channels: {console: {type: stdout}}
"""


def test_every_file_that_is_named_is_there() -> None:
    named = set(re.findall(r"`?(deploy/[\w./@-]+[\w])`?", TEXT))
    ours = {name for name in named if not name.startswith(("deploy/config", "deploy/secrets"))}
    assert {"deploy/kubernetes.yaml", "deploy/prometheus/rules.yaml", "deploy/grafana/storywatch.json"} <= ours
    assert [name for name in ours if not (ROOT / name).exists()] == []


def test_the_configuration_that_is_shown_is_accepted(tmp_path: Path) -> None:
    shown = re.findall(r"```yaml\n# config\.yaml\n(.*?)```", TEXT, re.DOTALL)
    assert shown
    for block in shown:
        password = tmp_path / "password"
        password.write_text("a-long-one", encoding="utf-8")
        read = api.parse_text(BASE + block.replace("/config/password", str(password)), {})
        assert (read.web.host, read.web.metrics) == ("0.0.0.0", ("0.0.0.0", 9090))


def test_every_alert_has_its_line() -> None:
    table = "".join(line.split("|")[1] for line in TEXT.splitlines() if line.startswith("| "))
    known = {rule["alert"].removeprefix("Storywatch") for rule in rules()}
    told = {name for name in re.findall(r"[A-Z]\w+", table) if name in known}
    assert known - told == {"ParsersKilled", "DecidesSlowly", "ClockJumped"}, "tell, or name it here"
