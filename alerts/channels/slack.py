"""Slack with a bot token: one root message per story, news as replies in its thread.

Effectively once: Slack knows no idempotency key, so the delivery id rides in the message's metadata, and a delivery in
doubt is looked for before it is sent again. Source: https://docs.slack.dev/reference/methods/chat.postMessage
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

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

API = "https://slack.com/api/"
TOTAL = timedelta(seconds=15)
BEFORE = timedelta(seconds=120)
"""How much earlier than our first attempt a search begins: Slack's clock names the messages, not ours."""
PAGES = 20

BROKEN = frozenset(
    {
        "account_inactive",
        "channel_not_found",
        "ekm_access_denied",
        "invalid_auth",
        "is_archived",
        "missing_scope",
        "not_authed",
        "not_in_channel",
        "restricted_action",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
POISON = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "invalid_metadata_format",
    }
)
UNSURE = frozenset({"fatal_error", "internal_error", "request_timeout"})
GONE = frozenset({"message_not_found", "cant_update_message", "thread_not_found"})


@dataclass(frozen=True, slots=True)
class Settings:
    """`resend` says what becomes of a message that stays in doubt: sent again as a possible repeat, or held."""

    token: Secret
    resend: bool = True
    api: str = API
    template: own.Template | None = None


def read(section: Section) -> Settings:
    """Read the settings of a Slack channel."""
    token = section.secret("token")
    resend = section.choice("ambiguous", ("resend", "hold"), "resend") == "resend"
    api = section.url("api") if section.has("api") else None
    template = templates.read(section, (own.Form.SLACK,)).slack
    return Settings(token or Secret("env", ""), resend, api or API, template)


class SlackChannel:
    """Posts messages, replies and updates with one token."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.manners = Manners(
            TOTAL,
            at_once=1,  # so that nothing is on its way any more when Slack asks for a pause
            pace=retry.Pace(timedelta(seconds=1), 3),
            can_ask=True,
            threads=True,
            resend=settings.resend,
            root_gone=GONE,
        )
        self._settings = settings
        self._skew = timedelta(0)

    def render(self, digest: Digest, *, first: bool) -> Draft:
        """Render a root for a story's first message, a reply for later ones, a flat message for a planned digest."""
        kind = DeliveryKind.FLAT if len(digest.stories) != 1 or digest.more else DeliveryKind.REPLY
        kind = DeliveryKind.ROOT if first and kind is DeliveryKind.REPLY else kind
        return Draft(kind, render.message(digest, kind, self._settings.template), compact=render.compact(digest, kind))

    def refresh(self, digest: Digest) -> Draft | None:
        """Render the root as the story stands now."""
        return Draft(DeliveryKind.UPDATE, render.message(digest, DeliveryKind.UPDATE, self._settings.template))

    async def send(self, delivery: Delivery, at: datetime) -> Receipt:
        """Post or update one message. Errors: see the tables above."""
        body = json.loads(delivery.payload)
        body["channel"] = delivery.to
        if delivery.kind is DeliveryKind.UPDATE:
            if delivery.thread is None:
                raise Poison(self.name, "no_root")
            body.pop("reply_broadcast", None)
            return self._receipt(await self._call("chat.update", body | {"ts": delivery.thread}, at))
        if delivery.kind is DeliveryKind.REPLY and delivery.thread is not None:
            body["thread_ts"] = delivery.thread
        else:
            body.pop("reply_broadcast", None)
        if delivery.doubt is Doubt.REPEAT:
            body["text"] += " (possible repeat)"
        body["client_msg_id"] = str(uuid.uuid5(uuid.NAMESPACE_URL, delivery.delivery_id))
        return self._receipt(await self._call("chat.postMessage", body, at))

    def _receipt(self, answer: dict[str, Any], *, reconciled: bool = False) -> Receipt:
        facts = tuple((name, str(answer[name])) for name in ("channel", "ts") if answer.get(name))
        return Receipt("ok", facts, reconciled)

    async def _call(self, method: str, body: dict[str, Any], at: datetime) -> dict[str, Any]:
        headers = {
            "authorization": f"Bearer {reveal(self.name, self._settings.token)}",
            "content-type": "application/json; charset=utf-8",
        }
        request = Request("POST", self._settings.api + method, headers, json.dumps(body).encode("utf-8"))
        return self._understood(await call(self.name, request, TOTAL), at)

    def _understood(self, answer: Answer, at: datetime) -> dict[str, Any]:
        self._note_skew(answer, at)
        try:
            data = json.loads(answer.body)
        except ValueError:
            data = {}
        data = data if isinstance(data, dict) else {}
        error, status = str(data.get("error", "")), str(answer.status)
        if answer.status == 200 and data.get("ok") is True:
            return data
        if answer.status == 429 or error in ("ratelimited", "rate_limited"):
            raise Throttled(self.name, "ratelimited", retry_after=answer.wait(at), status="429")
        if error in BROKEN:
            raise ChannelBroken(self.name, error, status=status)
        if error in POISON:
            raise Poison(self.name, error, status=status)
        if error in GONE:
            raise Poison(self.name, error, status=status)
        if error == "service_unavailable":
            raise DeliveryError(self.name, error, status=status)
        if answer.status >= 500 or error in UNSURE or not data:
            raise Ambiguous(self.name, error or f"http_{status}", status=status)
        raise DeliveryError(self.name, error or f"http_{status}", status=status)

    def _note_skew(self, answer: Answer, at: datetime) -> None:
        try:
            self._skew = parsedate_to_datetime(answer.headers["date"]) - at
        except (KeyError, ValueError, TypeError):
            return

    async def find(self, delivery: Delivery, at: datetime) -> Receipt | None:
        """Look for the delivery id in the metadata of the channel's messages, or of the thread's for a reply."""
        since = (delivery.first_attempt_at or delivery.created_at) - BEFORE + min(self._skew, timedelta(0))
        params = {
            "channel": delivery.to,
            "oldest": f"{since.timestamp():.6f}",
            "include_all_metadata": "true",
            "limit": "200",
        }
        method = "conversations.history"
        if delivery.kind is DeliveryKind.REPLY and delivery.thread is not None:
            method, params["ts"] = "conversations.replies", delivery.thread
        for _ in range(PAGES):
            data = await self._ask(method, params, at)
            for row in data.get("messages", ()):
                if _delivery_id(row) == delivery.delivery_id:
                    return self._receipt({"channel": delivery.to, "ts": row.get("ts")}, reconciled=True)
            following = (data.get("response_metadata") or {}).get("next_cursor")
            if not following:
                return None
            params["cursor"] = following
        raise DeliveryError(self.name, "too_many_pages")

    async def _ask(self, method: str, params: dict[str, str], at: datetime) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {reveal(self.name, self._settings.token)}"}
        request = Request("GET", self._settings.api + method, headers, params=params)
        return self._understood(await call(self.name, request, TOTAL), at)


def _delivery_id(row: Any) -> str | None:
    metadata = row.get("metadata") if isinstance(row, dict) else None
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    return payload.get("delivery_id") if isinstance(payload, dict) else None
