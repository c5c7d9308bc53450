"""Addresses in messages that let a reader act, and the signed tokens in them. Pure.

A token names one act of one recipient and lives for a while; whoever holds it can do that and nothing else. Opening
the address changes nothing: programs that scan mail follow every link. The page it leads to is served by `monitor.web`,
what a POST to it does stands in `outbox.acts`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from alerts.values import Links, Recipient

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MAC_BYTES = 16
MAC = 22
"""Letters of sixteen bytes in base64 without its padding."""
RECIPIENT = 8
EXPIRY = 3
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Act(StrEnum):
    """What a link does once its page is confirmed."""

    MUTE = "m"
    WRONG = "w"
    STOP = "s"


LIVES = {Act.MUTE: 7 * DAY, Act.WRONG: 30 * DAY, Act.STOP: 400 * DAY}


@dataclass(frozen=True, slots=True)
class Grant:
    """What a valid token allows. `recipient` is a key of the plan; `story` is empty for `STOP`."""

    act: Act
    recipient: str
    story: str


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes and reads tokens. The first of `keys` signs, all of them are accepted."""

    keys: tuple[bytes, ...]

    def token(self, act: Act, recipient: str, story: str, now: datetime) -> str:
        """Sign an act: its letter, the recipient's mark, the last day it is good for, the signature, the story."""
        days = (now + LIVES[act] - EPOCH) // DAY + 1
        head = f"{act}{mark(recipient)}{_number(days)}"
        return head + _mac(self.keys[0], head, recipient, story) + story

    def read(self, token: str, recipients: Iterable[str], now: datetime) -> Grant | None:
        """Read a token; None when it is wrong, too old or for nobody we know, without saying which."""
        cut = 1 + RECIPIENT + EXPIRY
        head, signed, story = token[:cut], token[cut : cut + MAC], token[cut + MAC :]
        if len(signed) < MAC or not token.isascii() or head[0] not in set(Act):
            return None
        recipient = next((one for one in recipients if mark(one) == head[1 : 1 + RECIPIENT]), None)
        wanted = [_mac(key, head, recipient or "", story) for key in self.keys]
        genuine = any([hmac.compare_digest(signed, one) for one in wanted])  # noqa: C419 all of them, in constant time
        if not genuine or recipient is None or (now - EPOCH) // DAY > _days(head[1 + RECIPIENT :]):
            return None
        return Grant(Act(head[0]), recipient, story)


def mark(recipient: str) -> str:
    """Name a recipient in an address without naming them."""
    return hashlib.sha256(recipient.encode()).hexdigest()[:RECIPIENT]


def _mac(key: bytes, head: str, recipient: str, story: str) -> str:
    signed = hmac.new(key, f"{head}\0{recipient}\0{story}".encode(), hashlib.sha256).digest()[:MAC_BYTES]
    return base64.urlsafe_b64encode(signed).decode("ascii").rstrip("=")


def _number(days: int) -> str:
    letters = ""
    for _ in range(EXPIRY):
        days, digit = divmod(days, 36)
        letters = DIGITS[digit] + letters
    return letters


def _days(letters: str) -> int:
    try:
        return int(letters, 36)
    except ValueError:
        return -1


def make(base: str, keys: Sequence[bytes], group: str, recipient: Recipient, now: datetime) -> Links:
    """Make the addresses of one message. Without keys there is only the story's page."""
    story = f"{base}/story/{group}" if group else ""
    if not keys:
        return Links(story, "", "", "", "")
    signer = Signer(tuple(keys))

    def act(what: Act, about: str) -> str:
        return f"{base}/a/{signer.token(what, recipient.key, about, now)}"

    stop = act(Act.STOP, "")
    if not group:
        return Links("", "", "", "", stop)
    return Links(story, act(Act.MUTE, group), act(Act.WRONG, group), f"{story}#why", stop)
