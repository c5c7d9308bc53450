"""How the daemon itself does, as /api/v1 tells it: feeds, deliveries, silences, configuration."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from alerts.values import Silence as Muted
from monitor.views import revisions, told, watching


class Feed(BaseModel):
    """A feed and its health. `reasons` explain the colour beside the last failure."""

    url: str
    state: str
    colour: str
    last_ok: datetime | None
    last_new: datetime | None
    next_at: datetime
    next_reason: str
    delay_s: float | None
    fail_reason: str | None
    fail_message: str | None
    reasons: list[str]

    @classmethod
    def of(cls, one: watching.FeedSeen) -> Feed:
        """Shape a feed."""
        return cls(
            url=one.url,
            state=one.state,
            colour=one.colour,
            last_ok=one.last_ok,
            last_new=one.last_new,
            next_at=one.next_at,
            next_reason=one.next_reason,
            delay_s=one.delay.total_seconds() if one.delay else None,
            fail_reason=one.fail_reason,
            fail_message=one.fail_message,
            reasons=list(one.reasons),
        )


class WatchSeen(BaseModel):
    """How many of a watch's feeds answer."""

    watch: str
    healthy: int
    feeds: int
    low_since: datetime | None


class Feeds(BaseModel):
    """Feeds, worst first, and how well we see. `total` feeds are known; fewer may be listed."""

    healthy: int
    polled: int
    total: int
    worst_delay_s: float | None
    watches: list[WatchSeen]
    feeds: list[Feed]

    @classmethod
    def of(cls, seen: watching.Seen) -> Feeds:
        """Shape the page of feeds."""
        slowest = seen.coverage.slowest
        return cls(
            healthy=seen.coverage.healthy,
            polled=seen.coverage.feeds,
            total=seen.total,
            worst_delay_s=slowest.total_seconds() if slowest else None,
            watches=[
                WatchSeen(watch=one.watch, healthy=one.healthy, feeds=one.feeds, low_since=one.low_since)
                for one in seen.watches
            ],
            feeds=[Feed.of(one) for one in seen.feeds],
        )


class Delivery(BaseModel):
    """A message: to whom, about which story, and how it went."""

    delivery_id: str
    kind: str
    channel: str
    recipient: str
    story: str
    subject: str
    state: str
    created_at: datetime
    sent_at: datetime | None
    events: int
    body_sha256: str

    @classmethod
    def of(cls, one: told.Sent) -> Delivery:
        """Shape a delivery."""
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class Deliveries(BaseModel):
    """One page of messages, newest first. `next` is given as `after` to go on."""

    deliveries: list[Delivery]
    next: str | None


class SilenceMade(BaseModel):
    """A silence: what it mutes, until when, and how much it muted."""

    id: str
    mutes: dict[str, list[str]]
    starts: datetime
    until: datetime
    comment: str
    author: str
    muted: int

    @classmethod
    def of(cls, one: Muted, muted: int) -> SilenceMade:
        """Shape a silence."""
        return cls(
            id=one.silence_id,
            mutes={name: list(values) for name, values in one.matchers.conditions},
            starts=one.starts,
            until=one.until,
            comment=one.comment,
            author=one.author,
            muted=muted,
        )


class Revision(BaseModel):
    """A state of the configuration."""

    no: int
    sha256: str
    who: str
    at: datetime
    outcome: str
    problems: list[str]

    @classmethod
    def of(cls, one: revisions.Revision) -> Revision:
        """Shape a revision."""
        return cls(
            no=one.no, sha256=one.sha256, who=one.who, at=one.at, outcome=one.outcome, problems=list(one.problems)
        )
