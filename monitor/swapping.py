"""A changed configuration put in the place of the one that runs: built as a whole first, then swapped in one step.

    ready = build(content)      validated, compiled, channels and pages made: nothing that runs is touched
    swap_pipeline(ready)        on the writer's thread, so between two polls: revision row, watches, knowledge
    swap_shell(ready)           on the event loop: what is told and sent, polled, parsed and shown

When that is done is `reloading`'s business; it decides nothing about telling or matching.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog
from sqlalchemy import Connection, Engine

from alerts.channels.base import Channel
from alerts.outbox import sick
from monitor import logs, parser_pool, priming, telling, understanding, wiring
from monitor.config import api, changes, redaction
from monitor.config.secrets import SecretMissing
from monitor.config.values import Config, FeedConfig
from monitor.errors import ConfigError, Problem
from monitor.parse import links
from monitor.store import engine as engines
from monitor.store import feeds, revisions
from monitor.store.revisions import Offer

log = structlog.get_logger(__name__)


class Polling(Protocol):
    """What takes the settings of feeds: polls, and the reader of articles' pages."""

    async def use(self, configured: Mapping[str, FeedConfig]) -> None:
        """Work by these from now on."""


Show = Callable[[], None]
"""Puts something that was built before in its place; cannot fail."""
Prepare = Callable[[Config, understanding.Knowledge], Show]
"""Builds what shows the pages of a configuration. Errors: ConfigError, SecretMissing."""


@dataclass(slots=True)
class Working:
    """The parts that a reload swaps, and where it works. `channels` are those in use.

    `pages` is there once pages are served.
    """

    config: Config
    revision: int
    engine: Engine
    context: understanding.Context
    pollers: tuple[Polling, ...]
    parsers: parser_pool.ParserPool
    teller: telling.Teller
    channels: Mapping[str, Channel]
    writer: Executor
    now: Callable[[], datetime]
    environ: Mapping[str, str]
    hidden: logs.Known
    pages: Prepare | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A state that was validated and built, and waits to be swapped in."""

    config: Config
    knowledge: understanding.Knowledge
    channels: Mapping[str, Channel]
    links: telling.Pages | None
    show: Show
    changes: tuple[changes.Change, ...]
    known: tuple[str, ...]


def seeds(config: Config) -> list[feeds.Seed]:
    """The feeds of a configuration as rows."""
    return [feeds.Seed(feed.url, links.host_of(feed.url) or feed.url, feed.paused) for feed in config.feeds]


def build(on: Working, content: bytes, file: Path) -> Ready | ConfigError:
    """Validate and build everything; nothing that runs is touched. Takes a while: not for the event loop."""
    try:
        return _built(on, api.parse_bytes(content, on.environ, file=str(file)), content)
    except ConfigError as exc:
        return exc
    except SecretMissing as exc:  # it was there when the file was checked
        return ConfigError((Problem(exc.code, "", str(exc), str(file)),))


def _built(on: Working, config: Config, content: bytes) -> Ready:
    knowledge = wiring.knowledge(config, config_rev=0)
    return Ready(
        config=config,
        knowledge=knowledge,
        channels=wiring.channels_of(config),
        links=telling.pages_of(config, on.engine, on.environ),
        # What waits for a restart is shown as it is.
        show=on.pages(changes.without_restart(on.config, config), knowledge) if on.pages else _show_nothing,
        changes=changes.changes(on.config, config),
        known=redaction.known_values(content.decode("utf-8", "replace"), on.environ),
    )


def _show_nothing() -> None:
    pass


def swap_pipeline(on: Working, ready: Ready, offer: Offer) -> Mapping[str, datetime]:
    """Write the revision and swap what the pipeline knows; answers the watches to be primed, with their activation.

    Runs where the pipeline runs, so between two polls.
    """
    config = ready.config
    with on.engine.begin() as tx:
        engines.lock_starting(tx)
        states = revisions.watch_states(tx)
        names = [watch.name for watch in on.config.watches if not watch.paused]
        wanted = priming.wanted(config, states, names, offer.at)
        revisions.put_watch_states(tx, wanted.states)
        feeds.sync(tx, seeds(config), offer.at)
        no = revisions.accept(tx, offer)
        _hold_and_release(tx, on.config, config, offer.at)
    known = wiring.knowledge(wiring.without(config, wanted.primes), config_rev=no) if wanted.primes else None
    on.context.know(known or _numbered(ready.knowledge, no))
    if config.stories != on.config.stories:
        fresh = wiring.context(on.engine, on.context.knowledge, config, now=offer.at)
        on.context.look_at(fresh.window, fresh.changes)
    on.revision = no
    return wanted.primes


async def swap_shell(on: Working, ready: Ready) -> None:
    """Swap what tells, polls, parses and shows; what each of them does just now ends as it began."""
    before = on.config
    kept = {name: on.channels[name] for name in _same_channels(before, ready.config) if name in on.channels}
    on.channels = {**ready.channels, **kept}
    plan = on.context.knowledge.plan
    on.teller.replan(*telling.halves(on.engine, plan, on.channels, on.writer, ready.links))
    on.config = ready.config
    on.hidden.values = ready.known
    on.parsers.use(wiring.host_table(ready.knowledge.outlets))
    ready.show()
    for poller in on.pollers:
        await poller.use({feed.url: feed for feed in ready.config.feeds})


def _numbered(knowledge: understanding.Knowledge, no: int) -> understanding.Knowledge:
    return replace(knowledge, config_rev=no, plan=replace(knowledge.plan, config_rev=no))


def _same_channels(old: Config, new: Config) -> tuple[str, ...]:
    """Channels whose settings did not change keep their object, and with it what it has learnt."""
    before, after = old.alerts_raw.get("channels") or {}, new.alerts_raw.get("channels") or {}
    return tuple(name for name, raw in after.items() if before.get(name) == raw)


def _hold_and_release(tx: Connection, old: Config, new: Config, now: datetime) -> None:
    """Rendered messages of a channel that is gone are held and named; those of one that came back may go."""
    before, after = set(old.alerts_raw.get("channels") or {}), set(new.alerts_raw.get("channels") or {})
    for name in sorted(before - after):
        if held := sick.hold(tx, name):
            log.warning("channel_removed", channel=name, held=held, hint="storywatch outbox move or discard")
    for name in sorted(after - before):
        sick.release(tx, name, now)
