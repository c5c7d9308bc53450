"""Signed things a browser carries: sessions and the marks of forms. Links in messages are `alerts.links`.

HMAC-SHA256, cut to 128 bits, compared in constant time. The first key signs, all keys are accepted. Pure.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_MAC_BYTES = 16
_LONGEST = 1000

SESSION_FOR = timedelta(hours=12)
FORM_FOR = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Session:
    """A person at work. `name` is random and ties forms to this session."""

    who: str
    name: str
    until: datetime


def seal(keys: Sequence[bytes], kind: str, content: dict[str, Any], until: datetime) -> str:
    """Sign a few small facts of one kind, good until an instant."""
    text = json.dumps(content | {"x": int(until.timestamp())}, separators=(",", ":"), ensure_ascii=False)
    body = _encode(text.encode("utf-8"))
    return f"{body}.{_encode(_mac(keys[0], kind, body))}"


def unseal(keys: Sequence[bytes], kind: str, token: str, now: datetime) -> dict[str, Any] | None:
    """Read what was signed; None for a wrong, foreign or old token, without saying which."""
    body, _, mac = token.partition(".")
    if len(token) > _LONGEST or not mac:
        return None
    given = _decode(mac)
    if given is None or not any(hmac.compare_digest(_mac(key, kind, body), given) for key in keys):
        return None
    content: dict[str, Any] = json.loads(_decode(body) or b"{}")
    return content if content.get("x", 0) > now.timestamp() else None


def session(keys: Sequence[bytes], who: str, name: str, until: datetime) -> str:
    """The cookie of a session."""
    return seal(keys, "session", {"w": who, "n": name}, until)


def read_session(keys: Sequence[bytes], cookie: str, now: datetime) -> Session | None:
    """Whose session it is; None for none."""
    found = unseal(keys, "session", cookie, now)
    return None if found is None else Session(found["w"], found["n"], datetime.fromtimestamp(found["x"], UTC))


def form(keys: Sequence[bytes], owner: str, until: datetime) -> str:
    """The hidden mark of a form, for the session or link that may send it."""
    return seal(keys, "form", {"o": owner}, until)


def is_form(keys: Sequence[bytes], mark: str, owner: str, now: datetime) -> bool:
    """Whether a form was ours, for this session or link."""
    found = unseal(keys, "form", mark, now)
    return found is not None and hmac.compare_digest(found["o"].encode(), owner.encode())


def feed_key(keys: Sequence[bytes], scope: str) -> str:
    """The unguessable part of a feed's address, where the pages need a login."""
    return _encode(_mac(keys[0], "feed", scope))


def is_feed_key(keys: Sequence[bytes], given: str, scope: str) -> bool:
    """Whether a feed's address was given by us."""
    return any(hmac.compare_digest(_encode(_mac(key, "feed", scope)).encode(), given.encode()) for key in keys)


def _mac(key: bytes, kind: str, body: str) -> bytes:
    return hmac.new(key, f"storywatch {kind} {body}".encode(), hashlib.sha256).digest()[:_MAC_BYTES]


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _decode(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
