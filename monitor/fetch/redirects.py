"""Where a redirect leads. Pure; the chain itself is walked by `fetch.client`."""

from __future__ import annotations

from urllib.parse import urljoin

from monitor.fetch import address
from monitor.fetch.limits import Limits
from monitor.schedule.reasons import FailReason

STATUSES = frozenset({301, 302, 303, 307, 308})


def target(base: address.Address, locations: list[bytes], limits: Limits) -> address.Address:
    """Resolve the Location header of an answer from `base`.

    Errors: address.BadUrl.
    """
    if not locations or not locations[-1].strip():
        raise address.BadUrl(FailReason.BAD_REDIRECT, "a redirect without Location")
    raw = locations[-1].strip()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    try:
        joined = urljoin(base.text, text)
    except ValueError as exc:
        raise address.BadUrl(FailReason.BAD_REDIRECT, f"unusable Location {text[:200]!r}") from exc
    return address.parse(joined, limits)
