"""Which permanent redirects are learnt, and when. Pure; the requests themselves are made by `monitor.fetch`.

A redirect is learnt when it starts with permanent steps, was seen at least 3 times over 7 days, and leads to what is
demonstrably the same feed. Called by `schedule.decide`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from monitor.schedule import state as st
from monitor.values import Hop

_PERMANENT = frozenset({301, 308})
GRACE = timedelta(days=7)
"""How long a redirect is watched before it is believed (brendanlong/lion-reader's figure)."""
SIGHTINGS = 3


def permanent_target(hops: tuple[Hop, ...]) -> str | None:
    """Where the permanent beginning of a chain of redirects leads, or None.

    A permanent step behind a temporary one proves nothing: 302 A-B, 301 B-C teaches nothing; 301 A-B, 302 B-C
    teaches B.
    """
    target = None
    for hop in hops:
        if hop.status not in _PERMANENT:
            break
        target = hop.location
    return target


def track(known: st.Tracked | None, target: str | None, same_feed: bool, now: datetime) -> st.Tracked | None:
    """Note what a successful poll saw: a new target starts anew, none at all ends the tracking."""
    if target is None:
        return None
    if known is None or known.to != target:
        return st.Tracked(target, now, 1, same_feed)
    return replace(known, seen=known.seen + 1, same_feed=known.same_feed or same_feed)


def learn(url: str, tracked: st.Tracked | None, now: datetime) -> st.Move | None:
    """Decide whether the feed's address changes now."""
    if tracked is None or not tracked.same_feed:
        return None
    if is_upgrade(url, tracked.to):
        return st.Move(tracked.to, "https")
    if tracked.seen >= SIGHTINGS and now - tracked.since >= GRACE:
        return st.Move(tracked.to, "redirect")
    return None


def learn_from_death(tracked: st.Tracked | None) -> st.Move | None:
    """The old address answers 404 or 410 itself: the redirect it gave before is the last word."""
    return st.Move(tracked.to, "dead_url") if tracked and tracked.same_feed else None


def is_upgrade(old: str, new: str) -> bool:
    """Whether the only difference is https instead of http."""
    a, b = urlsplit(old), urlsplit(new)
    return (
        (a.scheme, b.scheme) == ("http", "https")
        and _host(a.netloc, ":80") == _host(b.netloc, ":443")
        and (a.path or "/", a.query) == (b.path or "/", b.query)
    )


def _host(netloc: str, default_port: str) -> str:
    return netloc.lower().removesuffix(default_port)
