"""A Slack incoming webhook: one flat message per digest.

At least once: there is no id to ask for after a lost reply.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts import retry
from alerts.channels import templates
from alerts.channels.base import Manners, reveal
from alerts.channels.exchange import Answer, Request, call
from alerts.channels.reading import Section
from alerts.channels.secrets import Secret
from alerts.errors import Ambiguous, ChannelBroken, DeliveryError, Poison, Throttled
from alerts.render import own
from alerts.render import slack as render
from alerts.values import Delivery, DeliveryKind, Digest, Doubt, Draft, Receipt

TOTAL = timedelta(seconds=15)
BROKEN = frozenset(
    {"action_prohibited", "channel_is_archived", "channel_not_found", "invalid_token", "no_active_hooks", "no_service"}
)
POISON = frozenset({"invalid_blocks", "invalid_payload", "no_text", "msg_blocks_too_long"})


@dataclass(frozen=True, slots=True)
class Settings:
    """The address is the secret."""

    url: Secret
    template: own.Template | None = None


def read(section: Section) -> Settings:
    """Read the settings of an incoming webhook."""
    url = section.secret("url")
    section.fault(
        ("url",), "an incoming webhook: messages cannot be updated, a lost reply may repeat", code="W021"
    ) if url else None
    return Settings(url or Secret("env", ""), templates.read(section, (own.Form.SLACK,)).slack)


class SlackWebhookChannel:
    """Posts to one incoming webhook."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.manners = Manners(TOTAL, at_once=1, pace=retry.Pace(timedelta(seconds=1), 3))
        self._settings = settings

    def render(self, digest: Digest, *, first: bool) -> Draft:
        """Render a flat message."""
        return Draft(
            DeliveryKind.FLAT,
            render.message(digest, DeliveryKind.FLAT, self._settings.template),
            compact=render.compact(digest, DeliveryKind.FLAT),
        )

    def refresh(self, digest: Digest) -> Draft | None:
        """A message cannot be changed."""
        return None

    async def send(self, delivery: Delivery, at: datetime) -> Receipt:
        """Post the message."""
        body = json.loads(delivery.payload)
        if delivery.doubt is Doubt.REPEAT:
            body["text"] += " (possible repeat)"
        headers = {"content-type": "application/json; charset=utf-8"}
        url = reveal(self.name, self._settings.url)
        answer = await call(self.name, Request("POST", url, headers, json.dumps(body).encode("utf-8")), TOTAL)
        return self._receipt(answer, at)

    def _receipt(self, answer: Answer, at: datetime) -> Receipt:
        said, status = answer.body[:200].decode("utf-8", "replace").strip(), str(answer.status)
        if answer.status == 200:
            return Receipt("ok")
        if answer.status == 429:
            raise Throttled(self.name, "ratelimited", retry_after=answer.wait(at), status=status)
        if said in BROKEN or answer.status in (403, 404, 410):
            raise ChannelBroken(self.name, said if said in BROKEN else f"http_{status}", status=status)
        if said in POISON or answer.status in (400, 413):
            raise Poison(self.name, said if said in POISON else f"http_{status}", status=status)
        if answer.status >= 500 and not said:
            raise Ambiguous(self.name, f"http_{status}", status=status)
        raise DeliveryError(self.name, f"http_{status}", status=status)

    async def find(self, delivery: Delivery, at: datetime) -> Receipt | None:
        """An incoming webhook cannot be asked."""
        return None
