"""Events for whoever runs storywatch: a feed changed its standing, the network went, a watch sees too little. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from alerts.values import Event, Kind
from monitor.detect.event_keys import key

_STANDINGS = {
    "ok": "works again",
    "failing": "has not been read for a day",
    "gone": "says that it is gone; it is asked again every 30 days",
    "blocked": "is behind a bot wall: ask its operator, storywatch does not disguise itself",
    "silent": "has brought nothing new for so long that chance cannot explain it",
    "overflowing": "has more news than its document shows: entries may have been missed",
    "mass_change": "changed most of its entries at once: they are stored and not told",
}
QUIETLY_OK = frozenset({"overflowing", "mass_change"})
"""What passes by itself: its end is no news."""


def feed_state(url: str, standing: str, reason: str | None, now: datetime, config_rev: int) -> Event:
    """A feed's standing changed."""
    words = _STANDINGS[standing] + (f" ({reason})" if reason and standing in ("failing", "blocked") else "")
    facts = (("message", f"{_short(url)} {words}"), ("feed", url), ("state", standing))
    return _event(
        key(Kind.FEED_STATE, url, standing, _stamp(now)), Kind.FEED_STATE, f"feed:{url}", facts, now, config_rev
    )


def network_down(now: datetime, hosts: int, config_rev: int) -> Event:
    """Polling stands still."""
    message = f"The network of this machine seems to be down: {hosts} hosts cannot be reached. Polling stands still."
    return _event(
        key(Kind.OWN_NETWORK, "down", _stamp(now)), Kind.OWN_NETWORK, "own_network", _said(message), now, config_rev
    )


def network_up(since: datetime, now: datetime, config_rev: int) -> Event:
    """Polling goes on."""
    message = f"The network is back. Polling stood still since {since.astimezone(UTC):%d %b %H:%M} UTC."
    return _event(
        key(Kind.OWN_NETWORK, "up", _stamp(since)), Kind.OWN_NETWORK, "own_network", _said(message), now, config_rev
    )


def watch_blind(watch: str, healthy: int, feeds: int, since: datetime, now: datetime, config_rev: int) -> Event:
    """Too few of a watch's feeds can be read."""
    message = f"{watch} sees only {healthy} of its {feeds} feeds since {since.astimezone(UTC):%d %b %H:%M} UTC"
    facts = (("message", message), ("watch", watch))
    return _event(
        key(Kind.COVERAGE, watch, "low", _stamp(since)), Kind.COVERAGE, f"coverage:{watch}", facts, now, config_rev
    )


def watch_sees(watch: str, healthy: int, feeds: int, since: datetime, now: datetime, config_rev: int) -> Event:
    """Enough of a watch's feeds can be read again."""
    facts = (("message", f"{watch} sees {healthy} of its {feeds} feeds again"), ("watch", watch))
    return _event(
        key(Kind.COVERAGE, watch, "ok", _stamp(since)), Kind.COVERAGE, f"coverage:{watch}", facts, now, config_rev
    )


def canary_late(since: datetime, now: datetime, config_rev: int) -> Event:
    """The canary did not come out: something between a feed and a message stands still."""
    message = f"The canary story of {since.astimezone(UTC):%d %b %H:%M} UTC has not come out: news may not reach you"
    return _event(key(Kind.CANARY_LATE, _stamp(since)), Kind.CANARY_LATE, "canary", _said(message), now, config_rev)


def _event(
    name: str, kind: Kind, group: str, facts: tuple[tuple[str, str], ...], now: datetime, config_rev: int
) -> Event:
    return Event(name, kind, "", group, now, config_rev=config_rev, facts=facts)


def _said(message: str) -> tuple[tuple[str, str], ...]:
    return (("message", message),)


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _short(url: str) -> str:
    return url.partition("://")[2] or url
