"""Write deploy/grafana/storywatch.json: the panels stand below as a table, the rest is what Grafana wants around them.

Run `python tools/dashboard.py` after a change; with `--check` it only says whether the file is fresh.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "deploy/grafana/storywatch.json"
_SOURCE = {"type": "prometheus", "uid": "${source}"}
_P95 = "histogram_quantile(0.95, sum by ({by}) (rate({name}_bucket{{{only}}}[$__rate_interval])))"


@dataclass(frozen=True)
class Panel:
    """One picture: queries with the legend of their lines, in a unit; `kind` is timeseries, stat or table."""

    title: str
    about: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    kind: str = "timeseries"
    width: int = 8


def p95(name: str, by: str = "le", only: str = "") -> str:
    """The slowest twentieth of a histogram."""
    return _P95.format(name=name, by=by, only=only)


def rate(name: str, by: str) -> str:
    """How many a second, summed over processes."""
    return f"sum by ({by}) (rate({name}[$__rate_interval]))"


ROWS: dict[str, tuple[Panel, ...]] = {
    "Is anything missed?": (
        Panel(
            "Worst share of readable feeds",
            "The watch that sees least of its feeds. Below 80 % its silence proves nothing.",
            "percentunit",
            (("min(storywatch_watch_healthy_share)", "worst"),),
            "stat",
            6,
        ),
        Panel(
            "Oldest due poll",
            "How long the poll that waits longest has waited.",
            "s",
            (("max(storywatch_due_oldest_seconds)", "oldest"),),
            "stat",
            6,
        ),
        Panel(
            "Oldest message on its way",
            "Age of the oldest delivery that was made and not sent.",
            "s",
            (("max(storywatch_outbox_oldest_seconds)", "oldest"),),
            "stat",
            6,
        ),
        Panel(
            "Canary",
            "How long the last made-up story took from its feed to its channel.",
            "s",
            (("max(storywatch_canary_seconds)", "way"),),
            "stat",
            6,
        ),
        Panel(
            "Coverage by watch",
            "Share of each watch's feeds that can be read.",
            "percentunit",
            (("min by (watch) (storywatch_watch_healthy_share)", "{{watch}}"),),
        ),
        Panel(
            "Delay at which a watch would see news",
            "Worst time between two looks at a feed of the watch.",
            "s",
            (("max by (watch) (storywatch_watch_delay_seconds)", "{{watch}}"),),
        ),
        Panel(
            "What news waits for (p95)",
            "published_seen: feeds and polling. seen_decided: parsing and deciding. made_sent: the outbox. "
            "decided_sent holds the waits that routes ask for.",
            "s",
            ((p95("storywatch_news_delay_seconds", "le, step"), "{{step}}"),),
        ),
    ),
    "Polling": (
        Panel("Polls", "By outcome.", "ops", ((rate("storywatch_polls_total", "outcome"), "{{outcome}}"),)),
        Panel(
            "Failures", "By reason word.", "ops", ((rate("storywatch_poll_failures_total", "reason"), "{{reason}}"),)
        ),
        Panel(
            "Lag of polls",
            "How long after it fell due a poll was begun.",
            "s",
            (
                (p95("storywatch_poll_lag_seconds"), "p95"),
                (
                    "sum(rate(storywatch_poll_lag_seconds_sum[$__rate_interval])) / "
                    "sum(rate(storywatch_poll_lag_seconds_count[$__rate_interval]))",
                    "mean",
                ),
            ),
        ),
        Panel(
            "Due and under way",
            "Feeds that wait, and polls that are open.",
            "short",
            (("max(storywatch_due_feeds)", "due"), ("sum(storywatch_open_polls)", "open")),
        ),
        Panel(
            "Feeds by standing",
            "What their operator was told last.",
            "short",
            (("max by (standing) (storywatch_feeds_standing)", "{{standing}}"),),
        ),
        Panel(
            "Parsing",
            "Documents by how they were parsed, and parser processes that a body ended.",
            "ops",
            (
                (rate("storywatch_parses_total", "kind"), "{{kind}}"),
                (rate("storywatch_parser_restarts_total", "why"), "restart: {{why}}"),
            ),
        ),
    ),
    "Telling": (
        Panel(
            "Events",
            "Stored events that are told.",
            "ops",
            (('sum by (kind) (rate(storywatch_events_total{state="open"}[$__rate_interval]))', "{{kind}}"),),
        ),
        Panel(
            "Ends of deliveries",
            "By channel and outcome.",
            "ops",
            ((rate("storywatch_deliveries_settled_total", "channel, outcome"), "{{channel}} {{outcome}}"),),
        ),
        Panel(
            "Not yet sent",
            "By channel and state.",
            "short",
            (("max by (channel, state) (storywatch_outbox_deliveries) > 0", "{{channel}} {{state}}"),),
        ),
    ),
    "The machinery": (
        Panel(
            "Recording a document (p95)", "The one transaction.", "s", ((p95("storywatch_document_seconds"), "p95"),)
        ),
        Panel(
            "Database",
            "Its size and that of its write-ahead log.",
            "bytes",
            (("max(storywatch_database_bytes)", "database"), ("max(storywatch_wal_bytes)", "log")),
        ),
        Panel(
            "Log written by Postgres",
            "Bytes a second, of all databases of the server.",
            "Bps",
            (("max(rate(storywatch_wal_written_bytes[$__rate_interval]))", "written"),),
        ),
        Panel(
            "Processes",
            "Who leads, jobs of the engine, results that came too late.",
            "short",
            (
                ("sum(storywatch_leader)", "leaders"),
                ("max by (state) (storywatch_engine_jobs)", "jobs {{state}}"),
                ("sum(increase(storywatch_stale_claims_total[$__rate_interval]))", "stale claims"),
            ),
        ),
        Panel(
            "Memory",
            "Resident, by process.",
            "bytes",
            (('process_resident_memory_bytes{job="storywatch"}', "{{instance}}"),),
        ),
        Panel(
            "CPU",
            "Cores, by process; parser processes count when they have ended.",
            "short",
            (('rate(process_cpu_seconds_total{job="storywatch"}[$__rate_interval])', "{{instance}}"),),
        ),
    ),
}


def dashboard() -> dict[str, Any]:
    """The whole file."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS.items():
        panels.append({"type": "row", "title": title, "gridPos": _place(0, y, 24, 1), "collapsed": False, "panels": []})
        y += 1
        x = height = 0
        for panel in row:
            if x + panel.width > 24:
                x, y = 0, y + height
            height = 4 if panel.kind == "stat" else 8
            panels.append(_panel(panel, _place(x, y, panel.width, height)))
            x += panel.width
        y += height
    for number, made in enumerate(panels, 1):
        made["id"] = number
    return {
        "uid": "storywatch",
        "title": "storywatch",
        "description": "News feeds watched, stories found, people told. Metrics are described in docs/metrics.md.",
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "tags": ["storywatch"],
        "annotations": {"list": []},
        "templating": {
            "list": [{"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}]
        },
        "panels": panels,
    }


def _place(x: int, y: int, w: int, h: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": w, "h": h}


def _panel(panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + n), "expr": query, "legendFormat": legend, "datasource": _SOURCE}
        for n, (query, legend) in enumerate(panel.queries)
    ]
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {},
        "targets": targets,
    }


def main() -> int:
    """Write the file, or say whether it is fresh."""
    text = json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n"
    if "--check" not in sys.argv:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    fresh = TARGET.read_text(encoding="utf-8") == text
    sys.stdout.write("" if fresh else f"{TARGET} is stale: python tools/dashboard.py\n")
    return 0 if fresh else 1


if __name__ == "__main__":
    sys.exit(main())
