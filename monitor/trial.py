"""What `storywatch test-alert` does: one message through the real outbox and channel, or into files. Called by `cli`.

The message is the sample story or a stored one, marked as a test. It moves no cursor and counts in no cap; a daemon
that runs beside it may carry it, and then it says so.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from alerts import courier, route
from alerts.channels.base import Channel
from alerts.digest import message, sample, story
from alerts.outbox import admin, deliveries, ids
from alerts.values import DeliveryKind, Digest, DigestForm, Draft, Event, Recipient
from monitor.errors import MonitorError

LANE = "test"
LIVES = timedelta(minutes=15)


class TrialRefused(MonitorError):
    """A test cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A test message for one recipient."""

    digest: Digest
    draft: Draft

    @property
    def size(self) -> str:
        """How large it is, as people say it."""
        blocks = json.loads(self.draft.body).get("blocks") if self.draft.kind in _SLACK else None
        shown = f"{len(self.draft.body):,} bytes"
        return f"{shown} in {len(blocks)} blocks" if blocks else shown


_SLACK = (DeliveryKind.ROOT, DeliveryKind.REPLY)


def make(
    plan: route.Plan, channels: Mapping[str, Channel], to: str, events: Sequence[Event] | None, now: datetime
) -> tuple[Trial, ...]:
    """Render a test for every recipient of a channel. `events` is a stored story, None for the sample.

    Errors: TrialRefused for a channel that is not configured or a story that is not there.
    """
    channel = channels.get(to)
    if channel is None:
        raise TrialRefused(f"--to {to}: no such channel; there are {', '.join(channels) or 'none'}")
    if events is not None and not events:
        raise TrialRefused("--story: there is no such story; storywatch story list shows them")
    shown = events or sample.events(now)
    names = ids.DeliveryIds()
    made = (_digest(recipient, shown, names.make(now), plan, now) for recipient in plan.of_channel(to))
    return tuple(Trial(digest, channel.render(digest, first=True)) for digest in made)


def _digest(recipient: Recipient, events: Sequence[Event], name: str, plan: route.Plan, now: datetime) -> Digest:
    part = story.part(events[0].group, events, events, story.Told())
    notes = ("This is a test of the channel. Nothing happened; no answer is needed.",)
    envelope = message.Envelope(recipient, name, now, None, plan.config_rev, plan.watches, None, notes)
    digest = message.prompt(envelope, part)
    return replace(digest, subject=f"[TEST] {digest.subject}", form=DigestForm.PROMPT, urgent=False)


def send(
    engine: Engine, plan: route.Plan, channels: Mapping[str, Channel], trials: Sequence[Trial], now: datetime
) -> Iterator[str]:
    """Send tests through the outbox, and say of each what became of it.

    Errors: TrialRefused when one was not taken.
    """
    with engine.begin() as connection:
        for trial in trials:
            lane = deliveries.Lane(LANE, f"{trial.digest.recipient.key} {LANE}", now + LIVES)
            told = replace(trial.digest, form=DigestForm.OPERATOR)
            deliveries.enqueue(connection, told, trial.draft, lane, (), now)
    to = trials[0].digest.recipient.channel
    asyncio.run(courier.Courier(engine, plan, {to: channels[to]}).send_due(now))
    failed = False
    for trial in trials:
        with engine.begin() as connection:
            shown = admin.show(connection, trial.digest.delivery_id)
        assert shown is not None
        failed = failed or shown.row.state != "sent"
        yield _said(trial, shown)
    if failed:
        raise TrialRefused(f"{to} has not taken every test; storywatch outbox list shows what waits")


def _said(trial: Trial, shown: admin.Shown) -> str:
    row = shown.row
    head = f"[TEST] {row.delivery_id} to {row.recipient}: rendered {trial.size}"
    if row.state != "sent":
        return f"{head}, {row.state}: {row.error or 'being sent by the daemon'}\n"
    facts = json.loads(row.receipt or "{}")
    told = ", ".join(f"{name} {value}" for name, value in facts.items() if name != "reconciled" and value)
    return f"{head}, accepted: {told}\n"


def write(trials: Sequence[Trial], folder: Path) -> Iterator[str]:
    """Write tests to files instead of sending them, and say where."""
    folder.mkdir(parents=True, exist_ok=True)
    for trial in trials:
        recipient = trial.digest.recipient
        name = recipient.channel if recipient.to == recipient.channel else f"{recipient.channel}-{recipient.to}"
        stem = folder / "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)
        for ending, body in _files(trial.draft):
            path = stem.with_name(stem.name + ending)
            path.write_bytes(body)
            yield f"wrote {path} ({len(body):,} bytes); not sent\n"


def _files(draft: Draft) -> Iterator[tuple[str, bytes]]:
    if draft.kind is DeliveryKind.MAIL:
        yield ".eml", draft.body
        page = email.message_from_bytes(draft.body, policy=email.policy.SMTP).get_body(("html",))
        if page is not None:
            yield ".html", str(page.get_content()).encode("utf-8")
        return
    try:
        json.loads(draft.body)
    except ValueError:
        yield ".txt", draft.body
    else:
        yield ".json", draft.body
