"""What a recipient's week was made of: which outlet, term or kind made most of its messages, and what less would save.

A message is saved where all it told has the same outlet, term or kind: without that it would not have been made. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from alerts.values import Event, EventClass, Kind

PER = timedelta(days=7)
SHARE = 3
"""A part is named when at least one message in so many has it."""


def _outlets(event: Event) -> Iterable[str]:
    return (event.mention.outlet_name or event.mention.outlet or "",) if event.mention else ()


def _terms(event: Event) -> Iterable[str]:
    return {term.casefold() for term, _ in event.why.terms} if event.why else ()


def _kinds(event: Event) -> Iterable[str]:
    return (event.kind.replace("_", " "),)


PARTS: tuple[tuple[str, Callable[[Event], Iterable[str]], str], ...] = (
    ("outlet", _outlets, "leave it out with exclude, or silence it"),
    ("term", _terms, "try the query without it: storywatch backtest"),
    ("kind", _kinds, "leave it out of alert_on, or send it in a digest"),
)
"""What is counted, how, and what a reader can do about it."""


def note(key: str, messages: Sequence[Sequence[Event]], now: datetime, config_rev: int) -> Event | None:
    """Sum up the prompt messages of a week, each given as its events; None when there was none."""
    told = [[event for event in events if event.event_class is not EventClass.DIGEST] for events in messages]
    told = [events for events in told if events]
    if not told:
        return None
    stories = len({event.group for events in told for event in events})
    facts = [("message", f"Your week: {_counted(len(told), 'message')} on {_counted(stories, 'story', 'stories')}")]
    facts += _parts(told)
    return Event(key, Kind.WEEKLY_NOTE, "", "week", now, config_rev=config_rev, facts=tuple(facts))


def _parts(told: Sequence[Sequence[Event]]) -> Iterator[tuple[str, str]]:
    for name, of, advice in PARTS:
        held = [[frozenset(word for word in of(event) if word) for event in events] for events in told]
        number = Counter(word for message in held for word in frozenset().union(*message))
        if not number:
            continue
        most, count = min(number.items(), key=lambda pair: (-pair[1], pair[0]))
        if count * SHARE < len(told):
            continue
        saved = sum(all(most in words for words in message) for message in held)
        said = f"{most}: in {count} of {len(told)}"
        yield f"most by {name}", f"{said}; without it {saved} fewer ({advice})" if saved else said


def _counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
