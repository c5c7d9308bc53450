"""What is asked of a feed's server and with which hints its answer is read: from its row and its configuration. Pure
but for secrets, which are read where they are used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from monitor import parser_pool, schedule
from monitor.config import secrets, stored
from monitor.config.values import FeedConfig
from monitor.fetch import limits
from monitor.jobs.parts import Parts
from monitor.parse.tasks import FeedHints
from monitor.store import feeds, listed
from monitor.values import Domain, Fetched, Hop

GOVERNMENT = "government"


def config_of(row: feeds.FeedRow | listed.Named, parts: Parts) -> FeedConfig | None:
    """What config.yaml says of a feed, else its row; None for one that stands nowhere (any more, or yet)."""
    return stored.config_of(parts.feeds, row.url, row.settings)


def outlet(row: feeds.FeedRow, parts: Parts) -> str | None:
    """The outlet a feed is configured to belong to."""
    config = config_of(row, parts)
    return config.outlet if config else None


def tags(row: feeds.FeedRow, parts: Parts, merged: Sequence[listed.Named] = ()) -> frozenset[str]:
    """The tags by which watches choose this feed: its own, and those of the feeds that were `merged` with it."""
    named = ((row.url, row.settings), *((one.url, one.settings) for one in merged))
    return frozenset().union(*(stored.tags_of(parts.feeds, url, settings) for url, settings in named))


def policy(row: feeds.FeedRow, parts: Parts) -> schedule.Policy:
    """The bounds within which a feed is polled."""
    return policy_of(config_of(row, parts), row.url, own_host=row.host in parts.own_hosts)


def policy_of(config: FeedConfig | None, url: str, *, own_host: bool) -> schedule.Policy:
    """The bounds of a feed that is configured so, or not at all."""
    phase = int.from_bytes(hashlib.sha256(url.encode()).digest()[:4]) / 2**32
    if config is None:
        return schedule.Policy(own_host=own_host, phase=phase)
    return schedule.Policy(
        floor=config.floor,
        ceiling=config.ceiling,
        government=GOVERNMENT in config.tags,
        own_host=own_host,
        phase=phase,
    )


def is_moved_by(row: feeds.FeedRow, live: frozenset[Domain], parts: Parts) -> bool:
    """Whether live stories concern a feed: its outlet carries one, or it is a government's while there is any."""
    if not live:
        return False
    if GOVERNMENT in tags(row, parts):
        return True
    named = parts.context.knowledge.outlets.by_url(outlet(row, parts) or row.url)
    return named is not None and named.domain in live


def request(
    row: feeds.FeedRow, state: schedule.FeedState, parts: Parts, *, url: str | None = None, hops: tuple[Hop, ...] = ()
) -> limits.Request:
    """The request of one poll, or of another `url` that the feed's document named.

    Secrets of the configuration go to the configured origin only, wherever the feed or its document lead.
    Errors: SecretMissing.
    """
    config = config_of(row, parts)
    plain = limits.Request(
        url=url or row.moved_to or row.url,
        hops=hops,
        validators=schedule.to_send(state, parts.now()),
        feed=row.id,
        watches=parts.context.watches,
    )
    if config is None:
        return plain
    proxied = replace(plain, proxy=secrets.reveal(config.proxy, parts.environ)) if config.proxy else plain
    says_more = config.headers or config.auth or config.tls_insecure
    if not says_more or not _is_same_site(row.url, plain.url):
        return proxied
    return replace(
        proxied,
        headers=tuple((name, secrets.reveal(value, parts.environ)) for name, value in config.headers),
        auth=(config.auth.user, secrets.reveal(config.auth.password, parts.environ)) if config.auth else None,
        insecure_tls=config.tls_insecure,
    )


def _is_same_site(configured: str, url: str) -> bool:
    """Whether two addresses are of one origin; https instead of http on the same host is none but is no stranger."""
    first, second = urlsplit(configured), urlsplit(url)
    same_host = (first.hostname, first.port) == (second.hostname, second.port)
    return same_host and (first.scheme == second.scheme or second.scheme == "https")


def body(row: feeds.FeedRow, fetched: Fetched, parts: Parts) -> parser_pool.Body:
    """What the parser is given."""
    config = config_of(row, parts)
    hints = FeedHints(
        outlet=Domain(config.outlet) if config and config.outlet else None,
        timezone=config.timezone if config else None,
        language=config.language if config else None,
    )
    headers = {name: value.decode("latin-1") for name, value in fetched.headers}
    return parser_pool.Body(fetched.body, fetched.final_url, headers, fetched.at, hints)
