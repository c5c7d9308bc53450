"""An event that was stored is read back whole, also where it has nothing to say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerts.outbox import codec
from alerts.values import AnswerSnapshot, Event, Kind, MentionSnapshot, Why

NOW = datetime(2025, 6, 5, 8, 0, tzinfo=UTC)
EVENTS = {
    "an entry whose outlet nobody knows": MentionSnapshot(
        "1", None, "unknown outlet", "A title", "https://a.example/1"
    ),
    "an entry without an address": MentionSnapshot("1", "a.example", "A", "A title", None),
    "an entry with neither": MentionSnapshot("1", None, "unknown outlet", "", None),
    "an entry with everything": MentionSnapshot(
        "1", "a.example", "A", "A title", "https://a.example/1", "Lead", "RS", "wire", "sr", NOW, NOW
    ),
}


@pytest.mark.parametrize("mention", EVENTS.values(), ids=EVENTS)
def test_what_is_read_is_what_was_written(mention: MentionSnapshot) -> None:
    event = Event(
        key="new_story:w:st_1",
        kind=Kind.NEW_STORY,
        watch="w",
        group="st_1",
        decided_at=NOW,
        mention=mention,
        answer=AnswerSnapshot("RS", "Serbia", "government", "Government of Serbia", "denied", "No."),
        why=Why("w", "W", (("title", "deported"),)),
        config_rev=3,
    )
    assert codec.load(codec.dump(event)) == event


def test_a_member_of_a_newer_version_is_left_out() -> None:
    event = Event(key="k", kind=Kind.NEW_STORY, watch="w", group="st_1", decided_at=NOW)
    assert codec.load(codec.dump(event).replace('{"key"', '{"from_tomorrow":1,"key"', 1)) == event
