"""One story as one recipient is told it, computed from the snapshots of its events. Pure.

New means new to this recipient: `fresh` comes from the items that were not yet in a message to them, never from the
clock. Copies count as copies and a non-answer is not an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.values import Event, Kind, NonAnswers, StoryPart, Why

STRENGTH = (
    Kind.SILENCE_BROKEN,
    Kind.STANCE_CHANGE,
    Kind.RESPONSE,
    Kind.WITHDRAWN,
    Kind.CORRECTION,
    Kind.NEW_STORY,
    Kind.NEW_OUTLET,
    Kind.SPIKE,
)
"""Which event speaks for a message, strongest first."""
INHIBITED_BY = (
    Kind.SILENCE_BROKEN,
    Kind.STANCE_CHANGE,
    Kind.RESPONSE,
    Kind.NEW_STORY,
    Kind.NEW_OUTLET,
    Kind.SPIKE,
)
"""A later kind of the same entry or body is shown inside an earlier one."""
ANSWERS = frozenset({Kind.RESPONSE, Kind.SILENCE_BROKEN, Kind.STANCE_CHANGE})
TIMELINE = 10


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a recipient and a story: when they were last reached with it, and by how many messages."""

    since: datetime | None = None
    messages: int = 0


def rank(event: Event) -> int:
    """Give the place of an event's kind in `STRENGTH`; kinds that are not there come last."""
    return STRENGTH.index(event.kind) if event.kind in STRENGTH else len(STRENGTH)


def strongest(events: Iterable[Event]) -> Event | None:
    """Find the event a message is named after: the strongest kind, the earliest of them."""
    return min(events, key=lambda event: (rank(event), event.decided_at), default=None)


def inhibited(events: Sequence[Event]) -> frozenset[str]:
    """List the keys of events that a stronger one of the same entry, or of the same body, already tells."""
    ordered = sorted((event for event in events if event.kind in INHIBITED_BY), key=_inhibition)
    entries: set[str] = set()
    bodies: set[tuple[str, str]] = set()
    weaker: set[str] = set()
    for event in ordered:
        entry = event.mention.entry if event.mention else None
        body = (event.answer.government, event.answer.body) if event.answer else None
        if body in bodies if event.kind is Kind.RESPONSE else body is None and entry in entries:
            weaker.add(event.key)
        if entry is not None:
            entries.add(entry)
        if body is not None and event.kind is not Kind.RESPONSE:
            bodies.add(body)
    return frozenset(weaker)


def _inhibition(event: Event) -> tuple[int, datetime]:
    return INHIBITED_BY.index(event.kind), event.decided_at


def part(
    group: str,
    known: Sequence[Event],
    fresh: Sequence[Event],
    told: Told,
    *,
    stale: int = 0,
    already: bool = False,
    notes: tuple[str, ...] = (),
) -> StoryPart:
    """Gather what a message says about one story.

    `known` are all events of the story in the order in which they were decided, `fresh` those that are new to the
    recipient. `already` marks a story whose news reached the recipient by a prompt message.
    """
    known = [event for event in known if event.kind is not Kind.REMINDER]
    told_about = [event for event in known if event.mention is not None and event.kind is not Kind.COPY]
    first = told_about[0] if told_about else (known[0] if known else None)
    mention = first.mention if first else None
    hidden = inhibited(fresh)
    return StoryPart(
        group=group,
        headline=_headline(first),
        language=mention.language if mention else None,
        lead=mention.lead if mention else "",
        lead_outlet=mention.outlet_name if mention else "",
        lead_url=mention.url if mention else None,
        first_seen=_first_seen(known),
        since=told.since,
        number=told.messages + 1,
        outlets=len({_outlet(event) for event in told_about}),
        origins=_unique(event.origin_name for event in known if event.origin_name),
        copies=len({event.mention.entry for event in known if event.kind is Kind.COPY and event.mention}),
        languages=_unique(event.mention.language for event in told_about if event.mention),
        fresh=tuple(sorted((event for event in fresh if event.key not in hidden), key=_order)),
        answers=_answers(known),
        non_answers=_non_answers(known),
        chains=_chains(known),
        timeline=_timeline(known),
        copies_new=_unique(
            event.mention.outlet_name for event in fresh if event.kind is Kind.COPY and event.mention is not None
        ),
        whys=_whys(fresh or known),
        stale=stale,
        told=already,
        notes=notes,
    )


def _headline(first: Event | None) -> str:
    if first is None:
        return ""
    return (first.mention.title if first.mention else "") or first.story_title or first.group


def _first_seen(known: Sequence[Event]) -> datetime | None:
    return min(
        (event.mention.first_seen or event.decided_at for event in known if event.mention is not None),
        default=known[0].decided_at if known else None,
    )


def _outlet(event: Event) -> str:
    assert event.mention is not None
    return event.mention.outlet or event.mention.outlet_name


def _order(event: Event) -> tuple[int, datetime]:
    return rank(event), event.decided_at


def _unique(words: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))


def _answers(known: Sequence[Event]) -> tuple[Event, ...]:
    """List what governments said, one line per body, stance and entry, newest first."""
    found: dict[tuple[str, ...], Event] = {}
    for event in sorted((event for event in known if event.kind in ANSWERS and event.answer), key=_order):
        answer, entry = event.answer, event.mention.entry if event.mention else ""
        assert answer is not None
        found.setdefault((answer.government, answer.body, answer.stance, entry), event)
    return tuple(sorted(found.values(), key=lambda event: event.decided_at, reverse=True))


def _non_answers(known: Sequence[Event]) -> tuple[NonAnswers, ...]:
    """Gather non-answers by body; a body that has answered since is no longer waiting."""
    answered = {(e.answer.government, e.answer.body) for e in known if e.kind in ANSWERS and e.answer}
    bodies: dict[tuple[str, str], dict[tuple[str | None, ...], Event]] = {}
    for event in known:
        answer = event.answer
        if event.kind is not Kind.NON_ANSWER or answer is None or (answer.government, answer.body) in answered:
            continue
        fact = (answer.stance, answer.asker or answer.asker_name)
        bodies.setdefault((answer.government, answer.body), {}).setdefault(fact, event)
    return tuple(_gathered(tuple(events.values())) for events in bodies.values())


def is_early(event: Event, due_at: datetime | None, now: datetime) -> bool:
    """Tell whether a reminder has not come to its time: it rides along with nothing before."""
    return event.kind is Kind.REMINDER and (due_at is None or due_at > now)


def is_answered(event: Event, known: Sequence[Event]) -> bool:
    """Tell whether the body of a reminder has answered since."""
    if event.kind is not Kind.REMINDER or event.answer is None:
        return False
    body = (event.answer.government, event.answer.body)
    return any(e.kind in ANSWERS and e.answer and (e.answer.government, e.answer.body) == body for e in known)


def _timeline(known: Sequence[Event]) -> tuple[Event, ...]:
    """List the last facts of a story, what one entry raised by its strongest kind alone: each body, else the entry."""
    best: dict[tuple[str, str], int] = {}
    for event in known:
        if event.kind in INHIBITED_BY and event.mention is not None:
            for key in {(event.mention.entry, _speaker(event)), (event.mention.entry, "")}:
                best[key] = min(best.get(key, len(INHIBITED_BY)), INHIBITED_BY.index(event.kind))
    return tuple(event for event in known if event.kind is not Kind.COPY and not _is_weaker(event, best))[-TIMELINE:]


def _is_weaker(event: Event, best: Mapping[tuple[str, str], int]) -> bool:
    if event.kind not in INHIBITED_BY or event.mention is None:
        return False
    return INHIBITED_BY.index(event.kind) > best[event.mention.entry, _speaker(event)]


def _speaker(event: Event) -> str:
    return f"{event.answer.government}:{event.answer.body}" if event.answer else ""


def _gathered(events: tuple[Event, ...]) -> NonAnswers:
    answer = events[0].answer
    assert answer is not None
    return NonAnswers(answer.government, answer.government_name, answer.office or answer.body, events)


def _chains(known: Sequence[Event]) -> tuple[tuple[str, ...], ...]:
    chains = ((event.mention.outlet_name, *event.chain) for event in known if event.chain and event.mention)
    return tuple(dict.fromkeys(chains))


def _whys(events: Sequence[Event]) -> tuple[Why, ...]:
    found: dict[str, Why] = {}
    for event in events:
        if event.why is not None:
            found.setdefault(event.why.watch, event.why)
        elif event.watch:
            found.setdefault(event.watch, Why(event.watch, event.watch))
    return tuple(found.values())
