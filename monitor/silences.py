"""What `storywatch silence` does: reads a person's wish and says in words what became of it. Called by `cli`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerts.channels import reading
from alerts.errors import AlertError
from alerts.outbox import muted
from alerts.values import Matchers, Silence
from monitor.errors import MonitorError

_LOOK_BACK = timedelta(days=7)


class SilenceRefused(MonitorError):
    """A silence may not be made; the message says why."""


def wish(
    fields: Mapping[str, str | None], lasting: str, comment: str, author: str, *, responses: bool, now: datetime
) -> Silence:
    """Make a silence of what was asked for.

    Errors: SilenceRefused for a duration that is none.
    """
    length = reading.duration(lasting)
    if length is None:
        raise SilenceRefused(f"--for {lasting}: is not a duration (30m, 24h, 7d)")
    conditions = tuple((name, (value,)) for name, value in fields.items() if value)
    return Silence("", Matchers(conditions), now, now + length, comment, author, responses)


def add(connection: Connection, silence: Silence, *, everything: bool) -> str:
    """Store a silence and say its name and end.

    Errors: SilenceRefused.
    """
    try:
        stored = muted.add(connection, silence, everything=everything)
    except AlertError as exc:
        raise SilenceRefused(str(exc)) from exc
    return f"{stored.silence_id} until {stored.until:%a %d %b %H:%M} UTC\n"


def preview(connection: Connection, silence: Silence) -> str:
    """Say what a silence would have muted in the last 7 days."""
    counts = muted.preview(connection, silence, silence.starts - _LOOK_BACK, silence.starts)
    said = ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items())) or "nothing"
    kept = "" if silence.responses else " Governments' answers are not muted (add --responses)."
    return f"would have muted in the last 7 days: {said}.{kept}\n"
