"""The page of metrics: read by Prometheus' own parser, complete in its description, and with labels that stay few."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, insert

from alerts import tables as alert_tables
from alerts.outbox import gauges as outbox_gauges
from alerts.values import EventState, Kind
from monitor import observing
from monitor.parse import delta
from monitor.schedule import FailReason
from monitor.store import tables
from tests.deploy.conftest import Demo, families
from tests.fakes.feed_server import FeedServer, Step
from tests.scenarios.test_daemon import eventually, get, rss, running, write_config

ROOT = Path(__file__).parent.parent.parent
NOW = datetime(2025, 6, 5, 12, tzinfo=UTC)
NAMED_IN_CONFIG = {"channel", "watch"}
WORDS = {
    ("storywatch_polls", "outcome"): {"changed", "unchanged", "failed", "left_out"},
    ("storywatch_poll_failures", "reason"): {str(reason) for reason in FailReason},
    ("storywatch_entries", "outcome"): {"new", "revised", "matched"},
    ("storywatch_events", "kind"): {str(kind) for kind in Kind},
    ("storywatch_events", "state"): {str(state) for state in EventState},
    ("storywatch_parses", "kind"): {"delta", *(str(reason) for reason in delta.Whole)},
    ("storywatch_pages", "outcome"): {"read", "refused", "failed", "put_off"},
    ("storywatch_parser_restarts", "why"): {"killed", "worn"},
    ("storywatch_news_delay_seconds", "step"): {
        "published_seen",
        "seen_decided",
        "made_sent",
        "decided_sent",
        "published_sent",
    },
    ("storywatch_deliveries_settled", "outcome"): {"sent", "again", "held", "dead", "lost"},
    ("storywatch_job_runs", "outcome"): {"done", "failed"},
    ("storywatch_feeds", "state"): {"active", "gone", "paused", "merged"},
    ("storywatch_outbox_deliveries", "state"): {str(state) for state in outbox_gauges.OPEN},
    ("storywatch_engine_jobs", "state"): {"queued", "running"},
}
FEW = {"job": 20, "standing": 8, "version": 1, "python": 1, "shard": 512, "le": 40}
"""Labels whose words are named in one place of the programme; how many there may be."""


def described() -> dict[str, tuple[str, frozenset[str]]]:
    """Kind and labels of each metric in docs/metrics.md, by the name of its family."""
    found = {}
    for line in (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8").splitlines():
        if row := re.fullmatch(r"\| `(storywatch_\w+)` \| (\w+) \|(.*?)\| (.+) \|", line):
            name, kind, labels, _ = row.groups()
            words = frozenset(re.findall(r"`(\w+)`", labels))
            found[name.removesuffix("_total") if kind == "counter" else name] = (kind, words)
    return found


def labels_of(family: Metric) -> dict[str, set[str]]:
    """The values of each label on a page."""
    found: dict[str, set[str]] = {}
    for sample in family.samples:
        for label, value in sample.labels.items():
            found.setdefault(label, set()).add(value)
    return found


def assert_few(page: dict[str, Metric], names: set[str]) -> None:
    for name, family in page.items():
        for label, values in labels_of(family).items():
            if (name, label) in WORDS:
                assert values <= WORDS[name, label], (name, label)
            elif label in NAMED_IN_CONFIG:
                assert values <= names, (name, label)
            else:
                assert len(values) <= FEW.get(label, 0), (name, label)


@pytest.fixture
def observed(engine: Engine) -> Iterator[CollectorRegistry]:
    registry = CollectorRegistry()
    observer = observing.Observer(engine, lambda: NOW, lambda: ("desk",))
    with observing.observed(observer, registry):
        yield registry


def sample(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


def add_feed(engine: Engine, name: str, **more: object) -> None:
    row = {
        "url": f"https://{name}.example/rss",
        "host": f"{name}.example",
        "next_at": NOW - timedelta(minutes=5),
        "next_reason": "adaptive",
        "schedule": {},
        **more,
    }
    with engine.begin() as connection:
        connection.execute(insert(tables.feed).values(**row))


def test_feeds_that_are_due_are_counted_and_the_oldest_says_how_late_polling_is(
    engine: Engine, observed: CollectorRegistry
) -> None:
    add_feed(engine, "late", next_at=NOW - timedelta(hours=1))
    add_feed(engine, "due")
    add_feed(engine, "held", lease_until=NOW + timedelta(seconds=30))
    add_feed(engine, "paused", state="paused")
    add_feed(engine, "sick", next_at=NOW + timedelta(hours=1), standing="failing")
    assert sample(observed, "storywatch_due_feeds") == 2
    assert sample(observed, "storywatch_due_oldest_seconds") == 3600
    assert sample(observed, "storywatch_feeds", state="active") == 4
    assert sample(observed, "storywatch_feeds", state="paused") == 1
    assert sample(observed, "storywatch_feeds_standing", standing="failing") == 1


def test_what_waits_to_be_told_has_an_age_and_a_state(engine: Engine, observed: CollectorRegistry) -> None:
    old = {"created_at": NOW - timedelta(minutes=20), "expires_at": NOW + timedelta(days=1)}
    plain = {"kind": "post", "event_keys": "[]", "recipient": "desk/x", "story_id": "s", "order_key": "o", "form": "f"}
    delivery = {**old, **plain, "channel": "desk", "body": b"", "body_sha256": ""}
    item = {"event_id": 1, "recipient": "desk/x", "group_key": "s", "state": "pending", "max_age_s": 60}
    with engine.begin() as connection:
        connection.execute(insert(alert_tables.outbox).values(delivery_id="dlv_1", state="ready", **delivery))
        connection.execute(insert(alert_tables.outbox).values(delivery_id="dlv_2", state="dead", **delivery))
        connection.execute(insert(alert_tables.outbox).values(delivery_id="dlv_3", state="sent", **delivery))
        connection.execute(insert(alert_tables.item).values(due_at=NOW - timedelta(seconds=90), **item))
        connection.execute(insert(alert_tables.channel_state).values(channel="pager", state="broken", failures=1))
        connection.execute(
            insert(alert_tables.outbox).values(delivery_id="dlv_4", state="held", **{**delivery, "channel": "pager"})
        )
    assert sample(observed, "storywatch_outbox_deliveries", channel="desk", state="ready") == 1
    assert sample(observed, "storywatch_outbox_deliveries", channel="desk", state="dead") == 1
    assert sample(observed, "storywatch_outbox_oldest_seconds", channel="desk") == 1200
    assert sample(observed, "storywatch_channel_healthy", channel="desk") == 1
    assert sample(observed, "storywatch_channel_healthy", channel="pager") == 0
    assert sample(observed, "storywatch_items_overdue_seconds") == 90


def test_the_database_tells_its_size_and_that_of_its_log(engine: Engine, observed: CollectorRegistry) -> None:
    add_feed(engine, "one")
    assert (sample(observed, "storywatch_database_bytes") or 0) > 0
    assert (sample(observed, "storywatch_wal_bytes") or 0) > 0
    assert sample(observed, "storywatch_database_up") == 1


def test_a_database_that_does_not_answer_is_a_figure_and_no_error(tmp_path: Path) -> None:
    from monitor.store import engine as engines

    gone = engines.open_engine("postgresql+psycopg://nobody@/nowhere?host=/nonexistent")
    registry = CollectorRegistry()
    with observing.observed(observing.Observer(gone, lambda: NOW, tuple), registry):
        page = families(generate_latest(registry).decode())
    assert page["storywatch_database_up"].samples[0].value == 0
    assert "storywatch_due_feeds" not in page


def test_the_demo_fills_every_step_of_the_way_and_no_label_grows(demo: Demo) -> None:
    page = demo.metrics
    delays = page["storywatch_news_delay_seconds"]
    counts = {s.labels["step"]: s.value for s in delays.samples if s.name.endswith("_count")}
    assert set(counts) == WORDS["storywatch_news_delay_seconds", "step"]
    assert all(counts.values())
    assert sum(s.value for s in page["storywatch_polls"].samples if s.name.endswith("_total")) > 20
    assert_few(page, {"digests", "balkan-deportees"})


async def test_the_real_page_is_read_by_the_parser_and_holds_what_is_described(tmp_path: Path) -> None:
    async with FeedServer() as server:
        server.script("/a", Step(body=rss("Serbia asked to take deported migrants")))
        write_config(tmp_path, server.url("/a"))
        async with running(tmp_path) as (_, started):
            address = started["page"] + "metrics"
            text = await eventually(lambda: get(address)[1], lambda page: 'outcome="changed"} 1.0' in page)
    page = families(text)
    assert_few(page, {"digests", "flights"})
    known = {name: (family.type, frozenset(labels_of(family)) - {"le"}) for name, family in page.items()}
    said = described()
    assert set(known) - set(said) == set(), "not in docs/metrics.md"
    assert set(said) - set(known) <= {"storywatch_wal_written_bytes"}, "in docs/metrics.md and not on the page"
    assert {name: kind for name, (kind, _) in known.items()}.items() <= {n: k for n, (k, _) in said.items()}.items()
    for name, (_, labels) in known.items():
        assert labels <= said[name][1], name
    assert len(list(text_string_to_metric_families(text))) < 100


def test_the_description_names_every_word_of_a_label() -> None:
    lines = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8").splitlines()
    for (name, label), words in WORDS.items():
        if label in ("reason", "kind") or name == "storywatch_events":
            continue
        (line,) = [line for line in lines if line.startswith((f"| `{name}` ", f"| `{name}_total` "))]
        assert words <= set(re.findall(r"\w+", line)), name


def test_asking_twice_at_once_looks_once(engine: Engine) -> None:
    looks = []

    def now() -> datetime:
        looks.append(1)
        return NOW

    async def ask(registry: CollectorRegistry) -> None:
        await asyncio.gather(*(asyncio.to_thread(generate_latest, registry) for _ in range(4)))

    registry = CollectorRegistry()
    with observing.observed(observing.Observer(engine, now, tuple), registry):
        asyncio.run(ask(registry))
    assert len(looks) == 1
