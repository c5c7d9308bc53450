"""Lets watches that are new or edited look through what is stored, beside everything else, and then take part.

The operator is told in one line what they found. Who asked for it gets the past told after all, once: what a watch
found in the last so many days, in one digest for each recipient (`storywatch reload --backfill`). Called by
`reloading`; what looking through means is in `priming`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy import Connection, Engine

from alerts import outbox
from alerts.outbox import backfill
from monitor import pipeline, priming, understanding, wiring
from monitor.store import engine as engines
from monitor.store import meta, revisions
from monitor.swapping import Working

log = structlog.get_logger(__name__)
T = TypeVar("T")
WISHED = "config_backfill"
"""The fact that says for which watches the past is to be told when they wake: seconds by name. Outlives a restart."""


_LOOKED_EVERY_S = 2.0


class Waking:
    """Primes the watches of one daemon; one look at a time.

    Of several processes on one database the one that `leads` looks; the others wait until it has.
    """

    def __init__(self, working: Working, leads: Callable[[], bool] = lambda: True) -> None:
        self._on = working
        self._leads = leads
        self._task: asyncio.Task[None] | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether watches still sleep."""
        return self._task is not None and not self._task.done()

    def start(self, since: Mapping[str, datetime]) -> None:
        """Look through stored entries for these watches, beside everything else."""
        if since:
            work = self.work(since) if self._leads() else self._wait(since)
            self._task = asyncio.create_task(work, name="priming")

    async def stop(self) -> None:
        """Stop looking: what was recorded stays, and the next start or reload looks again."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def work(self, since: Mapping[str, datetime]) -> None:
        """Look through stored entries, and wait for the end of it."""
        if not since:
            return
        on = self._on
        try:
            look = await self._run(partial(priming.Priming, on.engine, on.config, since, on.revision))
            more = True
            while more:
                more = await self._run(partial(look.step, min(since.values())))
            await self._run(partial(self._wake, look, since))
        except Exception as exc:  # the watch stays asleep and is primed by the next start; the rest goes on
            log.exception("priming_failed", watches=sorted(since), error=str(exc))

    async def _wait(self, since: Mapping[str, datetime]) -> None:
        """Let watches take part once the process that leads has looked; look here should this one come to lead."""
        while not self._leads():
            states = await self._run(partial(_states, self._on.engine))
            if all(name in states and states[name].primed_at is not None for name in since):
                await self._run(self._waken)
                return
            await asyncio.sleep(_LOOKED_EVERY_S)
        await self.work(since)

    def _waken(self) -> understanding.Knowledge:
        """Let all watches take part from now on."""
        on = self._on
        fresh = wiring.knowledge(on.config, config_rev=on.revision)
        context = wiring.context(on.engine, fresh, on.config, now=on.now())
        on.context.know(fresh)
        on.context.look_at(context.window, context.changes)
        return fresh

    def _wake(self, look: priming.Priming, since: Mapping[str, datetime]) -> None:
        """Decide what came meanwhile, and let the watches take part: one piece of work, so nothing falls between."""
        on, now = self._on, self._on.now()
        while look.step(None, now):
            pass
        fresh = self._waken()
        days = priming.REACH.days
        told = [
            outbox.primed_event(name, found.entries, len(found.stories), days, now, on.revision)
            for name, found in look.found.items()
        ]
        with on.engine.begin() as tx:
            states = revisions.watch_states(tx)
            revisions.put_watch_states(tx, [replace(states[name], primed_at=now) for name in since])
            pipeline.tell(tx, told, fresh.plan)
            self._tell_wished(tx, tuple(since), now)
        for name, found in look.found.items():
            log.info("watch_primed", watch=name, entries=found.entries, stories=len(found.stories))

    # -------------------------------------------------------------------------------------------- the past, on purpose

    async def backfill(self, back: timedelta) -> tuple[str, ...]:
        """Tell once what the watches found that the running revision primed: now, or when they wake.

        Answers a line for each of them; one that says so where there is none.
        """
        return await self._run(partial(self._backfilled, back))

    def _backfilled(self, back: timedelta) -> tuple[str, ...]:
        on, now = self._on, self._on.now()
        with on.engine.begin() as tx:
            running = revisions.newest_good(tx)
            names = {watch.name for watch in on.config.watches if not watch.paused}
            mine = [
                state
                for name, state in sorted(revisions.watch_states(tx).items())
                if name in names and running is not None and state.since >= running.at
            ]
            asleep = {state.watch: back.total_seconds() for state in mine if state.primed_at is None}
            if asleep:
                meta.put(tx, WISHED, json.dumps(_wished(tx) | asleep))
            notes = [f"backfill of {name}: told when it has looked through what is stored" for name in asleep]
            notes += [self._tell_past(tx, state.watch, back, now) for state in mine if state.primed_at is not None]
        return tuple(notes) or ("backfill: this revision brought no new or changed watch; nothing of the past is told",)

    def _tell_wished(self, tx: Connection, awake: Sequence[str], now: datetime) -> None:
        wished = _wished(tx)
        for name in awake:
            if name in wished:
                log.info("backfill", said=self._tell_past(tx, name, timedelta(seconds=wished.pop(name)), now))
        meta.put(tx, WISHED, json.dumps(wished))

    def _tell_past(self, tx: Connection, watch: str, back: timedelta, now: datetime) -> str:
        plan = self._on.context.knowledge.plan
        stories = backfill.tell(tx, watch, now - back, plan, now)
        return f"backfill of {watch}: {stories} {'story' if stories == 1 else 'stories'} told in one digest"

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._on.writer, work)


def _states(engine: Engine) -> Mapping[str, revisions.WatchState]:
    with engines.reading(engine) as connection:
        return revisions.watch_states(connection)


def _wished(tx: Connection) -> dict[str, float]:
    found: dict[str, float] = json.loads(meta.get(tx, WISHED) or "{}")
    return found
