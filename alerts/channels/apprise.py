"""Any service that the Apprise library knows; an extra that is installed apart, and the last resort among channels.

At least once, without a receipt: Apprise says that a call failed and never why, so every failure is in doubt. It gets
one target, no retry of its own, and a text that is short enough not to be split. Source: https://github.com/caronc/apprise
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from alerts import retry
from alerts.channels.base import Manners, reveal
from alerts.channels.reading import Section
from alerts.channels.secrets import Secret
from alerts.errors import Ambiguous, ChannelBroken
from alerts.render import plain
from alerts.values import Delivery, DeliveryKind, Digest, Draft, Receipt

TOTAL = timedelta(seconds=30)
CUT = "\n[cut; the whole of it: storywatch outbox show {}]"


@dataclass(frozen=True, slots=True)
class Settings:
    """The address is the secret: it holds tokens and passwords."""

    url: Secret


def read(section: Section) -> Settings:
    """Read the settings of an Apprise channel."""
    url = section.secret("url")
    if importlib.util.find_spec("apprise") is None:
        section.fault(("type",), "apprise is not installed", "pip install 'storywatch[apprise]'", "E082")
    return Settings(url or Secret("env", ""))


class AppriseChannel:
    """Notifies one Apprise address."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.manners = Manners(TOTAL, at_once=1, pace=retry.Pace(timedelta(seconds=1), 3))
        self._settings = settings

    def render(self, digest: Digest, *, first: bool) -> Draft:
        """Render the text; the subject is its title."""
        return Draft(DeliveryKind.FLAT, plain.text(digest).encode("utf-8"), (("subject", digest.subject),))

    def refresh(self, digest: Digest) -> Draft | None:
        """What was notified stays."""
        return None

    async def send(self, delivery: Delivery, at: datetime) -> Receipt:
        """Notify once, in a thread of its own."""
        notifier, most = self._open()
        text = delivery.payload.decode("utf-8")
        if most and len(text) > most:
            tail = CUT.format(delivery.delivery_id)
            text = text[: max(most - len(tail), 0)] + tail
        title = dict(delivery.headers).get("subject", "storywatch")
        try:
            async with asyncio.timeout(TOTAL.total_seconds()):
                fine = await asyncio.to_thread(notifier.notify, body=text, title=title)
        except TimeoutError as exc:
            raise Ambiguous(self.name, "timeout") from exc
        if not fine:
            raise Ambiguous(self.name, "failed", "Apprise says no more than that")
        return Receipt("ok")

    def _open(self) -> tuple[Any, int]:
        """Load the library and give it the one address; also how long a text may be. Errors: ChannelBroken."""
        url = reveal(self.name, self._settings.url)
        if "retry" in parse_qs(urlsplit(url).query):
            raise ChannelBroken(self.name, "bad_address", "retry= repeats blindly; the outbox retries")
        try:
            apprise = importlib.import_module("apprise")
        except ImportError as exc:
            raise ChannelBroken(self.name, "not_installed", "pip install 'storywatch[apprise]'") from exc
        logging.getLogger("apprise").setLevel(logging.WARNING)  # its debug lines hold whole messages
        target = apprise.Apprise.instantiate(url)
        if target is None:
            raise ChannelBroken(self.name, "bad_address", "Apprise does not know this kind of address")
        notifier = apprise.Apprise()
        notifier.add(target)
        return notifier, int(getattr(target, "body_maxlen", 0))

    async def find(self, delivery: Delivery, at: datetime) -> Receipt | None:
        """Nobody to ask."""
        return None
