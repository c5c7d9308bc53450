"""What the program gets from a file: plain frozen values, defaults, references to secrets."""

from __future__ import annotations

import os
from dataclasses import FrozenInstanceError
from datetime import date, timedelta
from pathlib import Path

import pytest

from monitor.config import api
from monitor.config.secrets import SecretRef
from monitor.config.values import Config
from monitor.errors import ConfigError

DATA = Path(__file__).parents[2] / "data" / "config"
ENVIRON = dict.fromkeys(("LINK_KEY", "PAGE_PASSWORD", "SECOND_PASSWORD", "SECOND_KEY"), "k" * 32)
LEAST = "version: 1\ncontact: desk@paper.example\n"


@pytest.fixture(scope="module")
def whole() -> Config:
    return api.load(DATA / "whole.yaml", ENVIRON)


def test_durations_and_sizes_are_read(whole: Config) -> None:
    assert whole.limits.body_bytes == 8 * 1024 * 1024
    assert whole.limits.wire_bytes == 4_000_000
    assert whole.limits.max_item_age == timedelta(days=1, hours=12)
    assert whole.storage.keep.text == timedelta(days=200)
    assert whole.storage.keep.deliveries == timedelta(days=730)
    assert whole.limits.allow_hosts == {"bridge.internal"}


def test_addresses_of_the_pages_are_split(whole: Config) -> None:
    assert (whole.web.host, whole.web.port, whole.web.listen) == ("0.0.0.0", 9000, "0.0.0.0:9000")
    assert whole.web.public_url == "https://reader.paper.example"
    assert whole.web.metrics is None


def test_secrets_stay_references(whole: Config) -> None:
    assert whole.web.link_keys == (SecretRef("env", "LINK_KEY"),)
    auth = whole.feeds[1].auth
    assert auth is not None
    assert auth.password == SecretRef("env", "SECOND_PASSWORD")
    assert whole.feeds[1].headers == (("X-Reader", "yes"), ("X-Key", SecretRef("env", "SECOND_KEY")))
    assert "k" * 32 not in repr(whole)


def test_a_government_feed_is_polled_twice_as_often(whole: Config) -> None:
    assert [feed.ceiling for feed in whole.feeds] == [timedelta(minutes=60), timedelta(minutes=30), timedelta(hours=2)]
    assert [feed.floor for feed in whole.feeds] == [None, timedelta(minutes=20), None]
    assert [feed.paused for feed in whole.feeds] == [False, False, True]


def test_feeds_and_watches_know_their_line(whole: Config) -> None:
    lines = (DATA / "whole.yaml").read_text(encoding="utf-8").splitlines()
    for feed in whole.feeds:
        assert feed.url in lines[feed.line - 1]
    for watch in whole.watches:
        assert f"name: {watch.name}" in lines[watch.line - 1]


def test_keywords_become_concepts_where_one_has_that_name(whole: Config) -> None:
    words = whole.watch("words")
    assert words is not None
    assert words.query_text == '~TPS OR ~third-country OR "charter plane"'
    assert words.title == "words"


def test_one_code_stands_for_the_standards_of_serbo_croatian(whole: Config) -> None:
    flights = whole.watch("flights")
    assert flights is not None
    assert flights.languages == {"sh", "sr", "hr", "bs", "cnr", "en"}
    assert whole.watches[1].languages is None


def test_a_watch_may_choose_governments_and_keeps_what_the_file_says_of_bodies(whole: Config) -> None:
    flights, words = whole.watches
    assert flights.governments.watches("NO")
    assert not words.governments.watches("NO")
    assert words.governments.watches("US")
    assert words.governments.extra == whole.governments.extra
    assert whole.governments.extra[0].valid_from == date(2024, 5, 2)
    assert whole.governments.home == {"second.example": "RS"}


def test_alerting_wishes_are_read(whole: Config) -> None:
    flights, words = whole.watches
    assert flights.alert.group_wait == {"response": timedelta(seconds=30)}
    assert flights.alert.spike.outlets == 4
    assert flights.alert.spike.times == 3.0
    assert flights.alert.remind_after == timedelta(days=1)
    assert words.alert.remind_after is None
    assert words.alert_on == {"response"}
    assert "withdrawn" in flights.alert_on


def test_one_wait_may_stand_for_every_kind() -> None:
    text = LEAST + "watches: [{name: a, keywords: [TPS], alert: {group_wait: 5m}}]\n"
    waits = api.parse_text(text, {}).watches[0].alert.group_wait
    assert set(waits.values()) == {timedelta(minutes=5)}
    assert "response" in waits


def test_a_threshold_of_a_language_falls_back_to_the_general_one(whole: Config) -> None:
    assert whole.stories.threshold.with_text == 0.3
    assert whole.stories.thresholds["sq"].with_text == 0.25
    assert whole.stories.thresholds["sq"].title_only == whole.stories.threshold.title_only == 0.16


def test_sections_of_the_telling_half_are_handed_on_as_they_are(whole: Config) -> None:
    assert set(whole.alerts_raw) == {"channels", "digests", "quiet_hours", "caps", "routes", "timezone"}
    assert whole.alerts_raw["channels"]["files"] == {"type": "folder", "path": "out"}


def test_the_least_file_has_every_default() -> None:
    config = api.parse_text(LEAST, {})
    assert config.timezone == "UTC"
    assert config.storage.url == "sqlite:///data/storywatch.db"
    assert config.engine.kind == "local"
    assert config.parse.workers == (1 if (os.cpu_count() or 1) == 1 else 2)
    assert config.feeds == config.watches == ()
    assert config.governments.watches("ZW")
    assert len(config.sha256) == 64


def test_the_configuration_cannot_be_changed(whole: Config) -> None:
    with pytest.raises(FrozenInstanceError):
        whole.timezone = "UTC"  # type: ignore[misc]


VARIABLES = {
    "a set variable": ("note: ${WHO} asked", {"WHO": "Ana"}, "Ana asked"),
    "an unset one with a default": ("note: ${WHO:-nobody} asked", {}, "nobody asked"),
    "an empty one with a default": ("note: ${WHO:-nobody} asked", {"WHO": ""}, "nobody asked"),
    "a dollar that means itself": ("note: $${WHO} and $5 and a$b", {"WHO": "Ana"}, "${WHO} and $5 and a$b"),
    "a value that looks like YAML": ("note: ${WHO}", {"WHO": "x, url: 'https://evil.example'}"}, None),
}


@pytest.mark.parametrize("case", VARIABLES)
def test_variables_are_resolved_after_the_file_was_read(case: str) -> None:
    line, environ, expected = VARIABLES[case]
    config = api.parse_text(f"{LEAST}feeds:\n  - url: https://a.example/rss\n    {line}\n", environ)
    assert config.feeds[0].note == (expected or environ["WHO"])
    assert len(config.feeds) == 1


def test_a_start_leaves_out_feeds_that_cannot_be_polled_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    lines = [
        "{url: https://a.example/rss}",
        "{url: https://☃.net/rss}",
        "{url: ftp://b.example}",
        "{url: https://c.example}",
    ]
    path.write_text(LEAST + "feeds:\n" + "".join(f"  - {line}\n" for line in lines), encoding="utf-8")
    read = api.parse_lenient(path.read_bytes(), {}, file=str(path))
    assert [(feed.url, feed.line) for feed in read.config.feeds] == [
        ("https://a.example/rss", 4),
        ("https://c.example", 7),
    ]
    assert [problem.code for problem in read.problems] == ["E041", "E040"]
    with pytest.raises(ConfigError):
        api.load(path, {})


def test_a_start_refuses_every_other_fault(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(LEAST + "feeds: [{url: 'ftp://b.example'}]\ntimezone: Nowhere\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        api.parse_lenient(path.read_bytes(), {}, file=str(path))
    assert {problem.code for problem in caught.value.problems} == {"E040", "E023"}


def test_the_same_text_has_the_same_name(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(LEAST, encoding="utf-8")
    assert api.load(path, {}).sha256 == api.parse_text(LEAST, {}).sha256
