"""Where a redirect leads and what may be sent along. Pure; the chain itself is walked by `fetch.client`."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urljoin

import httpx

from monitor.fetch.limits import Limits
from monitor.schedule.reasons import FailReason

STATUSES = frozenset({301, 302, 303, 307, 308})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
"""A last label that makes a host an IPv4 address to browsers and C libraries (WHATWG URL, "ends in a number")."""
_ENDS_IN_NUMBER = re.compile(r"https?://(?:[^/?#]*@)?(?:[^/?#:@]*\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)(?:[:/?#]|$)")


class BadUrl(Exception):
    """A URL that is not followed."""

    def __init__(self, reason: FailReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def parse(url: str, limits: Limits) -> httpx.URL:
    """Read a URL that is about to be requested, without its user info.

    Errors: BadUrl for another scheme, no host, an impossible host, or more than 2,048 characters.
    """
    if len(url) > limits.url_chars:
        raise BadUrl(FailReason.BAD_REDIRECT, f"URL of {len(url):,} characters")
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as exc:
        if _ENDS_IN_NUMBER.match(url):
            raise BadUrl(FailReason.REFUSED_ADDRESS, f"an address in disguise: {url[:200]!r}") from exc
        raise BadUrl(FailReason.BAD_REDIRECT, f"not a URL: {url[:200]!r}: {exc}") from exc
    if parsed.scheme not in _DEFAULT_PORTS:
        raise BadUrl(
            FailReason.BAD_SCHEME, f"{parsed.scheme or 'no'} scheme in {url[:200]!r}: only http and https are fetched"
        )
    if not parsed.host or (parsed.port is not None and not 0 < parsed.port < 65536):
        raise BadUrl(FailReason.BAD_REDIRECT, f"no usable host in {url[:200]!r}")
    if _NUMBER.fullmatch(parsed.host.rpartition(".")[2]) and not _is_address(parsed.host):
        raise BadUrl(FailReason.REFUSED_ADDRESS, f"{parsed.host} is an address in disguise")
    return (
        parsed.copy_with(username=None, password=None, fragment=None) if parsed.userinfo or parsed.fragment else parsed
    )


def target(base: httpx.URL, locations: list[bytes], limits: Limits) -> httpx.URL:
    """Resolve the Location header of an answer from `base`.

    Errors: BadUrl.
    """
    if not locations or not locations[-1].strip():
        raise BadUrl(FailReason.BAD_REDIRECT, "a redirect without Location")
    raw = locations[-1].strip()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    try:
        joined = urljoin(str(base), text)
    except ValueError as exc:
        raise BadUrl(FailReason.BAD_REDIRECT, f"unusable Location {text[:200]!r}") from exc
    return parse(joined, limits)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def origin(url: httpx.URL) -> tuple[str, str, int]:
    """Scheme, host and port: what decides whether secrets may be sent."""
    return url.scheme, url.host.lower(), url.port or _DEFAULT_PORTS[url.scheme]
