"""One feed under a driven clock: what happens is said in short words, what was decided can be asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from monitor import schedule
from monitor.schedule import FailReason, Next
from monitor.schedule.headers import Headers
from monitor.values import Hop, Validators

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
URL = "https://feeds.example/rss"


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def hours(n: float) -> timedelta:
    return timedelta(hours=n)


def days(n: float) -> timedelta:
    return timedelta(days=n)


def head(**fields: str) -> Headers:
    """Headers from keywords: `cache_control="max-age=60"`."""
    return tuple((name.replace("_", "-"), value.encode()) for name, value in fields.items())


def http(at: datetime) -> str:
    return format_datetime(at, usegmt=True)


class Feed:
    """A feed that has been polled well once, with validators and a document of 20 entries."""

    def __init__(self, *, policy: schedule.Policy | None = None, jitter: float = 0.5, **state: Any) -> None:
        self.now = NOW
        self.policy = policy or schedule.Policy()
        self.jitter = jitter
        self.host = schedule.HostFacts("feeds.example", "feeds.example")
        begun = schedule.FeedState(
            validators=Validators(b'"a"', b"Mon"), last_ok_at=NOW - minutes(30), last_new_at=NOW - hours(2), items=20
        )
        self.state = replace(begun, **state)
        self.next: Next | None = None
        self.circuit_open = False
        self.burst = False

    def after(self, outcome: schedule.Outcome) -> Next:
        """Let one poll end now."""
        self.next = schedule.after(
            self.state,
            self.policy,
            outcome,
            self.now,
            self.jitter,
            host=self.host,
            burst=self.burst,
            circuit_open=self.circuit_open,
        )
        # The state goes through its stored form each time, so nothing can depend on what is not stored.
        self.state = schedule.from_json(schedule.to_json(self.next.state), self.next.state.validators)
        return self.next

    def wait(self, span: timedelta) -> Feed:
        self.now += span
        return self

    @property
    def waits(self) -> timedelta:
        """How long until the next poll."""
        assert self.next is not None
        return self.next.next_at - self.now

    @property
    def sends(self) -> Validators:
        return schedule.to_send(self.state, self.now)

    def changed(self, *, new: int = 1, total: int = 20, known: int | None = None, **fields: Any) -> Next:
        known = total - new if known is None else known
        wishes = fields.pop("wishes", {})
        return self.after(
            schedule.Changed(
                new, total, self.now, known, url=fields.pop("url", URL), wishes=schedule.Wishes(**wishes), **fields
            )
        )

    def same_body(self, **fields: Any) -> Next:
        return self.after(schedule.Unchanged(self.now, url=URL, not_modified=False, **fields))

    def not_modified(self, **fields: Any) -> Next:
        return self.after(schedule.Unchanged(self.now, url=fields.pop("url", URL), **fields))

    def failed(self, reason: str, hops: tuple[Hop, ...] = (), **fields: str) -> Next:
        return self.after(schedule.Failed(FailReason(reason), head(**fields), hops, URL))


def hop(status: int, url: str, location: str) -> Hop:
    return Hop(status, url, location)
