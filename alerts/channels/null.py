"""Takes every delivery and keeps nothing: the end of the canary's way where no channel is named for it.

It cannot be configured; what people should read goes elsewhere.
"""

from __future__ import annotations

from datetime import datetime

from alerts.channels.base import Manners
from alerts.render import plain
from alerts.values import Delivery, DeliveryKind, Digest, Draft, Receipt


class NullChannel:
    """Renders like the console and sends nowhere."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.manners = Manners()

    def render(self, digest: Digest, *, first: bool) -> Draft:
        """Render the text."""
        return Draft(DeliveryKind.FLAT, plain.text(digest, colour=False).encode("utf-8"))

    def refresh(self, digest: Digest) -> Draft | None:
        """Nothing was kept."""
        return None

    async def send(self, delivery: Delivery, at: datetime) -> Receipt:
        """Let go of it."""
        return Receipt("discarded")

    async def find(self, delivery: Delivery, at: datetime) -> Receipt | None:
        """Nothing was kept."""
        return None
