"""Follow news through the house: one line per step in the log with the same numbers, and how long each step took.

A line carries `poll` (feed and token, as the claim has them), `entry`, `event` and `delivery`: the first three while
the poll lasts, entry and event again when a delivery ended. So `grep '"entry": 812'` shows an entry's way. What is
said here was decided elsewhere. Called by `jobs` and `telling`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog

from alerts.outbox.ends import End, Told
from alerts.values import EventState
from monitor import metrics, pipeline, tracing
from monitor.understanding import Taken
from monitor.values import Claim

log = structlog.get_logger(__name__)


@contextmanager
def poll(claim: Claim, url: str) -> Iterator[None]:
    """Name the poll in every line that is written during it, whoever writes it."""
    name = f"{claim.feed}.{claim.token}"
    with structlog.contextvars.bound_contextvars(poll=name, feed=url), tracing.tracer().poll(name):
        yield


def recorded(done: pipeline.Report, *, seen_at: datetime, decided_at: datetime) -> None:
    """Say what a document brought that a watch wants, once it is committed. `seen_at` is when its bytes had come."""
    for taken in done.taken:
        matched(taken)
        decided(taken)
        if any(event.state is EventState.OPEN for event in taken.events):
            _took("published_seen", taken.entry.published, seen_at)
            _took("seen_decided", seen_at, decided_at)
        for event in taken.events:
            tracing.tracer().decided(event.key, str(event.kind), seen_at, decided_at, taken.entry.id)
    for taken in done.reread:
        decided(taken)
    for event in done.others:
        log.info("decided", event_key=event.key, kind=str(event.kind), state=str(event.state), story=event.group)


def matched(taken: Taken) -> None:
    """Say that watches want an entry, and where it belongs."""
    log.info(
        "matched",
        entry=taken.entry.id,
        watches=[match.watch for match in taken.matches],
        story=taken.story,
        role=str(taken.assignment.role),
        outlet=taken.entry.outlet,
    )


def decided(taken: Taken) -> None:
    """Say which events an entry made."""
    for event in taken.events:
        state, kind = str(event.state), str(event.kind)
        log.info("decided", entry=taken.entry.id, event_key=event.key, kind=kind, state=state, story=taken.story)


def delivery_ended(end: End) -> None:
    """Say how an attempt to deliver ended; of one that arrived, what it told. Addresses of people are not named."""
    delivery = end.delivery
    metrics.settled.labels(delivery.channel, end.outcome).inc()
    line = log.bind(delivery=delivery.delivery_id, channel=delivery.channel, attempt=delivery.attempt)
    if end.outcome != "sent":
        line.warning("not_sent", outcome=end.outcome, reason=end.reason)
        return
    _took("made_sent", delivery.created_at, end.at)
    for told in end.told:
        _told(told, end.at)
        tracing.tracer().sent(told.key, delivery.delivery_id, delivery.channel, delivery.created_at, end.at)
        line.info("sent", entry=_number(told.entry), event_key=told.key)
    if not end.told:
        line.info("sent", story=delivery.group)


def _told(told: Told, at: datetime) -> None:
    """How late it was; digests that wait for their hour on purpose are not counted."""
    if told.prompt:
        _took("decided_sent", told.decided_at, at)
        _took("published_sent", told.published, at)


def _number(entry: str | None) -> int | str | None:
    return int(entry) if entry and entry.isdigit() else entry


def _took(step: str, since: datetime | None, until: datetime) -> None:
    """Count one wait. An entry dated after it was seen waited for nothing."""
    if since is not None:
        metrics.news_delay.labels(step).observe(max((until - since).total_seconds(), 0.0))
