"""One feed with all that decides about it: its row, its configuration, its host. Read together, judged elsewhere.

Called by `views`, `explanation` and `admin`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from monitor import schedule, status
from monitor.config import stored, units
from monitor.config.values import Config, FeedConfig
from monitor.errors import MonitorError
from monitor.jobs import requests
from monitor.parse import links
from monitor.store import feeds, hosts, sights
from monitor.text.nearest import nearest
from monitor.values import FeedId

_COMPARED = 5000
"""Addresses that an unknown one is compared with letter by letter, which takes a second or two."""
_OFFERED = 5
"""Addresses that are named when the one asked for is unknown."""


class FeedUnknown(MonitorError):
    """No feed has this address; the message names those that may have been meant."""


class FeedRefused(MonitorError):
    """Something may not be done to a feed; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A feed between two polls. `configured` is what holds for it, None for one that stands nowhere (any more).

    `stands` says where: config, database, both (then config.yaml wins) or nowhere.
    """

    row: feeds.FeedRow
    state: schedule.FeedState
    configured: FeedConfig | None
    policy: schedule.Policy
    host: schedule.HostFacts
    held: tuple[hosts.HostRow, ...]
    now: datetime
    stands: str = "config"

    @property
    def insecure_tls(self) -> bool:
        """Whether its certificate is not looked at."""
        return self.configured is not None and self.configured.tls_insecure


def find(connection: Connection, url: str) -> feeds.FeedRow:
    """The feed with this address: as configured, as polled since a move, or written a little differently.

    Errors: FeedUnknown.
    """
    exact = feeds.by_url(connection, url)
    if exact is not None:
        return exact
    near, like = _near(connection, url)
    found = feeds.by_id(connection, near) if near is not None else None
    if found is None:
        raise FeedUnknown(unknown(url, like))
    return found


def _near(connection: Connection, url: str) -> tuple[FeedId | None, list[str]]:
    """The feed that is polled at this address or written a little differently, and some that may have been meant."""
    wanted, host = _same(url), links.host_of(url)
    moved: FeedId | None = None
    near: FeedId | None = None
    like: list[str] = []
    others: list[str] = []
    for number, named, moved_to in feeds.addresses(connection):
        if moved_to == url:
            moved = moved or number
        if near is None and wanted in (_same(named), _same(moved_to or named)):
            near = number
        if len(like) < _COMPARED and (url in named or (host and host in named)):
            like.append(named)
        elif len(others) < _COMPARED:
            others.append(named)
    return moved or near, like + others


def unknown(url: str, known: list[str]) -> str:
    """Say that no feed has this address, and which may have been meant."""
    host = links.host_of(url)
    meant = nearest(url, known)
    like = [meant] if meant else [one for one in known if url in one or (host and links.host_of(one) == host)]
    if not like:
        return f"{url}: no such feed; storywatch feed list shows them all"
    more = f" and {len(like) - _OFFERED} more" if len(like) > _OFFERED else ""
    return f"{url}: no such feed; did you mean {' or '.join(like[:_OFFERED])}{more}?"


def _same(url: str) -> str:
    try:
        return units.same_address(url)
    except ValueError:
        return url


def of(connection: Connection, url: str, config: Config, now: datetime) -> Facts:
    """Read all that decides about a feed.

    Errors: FeedUnknown.
    """
    row = find(connection, url)
    named = {feed.url: feed for feed in config.feeds}
    configured = stored.config_of(named, row.url, row.settings)
    stands = status.standing_in(row.url in named, row.settings)
    own = row.host in config.limits.allow_hosts
    policy = requests.policy_of(configured, row.url, own_host=own)
    known = hosts.read(connection)
    domain = links.registrable(row.host) or row.host
    ours = [one for one in known if (one.kind, one.name) in (("host", row.host), ("domain", domain))]
    held = tuple(one for one in ours if one.hold_until is not None and one.hold_until > now)
    last = max(held, key=lambda one: one.hold_until or now, default=None)
    siblings = sights.host_counts(connection).get(row.host, 0)
    about = schedule.HostFacts(
        name=row.host,
        domain=domain,
        hold_until=last.hold_until if last else None,
        hold_reason=last.hold_reason if last else None,
        ever_429=any(one.ever_429 for one in ours),
        interval=None if own else schedule.host_interval(siblings, config.limits.host_gap),
    )
    return Facts(row, schedule.from_json(row.schedule, row.validators), configured, policy, about, held, now, stands)


def when(at: datetime | None) -> str:
    """A time for people, in UTC."""
    return at.strftime("%d %b %H:%M") if at else "never"


def span(value: timedelta) -> str:
    """A length of time for people: 40 s, 25 min, 6.5 h, 3 d."""
    seconds = value.total_seconds()
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.3g} h" if seconds < 48 * 3600 else f"{seconds / 86400:.3g} d"


def plain(value: Any) -> Any:
    """A value as JSON has it: times as UTC text, spans as seconds."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.total_seconds() if isinstance(value, timedelta) else value
