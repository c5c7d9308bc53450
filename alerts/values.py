"""The values of the telling half. An event is a self-contained snapshot: a digest is rendered from events alone.

`group` (the story key) is opaque here. Times are aware UTC datetimes; texts are in their original language.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What happened."""

    NEW_STORY = "new_story"
    NEW_OUTLET = "new_outlet"
    RESPONSE = "response"
    SILENCE_BROKEN = "silence_broken"
    STANCE_CHANGE = "stance_change"
    SPIKE = "spike"
    CORRECTION = "correction"
    WITHDRAWN = "withdrawn"
    NON_ANSWER = "non_answer"
    FURTHER_QUOTE = "further_quote"
    COPY = "copy"
    MERGED = "merged"
    SPLIT = "split"
    SILENCE_OVER = "silence_over"
    WATCH_SILENT = "watch_silent"
    FEED_STATE = "feed_state"
    COVERAGE = "coverage"
    OWN_NETWORK = "own_network"
    CHANNEL_STATE = "channel_state"
    DEAD_LETTERS = "dead_letters"
    CONFIG_REJECTED = "config_rejected"
    FLOOD = "flood"
    CANARY_LATE = "canary_late"
    TEST = "test"


class EventClass(StrEnum):
    """How it is told: routine and urgent prompt a message, digest only rides along, operator goes to who runs this."""

    ROUTINE = "routine"
    URGENT = "urgent"
    DIGEST = "digest"
    OPERATOR = "operator"


CLASS_OF: dict[Kind, EventClass] = {
    Kind.RESPONSE: EventClass.URGENT,
    Kind.SILENCE_BROKEN: EventClass.URGENT,
    Kind.STANCE_CHANGE: EventClass.URGENT,
    Kind.NON_ANSWER: EventClass.DIGEST,
    Kind.FURTHER_QUOTE: EventClass.DIGEST,
    Kind.COPY: EventClass.DIGEST,
    Kind.MERGED: EventClass.DIGEST,
    Kind.SPLIT: EventClass.DIGEST,
    Kind.WATCH_SILENT: EventClass.OPERATOR,
    Kind.FEED_STATE: EventClass.OPERATOR,
    Kind.COVERAGE: EventClass.OPERATOR,
    Kind.OWN_NETWORK: EventClass.OPERATOR,
    Kind.CHANNEL_STATE: EventClass.OPERATOR,
    Kind.DEAD_LETTERS: EventClass.OPERATOR,
    Kind.CONFIG_REJECTED: EventClass.OPERATOR,
    Kind.FLOOD: EventClass.OPERATOR,
    Kind.CANARY_LATE: EventClass.OPERATOR,
}
"""Kinds that are not here are routine."""


class EventState(StrEnum):
    """What became of an event at the first rungs of the ladder, before any recipient is asked."""

    OPEN = "open"
    BASELINE = "baseline"
    STALE = "stale"
    FLOOD = "flood"
    INHIBITED = "inhibited"
    UNROUTED = "unrouted"


@dataclass(frozen=True, slots=True)
class MentionSnapshot:
    """The entry that raised an event, as it was seen. `entry` is the id people can look up."""

    entry: str
    outlet: str | None
    outlet_name: str
    title: str
    url: str | None
    lead: str = ""
    country: str | None = None
    outlet_kind: str | None = None
    language: str | None = None
    published: datetime | None = None
    first_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class AnswerSnapshot:
    """A body's stance with the sentence that says it. `asker` is the domain, else the name, of who asked; None unknown.

    `was` is the former stance of a stance change. `silent_since` and `asked_by` are set when a silence is broken.
    """

    government: str
    government_name: str
    body: str
    office: str
    stance: str
    quote: str
    language: str | None = None
    asker: str | None = None
    asker_name: str | None = None
    was: str | None = None
    asked_by: tuple[str, ...] = ()
    partial: bool = False
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """Why an entry matched: the terms as written in the text, with the field they stand in."""

    watch: str
    watch_title: str
    terms: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """A fact worth telling, with a unique key.

    `chain` lists the credited outlets from the nearest to the origin, by display name; `origin` is ``own``, ``new``,
    ``known`` or ``unknown`` and `origin_name` the outlet at the chain's end. `copy_of` names the outlet whose text
    a copy repeats. `facts` holds small extra facts of operator events, as text.
    """

    key: str
    kind: Kind
    watch: str
    group: str
    decided_at: datetime
    mention: MentionSnapshot | None = None
    answer: AnswerSnapshot | None = None
    why: Why | None = None
    story_title: str = ""
    chain: tuple[str, ...] = ()
    origin: str | None = None
    origin_name: str | None = None
    copy_of: str | None = None
    own_reporting: bool = False
    state: EventState = EventState.OPEN
    config_rev: int = 0
    facts: tuple[tuple[str, str], ...] = field(default_factory=tuple)

    @property
    def event_class(self) -> EventClass:
        """The class of its kind."""
        return CLASS_OF.get(self.kind, EventClass.ROUTINE)
