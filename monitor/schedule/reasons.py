"""The closed sets of words of fetching and scheduling, and what each kind of failure weighs.

Words only, with their policy as data: nothing here looks at an exception (`monitor.fetch.reasons`) or at a clock.
Called by the other files of this package, by `monitor.fetch`, and by whoever labels a metric.
"""

from __future__ import annotations

from enum import StrEnum


class FailReason(StrEnum):
    """Why a poll brought nothing usable. The label of metrics and the word that health shows."""

    DNS_TEMPORARY = "dns_temporary"
    PROXY = "proxy"
    DNS_UNKNOWN = "dns_unknown"
    CONNECT = "connect"
    CONNECT_TIMEOUT = "connect_timeout"
    READ_TIMEOUT = "read_timeout"
    DEADLINE = "deadline"
    TLS_EXPIRED = "tls_expired"
    TLS_SELF_SIGNED = "tls_self_signed"
    TLS_WRONG_HOST = "tls_wrong_host"
    TLS_OTHER = "tls_other"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    NOT_FOUND = "not_found"
    GONE = "gone"
    UNAUTHORIZED = "unauthorized"
    BAD_STATUS = "bad_status"
    BLOCKED = "blocked"
    REDIRECT_LOOP = "redirect_loop"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    BAD_REDIRECT = "bad_redirect"
    REFUSED_ADDRESS = "refused_address"
    BAD_SCHEME = "bad_scheme"
    SHORT_BODY = "short_body"
    TOO_LARGE = "too_large"
    BOMB = "bomb"
    UNEXPECTED_304 = "unexpected_304"
    HTML = "html"
    NOT_A_FEED = "not_a_feed"
    EMPTY_BODY = "empty_body"
    EMPTY_SHELL = "empty_shell"
    SITEMAP_INDEX = "sitemap_index"
    UNDECODABLE = "undecodable"
    PARSE_TIMEOUT = "parse_timeout"


class NextReason(StrEnum):
    """Which rule set the time of the next poll."""

    ADAPTIVE = "adaptive"
    BURST = "burst"
    CACHE_CONTROL = "cache_control"
    TTL = "ttl"
    SKIP_HOURS = "skip_hours"
    RETRY_AFTER = "retry_after"
    HOST_HOLD = "host_hold"
    BACKOFF = "backoff"
    CIRCUIT = "circuit"
    HOST_BUDGET = "host_budget"
    GONE = "gone"
    STARTUP_SPREAD = "startup_spread"
    FORCED = "forced"
    ATTEMPT_GUARD = "attempt_guard"


class Note(StrEnum):
    """What a poll taught that health should hear about."""

    GONE = "gone"
    VALIDATORS_UNTRUSTED = "validators_untrusted"
    WINDOW_OVERFLOW = "window_overflow"
    EMPTY_SUSPICIOUS = "empty_suspicious"
    MASS_CHANGE = "mass_change"
    MOVED = "moved"


_F = FailReason

WEIGHT: dict[FailReason, float] = dict.fromkeys(FailReason, 0.5) | {
    _F.DNS_TEMPORARY: 0.25,
    _F.PROXY: 0.25,
    _F.RATE_LIMITED: 1.0,
    _F.GONE: 1.0,
    _F.UNAUTHORIZED: 1.0,
    _F.BAD_STATUS: 1.0,
    _F.BLOCKED: 1.0,
    _F.REFUSED_ADDRESS: 1.0,
    _F.BAD_SCHEME: 1.0,
    _F.TOO_LARGE: 1.0,
    _F.BOMB: 1.0,
}
"""What one failure adds to a feed's summed weight; the three steps are those of mediacloud/rss-fetcher."""

PERMANENT = frozenset(
    {_F.UNAUTHORIZED, _F.BAD_STATUS, _F.GONE, _F.REFUSED_ADDRESS, _F.BAD_SCHEME, _F.TOO_LARGE, _F.BOMB}
)
"""Failures that trying again soon does not mend: `transient` is false for them."""

OWN_NETWORK = frozenset({_F.DNS_TEMPORARY, _F.DNS_UNKNOWN, _F.PROXY, _F.CONNECT, _F.CONNECT_TIMEOUT})
"""Failures that, on many hosts at once, say that our own network is down."""

DAILY_AT_MOST = frozenset({_F.REFUSED_ADDRESS, _F.BAD_SCHEME})
"""Failures of the address itself: never tried again within a day."""

NOT_THE_FEED = frozenset({_F.HTML, _F.NOT_A_FEED, _F.EMPTY_SHELL, _F.SITEMAP_INDEX, _F.BLOCKED})
"""An answer that is no feed: a redirect that led to it is not learnt."""


def is_transient(reason: FailReason) -> bool:
    """Whether the same request may well succeed later without anybody doing anything."""
    return reason not in PERMANENT
