"""A webhook after Standard Webhooks: the same id and bytes on every attempt, signed over id, timestamp and body.

At least once; the receiver drops repeats by `webhook-id`. Source: https://www.standardwebhooks.com
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from alerts import retry
from alerts.channels import addresses
from alerts.channels.base import Manners, reveal
from alerts.channels.exchange import Answer, Request, call
from alerts.channels.reading import Section
from alerts.channels.secrets import Secret
from alerts.errors import Ambiguous, ChannelBroken, DeliveryError, Poison, Throttled
from alerts.render import webhook as body
from alerts.values import Delivery, DeliveryKind, Digest, Draft, Receipt

TOTAL = timedelta(seconds=20)
GONE_AFTER = 3
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Settings:
    """`url` is a text or a secret. The first of `secrets` is the current key; all of them sign."""

    url: str | Secret
    secrets: tuple[Secret, ...] = ()
    allow: tuple[str, ...] = ()
    insecure: bool = False


def read(section: Section) -> Settings:
    """Read the settings of a webhook channel."""
    written = isinstance(section.raw.get("url"), str)
    url = section.url("url") if written else section.secret("url")
    settings = Settings(url or "", section.secrets("secrets"), section.texts("allow"), section.flag("insecure", False))
    if isinstance(url, str) and _is_bare(url) and not settings.insecure:
        section.fault(
            ("url",), "http shows the message to everybody on the way", "use https, or insecure: true", "E025"
        )
    return settings


def _is_bare(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in LOOPBACK


def key_of(secret: str) -> bytes:
    """Give the bytes of a signing key: base64 after ``whsec_``, else the text itself."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            return secret.encode("utf-8")
    return secret.encode("utf-8")


def signature(key: bytes, delivery_id: str, timestamp: int, payload: bytes) -> str:
    """Sign a delivery."""
    signed = f"{delivery_id}.{timestamp}.".encode() + payload
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")


class WebhookChannel:
    """POSTs JSON to one address."""

    def __init__(self, name: str, settings: Settings, ask: addresses.Resolve = addresses.resolve) -> None:
        self.name = name
        self.manners = Manners(TOTAL, at_once=2, pace=retry.Pace(timedelta(milliseconds=200), 5))
        self._settings = settings
        self._ask = ask

    def render(self, digest: Digest, *, first: bool) -> Draft:
        """Render the JSON, and a shorter one without the lists."""
        return Draft(DeliveryKind.POST, body.body(digest), compact=body.compact(digest))

    def refresh(self, digest: Digest) -> Draft | None:
        """What was posted stays."""
        return None

    async def send(self, delivery: Delivery, at: datetime) -> Receipt:
        """POST the stored bytes."""
        url = self._settings.url
        url = url if isinstance(url, str) else reveal(self.name, url)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ChannelBroken(self.name, "bad_address", "the secret holds no web address")
        if _is_bare(url) and not self._settings.insecure:
            raise ChannelBroken(self.name, "bad_address", "http is not allowed here")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = await addresses.checked(self.name, parts.hostname, port, self._settings.allow, self._ask)
        headers = self._headers(delivery, int(at.timestamp()))
        answer = await call(self.name, Request("POST", url, headers, delivery.payload, address=address), TOTAL)
        return self._receipt(answer, at)

    def _headers(self, delivery: Delivery, timestamp: int) -> dict[str, str]:
        headers = {
            "content-type": "application/json",
            "user-agent": "storywatch-webhook/1",
            "webhook-id": delivery.delivery_id,
            "webhook-timestamp": str(timestamp),
        }
        keys = [key_of(reveal(self.name, secret)) for secret in self._settings.secrets]
        if keys:
            signed = (signature(key, delivery.delivery_id, timestamp, delivery.payload) for key in keys)
            headers["webhook-signature"] = " ".join(signed)
        return headers

    def _receipt(self, answer: Answer, at: datetime) -> Receipt:
        status = str(answer.status)
        if 200 <= answer.status < 300:
            return Receipt(status, (("answer", answer.body[:200].decode("utf-8", "replace")),))
        wait = answer.wait(at)
        if answer.status == 429 or (answer.status == 503 and wait is not None):
            raise Throttled(self.name, "rate_limited", retry_after=wait, status=status)
        if answer.status in (401, 403, 404, 410):
            strikes = 1 if answer.status == 410 else GONE_AFTER
            raise ChannelBroken(self.name, f"http_{status}", status=status, strikes=strikes)
        if answer.status in (400, 413, 422):
            raise Poison(self.name, f"http_{status}", status=status)
        if answer.status in (502, 503, 504) or answer.status < 500:
            raise DeliveryError(self.name, f"http_{status}", status=status)
        if not answer.body:
            raise Ambiguous(self.name, f"http_{status}", status=status)
        raise DeliveryError(self.name, f"http_{status}", status=status)

    async def find(self, delivery: Delivery, at: datetime) -> Receipt | None:
        """A webhook cannot be asked."""
        return None
