"""What the schedule remembers of a feed, what surrounds a poll, and what it decides: frozen values, no policy.

`FeedState` goes into the feed's row: its validators into columns of their own (they are bytes), the rest through
`to_json` and `from_json`. Called by every file of this package and by whoever stores a feed.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, Literal

from monitor.schedule import headers, rate, reasons
from monitor.values import Hop, Validators

NO_VALIDATORS = Validators()
_NO_RATE = rate.Rate()

# ------------------------------------------------------------------------------------------------ remembered


@dataclass(frozen=True, slots=True)
class Failures:
    """Failures in a row. `forgivable` is the weight of the newest one if our own network may be its cause."""

    weight: float = 0.0
    count: int = 0
    reason: str | None = None
    first_at: datetime | None = None
    first_410_at: datetime | None = None
    limited: int = 0
    forgivable: float = 0.0


@dataclass(frozen=True, slots=True)
class Cache:
    """What is known of a server's caching manners.

    `fresh` is the freshness of the last 200, `unchanged_since` the first 304 after it, `probed_at` the last time it
    was asked without validators, `untrusted_since` when its 304 was caught lying.
    """

    fresh: timedelta | None = None
    sends_cache_control: bool = False
    ever_304: bool = False
    unchanged_since: datetime | None = None
    probed_at: datetime | None = None
    untrusted_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tracked:
    """A permanent redirect under observation. `same_feed` says whether its target was seen to be this feed."""

    to: str
    since: datetime
    seen: int = 1
    same_feed: bool = False


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the document itself asks for."""

    ttl: timedelta | None = None
    update_period: timedelta | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class FeedState:
    """All that decides when a feed is polled next. `moved` asks for a new baseline, `gone` likewise.

    When that is stands in `Next` and in the feed's row, not here.
    """

    validators: Validators = NO_VALIDATORS
    interval: timedelta | None = None
    last_attempt_at: datetime | None = None
    last_ok_at: datetime | None = None
    last_new_at: datetime | None = None
    hold_until: datetime | None = None
    hold_reason: str | None = None
    gone: bool = False
    moved: bool = False
    items: int = 0
    bytes: int = 0
    fail: Failures = Failures()
    cache: Cache = Cache()
    rate: rate.Rate = _NO_RATE
    wishes: Wishes = Wishes()
    redirect: Tracked | None = None


NEW_FEED = FeedState()
"""Nothing is remembered yet."""

# ---------------------------------------------------------------------------------------------- surroundings


@dataclass(frozen=True, slots=True)
class Policy:
    """What configuration says of a feed. `floor` is None unless set; `phase` in [0, 1) is fixed by the feed's id.

    `own_host` marks a private or allow-listed host: never held as a whole.
    """

    floor: timedelta | None = None
    ceiling: timedelta | None = None
    government: bool = False
    watched: bool = True
    own_host: bool = False
    phase: float = 0.5


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What is known of the feed's host. `limited` are the hosts under its domain that said 429 in the last hour.

    `interval` is the shortest interval the host's budget of starts allows to each of its feeds.
    """

    name: str = ""
    domain: str = ""
    hold_until: datetime | None = None
    hold_reason: str | None = None
    ever_429: bool = False
    limited: frozenset[str] = frozenset()
    interval: timedelta | None = None


# -------------------------------------------------------------------------------------------------- outcomes


@dataclass(frozen=True, slots=True)
class Changed:
    """A body that parsed and was not the one before.

    `asked_at` is when the request began. Of `total` entries in the document `known` were known before and `new` are
    stored now; `published` are the dates of the new ones. `complete` is false for a cut document: its validators are
    not kept. `same_feed` says whether the document shares an entry or its title with what is stored. After a
    `mass_change` the new entries say nothing of the feed's habits; `rekeyed` says that its entries are known by other
    keys from now on, so that the next document is a baseline. A `partial` document (226) holds only what is new: what
    it does not show is not gone.
    """

    new: int
    total: int
    asked_at: datetime
    known: int = 0
    published: tuple[datetime, ...] = ()
    headers: headers.Headers = ()
    validators: Validators = NO_VALIDATORS
    hops: tuple[Hop, ...] = ()
    url: str = ""
    bytes: int = 0
    complete: bool = True
    same_feed: bool = True
    wishes: Wishes = Wishes()
    moved_to: str | None = None
    mass_change: bool = False
    rekeyed: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A 304, or a 200 with the body of the last time (`not_modified` is false then)."""

    asked_at: datetime
    headers: headers.Headers = ()
    validators: Validators = NO_VALIDATORS
    hops: tuple[Hop, ...] = ()
    url: str = ""
    not_modified: bool = True
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """No usable answer, or a body that is no feed."""

    reason: reasons.FailReason
    headers: headers.Headers = ()
    hops: tuple[Hop, ...] = ()
    url: str = ""


Outcome = Changed | Unchanged | Failed


# ------------------------------------------------------------------------------------------------- decisions


@dataclass(frozen=True, slots=True)
class Hold:
    """A time before which a host, or all hosts of a registrable domain, are left alone."""

    scope: Literal["host", "domain"]
    name: str
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Move:
    """The feed has a new address for good. `why` is redirect, https or dead_url."""

    to: str
    why: str


@dataclass(frozen=True, slots=True)
class Next:
    """When a feed is polled next and why, what is remembered, and what else follows."""

    next_at: datetime
    reason: reasons.NextReason
    state: FeedState
    holds: tuple[Hold, ...] = ()
    move: Move | None = None
    notes: tuple[reasons.Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a feed may not be requested now, and when it may."""

    reason: str
    until: datetime


# -------------------------------------------------------------------------------------------------- as JSON


def to_json(state: FeedState) -> dict[str, Any]:
    """Turn a state into plain JSON, without its validators and without what is still at its default."""
    return _STATE.written(state)


def from_json(data: Mapping[str, Any], validators: Validators) -> FeedState:
    """Read what `to_json` wrote. Unknown members are ignored, so an older program reads a newer state."""
    return FeedState(validators=validators, **_STATE.members(data))


class _Codec:
    """How a value is written as JSON and read again."""

    def __init__(self, write: Callable[[Any], Any], read: Callable[[Any], Any]) -> None:
        self.write = write
        self.read = read


class _Members(_Codec):
    """A value of named members as an object; those at the default of `usual` are left out. Made once, as polls are
    many: members are fetched together and each is written by what is known of it.
    """

    def __init__(self, kind: type, usual: Any, **codecs: _Codec) -> None:
        super().__init__(self.written, lambda data: kind(**self.members(data)))
        self._codecs = codecs
        self._get = attrgetter(*codecs)
        self._writers = tuple((name, codec.write) for name, codec in codecs.items())
        self._usual = self._get(usual) if usual is not None else (_NOTHING,) * len(codecs)

    def written(self, value: Any) -> dict[str, Any]:
        """The members that are not as usual."""
        parts = zip(self._writers, self._get(value), self._usual, strict=True)
        return {name: write(part) for (name, write), part, usual in parts if part is not usual and part != usual}

    def members(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The members that are known here, read."""
        codecs = self._codecs
        return {name: codecs[name].read(part) for name, part in data.items() if part is not None and name in codecs}


def _same(value: Any) -> Any:
    return value


def _packed(day: tuple[float, ...]) -> str:
    return base64.b64encode(_DAY.pack(*day)).decode()


def _unpacked(kept: str | list[float]) -> tuple[float, ...]:
    return _DAY.unpack(base64.b64decode(kept)) if isinstance(kept, str) else tuple(kept)  # a list as once written


_DAY = struct.Struct("<24f")
"""The hours of a day in one word: as a list of numbers they would be most of what a poll reads and writes."""
_NOTHING = object()
_PLAIN = _Codec(_same, _same)
_NUMBER = _Codec(lambda value: round(value, 4), _same)
_HOURS = _Codec(_packed, _unpacked)
_AT = _Codec(lambda at: round(at.timestamp(), 3), lambda seconds: datetime.fromtimestamp(seconds, UTC))
_SPAN = _Codec(timedelta.total_seconds, lambda seconds: timedelta(seconds=seconds))
_CHOICE = _Codec(sorted, frozenset)
_STATE = _Members(
    FeedState,
    NEW_FEED,
    interval=_SPAN,
    last_attempt_at=_AT,
    last_ok_at=_AT,
    last_new_at=_AT,
    hold_until=_AT,
    hold_reason=_PLAIN,
    gone=_PLAIN,
    moved=_PLAIN,
    items=_PLAIN,
    bytes=_PLAIN,
    fail=_Members(
        Failures,
        Failures(),
        weight=_NUMBER,
        count=_PLAIN,
        reason=_PLAIN,
        first_at=_AT,
        first_410_at=_AT,
        limited=_PLAIN,
        forgivable=_NUMBER,
    ),
    cache=_Members(
        Cache,
        Cache(),
        fresh=_SPAN,
        sends_cache_control=_PLAIN,
        ever_304=_PLAIN,
        unchanged_since=_AT,
        probed_at=_AT,
        untrusted_since=_AT,
    ),
    rate=_Members(rate.Rate, _NO_RATE, entries=_HOURS, hours=_HOURS),
    wishes=_Members(Wishes, Wishes(), ttl=_SPAN, update_period=_SPAN, skip_hours=_CHOICE, skip_days=_CHOICE),
    redirect=_Members(Tracked, None, to=_PLAIN, since=_AT, seen=_PLAIN, same_feed=_PLAIN),
)
