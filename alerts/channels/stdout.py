"""The console: each digest as text, its delivery id in the last line.

At least once: a crash after writing repeats it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO

from alerts.channels import templates
from alerts.channels.base import Manners
from alerts.channels.reading import Section
from alerts.errors import Ambiguous, ChannelBroken
from alerts.render import own, plain
from alerts.values import Delivery, DeliveryKind, Digest, Draft, Receipt


@dataclass(frozen=True, slots=True)
class Settings:
    """`colour` marks headlines and answers with terminal colours; off unless asked for."""

    colour: bool = False
    template: own.Template | None = None


def read(section: Section) -> Settings:
    """Read the settings of a console channel."""
    template = templates.read(section, (own.Form.TEXT,)).text
    return Settings(section.flag("colour", False), template)


class StdoutChannel:
    """Writes to the standard output, or to another binary stream."""

    def __init__(self, name: str, settings: Settings, stream: BinaryIO | None = None) -> None:
        self.name = name
        self.manners = Manners(timedelta(seconds=10), at_once=1)
        self._settings = settings
        self._stream = stream

    def render(self, digest: Digest, *, first: bool) -> Draft:
        """Render the text."""
        text = plain.text(digest, colour=self._settings.colour, template=self._settings.template)
        return Draft(DeliveryKind.FLAT, text.encode("utf-8"))

    def refresh(self, digest: Digest) -> Draft | None:
        """What is written stays written."""
        return None

    async def send(self, delivery: Delivery, at: datetime) -> Receipt:
        """Write the digest in one go."""
        stream = self._stream or sys.stdout.buffer
        try:
            stream.write(delivery.payload + f"[{delivery.delivery_id}]\n\n".encode())
            stream.flush()
        except BrokenPipeError as exc:
            raise ChannelBroken(self.name, "closed", "nobody reads the standard output") from exc
        except OSError as exc:
            raise Ambiguous(self.name, "write_failed", exc.strerror or "") from exc
        return Receipt("written")

    async def find(self, delivery: Delivery, at: datetime) -> Receipt | None:
        """Nobody to ask."""
        return None
