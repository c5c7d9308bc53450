"""Events about the telling half itself, and those the finding half reports in words: who calls `put` makes them here.

A channel broke or works again, deliveries died, a recipient was set aside, a watch was primed or flooded, two told
stories became one or one became two.
"""

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


def primed_event(watch: str, entries: int, stories: int, days: int, now: datetime, config_rev: int) -> Event:
    """Report that a new or edited watch was run over what is stored; nothing of it is told."""
    message = f"{watch} primed: {entries} entries, {stories} stories in {days} d; only what comes now is told"
    key = f"primed:{watch}:{config_rev}"
    facts = (("message", message), ("watch", watch))
    return Event(key, Kind.PRIMED, watch, f"watch:{watch}", now, config_rev=config_rev, facts=facts)


def flood_event(watch: str, matched: str, now: datetime, config_rev: int) -> Event:
    """Report that a watch matched so much at once that it is told in planned digests only."""
    hour = f"{now.astimezone(UTC):%Y-%m-%dT%H}"
    message = f"{watch} matched {matched}: it goes to planned digests until that has been over for 30 minutes"
    facts = (("message", message), ("watch", watch))
    return Event(f"flood:{watch}:{hour}", Kind.FLOOD, watch, f"watch:{watch}", now, config_rev=config_rev, facts=facts)


def aside_event(recipient: str, reason: str, now: datetime, config_rev: int) -> Event:
    """Report that a recipient gets nothing more until somebody says otherwise."""
    channel = recipient.partition("/")[0]
    words = {"unsubscribed": "unsubscribed by the link in a message", "refused": "was refused on three days"}
    message = f"{recipient} {words[reason]} and gets nothing more; storywatch recipient resume {recipient} undoes that"
    key = f"dead_letters:{recipient}:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    facts = (("message", message), ("channel", channel), ("reason", reason))
    return Event(key, Kind.DEAD_LETTERS, "", f"recipient:{recipient}", now, config_rev=config_rev, facts=facts)


def merged_event(watch: str, kept: str, gone: str, title: str, now: datetime, config_rev: int) -> Event:
    """Say in the next message about `kept` that another told story, `gone`, is the same one."""
    facts = (("message", f"The story \u201c{title}\u201d turned out to be this one and continues here"), ("gone", gone))
    return Event(f"merged:{watch}:{kept}:{gone}", Kind.MERGED, watch, kept, now, config_rev=config_rev, facts=facts)


def split_event(watch: str, old: str, new: str, title: str, now: datetime, config_rev: int) -> Event:
    """Say in the next message about `new` that it was part of a told story, `old`."""
    facts = (("message", f"This was told as part of \u201c{title}\u201d and is a story of its own"), ("old", old))
    return Event(f"split:{watch}:{old}:{new}", Kind.SPLIT, watch, new, now, config_rev=config_rev, facts=facts)


def restored_event(held: int, now: datetime, config_rev: int) -> Event:
    """Report that an older database was put back."""
    message = (
        f"The database is an older copy: {held} deliveries that may have been sent are held. "
        "storywatch outbox list --state held shows them, storywatch outbox resolve lets them go."
    )
    key = f"dead_letters:restored:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return Event(key, Kind.DEAD_LETTERS, "", "outbox", now, config_rev=config_rev, facts=(("message", message),))
