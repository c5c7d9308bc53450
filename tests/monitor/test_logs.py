"""Logs: one way for all lines, ours and the standard library's, and no secret in any of them."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from monitor import following, logs
from monitor.values import Claim, FeedId

TOKEN = "xoxb-1234-abcdefgh"


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    written = io.StringIO()
    logs.configure(written)
    yield written
    structlog.reset_defaults()
    root.handlers[:], root.level = before


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_json_with_its_fields_its_level_and_its_time(out: io.StringIO) -> None:
    structlog.get_logger().info("polled", feed="https://a.example/rss", new=2)
    (line,) = lines(out)
    assert (line["event"], line["level"], line["new"]) == ("polled", "info", 2)
    assert line["timestamp"].endswith("Z")


def test_a_token_in_a_field_or_a_traceback_is_hidden(out: io.StringIO) -> None:
    try:
        raise ValueError(f"refused {TOKEN}")
    except ValueError as exc:
        structlog.get_logger().exception("failed", error=str(exc))
    assert TOKEN not in out.getvalue()
    assert "Traceback" in lines(out)[0]["exception"]


def test_lines_of_the_standard_library_are_json_too_and_hide_tokens(out: io.StringIO) -> None:
    try:
        raise ValueError(f"https://hooks.slack.com/services/T000/B000/{TOKEN}")
    except ValueError:
        logging.getLogger("alerts.pipeline").exception("a channel failed", extra={"channel": "slack"})
    (line,) = lines(out)
    assert (line["event"], line["channel"], line["level"]) == ("a channel failed", "slack", "error")
    assert "hooks.slack.com/services" not in out.getvalue()


def test_quiet_keeps_warnings_and_worse() -> None:
    written = io.StringIO()
    logs.configure(written, quiet=True)
    structlog.get_logger().info("polled")
    structlog.get_logger().warning("held")
    structlog.reset_defaults()
    assert [json.loads(line)["event"] for line in written.getvalue().splitlines()] == ["held"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_short_lines_and_plain_tracebacks() -> None:
    written = Terminal()
    logs.configure(written)
    try:
        raise ValueError("no luck")
    except ValueError:
        structlog.get_logger().exception("failed")
    structlog.reset_defaults()
    assert "ValueError: no luck" in written.getvalue()


def test_what_is_bound_stands_in_every_line_whoever_writes_it(out: io.StringIO) -> None:
    with following.poll(Claim(FeedId(7), 41, datetime(2025, 6, 5, tzinfo=UTC)), "https://one.example/rss"):
        structlog.get_logger().info("polled")
        logging.getLogger("aiohttp").warning("slow")
    structlog.get_logger().info("tick")
    told = [(line["event"], line.get("poll"), line.get("feed")) for line in lines(out)]
    assert told == [
        ("polled", "7.41", "https://one.example/rss"),
        ("slow", "7.41", "https://one.example/rss"),
        ("tick", None, None),
    ]


def test_a_terminal_shows_what_is_bound() -> None:
    written = Terminal()
    logs.configure(written)
    with following.poll(Claim(FeedId(7), 41, datetime(2025, 6, 5, tzinfo=UTC)), "https://one.example/rss"):
        structlog.get_logger().info("polled", new=2)
    structlog.reset_defaults()
    plain = re.sub(r"\x1b\[[0-9;]*m", "", written.getvalue())
    assert "polled" in plain
    assert "poll=7.41" in plain
    assert "new=2" in plain
