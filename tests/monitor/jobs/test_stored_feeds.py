"""A feed of the database is polled, read, chosen and judged by what its row says, as others by config.yaml."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, update

from monitor import seeing, status
from monitor.config import api
from monitor.config.values import FeedConfig
from monitor.feed import facts
from monitor.jobs import coverage, requests
from monitor.store import engine as engines
from monitor.store import feeds, listed, sights, tables
from monitor.values import Fetched, Validators

NOW = datetime(2025, 6, 5, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
URL, OTHER = "https://paper.example/rss", "https://other.example/rss"
SAID: dict[str, Any] = {
    "outlet": "paper.example",
    "tags": ["wire", "government"],
    "floor": "20m",
    "language": "sr",
    "timezone": "Europe/Belgrade",
}
ANSWER = Fetched(URL, URL, 200, (), b"", Validators(), NOW, timedelta())
IN_FILE = FeedConfig(URL, outlet="file.example", tags=frozenset({"file"}), floor=HOUR, ceiling=2 * HOUR)
CONFIG = api.parse_text(
    "version: 1\ncontact: https://newsroom.example/w\nwatches:\n"
    "  - {name: wires, query: deport*, feeds: [wire]}\n  - {name: all, query: deport*}\n"
    f"feeds: [{{url: {OTHER}, tags: [other]}}]\n",
    {},
)


def stored(engine: Engine, **said: Any) -> feeds.FeedRow:
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed(OTHER, "other.example")], NOW)
        listed.add(connection, [listed.New(URL, "paper.example", said, NOW)])
        row = feeds.by_url(connection, URL)
    assert row is not None
    return row


def parts(*configured: FeedConfig) -> Any:
    return SimpleNamespace(feeds={feed.url: feed for feed in configured}, own_hosts=frozenset())


HOLDS: dict[str, tuple[tuple[FeedConfig, ...], dict[str, Any]]] = {
    "what its row says": (
        (),
        {
            "outlet": "paper.example",
            "tags": {"wire", "government"},
            "floor": timedelta(minutes=20),
            "ceiling": timedelta(minutes=30),
            "government": True,
            "language": "sr",
        },
    ),
    "what config.yaml says, where it names it, too": (
        (IN_FILE,),
        {
            "outlet": "file.example",
            "tags": {"file"},
            "floor": HOUR,
            "ceiling": 2 * HOUR,
            "government": False,
            "language": None,
        },
    ),
}


@pytest.mark.parametrize(("configured", "wanted"), HOLDS.values(), ids=HOLDS)
def test_a_poll_goes_by(sqlite_url: str, configured: tuple[FeedConfig, ...], wanted: dict[str, Any]) -> None:
    engine = engines.open_engine(sqlite_url)
    row, by = stored(engine, **SAID), parts(*configured)
    engine.dispose()
    policy = requests.policy(row, by)
    hints = requests.body(row, ANSWER, by).hints
    found = {
        "outlet": requests.outlet(row, by),
        "tags": requests.tags(row, by),
        "floor": policy.floor,
        "ceiling": policy.ceiling,
        "government": policy.government,
        "language": hints.language,
    }
    assert found == wanted
    assert hints.outlet == wanted["outlet"]
    merged = requests.tags(row, by, (listed.Named(OTHER, {"tags": ["more"]}), listed.Named("https://x.example", None)))
    assert merged == wanted["tags"] | {"more"}


def test_a_watch_counts_the_feeds_of_the_database_that_it_looks_into(engine: Engine) -> None:
    stored(engine, **SAID)
    with engine.begin() as connection:
        connection.execute(update(tables.feed).where(tables.feed.c.url == URL).values(last_ok_at=NOW))
        choices = coverage.choices_of(CONFIG.watches, CONFIG)
        seen = seeing.tally(sights.read(connection, settings=True), NOW, choices)
        assert {name: (one.healthy, one.feeds) for name, one in seen.items()} == {"wires": (1, 1), "all": (1, 2)}
        shown = facts.of(connection, URL + "/", CONFIG, NOW)
    assert (shown.stands, shown.policy.floor) == ("database", timedelta(minutes=20))
    assert shown.configured is not None
    assert shown.configured.language == "sr"


def test_the_order_of_a_list_is_found_without_holding_it(engine: Engine) -> None:
    stored(engine, **SAID)
    with engine.begin() as connection:
        failed = {"fail_reason": "timeout", "state": "gone", "last_attempt_at": NOW}
        connection.execute(update(tables.feed).where(tables.feed.c.url == URL).values(**failed))
        look = status.Look(connection, NOW)
        lines = list(look.by_turns())
        assert [(line.url, line.stands) for line in lines] == [(URL, "database"), (OTHER, "config")]
        assert [line.url for line in look.by_turns(failing=True)] == [URL]
        assert tuple(lines) == status.feeds(connection, NOW)
    assert status.feed_table(lines).endswith(f"{OTHER}\n")
