"""The values of deliveries: rendered bytes on their way, what a channel answered, how a channel is.

`values` names them too; nothing here knows what a message says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DeliveryKind(StrEnum):
    """What a delivery is to its channel: a story's first message, an answer under it, its refresh, a lone message."""

    ROOT = "root"
    REPLY = "reply"
    UPDATE = "update"
    FLAT = "flat"
    MAIL = "mail"
    POST = "post"


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    READY = "ready"
    SENDING = "sending"
    SENT = "sent"
    HELD = "held"
    DEAD = "dead"
    SUPERSEDED = "superseded"
    DISCARDED = "discarded"


class Doubt(StrEnum):
    """What is unsure about a delivery: its last end was ambiguous, or it goes out as a possible repeat."""

    NONE = ""
    AMBIGUOUS = "ambiguous"
    REPEAT = "repeat"


@dataclass(frozen=True, slots=True)
class Draft:
    """Rendered bytes. `compact` is a plainer rendering kept for a far side that refuses the first one."""

    kind: DeliveryKind
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    compact: bytes | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed row of the outbox. `attempt` is the fence; `tries` counts attempts that spend the schedule.

    `thread` names the root this one belongs under, as the channel named it. `first_attempt_at` bounds a search for it.
    `probe` says that it only tries whether a sick channel is well again; then its schedule is not spent.
    """

    delivery_id: str
    kind: DeliveryKind
    channel: str
    to: str
    group: str
    body: bytes
    headers: tuple[tuple[str, str], ...]
    attempt: int
    tries: int
    created_at: datetime
    expires_at: datetime
    compact: bytes | None = None
    compacted: bool = False
    doubt: Doubt = Doubt.NONE
    doubt_since: datetime | None = None
    lookups: int = 0
    first_attempt_at: datetime | None = None
    thread: str | None = None
    probe: bool = False

    @property
    def payload(self) -> bytes:
        """The bytes to send: the plainer rendering once the far side refused the full one."""
        return self.compact if self.compacted and self.compact is not None else self.body


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a channel answered when it took a delivery. `facts` is what identifies the message there."""

    status: str
    facts: tuple[tuple[str, str], ...] = ()
    reconciled: bool = False


class ChannelHealth(StrEnum):
    """How a channel is: in order, its circuit open after transient failures, or broken until somebody mends it."""

    OK = "ok"
    OPEN = "open"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class ChannelState:
    """What is known of a channel. `probe_at` is when one row may try again while it is not `ok`."""

    channel: str
    health: ChannelHealth = ChannelHealth.OK
    paused_until: datetime | None = None
    failures: int = 0
    since: datetime | None = None
    reason: str | None = None
    probe_at: datetime | None = None
