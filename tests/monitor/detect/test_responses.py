"""Who answered and who did not: our own passages, one JSON line each, and the properties of the whole.

`want` holds "government body stance [asker]" for every finding that is not background, and nothing else may be found.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from monitor import lexicons
from monitor.detect import lexicon, outlets, responses
from monitor.values import Certainty, Domain, Outlet, Stance

DATA = Path(__file__).parents[2] / "data" / "responses"
RAW = lexicons.load("detect/lexicon")
LEXICON = lexicon.from_raw(RAW)
OUTLETS = outlets.from_raw(RAW)
ROWS = [json.loads(line) for line in (DATA / "scenarios.jsonl").read_text(encoding="utf-8").splitlines()]


def entry(row: dict[str, Any]) -> responses.EntryText:
    outlet = OUTLETS.by_domain(Domain(row["outlet"])) if "outlet" in row else None
    return responses.EntryText(row.get("title", ""), row["text"], row["lang"], outlet)


def told(doc: responses.EntryText) -> list[str]:
    """What was found, in the words of `want`."""
    lines = []
    for finding in responses.findings_of(doc, LEXICON, OUTLETS):
        if not finding.background:
            asker = f" {finding.asker.domain or finding.asker.name}" if finding.asker else ""
            lines.append(f"{finding.government} {finding.body} {finding.stance}{asker}")
    return sorted(lines)


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_passage_gives_what_it_says_and_nothing_else(row: dict[str, Any]) -> None:
    assert told(entry(row)) == sorted(row["want"])


def test_there_are_enough_passages() -> None:
    assert len(ROWS) >= 150
    assert len({row["text"] + row.get("title", "") for row in ROWS}) == len(ROWS)
