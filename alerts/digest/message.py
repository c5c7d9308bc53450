"""A whole message for one recipient: a story's news, a planned digest, or a report about the daemon. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.digest import story, subject
from alerts.values import Coverage, Digest, DigestForm, Event, EventClass, Links, Recipient, StoryPart


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every message of one moment has in common."""

    recipient: Recipient
    delivery_id: str
    made_at: datetime
    coverage: Coverage | None = None
    config_rev: int = 0
    watches: tuple[str, ...] = ()
    links: Links | None = None
    notes: tuple[str, ...] = ()


def prompt(envelope: Envelope, part: StoryPart) -> Digest:
    """Make the message of one story's news."""
    line = subject.of_story(part, _watch([part], envelope), envelope.coverage)
    return _digest(envelope, DigestForm.PROMPT, line, (part,), events=part.fresh)


def operator(envelope: Envelope, events: Sequence[Event]) -> Digest:
    """Make a report to whoever runs the daemon."""
    return _digest(envelope, DigestForm.OPERATOR, subject.of_operator(events), events=tuple(events))


def planned(envelope: Envelope, parts: Sequence[StoryPart], most: int) -> Digest:
    """Make a planned digest: answers first, then what most outlets tell; stories told already get a line each."""
    fresh = sorted((part for part in parts if not part.told), key=_weight)
    told = [part for part in parts if part.told]
    zone = envelope.recipient.timezone
    watch = _watch(fresh or told, envelope)
    if parts:
        line = subject.of_schedule(fresh or told, watch, envelope.made_at, zone, envelope.coverage)
    else:
        line = subject.of_nothing(watch, envelope.made_at, zone, envelope.coverage)
    return _digest(envelope, DigestForm.SCHEDULED, line, tuple(fresh[:most]), more=(*fresh[most:], *told))


def _digest(
    envelope: Envelope,
    form: DigestForm,
    line: str,
    stories: tuple[StoryPart, ...] = (),
    *,
    more: tuple[StoryPart, ...] = (),
    events: tuple[Event, ...] = (),
) -> Digest:
    shown = (*events, *(event for part in stories for event in part.fresh))
    return Digest(
        form=form,
        recipient=envelope.recipient,
        subject=line,
        made_at=envelope.made_at,
        delivery_id=envelope.delivery_id,
        stories=stories,
        more=more,
        events=events,
        coverage=envelope.coverage,
        notes=envelope.notes,
        links=envelope.links,
        config_rev=envelope.config_rev,
        urgent=any(event.event_class is EventClass.URGENT for event in shown),
    )


def _weight(part: StoryPart) -> tuple[int, int]:
    first = story.strongest(part.fresh)
    return (story.rank(first) if first else len(story.STRENGTH)), -part.outlets


def _watch(parts: Sequence[StoryPart], envelope: Envelope) -> str:
    """Name the watch of a message: the first of them in the order of the configuration."""
    named = [why.watch for part in parts for why in part.whys]
    ordered = [watch for watch in envelope.watches if watch in named]
    several = len(set(named)) > 1 and len(parts) > 1
    return "storywatch" if several or not named else (ordered or named)[0]
