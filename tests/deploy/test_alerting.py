"""Rules and dashboard ask for what there is: every query parses, every metric, label and word in it exists."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from ruamel.yaml import YAML

from tests.deploy.test_metrics import NAMED_IN_CONFIG, WORDS, described

ROOT = Path(__file__).parent.parent.parent
RULES = ROOT / "deploy" / "prometheus" / "rules.yaml"
BOARD = ROOT / "deploy" / "grafana" / "storywatch.json"
NOT_OURS = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}
LABELS_OF_PROMETHEUS = {"job", "instance", "le"}


def rules() -> list[dict[str, Any]]:
    (group,) = YAML(typ="safe", pure=True).load(RULES.read_text(encoding="utf-8"))["groups"]
    return list(group["rules"])


def panels() -> list[dict[str, Any]]:
    return list(json.loads(BOARD.read_text(encoding="utf-8"))["panels"])


def queries() -> Iterator[tuple[str, str]]:
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m")


def selectors(query: str) -> list[Any]:
    found: list[Any] = []

    def visit(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)

    promql_parser.walk(promql_parser.parse(query), visit)
    return found


def family(name: str, known: dict[str, Any]) -> str | None:
    """The metric whose series is called so."""
    for end, kind in (("", "gauge"), ("_total", "counter"), *((e, "histogram") for e in ("_bucket", "_sum", "_count"))):
        base = name.removesuffix(end) if end else name
        if name.endswith(end) and base in known and known[base][0] == kind:
            return base
    return None


@pytest.mark.parametrize(
    ("where", "query"), [pytest.param(*pair, id=f"{n} {pair[0]}") for n, pair in enumerate(queries())]
)
def test_a_query_asks_for_metrics_labels_and_words_that_exist(where: str, query: str) -> None:
    known = described()
    allowed = set(LABELS_OF_PROMETHEUS)
    for selector in selectors(query):
        if selector.name in NOT_OURS:
            continue
        base = family(selector.name, known)
        assert base is not None, f"{where}: there is no {selector.name}"
        allowed |= known[base][1]
        for matcher in selector.matchers.matchers:
            assert matcher.name in known[base][1], f"{where}: {base} has no label {matcher.name}"
            words = WORDS.get((base, matcher.name))
            if words is not None:
                assert set(matcher.value.split("|")) <= words, f"{where}: {matcher.value}"
            else:
                assert matcher.name in NAMED_IN_CONFIG
    for grouped in re.findall(r"\b(?:by|on) ?\(([^)]*)\)", query):
        assert {label.strip() for label in grouped.split(",") if label.strip()} <= allowed, f"{where}: {grouped}"


def test_every_alert_says_how_urgent_it_is_what_happened_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names) >= 15
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert set(rule["annotations"]) == {"summary", "description"}, rule["alert"]
        assert re.fullmatch(r"\d+m", rule.get("for", "1m")), rule["alert"]


def test_what_an_alert_names_is_a_label_that_its_query_keeps() -> None:
    for rule in rules():
        named = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        kept = {label.strip() for group in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in group.split(",")}
        assert named <= kept | ({"instance", "job"} if rule["expr"].startswith("up") else set()), rule["alert"]


def test_the_dashboard_is_what_its_table_makes_of_it() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "dashboard.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_panels_of_the_dashboard_do_not_lie_on_each_other_and_name_no_other_source() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
        assert panel.get("datasource", {}).get("uid", "${source}") == "${source}"
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_what_is_paged_is_on_the_dashboard() -> None:
    shown = {
        selector.name
        for panel in panels()
        for t in panel.get("targets", ())
        for selector in selectors(t["expr"].replace("$__rate_interval", "5m"))
    }
    paged = {s.name for rule in rules() if rule["labels"]["severity"] == "page" for s in selectors(rule["expr"])}
    bare = {"up", "storywatch_database_up", "storywatch_feeds", "storywatch_channel_healthy", "storywatch_canary_ok"}
    assert paged - shown <= bare | {"storywatch_items_overdue_seconds"}


def test_promtool_takes_the_rules_and_their_tests() -> None:
    promtool = os.environ.get("STORYWATCH_PROMTOOL") or shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not here: the rules were parsed, but not played")
    for words in (("check", "rules", RULES.name), ("test", "rules", "rules_test.yaml")):
        done = subprocess.run([promtool, *words], cwd=RULES.parent, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
