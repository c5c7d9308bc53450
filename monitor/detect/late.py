"""What is worth telling of an entry that is read again with more of its text: the page behind a teaser.

A late text may hold an answer the teaser lacked, show that what looked like a copy is the outlet's own piece, or that
the outlet spoke to somebody itself, where a watch waits for that. It never takes back what was told, and the events'
keys keep it from telling anything twice. Pure; called by `monitor.understanding`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from alerts.values import Event, Kind
from monitor.detect import events
from monitor.values import EntryId, Role, StoryFacts

_ANSWERS = frozenset((Kind.RESPONSE, Kind.SILENCE_BROKEN, Kind.STANCE_CHANGE, Kind.NON_ANSWER, Kind.FURTHER_QUOTE))
_COVERAGE = frozenset((Kind.NEW_STORY, Kind.NEW_OUTLET))


def decide(
    story: StoryFacts,
    arrived: events.Arrived,
    rules: Mapping[str, events.WatchRule],
    circumstances: events.Circumstances,
    *,
    was_copy: bool,
) -> tuple[Event, ...]:
    """Decide what a late text adds. `story` holds the entry as it was read before, `arrived` as it reads now."""
    own = arrived.entry.id
    others = replace(story, stances=tuple(fact for fact in story.stances if fact.entry != own))
    answers = events.decide(others, arrived, rules, circumstances)
    found = [event for event in answers if event.kind in _ANSWERS]
    if arrived.assignment.role is not Role.COPY:
        coverage = events.decide(before(story, own), arrived, rules, circumstances)
        if was_copy:
            found += [event for event in coverage if event.kind in _COVERAGE]
        elif not events.reporters(_alone(story, own), circumstances.outlets):
            strict = {name for name, rule in rules.items() if rule.own_reporting_only}
            found += [event for event in coverage if event.kind is Kind.NEW_OUTLET and event.watch in strict]
    return tuple(found)


def _alone(story: StoryFacts, entry: EntryId) -> StoryFacts:
    """What the story knows from one entry."""
    mentions = tuple(mention for mention in story.mentions if mention.entry == entry)
    return replace(story, mentions=mentions, stances=tuple(fact for fact in story.stances if fact.entry == entry))


def before(story: StoryFacts, entry: int) -> StoryFacts:
    """The story as it was when an entry came: what was recorded ahead of it."""
    place = next((at for at, mention in enumerate(story.mentions) if mention.entry == entry), len(story.mentions))
    mentions = story.mentions[:place]
    ahead = {mention.entry for mention in mentions}
    return replace(story, mentions=mentions, stances=tuple(fact for fact in story.stances if fact.entry in ahead))
