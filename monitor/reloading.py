"""Takes up a changed config.yaml while the daemon runs: all of it or nothing, and nothing of the past is told.

    read once -> parse, validate, secrets -> compile, build channels -> revision row -> swap between two ticks -> prime

Any failure leaves what runs as it is. Asked by a signal, by `storywatch reload` and `config rollback` (a row in the
database), and by a change of the file itself. Called by `daemon`; it decides nothing about telling or matching.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import structlog
import watchfiles
from sqlalchemy import Connection, Engine

from alerts.channels.base import Channel
from alerts.outbox import sick
from alerts.values import Event, Kind
from monitor import logs, metrics, pipeline, priming, telling, understanding, wiring
from monitor.config import api, changes, redaction, secrets
from monitor.config.values import Config, FeedConfig
from monitor.detect.event_keys import key
from monitor.errors import ConfigError, Problem
from monitor.parse import links
from monitor.store import feeds, meta, revisions
from monitor.store.revisions import Offer, Outcome

log = structlog.get_logger(__name__)
T = TypeVar("T")
LOOK_EVERY_S = 30.0
"""Notices of changed files get lost on network file systems; the hash of the file is the truth."""
SETTLED_MS = 500
_RETRIES = 6
_TOLD = 3
REQUEST, ANSWER = "config_request", "config_answer"
"""Facts in the database: what a command asks of the daemon, and what became of it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a command wants: the file read again, or the text of a revision taken up (`no`)."""

    id: str
    who: str
    no: int | None = None
    partial: bool = False

    def as_json(self) -> str:
        """As it stands in the database."""
        return json.dumps({"id": self.id, "who": self.who, "no": self.no, "partial": self.partial})


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an offered state. `outcome` is unchanged, accepted, refused or waiting."""

    outcome: str
    revision: int
    notes: tuple[str, ...] = ()
    id: str = ""

    def as_json(self) -> str:
        """As it stands in the database."""
        return json.dumps({"id": self.id, "outcome": self.outcome, "revision": self.revision, "notes": self.notes})


class Polling(Protocol):
    """What takes the settings of feeds."""

    async def use(self, configured: Mapping[str, FeedConfig]) -> None:
        """Poll by these from now on."""


@dataclass(slots=True)
class Working:
    """The parts that a reload swaps, and where it works. `channels` are those in use."""

    config: Config
    revision: int
    engine: Engine
    context: understanding.Context
    poller: Polling
    teller: telling.Teller
    channels: Mapping[str, Channel]
    writer: Executor
    now: Callable[[], datetime]
    environ: Mapping[str, str]
    hidden: logs.Known


@dataclass(frozen=True, slots=True)
class _Ready:
    """A state that was validated and built, and waits to be swapped in."""

    config: Config
    knowledge: understanding.Knowledge
    channels: Mapping[str, Channel]
    changes: tuple[changes.Change, ...]
    known: tuple[str, ...]


def seeds(config: Config) -> list[feeds.Seed]:
    """The feeds of a configuration as rows."""
    return [feeds.Seed(feed.url, links.host_of(feed.url) or feed.url, feed.paused) for feed in config.feeds]


class Reloader:
    """Watches one file for one daemon. Reloads wait for each other."""

    def __init__(self, working: Working, file: Path, *, look_every_s: float = LOOK_EVERY_S) -> None:
        self._on = working
        self._file = file
        self._look_every_s = look_every_s
        self._one_at_a_time = asyncio.Lock()
        self._seen: str | None = None
        self._refused: str | None = None
        self._priming: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopping = asyncio.Event()

    # ------------------------------------------------------------------------------------------- when to look

    def start(self, seen: str | None = None) -> None:
        """Begin to watch the file; `seen` is the hash of what was read from it. Primes what is still to be primed."""
        self._seen = seen
        self._spawn(self._watch(), "watch config")
        self._spawn(self._look_now_and_then(), "look at config")

    async def stop(self) -> None:
        """Watch no more; a priming under way is taken up again by the next start."""
        self._stopping.set()
        for task in (*self._tasks, *([self._priming] if self._priming else [])):
            task.cancel()
        await asyncio.gather(*self._tasks, *([self._priming] if self._priming else []), return_exceptions=True)

    def ask(self, who: str) -> None:
        """Read the file again soon, or do what a command left in the database; for a signal handler."""
        self._spawn(self._asked(who), "reload")

    def _spawn(self, work: Any, name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self) -> None:
        folder = self._file.absolute().parent
        names = {self._file.name, "..data"}  # the second is how a mounted config map is swapped

        def is_ours(_change: Any, path: str) -> bool:
            return Path(path).name in names

        try:
            async for _ in watchfiles.awatch(
                folder, watch_filter=is_ours, step=SETTLED_MS, stop_event=self._stopping, recursive=False
            ):
                await self._look("file")
        except (OSError, RuntimeError) as exc:  # no notices here: the hash is looked at all the same
            log.warning("config_not_watched", folder=str(folder), error=str(exc))

    async def _look_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._look_every_s)
            if not await self._answer_request():
                await self._look("file")

    async def _asked(self, who: str) -> None:
        if not await self._answer_request():
            await self.reload(who)

    async def _look(self, who: str) -> None:
        if self._hash() != self._seen:
            await self.reload(who)

    def _hash(self) -> str | None:
        try:
            return hashlib.sha256(self._file.read_bytes()).hexdigest()
        except OSError:
            return None

    async def _answer_request(self) -> bool:
        """Do what a command asked for; whether there was anything."""
        asked = await self._write(_take_request)
        if asked is None:
            return False
        if asked.no is None:
            answer = await self.reload(asked.who, part=asked.partial)
        else:
            answer = await self.roll_back(asked.no, asked.who, part=asked.partial)
        await self._write(partial(meta.put, key=ANSWER, value=replace(answer, id=asked.id).as_json()))
        return True

    # ----------------------------------------------------------------------------------------------- what to do

    async def reload(self, who: str, *, part: bool = False) -> Answer:
        """Take up what the file says now."""
        async with self._one_at_a_time:
            if await asyncio.to_thread(self._hash) == self._on.config.sha256:
                self._seen = self._on.config.sha256
                await self.in_order()
                return Answer("unchanged", self._on.revision)
            content, ready = await self._settled()
            self._seen = hashlib.sha256(content).hexdigest() if content is not None else None
            if isinstance(ready, ConfigError):
                return await self.refuse(content or b"", ready.problems, who)
            return await self._take_up(ready, content or b"", who, part)

    async def roll_back(self, no: int, who: str, *, part: bool = False) -> Answer:
        """Take up the text of an earlier revision; the file stays as it is."""
        async with self._one_at_a_time:
            found = await self._write(partial(revisions.by_no, no=no))
            if found is None or secrets.HIDDEN in found.text:
                why = "there is no such revision" if found is None else "a secret stood in its text and was not stored"
                return Answer("refused", self._on.revision, (f"revision {no}: {why}",))
            content = found.text.encode()
            ready = await asyncio.to_thread(self._built, content)
            if isinstance(ready, ConfigError):
                return Answer("refused", self._on.revision, tuple(str(problem) for problem in ready.problems))
            return await self._take_up(ready, content, who, part)

    async def _settled(self) -> tuple[bytes | None, _Ready | ConfigError]:
        """Read the file until it is right, or wrong twice in the same way: an editor may be half through."""
        before: bytes | None = b""
        for attempt in range(_RETRIES):
            try:
                content = await asyncio.to_thread(api.read_file, self._file)
                ready = await asyncio.to_thread(self._built, content)
            except ConfigError as exc:
                content, ready = None, exc
            if not isinstance(ready, ConfigError) or (attempt and content == before):
                break
            before = content
            await asyncio.sleep(SETTLED_MS / 1000)
        return content, ready

    def _built(self, content: bytes) -> _Ready | ConfigError:
        """Validate and build everything; nothing that runs is touched."""
        on = self._on
        try:
            config = api.parse_bytes(content, on.environ, file=str(self._file))
        except ConfigError as exc:
            return exc
        known = redaction.known_values(content.decode("utf-8", "replace"), on.environ)
        knowledge = wiring.knowledge(config, config_rev=0)
        channels = wiring.channels_of(config)
        return _Ready(config, knowledge, channels, changes.changes(on.config, config), known)

    async def refuse(self, content: bytes, problems: Sequence[Problem], who: str) -> Answer:
        """Go on as before, and say so once per faulty text."""
        on, now = self._on, self._on.now()
        text = content.decode("utf-8", "replace")
        known = (*on.hidden.values, *redaction.known_values(text, on.environ))
        told = tuple(
            secrets.redact_values(str(one), known)
            for one in sorted(problems, key=lambda one: one.severity)
            if _counts(one)
        )
        digest = hashlib.sha256(content).hexdigest()
        metrics.config_reloaded.set(0)
        log.error("config_refused", who=who, problems=list(told[:_TOLD]), count=len(told), revision=on.revision)
        if digest != self._refused:
            self._refused = digest
            stored = Offer(digest, redaction.storable(text, on.environ), who, now, told)
            event = rejected(digest, told, on.revision, now)
            await self._write(partial(_refusal, offer=stored, event=event, on=on))
        return Answer("refused", on.revision, told)

    async def _take_up(self, ready: _Ready, content: bytes, who: str, part: bool) -> Answer:
        on = self._on
        if ready.config.sha256 == on.config.sha256:
            await self.in_order()
            return Answer("unchanged", on.revision)
        waits = changes.needs_restart(ready.changes)
        text = redaction.storable(content.decode("utf-8", "replace"), on.environ)
        offer = Offer(ready.config.sha256, text, who, on.now(), tuple(str(one) for one in ready.changes))
        if waits and not part:
            return await self._wait(waits, offer)
        config = changes.without_restart(on.config, ready.config) if waits else ready.config
        notes = (*offer.notes, *(f"waits for a restart: {path}" for path in waits))
        return await self._swap(replace(ready, config=config), replace(offer, notes=notes))

    async def _wait(self, waits: tuple[str, ...], offer: Offer) -> Answer:
        said = f"needs restart: {', '.join(waits)}"
        metrics.config_reloaded.set(0)
        log.warning("config_waits", keys=list(waits), hint="restart the daemon, or storywatch reload --partial")
        await self._write(partial(_waiting, offer=replace(offer, notes=(said,))))
        return Answer("waiting", self._on.revision, (said,))

    async def _swap(self, ready: _Ready, offer: Offer) -> Answer:
        """Put the new state in the place of the old one: the pipeline's half on its own thread, then the rest."""
        on, before = self._on, self._on.config
        await self._stop_priming()
        primes = await self._run(partial(self._swap_pipeline, ready, offer))
        kept = {name: on.channels[name] for name in _same_channels(before, ready.config) if name in on.channels}
        on.channels = {**ready.channels, **kept}
        plan = on.context.knowledge.plan
        pages = telling.pages_of(ready.config, on.environ)
        on.teller.replan(*telling.halves(on.engine, plan, on.channels, on.writer, pages))
        on.config = ready.config
        on.hidden.values = ready.known
        await on.poller.use({feed.url: feed for feed in ready.config.feeds})
        await self.in_order()
        log.info("config_reloaded", revision=on.revision, who=offer.who, changes=list(offer.notes))
        self.prime(primes)
        return Answer("accepted", on.revision, offer.notes)

    def _swap_pipeline(self, ready: _Ready, offer: Offer) -> Mapping[str, datetime]:
        """Write the revision and swap what the pipeline knows; runs where the pipeline runs, so between two polls."""
        on, config = self._on, ready.config
        with on.engine.begin() as tx:
            states = revisions.watch_states(tx)
            names = [watch.name for watch in on.config.watches if not watch.paused]
            wanted = priming.wanted(config, states, names, offer.at)
            revisions.put_watch_states(tx, wanted.states)
            feeds.sync(tx, seeds(config), offer.at)
            no = revisions.record(tx, offer, Outcome.ACCEPTED)
            _hold_and_release(tx, on.config, config, offer.at)
        known = wiring.knowledge(wiring.without(config, wanted.primes), config_rev=no) if wanted.primes else None
        on.context.knowledge = known or _numbered(ready.knowledge, no)
        if config.stories != on.config.stories:
            on.context.window = wiring.context(on.engine, on.context.knowledge, config, now=offer.at).window
        on.revision = no
        return wanted.primes

    async def in_order(self) -> None:
        """What the file says is what runs: nothing to worry about."""
        self._refused = None
        metrics.config_reloaded.set(1)
        metrics.config_revision.set(self._on.revision)
        await self._write(partial(meta.put, key=revisions.TROUBLE, value=""))

    # -------------------------------------------------------------------------------------------------- priming

    def prime(self, since: Mapping[str, datetime]) -> None:
        """Look through stored entries for these watches, beside everything else."""
        if since:
            self._priming = asyncio.create_task(self._prime(since), name="priming")

    async def primed(self, since: Mapping[str, datetime]) -> None:
        """Look through stored entries and wait for the end of it; for a round that a person waits for."""
        if since:
            await self._prime(since)

    async def _stop_priming(self) -> None:
        if self._priming is not None:
            self._priming.cancel()
            with suppress(asyncio.CancelledError):
                await self._priming
            self._priming = None

    async def _prime(self, since: Mapping[str, datetime]) -> None:
        try:
            on = self._on
            look = await self._run(partial(priming.Priming, on.engine, on.config, since, on.revision))
            more = True
            while more:
                more = await self._run(partial(look.step, min(since.values())))
            await self._run(partial(self._wake, look, since))
        except Exception as exc:  # the watch stays asleep and is primed by the next start; the rest goes on
            log.exception("priming_failed", watches=sorted(since), error=str(exc))

    def _wake(self, look: priming.Priming, since: Mapping[str, datetime]) -> None:
        """Decide what came meanwhile, and let the watches take part: one piece of work, so nothing falls between."""
        on, now = self._on, self._on.now()
        while look.step(None, now):
            pass
        fresh = wiring.knowledge(on.config, config_rev=on.revision)
        on.context.window = wiring.context(on.engine, fresh, on.config, now=now).window
        on.context.knowledge = fresh
        with on.engine.begin() as tx:
            states = revisions.watch_states(tx)
            revisions.put_watch_states(tx, [replace(states[name], primed_at=now) for name in since])
        for name, found in look.found.items():
            log.info("watch_primed", watch=name, entries=found.entries, stories=len(found.stories))

    # ------------------------------------------------------------------------------------------------- database

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._on.writer, work)

    async def _write(self, statement: Callable[[Connection], T]) -> T:
        def transaction() -> T:
            with self._on.engine.begin() as connection:
                return statement(connection)

        return await self._run(transaction)


def _counts(problem: Problem) -> bool:
    return problem.severity == "error"


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


def _take_request(connection: Connection) -> Request | None:
    raw = meta.get(connection, REQUEST)
    if not raw:
        return None
    meta.put(connection, REQUEST, "")
    asked = json.loads(raw)
    return Request(asked["id"], asked["who"], asked["no"], asked["partial"])


def rejected(digest: str, told: Sequence[str], revision: int, now: datetime) -> Event:
    """The event that a file was refused, with its first problems."""
    more = f"; and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    said = f"The configuration was refused, revision {revision} goes on: {'; '.join(told[:_TOLD])}{more}"
    named = key(Kind.CONFIG_REJECTED, digest[:16], f"{now.timestamp():.0f}")
    return Event(named, Kind.CONFIG_REJECTED, "", "config", now, config_rev=revision, facts=(("message", said),))


def _refusal(connection: Connection, offer: Offer, event: Event, on: Working) -> None:
    revisions.record(connection, offer, Outcome.REFUSED)
    meta.put(connection, revisions.TROUBLE, f"config refused: {offer.notes[0] if offer.notes else ''}"[:500])
    pipeline.tell(connection, (event,), on.context.knowledge.plan)


def _waiting(connection: Connection, offer: Offer) -> None:
    newest = revisions.newest(connection)
    if newest is None or (newest.sha256, newest.outcome) != (offer.sha256, Outcome.WAITING):
        revisions.record(connection, offer, Outcome.WAITING)
    meta.put(connection, revisions.TROUBLE, f"config {offer.notes[0]}")
