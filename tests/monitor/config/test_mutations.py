"""Damaged files: never a traceback, always a place, never a secret, never for long."""

from __future__ import annotations

import io
import json
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from monitor.config import api, rendering, units

DATA = Path(__file__).parents[2] / "data" / "config"
CANARY = "xoxb-zugvogel-99"
SOURCES = [
    (DATA / "whole.yaml").read_text(encoding="utf-8"),
    (DATA / "seven-faults.yaml").read_text(encoding="utf-8") + f"\nweb: {{login: {{user: a, password: {CANARY}}}}}\n",
]
SIGNS = "\t\n :-[]{}|>'\"#&*!%@`~?,\0\x07\u2028é☃0"


def damaged(text: str, rng: random.Random) -> str:
    lines = text.split("\n")
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(lines))
        match rng.randrange(6):
            case 0:
                del lines[at]
            case 1:
                lines[at] = " " * rng.randint(0, 9) + lines[at].lstrip()
            case 2:
                lines.insert(at, lines[rng.randrange(len(lines))])
            case 3 if lines[at]:
                place = rng.randrange(len(lines[at]))
                lines[at] = lines[at][:place] + rng.choice(SIGNS) + lines[at][place + 1 :]
            case 4 if lines[at]:
                place = rng.randrange(len(lines[at]))
                lines[at] = lines[at][:place] + rng.choice(SIGNS) * rng.randint(1, 3) + lines[at][place:]
            case _:
                lines[at] = lines[at].replace(": ", rng.choice([": *x ", ": &x ", ": !x ", ":", ": [", ": ~ #"]), 1)
        lines = lines or [""]
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_file_is_told_and_never_crashes(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(15):
        text = damaged(rng.choice(SOURCES), rng)
        begun = time.monotonic()
        problems = api.check_text(text, {})
        assert time.monotonic() - begun < 20
        for form in ("text", "json"):
            assert "zugvogel" not in rendering.render(problems, text, form)
        for problem in problems:
            assert problem.line >= 1
            assert problem.column >= 1
            assert problem.line <= text.count("\n") + text.count("\u2028") + 2


def test_random_bytes_are_no_file(tmp_path: Path) -> None:
    rng = random.Random(5)
    path = tmp_path / "config.yaml"
    for _ in range(30):
        path.write_bytes(rng.randbytes(rng.randint(0, 400)))
        assert api.check(path, {})


ADDRESSES = {
    "the scheme does not count": ("http://a.example/x", "https://a.example/x", True),
    "the case of the host does not count": ("https://A.Example/x", "https://a.example/x", True),
    "the case of the path counts": ("https://a.example/X", "https://a.example/x", False),
    "a query counts": ("https://a.example/x?a=1", "https://a.example/x?a=2", False),
    "a default port does not count": ("https://a.example:443/x", "https://a.example/x", True),
    "another port counts": ("https://a.example:8443/x", "https://a.example/x", False),
    "a host in its own script is the same in ASCII": (
        "https://пример.срб/x",
        "https://xn--e1afmkfd.xn--90a3ac/x",
        True,
    ),
}


@pytest.mark.parametrize("case", ADDRESSES)
def test_the_same_feed_is_recognised(case: str) -> None:
    left, right, same = ADDRESSES[case]
    assert (units.same_address(left) == units.same_address(right)) is same


DURATIONS = {"30s": 30, "1h30m": 5400, "2d": 172800, "0s": 0}


@pytest.mark.parametrize("text", DURATIONS)
def test_a_duration_is_read_and_written(text: str) -> None:
    assert units.duration(text).total_seconds() == DURATIONS[text]
    assert units.duration(units.written_duration(units.duration(text))) == units.duration(text)


@pytest.mark.parametrize("text", ["", "5", "5x", "h", "-5m", "5 m", "1.5h", "99999d", "5M"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        units.duration(text)


def random_file(rng: random.Random) -> dict[str, object]:
    tags = ["wire", "government", "region"]
    feeds = [
        {
            "url": f"https://h{n}.example/rss?n={n}",
            "tags": rng.sample(tags, rng.randint(0, 3)),
            "floor": rng.choice(["5m", "15m", "1h"]),
            "note": rng.choice(["NO", "22:30", "on", "1.10", "017", "a: b # c", "- x", "šđ ☃", "null", "*"]),
            "paused": rng.random() < 0.3,
        }
        for n in range(rng.randint(0, 5))
    ]
    watches = [
        {
            "name": f"w-{n}",
            "query": rng.choice(["Serbia", '"third country" NEAR/3 ~migrant', "(Kosovo OR TPS)\nAND deport*\n"]),
            "governments": {"watch": rng.sample(["NO", "RS", "XK", "EU"], 2)},
            "alert": {"spike": {"times": rng.choice([2, 2.5])}, "remind_after": rng.choice(["off", "2d"])},
        }
        for n in range(rng.randint(0, 4))
    ]
    return {
        "version": 1,
        "contact": "desk@paper.example",
        "feeds": feeds,
        "watches": watches,
        "limits": {"body": rng.choice([1048576, "5MiB"]), "max_item_age": rng.choice(["48h", "2d"])},
        "channels": {"console": {"type": "stdout"}},
    }


@pytest.mark.parametrize("seed", range(10))
def test_a_file_means_the_same_however_it_is_written(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(4):
        data, stream = random_file(rng), io.StringIO()
        YAML(typ="safe", pure=True).dump(data, stream)
        blocks, braces = api.parse_text(stream.getvalue(), {}), api.parse_text(json.dumps(data, indent=1), {})
        assert [replace(feed, line=0) for feed in blocks.feeds] == [replace(feed, line=0) for feed in braces.feeds]
        assert [replace(watch, line=0) for watch in blocks.watches] == [
            replace(watch, line=0) for watch in braces.watches
        ]
        assert blocks.limits == braces.limits
        assert [feed.note for feed in blocks.feeds] == [feed["note"] for feed in data["feeds"]]  # type: ignore[attr-defined]
