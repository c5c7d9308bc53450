"""What an operator does to a feed by hand: within its guards, and with a file that is whole at any moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, update

from monitor import schedule
from monitor.config import api
from monitor.errors import ConfigError
from monitor.feed import admin, facts
from monitor.feed.facts import FeedRefused, FeedUnknown
from monitor.store import claims, feeds, hosts, tables

NOW = datetime(2025, 6, 5, 12, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
URL, NEW = "https://paper.example/rss", "https://new.example/rss"
CONFIG = f"""\
version: 1
contact: https://newsroom.example/storywatch
watches:
  - {{name: w, keywords: [deportation]}}
channels:
  out: {{type: stdout}}
feeds:   # ours
  - {{url: {URL}}}  # the first
"""


def stored(engine: Engine, state: schedule.FeedState, **columns: object) -> None:
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed(URL, "paper.example")], NOW + HOUR)
        values = {"schedule": schedule.to_json(state), "last_attempt_at": state.last_attempt_at, **columns}
        connection.execute(update(tables.feed).values(**values))


def refreshed(engine: Engine) -> str:
    config = api.parse_text(CONFIG, {})
    with engine.begin() as connection:
        return admin.refresh(connection, facts.of(connection, URL, config, NOW))


def test_a_refresh_makes_a_feed_due(engine: Engine) -> None:
    stored(engine, schedule.FeedState(last_attempt_at=NOW - HOUR))
    assert "due now" in refreshed(engine)
    with engine.connect() as connection:
        assert claims.due_count(connection, NOW) == 1


REFUSALS = {
    "asked a minute ago": ({"last_attempt_at": NOW - MINUTE}, "may be asked again from 05 Jun 12:09 UTC, in 9 min"),
    "asked to wait": ({"hold_until": NOW + HOUR, "hold_reason": "retry_after"}, "(Retry-After); may be asked again"),
}


@pytest.mark.parametrize(("known", "says"), REFUSALS.values(), ids=REFUSALS)
def test_a_refresh_within_a_guard_says_when_it_may_be(engine: Engine, known: dict[str, object], says: str) -> None:
    stored(engine, schedule.FeedState(**known))  # type: ignore[arg-type]
    with pytest.raises(FeedRefused) as refused:
        refreshed(engine)
    assert says in str(refused.value)
    with engine.connect() as connection:
        assert claims.due_count(connection, NOW) == 0


def test_a_refresh_on_a_held_host_names_the_host(engine: Engine) -> None:
    stored(engine, schedule.FeedState())
    with engine.begin() as connection:
        hosts.remember(connection, hosts.HostRow("host", "paper.example", NOW + HOUR, "rate_limited", NOW, True))
    with pytest.raises(FeedRefused, match=r"host paper.example is left alone \(rate_limited\); .* from 05 Jun 13:00"):
        refreshed(engine)


def test_a_move_is_taken_back_once(engine: Engine) -> None:
    stored(engine, schedule.FeedState(), moved_to=NEW)
    with engine.begin() as connection:
        row = feeds.by_url(connection, URL)
        assert row is not None
        history = {"feed_id": row.id, "at": NOW - HOUR, "old": URL, "new": NEW, "why": "redirect"}
        connection.execute(insert(tables.feed_url_history).values(**history))
        assert f"asked at {URL} again" in admin.undo_move(connection, NEW, NOW)
        with pytest.raises(FeedRefused, match="no move to take back"):
            admin.undo_move(connection, URL, NOW + MINUTE)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


def test_an_edit_keeps_comments_rights_and_links(file: Path) -> None:
    file.chmod(0o640)
    linked = file.with_name("linked.yaml")
    linked.symlink_to(file)
    before, _ = admin.editable(linked, {})
    admin.with_feeds(linked, before, [f"- {{url: {NEW}}}"], {}).write()
    assert file.read_text(encoding="utf-8") == f"{CONFIG}  - {{url: {NEW}}}\n"
    assert (linked.is_symlink(), file.stat().st_mode & 0o777) == (True, 0o640)
    assert [path.name for path in file.parent.iterdir() if path.name.startswith(".")] == []
    edit, removed = admin.removal(file, "http://NEW.example/rss/", {})
    assert (edit.after, removed) == (CONFIG, NEW)


FAULTY = {
    "a feed that is not there": (CONFIG, "https://paper.example/rs", FeedUnknown, f"did you mean {URL}?"),
    "feeds in brackets": (
        CONFIG.replace(f"  - {{url: {URL}}}  # the first", f"  [{{url: {URL}}}]"),
        URL,
        FeedRefused,
        "one per line",
    ),
    "a file with faults": (CONFIG.replace("keywords", "keyword"), URL, ConfigError, "keywords"),
}


@pytest.mark.parametrize(("text", "url", "error", "says"), FAULTY.values(), ids=FAULTY)
def test_what_cannot_be_removed_is_said(file: Path, text: str, url: str, error: type[Exception], says: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(error) as refused:
        admin.removal(file, url, {})
    assert says in str(refused.value)


def test_a_broken_file_costs_a_list_nothing(file: Path) -> None:
    file.write_text(CONFIG.replace(f"{{url: {URL}}}", f"{{url: {URL}, tls: insecure}}"), encoding="utf-8")
    assert admin.insecure_feeds(file, {}) == {URL}
    file.write_text("nothing: here", encoding="utf-8")
    assert admin.insecure_feeds(file, {}) == frozenset()
