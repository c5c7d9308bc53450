"""The subject line of a message: the watch, the headline, and the one thing that is new. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from alerts import clock
from alerts.digest import story
from alerts.values import Coverage, Event, Kind, StoryPart

HEADLINE = 80
STANCES = {
    "confirmed": "confirmed",
    "denied": "denied",
    "agreed": "agreed",
    "refused": "refused",
    "condemned": "condemned",
    "announced_action": "announced action",
    "commented": "commented",
}


def cut(text: str, length: int) -> str:
    """Shorten a text to `length` visible characters at a space, with an ellipsis.

    >>> cut("one two three", 9)
    'one two…'
    """
    text = " ".join("".join(letter for letter in text if letter.isprintable() or letter.isspace()).split())
    if len(text) <= length:
        return text
    short = text[: length - 1]
    space = short.rfind(" ")
    return (short[:space] if space > length // 2 else short).rstrip(" ,;:-") + "…"


def of_story(part: StoryPart, watch: str, coverage: Coverage | None) -> str:
    """Name a prompt message: ``[watch] headline - what is new``."""
    news = what_is_new(part.fresh)
    return _blind(coverage) + f"[{watch}] {cut(part.headline, HEADLINE)}" + (f" - {news}" if news else "")


def of_schedule(parts: Sequence[StoryPart], watch: str, at: datetime, zone: str, coverage: Coverage | None) -> str:
    """Name a planned digest: ``[watch] 5 stories, 1 response (13 Jun 08:00)``."""
    answers = sum(1 for part in parts for event in part.fresh if event.kind in story.ANSWERS)
    counts = [_count(len(parts), "story", "stories")] + ([_count(answers, "response")] if answers else [])
    return _blind(coverage) + f"[{watch}] {', '.join(counts)} ({_stamp(at, zone)})"


def of_nothing(watch: str, at: datetime, zone: str, coverage: Coverage | None) -> str:
    """Name a message that only says that nothing is new."""
    return _blind(coverage) + f"[{watch}] Nothing new ({_stamp(at, zone)})"


def of_operator(events: Sequence[Event]) -> str:
    """Name a message about the daemon itself."""
    first = events[0]
    more = f" and {len(events) - 1} more" if len(events) > 1 else ""
    return f"[storywatch] {cut(operator_line(first), HEADLINE)}{more}"


def operator_line(event: Event) -> str:
    """Say in one line what an operator event reports."""
    words = event.kind.replace("_", " ")
    facts = dict(event.facts)
    said = facts.pop("message", "") or event.story_title
    rest = ", ".join(f"{name} {value}" for name, value in facts.items())
    return said or (f"{words}: {rest}" if rest else words)


def what_is_new(fresh: Sequence[Event]) -> str:
    """Say in a few words what the strongest new event is."""
    first = story.strongest(fresh)
    if first is None:
        return ""
    if first.answer is not None and first.kind in story.ANSWERS:
        said = STANCES.get(first.answer.stance, first.answer.stance)
        others = len({_body(event) for event in fresh if event.kind in story.ANSWERS}) - 1
        who = cut(first.answer.government_name or first.answer.government, 60)
        return f"{who} {said}" + (f" (+{others} more)" if others else "")
    outlets = [event for event in fresh if event.kind is Kind.NEW_OUTLET]
    match first.kind:
        case Kind.WITHDRAWN:
            return "withdrawn: " + _outlet(first)
        case Kind.CORRECTION:
            return "correction"
        case Kind.NEW_STORY:
            return "new story" + (f", {_count(len(outlets), 'more outlet')}" if outlets else "")
        case Kind.NEW_OUTLET:
            return _outlets(outlets)
        case Kind.SPIKE:
            return "many outlets at once"
        case Kind.SILENCE_OVER:
            return "no longer muted"
        case Kind.REMINDER:
            return "still no answer"
    return first.kind.replace("_", " ")


def _outlets(outlets: Sequence[Event]) -> str:
    for event in outlets:
        if event.own_reporting or event.origin == "own":
            return f"own reporting: {_outlet(event)}"
        if event.origin == "new" and event.origin_name:
            return f"new origin: {cut(event.origin_name, 60)}"
    return f"new outlet: {_outlet(outlets[0])}" if len(outlets) == 1 else _count(len(outlets), "new outlet")


def _outlet(event: Event) -> str:
    return cut(event.mention.outlet_name, 60) if event.mention else ""


def _body(event: Event) -> tuple[str, str]:
    assert event.answer is not None
    return event.answer.government, event.answer.body


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _stamp(at: datetime, zone: str) -> str:
    shown = clock.local(at, ZoneInfo(zone))
    return f"{shown.day} {shown:%b %H:%M}"


def _blind(coverage: Coverage | None) -> str:
    return "[partly blind] " if coverage is not None and coverage.partly_blind else ""
