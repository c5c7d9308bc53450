"""The telling half as one job: plan slots, build what is due, send what is ready. Called by `daemon`, `replay`, `demo`.

What is told, to whom and when is decided in `alerts`; here it is only set to work, off the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from alerts import courier, pipeline, press, route
from alerts import links as addresses
from alerts.channels.base import Channel
from alerts.outbox import mark
from alerts.values import Coverage, Links, Recipient
from monitor import following, metrics, signing
from monitor.config.values import Config


class Teller:
    """One piece of work on desk and courier.

    `coverage` says what is being watched at the time a digest is made. Digests are made on the `writer`'s thread, so
    that the event loop never waits for its transactions; without one, on the caller's.
    """

    def __init__(
        self,
        desk: pipeline.Desk,
        carrier: courier.Courier,
        coverage: Callable[[], Coverage | None],
        writer: Executor | None = None,
    ) -> None:
        self._desk = desk
        self._courier = carrier
        self._coverage = coverage
        self._writer = writer

    async def work(self, now: datetime) -> int:
        """Do all that is due at `now`; returns how many sendings were attempted."""
        if self._writer is None:
            self._build(now)
        else:
            await asyncio.get_running_loop().run_in_executor(self._writer, self._build, now)
        attempts = await self._courier.send_due(now)
        metrics.deliveries.inc(attempts)
        return attempts

    def _build(self, now: datetime) -> None:
        self._desk.open_slots(now)
        if not self._desk.is_idle(now):  # coverage is read from every feed's row
            self._desk.build_due(now, self._coverage())

    def replan(self, desk: pipeline.Desk, carrier: courier.Courier) -> None:
        """Tell by another plan from now on. What is being sent just now ends as it began."""
        self._courier.stop()
        carrier.succeed(self._courier)
        self._desk, self._courier = desk, carrier

    def next_due(self) -> datetime | None:
        """When there is something to do next."""
        times = [at for at in (self._desk.next_due(), self._courier.next_due()) if at is not None]
        return min(times, default=None)

    def recover(self, now: datetime) -> int:
        """Take over what a dead process was sending; hold everything when an older database was put back."""
        self._courier.hold_after_restore(now)
        return self._courier.recover(now)

    def stop(self) -> None:
        """Claim nothing more."""
        self._courier.stop()


def teller(
    engine: Engine,
    plan: route.Plan,
    channels: Mapping[str, Channel],
    coverage: Callable[[], Coverage | None],
    writer: Executor | None = None,
    *,
    pages: Pages | None = None,
) -> Teller:
    """Make the telling half work on a database, with these channels; with links where there are pages."""
    desk, carrier = halves(engine, plan, channels, writer, pages)
    return Teller(desk, carrier, coverage, writer)


def halves(
    engine: Engine,
    plan: route.Plan,
    channels: Mapping[str, Channel],
    writer: Executor | None,
    pages: Pages | None,
) -> tuple[pipeline.Desk, courier.Courier]:
    """What makes messages, and what carries them."""
    make = press.no_links if pages is None else pages.links
    carrier = courier.Courier(
        engine, plan, channels, writer=writer, mark_at=mark.place(engine), on_end=following.delivery_ended
    )
    return pipeline.Desk(engine, plan, channels, links=make), carrier


def pages_of(config: Config, engine: Engine, environ: Mapping[str, str]) -> Pages | None:
    """Where readers of messages find the pages, if anywhere.

    Errors: SecretMissing for a key that cannot be read.
    """
    if config.web.public_url is None:
        return None
    return Pages(config.web.public_url, signing.keys(config.web, engine, environ))


@dataclass(frozen=True, slots=True)
class Pages:
    """How readers reach the pages: the public address without its last slash, and the keys that sign links."""

    address: str
    keys: tuple[bytes, ...]

    def links(self, group: str, recipient: Recipient, now: datetime) -> Links:
        """Make the addresses of one message."""
        return addresses.make(self.address, self.keys, group, recipient, now)
