"""A URL about to be requested: checked, in the exact spelling that goes over the wire, without user info.

Nearly every feed's URL is plain and read by one expression; the odd ones (other scripts, spaces, IPv6) go through
httpx, which takes twenty times as long. Both must agree, and a test compares them. Called by `fetch.client` and
`fetch.redirects`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx

from monitor.fetch.limits import Limits
from monitor.schedule.reasons import FailReason

_DEFAULT_PORTS = {"http": 80, "https": 443}
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_PLAIN = re.compile(
    r"(https?)://"
    r"(?![^/:]*xn--)((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
    rf"|(?:{_BYTE}\.){{3}}{_BYTE})"
    r"(?::([1-9][0-9]{0,3}|[1-5][0-9]{4}))?"
    r"/((?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*)"
    r"(?:\?(?:[A-Za-z0-9\-._~!$&()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?"
)
_DOTS = re.compile(r"(?:^|/)\.\.?(?:/|$)")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
"""A last label that makes a host an IPv4 address to browsers and C libraries (WHATWG URL, "ends in a number")."""
_FOUR_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_ENDS_IN_NUMBER = re.compile(r"https?://(?:[^/?#]*@)?(?:[^/?#:@]*\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)(?:[:/?#]|$)")


class BadUrl(Exception):
    """A URL that is not requested."""

    def __init__(self, reason: FailReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class Address:
    """`text` is the whole URL; `host` is in lower case, in its own script."""

    text: str
    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> tuple[str, str, int]:
        """What decides whether secrets may be sent."""
        return self.scheme, self.host, self.port


def parse(url: str, limits: Limits) -> Address:
    """Read a URL that is about to be requested.

    Errors: BadUrl for another scheme, no host, an impossible host, or more than 2,048 characters.
    """
    if len(url) > limits.url_chars:
        raise BadUrl(FailReason.BAD_REDIRECT, f"URL of {len(url):,} characters")
    plain = _PLAIN.fullmatch(url)
    if plain and not _DOTS.search(plain[4]):
        return Address(url, plain[1], plain[2], int(plain[3] or _DEFAULT_PORTS[plain[1]]))
    return _parse_odd(url)


def _parse_odd(url: str) -> Address:
    try:
        parsed = httpx.URL(url)
        host = parsed.host.lower()
    except (httpx.InvalidURL, ValueError) as exc:
        if _ENDS_IN_NUMBER.match(url):
            raise BadUrl(FailReason.REFUSED_ADDRESS, f"an address in disguise: {url[:200]!r}") from exc
        raise BadUrl(FailReason.BAD_REDIRECT, f"not a URL: {url[:200]!r}: {exc}") from exc
    if parsed.scheme not in _DEFAULT_PORTS:
        word = parsed.scheme or "no"
        raise BadUrl(FailReason.BAD_SCHEME, f"{word} scheme in {url[:200]!r}: only http and https are fetched")
    if not host or (parsed.port is not None and not 0 < parsed.port < 65536):
        raise BadUrl(FailReason.BAD_REDIRECT, f"no usable host in {url[:200]!r}")
    if _NUMBER.fullmatch(host.rpartition(".")[2]) and not _FOUR_NUMBERS.fullmatch(host):
        raise BadUrl(FailReason.REFUSED_ADDRESS, f"{host} is an address in disguise")
    if parsed.userinfo or parsed.fragment:
        parsed = parsed.copy_with(username=None, password=None, fragment=None)
    return Address(str(parsed), parsed.scheme, host, parsed.port or _DEFAULT_PORTS[parsed.scheme])
