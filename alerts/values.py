"""The values of the telling half. An event is a self-contained snapshot: a digest is rendered from events alone.

`group` (the story key) is opaque here. Times are aware UTC datetimes; texts are in their original language.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from alerts.sending import ChannelHealth as ChannelHealth
from alerts.sending import ChannelState as ChannelState
from alerts.sending import Delivery as Delivery
from alerts.sending import DeliveryKind as DeliveryKind
from alerts.sending import DeliveryState as DeliveryState
from alerts.sending import Doubt as Doubt
from alerts.sending import Draft as Draft
from alerts.sending import Receipt as Receipt


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
    PRIMED = "primed"
    REMINDER = "reminder"
    CANARY_LATE = "canary_late"
    WEEKLY_NOTE = "weekly_note"
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
    Kind.PRIMED: EventClass.OPERATOR,
    Kind.CANARY_LATE: EventClass.OPERATOR,
    Kind.WEEKLY_NOTE: EventClass.OPERATOR,
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

    def value_of(self, name: str) -> str | None:
        """What a matcher compares: the value of one of `MATCHER_FIELDS`, None when the event has none."""
        mention, answer = self.mention, self.answer
        match name:
            case "watch" | "kind" | "origin":
                return getattr(self, name) or None
            case "class":
                return self.event_class
            case "story":
                return self.group
            case "government" | "body" | "stance":
                return getattr(answer, name) if answer else None
            case "outlet" | "language" | "url":
                return getattr(mention, name) if mention else None
            case "outlet_country":
                return mention.country if mention else None
            case "outlet_kind":
                return mention.outlet_kind if mention else None
        return None


MATCHER_FIELDS = (
    "watch",
    "kind",
    "class",
    "government",
    "body",
    "stance",
    "outlet",
    "outlet_country",
    "outlet_kind",
    "language",
    "origin",
    "story",
    "url",
)
"""What routes and silences may name."""


@dataclass(frozen=True, slots=True)
class Matchers:
    """Fields with patterns (globs); all given ones must hold. Empty matches everything."""

    conditions: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def hold(self, event: Event) -> bool:
        """Whether every field of the event is among its patterns, upper and lower case alike."""
        return all(_among(event.value_of(name), patterns) for name, patterns in self.conditions)


def _among(value: str | None, patterns: tuple[str, ...]) -> bool:
    return value is not None and any(fnmatchcase(value.casefold(), pattern.casefold()) for pattern in patterns)


# ------------------------------------------------------------------------------------------ who is told, and when


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A daily local window ``[start, end)``, over midnight when `end` is smaller. It starts on `days`, Monday is 0."""

    start: time
    end: time
    days: frozenset[int] = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` in any window of length `per`."""

    count: int
    per: timedelta


@dataclass(frozen=True, slots=True)
class Caps:
    """How much one recipient is told promptly; what is over goes to a digest and is said so."""

    per_story: Rate = Rate(1, timedelta(minutes=15))
    urgent_per_story: Rate = Rate(4, timedelta(hours=1))
    per_hour: int = 6
    per_day: int = 30
    urgent_per_hour: int = 12


class Heartbeat(StrEnum):
    """What an empty slot does."""

    OFF = "off"
    DAILY = "daily"
    EVERY_SLOT = "every_slot"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One address of a channel. `breakthrough` names the kinds that quiet hours do not hold."""

    channel: str
    to: str
    timezone: str = "UTC"
    quiet: QuietHours | None = None
    breakthrough: frozenset[Kind] = frozenset()
    caps: Caps = Caps()
    language: str | None = None
    heartbeat: Heartbeat = Heartbeat.OFF
    weekly_note: bool = False

    @property
    def key(self) -> str:
        """What stands in the database: channel and address."""
        return f"{self.channel}/{self.to}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """Local times of a day at which a digest is planned. `days` are local, Monday 0."""

    name: str
    at: tuple[time, ...]
    days: frozenset[int] = frozenset(range(7))
    max_stories: int = 40


@dataclass(frozen=True, slots=True)
class Blind:
    """A feed that is not seen at present."""

    feed: str
    since: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was watched while a message was made. `slowest` is the longest interval of a healthy feed."""

    healthy: int
    feeds: int
    blind: tuple[Blind, ...] = ()
    slowest: timedelta | None = None

    @property
    def partly_blind(self) -> bool:
        """Whether fewer than four fifths of the feeds are seen."""
        return self.feeds > 0 and self.healthy * 5 < self.feeds * 4


# ----------------------------------------------------------------------------------------------- what a digest says


class DigestForm(StrEnum):
    """Why a message is made: a group's wait ended, a slot came, or something outside any story happened."""

    PROMPT = "prompt"
    SCHEDULED = "scheduled"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class NonAnswers:
    """One body of a government that was asked, with every event that says so, oldest first."""

    government: str
    government_name: str
    office: str
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class StoryPart:
    """One story as one recipient is told it.

    `since` is when the recipient was last reached with this story, None if never. `fresh` are the events that are
    new to this recipient, strongest first; `answers` and `non_answers` cover the whole story. `chains` run from the
    outlet to the origin. `told` marks a story whose news the recipient already has from a prompt message. `page` is
    the address of the story's page, empty when the daemon has no public address.
    """

    group: str
    headline: str
    language: str | None = None
    lead: str = ""
    lead_outlet: str = ""
    lead_url: str | None = None
    first_seen: datetime | None = None
    since: datetime | None = None
    number: int = 1
    outlets: int = 0
    origins: tuple[str, ...] = ()
    copies: int = 0
    languages: tuple[str, ...] = ()
    fresh: tuple[Event, ...] = ()
    answers: tuple[Event, ...] = ()
    non_answers: tuple[NonAnswers, ...] = ()
    chains: tuple[tuple[str, ...], ...] = ()
    timeline: tuple[Event, ...] = ()
    copies_new: tuple[str, ...] = ()
    whys: tuple[Why, ...] = ()
    stale: int = 0
    told: bool = False
    notes: tuple[str, ...] = ()
    page: str = ""


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of pages that let a recipient act; empty where there is nothing to do or nothing to sign with."""

    story: str
    mute: str
    wrong: str
    why: str
    stop: str


@dataclass(frozen=True, slots=True)
class Digest:
    """One message for one recipient, before it becomes bytes. `more` are stories that only get one line."""

    form: DigestForm
    recipient: Recipient
    subject: str
    made_at: datetime
    delivery_id: str
    stories: tuple[StoryPart, ...] = ()
    more: tuple[StoryPart, ...] = ()
    events: tuple[Event, ...] = ()
    coverage: Coverage | None = None
    notes: tuple[str, ...] = ()
    links: Links | None = None
    config_rev: int = 0
    urgent: bool = False


# -------------------------------------------------------------------------------------------------------- silences


@dataclass(frozen=True, slots=True)
class Silence:
    """A mute that a person made. `matchers` are fields with patterns; `responses` also mutes answers.

    One with a `recipient` mutes for that one alone: it was made by the link in a message to it.
    """

    silence_id: str
    matchers: Matchers
    starts: datetime
    until: datetime
    comment: str
    author: str
    responses: bool = False
    ended_by: str | None = None
    recipient: str | None = None
