"""Events the telling half raises about itself: a channel broke or works again, deliveries died."""

from __future__ import annotations

from datetime import UTC, datetime

from alerts.values import ChannelHealth, ChannelState, Event, Kind


def channel_event(state: ChannelState, now: datetime, config_rev: int) -> Event:
    """Report a channel's new health; it is routed past that channel."""
    since = state.since or now
    words = "is broken" if state.health is ChannelHealth.BROKEN else "works again"
    facts = [("message", f"Channel {state.channel} {words}"), ("channel", state.channel)]
    if state.reason:
        facts.append(("reason", state.reason))
    return Event(
        f"channel_state:{state.channel}:{state.health}:{since.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        Kind.CHANNEL_STATE,
        "",
        f"channel:{state.channel}",
        now,
        config_rev=config_rev,
        facts=tuple(facts),
    )


def dead_event(channel: str, reason: str, now: datetime, config_rev: int) -> Event:
    """Report that deliveries of a channel died; one event per channel and day."""
    day = f"{now.astimezone(UTC):%Y-%m-%d}"
    facts = (("message", f"Deliveries over {channel} were given up"), ("channel", channel), ("reason", reason))
    return Event(
        f"dead_letters:{channel}:{day}",
        Kind.DEAD_LETTERS,
        "",
        f"channel:{channel}",
        now,
        config_rev=config_rev,
        facts=facts,
    )
