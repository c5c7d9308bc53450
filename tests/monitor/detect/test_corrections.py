"""A told entry that changes or vanishes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from alerts.values import Event
from monitor.detect import corrections, events
from monitor.values import Assignment, Entry, EntryId, Evidence, FeedId, Finding, Match, Role, StoryFacts
from tests.monitor.detect.telling import KEY, START, TABLE, WATCH, outlet, says, shown

RULES = {WATCH: events.WatchRule(WATCH)}
CONSIDERS = says("RS", "government", "commented", quote="The government considers it.")
DENIES = says("RS", "government", "denied", quote="The government denies it.")


def entry(title: str, text: str) -> Entry:
    return Entry(EntryId(1), FeedId(1), "1", "https://daily.example/1", None, title, "", text, "en",
                 TABLE.hosts["daily.example"].domain, START, START)  # fmt: skip


def arrived(seen: Entry, findings: Sequence[Finding]) -> events.Arrived:
    assignment = Assignment(KEY, 1, 0, Role.ORIGINAL)
    return events.Arrived(seen, outlet("daily"), assignment, (Match(WATCH, ()),), Evidence(tuple(findings)))


def revise(before: tuple[Entry, Sequence[Finding]], after: tuple[Entry, Sequence[Finding]]) -> tuple[Event, ...]:
    first = arrived(*before)
    story = StoryFacts(KEY, (events.mention(first, START),), events.record(first))
    now = events.Circumstances(now=START + timedelta(hours=1), outlets=TABLE)
    return corrections.corrected(story, before[0], arrived(*after), RULES, now, "0123456789abcdef0123")


OLD = entry("Government considers it", "The government considers it. Nobody else spoke.")

CASES: dict[str, tuple[Entry, Sequence[Finding], list[str]]] = {
    "nothing but a comma": (
        entry("Government considers it!", "The government considers it. Nobody else spoke,"),
        [CONSIDERS],
        [],
    ),
    "another sentence": (entry(OLD.title, OLD.content + " It rained."), [CONSIDERS], []),
    "a title that says something else": (entry("Government weighs it", OLD.content), [CONSIDERS], ["correction"]),
    "a title and a stance": (
        entry("Government denies it", "The government denies it."),
        [DENIES],
        ["correction", "response RS government denied"],
    ),
    "a quoted sentence that is gone": (entry(OLD.title, "Nobody else spoke."), [], ["correction"]),
}


@pytest.mark.parametrize(("after", "findings", "want"), CASES.values(), ids=CASES.keys())
def test_a_revision(after: Entry, findings: Sequence[Finding], want: list[str]) -> None:
    assert shown(revise((OLD, [CONSIDERS]), (after, findings))) == want


def test_a_correction_says_what_it_was_and_has_a_key_of_its_revision() -> None:
    (event, _) = revise((OLD, [CONSIDERS]), (entry("Government denies it", "The government denies it."), [DENIES]))
    assert event.key.endswith(":1:0123456789abcdef")
    assert ("title_was", "Government considers it") in event.facts
    assert ("quote_gone", "The government considers it.") in event.facts


def test_a_withdrawn_entry_is_told_once() -> None:
    first = arrived(OLD, [CONSIDERS])
    story = StoryFacts(KEY, (events.mention(first, START),), events.record(first))
    now = events.Circumstances(now=START, outlets=TABLE)
    (event,) = corrections.withdrawn(story, first, RULES, now)
    assert event.key == f"withdrawn:watch:{KEY}:1"
