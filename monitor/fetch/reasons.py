"""From exceptions and statuses to the words of `monitor.schedule.reasons`, with a sentence for people.

httpx's classes say little here (a refused connection, an unknown name and a server that hung up are all
`ConnectTimeout` to it), so the causes below are read. Called by `fetch.client`.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator

import aiohttp

from monitor.fetch.guard import LookupTimeout, RefusedAddress
from monitor.fetch.wire import EndlessHeaders
from monitor.schedule.reasons import FailReason

_UNKNOWN_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
_CERTIFICATE = {
    9: (FailReason.TLS_EXPIRED, "the certificate is not valid yet"),
    10: (FailReason.TLS_EXPIRED, "the certificate has expired"),
    18: (FailReason.TLS_SELF_SIGNED, "the certificate is self-signed"),
    19: (FailReason.TLS_SELF_SIGNED, "the certificate chain ends in a self-signed certificate"),
    62: (FailReason.TLS_WRONG_HOST, "the certificate is for another host"),
    64: (FailReason.TLS_WRONG_HOST, "the certificate is for another address"),
}
"""OpenSSL's X509_V_ERR codes."""
_WALLS = re.compile(
    rb"<title>\s*(?:just a moment|attention required! \| cloudflare|ddos-guard|access denied \| .{0,80} cloudflare)"
    rb"|/cdn-cgi/challenge-platform/|_incapsula_resource|sucuri_cloudproxy_js|px-captcha|/\.well-known/ddos-guard/"
    rb"|awswafcookiedomainlist|geo\.captcha-delivery\.com|anubis_challenge",
    re.IGNORECASE,
)
"""Traces of pages that ask for a browser or a person instead of giving the document."""
_BY_STATUS = {
    401: FailReason.UNAUTHORIZED,
    404: FailReason.NOT_FOUND,
    407: FailReason.PROXY,
    410: FailReason.GONE,
    429: FailReason.RATE_LIMITED,
}

Explained = tuple[FailReason, str]


def of_status(status: int) -> Explained:
    """Name a status that is neither a success nor a redirect."""
    known = _BY_STATUS.get(status)
    if known is None:
        known = FailReason.SERVER_ERROR if status >= 500 else FailReason.BAD_STATUS
    return known, f"HTTP {status}"


def is_wall(status: int, mitigated: bytes, content_type: bytes, body: bytes) -> bool:
    """Whether a refusal is a bot wall's challenge page."""
    if status not in (403, 429, 503) or b"html" not in content_type.lower():
        return False
    return mitigated.strip().lower() == b"challenge" or _WALLS.search(body) is not None


def of_exception(exc: BaseException, *, in_body: bool) -> Explained:
    """Name what went wrong on the way. `in_body` says that the headers had already come."""
    chain = list(_causes(exc))
    for cause in chain:
        explained = _of_cause(cause)
        if explained:
            return explained
    text = next((str(cause) for cause in reversed(chain) if str(cause)), type(exc).__name__)
    if any(isinstance(cause, aiohttp.ClientResponseError) for cause in chain):
        large = "more than" in text or "too many" in text.lower()
        return (FailReason.TOO_LARGE if large else FailReason.SERVER_ERROR), f"unreadable answer: {text[:300]}"
    if in_body:
        return FailReason.SHORT_BODY, f"the connection ended before the body did: {text[:300]}"
    return FailReason.CONNECT, text[:300]


def _of_cause(cause: BaseException) -> Explained | None:
    match cause:
        case aiohttp.ClientSSLError():
            return None  # calls itself an SSLError, too, but only its cause knows more
        case RefusedAddress():
            return FailReason.REFUSED_ADDRESS, str(cause)
        case LookupTimeout():
            return FailReason.DNS_TEMPORARY, str(cause)
        case socket.gaierror():
            reason = FailReason.DNS_UNKNOWN if cause.errno in _UNKNOWN_NAME else FailReason.DNS_TEMPORARY
            return reason, f"name lookup failed: {cause.strerror or cause}"
        case ssl.SSLCertVerificationError():
            other = (FailReason.TLS_OTHER, f"the certificate cannot be verified: {cause.verify_message}")
            return _CERTIFICATE.get(cause.verify_code, other)
        case ssl.SSLError():
            return FailReason.TLS_OTHER, f"TLS failed: {cause.reason or cause}"
        case EndlessHeaders():
            return FailReason.TOO_LARGE, str(cause)
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            return FailReason.PROXY, f"the proxy failed: {cause}"
        case aiohttp.ConnectionTimeoutError():
            return FailReason.CONNECT_TIMEOUT, "no connection in time"
        case aiohttp.ServerTimeoutError():
            return FailReason.READ_TIMEOUT, "the server went silent"
        case _:
            return None


def _causes(exc: BaseException | None) -> Iterator[BaseException]:
    """Walk an exception and what caused it, innermost last; aiohttp keeps some causes in attributes."""
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        yield exc
        inner = getattr(exc, "certificate_error", None) or getattr(exc, "os_error", None)
        exc = inner if isinstance(inner, BaseException) else (exc.__cause__ or exc.__context__)
