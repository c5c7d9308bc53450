"""One run of the demo for all tests of what an operator sees: its log, and its counters when it has ended."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

_PLAY = """\
import sys
from pathlib import Path
from prometheus_client import generate_latest
from monitor.demo import play
folder = Path(sys.argv[1])
code = play.run(folder, fast=True, log=folder / "log.jsonl")
(folder / "metrics.txt").write_bytes(generate_latest())
sys.exit(code)
"""


@dataclass(frozen=True)
class Demo:
    """What a run of the demo left."""

    folder: Path
    log: tuple[dict[str, Any], ...]
    metrics: dict[str, Metric]


def families(text: str) -> dict[str, Metric]:
    """Our metrics on a page, read by the client library's own parser, by the names of their families."""
    return {family.name: family for family in text_string_to_metric_families(text) if "storywatch" in family.name}


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Play the demo once."""
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [sys.executable, "-c", _PLAY, str(folder)], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    metrics = families((folder / "metrics.txt").read_text(encoding="utf-8"))
    return Demo(folder, tuple(json.loads(line) for line in lines), metrics)
