"""The labelled queries, where the evaluation data is at hand."""

from __future__ import annotations

import json
from pathlib import Path

from monitor.match import matcher, query
from monitor.match.concepts import Concepts
from monitor.match.matcher import Document, WatchQuery


def test_every_labelled_row_and_span(shared: Path, lexicon: Concepts) -> None:
    rows = [json.loads(line) for line in (shared / "data/matching/dev.jsonl").read_text(encoding="utf-8").splitlines()]
    wrong = []
    for row in rows:
        watch = WatchQuery("query", query.parse(row["query"], lexicon))
        facts = row.get("outlet"), row.get("outlet_domain"), row.get("country")
        found = matcher.compile([watch], lexicon).match(Document(row["title"], row["text"], row["lang"], *facts))
        spans = [[span.field, span.start, span.end] for match in found for span in match.spans]
        if spans != row["spans"]:
            wrong.append((row["id"], row["query"], spans))
    assert rows
    assert wrong == []
