"""What every channel is: a way to render a digest, and one network call that ends in a receipt or a named error.

A channel repeats nothing, holds no state between deliveries and decides nothing about retries.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from alerts import retry
from alerts.channels.secrets import Secret
from alerts.errors import ChannelBroken, ConfigError
from alerts.values import Delivery, Digest, Draft, Receipt

UNPACED = retry.Pace(timedelta(0))


@dataclass(frozen=True, slots=True)
class Manners:
    """How a channel may be used. `total` bounds one call; `at_once` is the number of calls at the same time.

    `can_ask`: the channel can be asked whether it has a delivery. `threads`: a story is one root with replies.
    `resend`: what happens to a delivery that stays in doubt although it was asked for: sent again, or held.
    `root_gone`: the reasons by which the channel says that a story's root was deleted.
    """

    total: timedelta = timedelta(seconds=20)
    at_once: int = 2
    pace: retry.Pace = UNPACED
    can_ask: bool = False
    threads: bool = False
    resend: bool = True
    root_gone: frozenset[str] = frozenset()


class Channel(Protocol):
    """One configured place to send to."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""

    @property
    def manners(self) -> Manners:
        """How it may be used."""

    def render(self, digest: Digest, *, first: bool) -> Draft:
        """Turn a digest into bytes. `first` says that the recipient has no root of this story yet."""

    def refresh(self, digest: Digest) -> Draft | None:
        """Render the root of a story anew; None where a message cannot be changed."""

    async def send(self, delivery: Delivery, at: datetime) -> Receipt:
        """Make the one network call. Errors: DeliveryError and its subclasses."""

    async def find(self, delivery: Delivery, at: datetime) -> Receipt | None:
        """Ask whether a delivery arrived; None if it did not. Only called where `manners.can_ask`."""


def reveal(channel: str, secret: Secret) -> str:
    """Read a secret for a delivery.

    Errors: ChannelBroken, because nothing can be sent until somebody puts the secret there.
    """
    try:
        return secret.reveal()
    except ConfigError as exc:
        raise ChannelBroken(channel, "secret_missing", str(exc)) from None
