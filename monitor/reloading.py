"""Takes up a changed config.yaml while the daemon runs: all of it or nothing, and nothing of the past is told.

    read once -> parse, validate, secrets -> compile, build channels -> revision row -> swap between two ticks -> prime

Any failure leaves what runs as it is. Asked by a signal, by `storywatch reload` and `config rollback` (`asking`), and
by a change of the file itself. How a state is built and swapped is in `swapping`, how new watches wake in `waking`.
Called by `daemon`; it decides nothing about telling or matching.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerts.values import Event, Kind
from monitor import asking, metrics, pipeline, swapping, waking
from monitor.asking import Answer
from monitor.config import api, changes, redaction, secrets
from monitor.detect.event_keys import key
from monitor.errors import ConfigError, Problem, StoreError
from monitor.store import meta, revisions
from monitor.store.revisions import Offer, Outcome
from monitor.swapping import Ready, Working

log = structlog.get_logger(__name__)
T = TypeVar("T")
LOOK_EVERY_S = 30.0
"""Notices of changed files get lost on network file systems; the hash of the file is the truth."""
SETTLED_MS = 500
_RETRIES = 6
_TOLD = 3


class Reloader:
    """Watches one file for one daemon. Reloads wait for each other.

    Of several processes on one database each watches its own file; the one that `leads` looks through stored entries.
    """

    def __init__(
        self,
        working: Working,
        file: Path,
        *,
        look_every_s: float = LOOK_EVERY_S,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self._on = working
        self._file = file
        self._look_every_s = look_every_s
        self._one_at_a_time = asyncio.Lock()
        self._seen: str | None = None
        self._refused: str | None = None
        self._waking = waking.Waking(working, leads)
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
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._waking.stop()

    def ask(self, who: str, then: Callable[[], None] = lambda: None) -> None:
        """Read the file again soon, or do what a command left in the database, `then` say so; for a signal handler."""
        self._spawn(self._asked(who), "reload").add_done_callback(lambda _: then())

    def _spawn(self, work: Any, name: str) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _watch(self) -> None:
        import watchfiles  # here: the first polls do not wait for it

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
            try:
                was_asked = await self._answer_request()
            except (SQLAlchemyError, StoreError) as exc:
                log.error("config_request_not_read", error=str(exc))
                continue
            if not was_asked:
                await self._look("file")

    async def _asked(self, who: str) -> None:
        if not await self._answer_request():
            await self.reload(who)

    async def _look(self, who: str) -> None:
        """Take up a file that changed. A database that cannot be written to now is tried again at the next look."""
        try:
            if self._hash() != self._seen:
                await self.reload(who)
        except (SQLAlchemyError, StoreError) as exc:
            self._seen = None
            log.error("config_not_taken_up", revision=self._on.revision, error=str(exc))

    def _hash(self) -> str | None:
        try:
            return hashlib.sha256(self._file.read_bytes()).hexdigest()
        except OSError:
            return None

    async def _answer_request(self) -> bool:
        """Do what a command asked for; whether there was anything."""
        asked = await self._write(asking.take)
        if asked is None:
            return False
        if asked.no is None:
            answer = await self.reload(asked.who, part=asked.partial)
        else:
            answer = await self.roll_back(asked.no, asked.who, part=asked.partial)
        if asked.backfill is not None and answer.outcome in ("accepted", "unchanged"):
            answer = replace(answer, notes=(*answer.notes, *await self._waking.backfill(asked.backfill)))
        await self._write(partial(meta.put, key=asking.ANSWER, value=replace(answer, id=asked.id).as_json()))
        return True

    def held(self) -> asyncio.Lock:
        """To enter while nothing may be taken up: what is asked for meanwhile waits its turn."""
        return self._one_at_a_time

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
            ready = await asyncio.to_thread(swapping.build, self._on, content, self._file)
            if isinstance(ready, ConfigError):
                return Answer("refused", self._on.revision, tuple(str(problem) for problem in ready.problems))
            return await self._take_up(ready, content, who, part)

    async def _settled(self) -> tuple[bytes | None, Ready | ConfigError]:
        """Read the file until it is right, or wrong twice in the same way: an editor may be half through."""
        before: bytes | None = b""
        for attempt in range(_RETRIES):
            try:
                content = await asyncio.to_thread(api.read_file, self._file)
                ready = await asyncio.to_thread(swapping.build, self._on, content, self._file)
            except ConfigError as exc:
                content, ready = None, exc
            if not isinstance(ready, ConfigError) or (attempt and content == before):
                break
            before = content
            await asyncio.sleep(SETTLED_MS / 1000)
        return content, ready

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

    async def _take_up(self, ready: Ready, content: bytes, who: str, part: bool) -> Answer:
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
        said = changes.restart_wanted(waits)
        metrics.config_reloaded.set(0)
        log.warning("config_waits", keys=list(waits), hint="restart the daemon, or storywatch reload --partial")
        await self._write(partial(_waiting, offer=replace(offer, notes=(said,))))
        return Answer("waiting", self._on.revision, (said,))

    async def _swap(self, ready: Ready, offer: Offer) -> Answer:
        """Put the new state in the place of the old one: the pipeline's half on its own thread, then the rest."""
        on = self._on
        await self._waking.stop()
        primes = await self._run(partial(swapping.swap_pipeline, on, ready, offer))
        await swapping.swap_shell(on, ready)
        await self.in_order()
        log.info("config_reloaded", revision=on.revision, who=offer.who, changes=list(offer.notes))
        self.prime(primes)
        return Answer("accepted", on.revision, offer.notes)

    async def in_order(self) -> None:
        """What the file says is what runs: nothing to worry about."""
        self._refused = None
        metrics.config_reloaded.set(1)
        metrics.config_revision.set(self._on.revision)
        await self._write(partial(meta.put, key=revisions.TROUBLE, value=""))

    # -------------------------------------------------------------------------------------------------- priming

    def prime(self, since: Mapping[str, datetime]) -> None:
        """Look through stored entries for these watches, beside everything else."""
        self._waking.start(since)

    async def primed(self, since: Mapping[str, datetime]) -> None:
        """Look through stored entries and wait for the end of it; for a round that a person waits for."""
        await self._waking.work(since)

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
