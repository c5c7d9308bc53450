"""The demo, killed with SIGKILL at random moments and started again: no event lost, none told twice.

The demo is the whole product: HTTP polling, parser processes, the pipeline, the outbox and a channel.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from alerts import tables
from monitor.store import engine as engines

KILLS = 5


def demo(folder: Path) -> subprocess.Popen[bytes]:
    """Start the demo in a process group of its own, so that its parser processes die with it."""
    return subprocess.Popen(
        [sys.executable, "-m", "monitor", "demo", "--fast", "--folder", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    _, err = process.communicate(timeout=240)
    assert process.returncode == 0, err.decode()


def events(folder: Path) -> set[str]:
    """The keys of every event that was stored."""
    opened = engines.open_engine(f"sqlite:///{folder / 'storywatch.db'}")
    with engines.reading(opened) as connection:
        keys = set(connection.execute(select(tables.event.c.event_key)).scalars())
    opened.dispose()
    return keys


def told(folder: Path) -> Counter[str]:
    """How often each event was told, over all digests."""
    digests = [json.loads(path.read_text(encoding="utf-8")) for path in (folder / "digests").glob("*.json")]
    return Counter(event["key"] for digest in digests for event in digest["data"]["events"])


@pytest.mark.slow
def test_five_kills_lose_no_event_and_double_none(tmp_path: Path) -> None:
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    finish(demo(undisturbed))
    seed = int(os.environ.get("STORYWATCH_CRASH_SEED", random.SystemRandom().randrange(10**6)))
    dice = random.Random(seed)
    for _ in range(KILLS):
        process = demo(disturbed)
        try:
            process.communicate(timeout=dice.uniform(1.0, 6.0))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    finish(demo(disturbed))
    assert events(disturbed) == events(undisturbed), f"STORYWATCH_CRASH_SEED={seed}"
    counts = told(disturbed)
    assert max(counts.values()) == 1, f"told twice: {[k for k, n in counts.items() if n > 1]}, seed {seed}"
    assert set(counts) == set(told(undisturbed)), f"STORYWATCH_CRASH_SEED={seed}"
