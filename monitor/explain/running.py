"""Puts an explanation together: configuration, stored history if there is any, the subject. Called by `cli`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from monitor import understanding, wiring
from monitor.config import api, locating
from monitor.config.values import Config
from monitor.explain import stages, subject
from monitor.explain.stages import Explained
from monitor.explain.subject import Subject, Wish
from monitor.store import engine as engines
from monitor.store import migrate

_NOWHERE = "sqlite://"


@dataclass(frozen=True, slots=True)
class Desk:
    """What explaining works with: the configuration, what is known, and the stored history (empty where none is)."""

    config: Config
    ctx: understanding.Context
    now: datetime


async def explain(wish: Wish, text: str | None, path: Path, environ: Mapping[str, str], now: datetime) -> Explained:
    """Explain what a person named; `text` is what came on stdin.

    Errors: ConfigError, NothingToExplain, StoreError for a database that cannot be used.
    """
    config = api.load(locating.config_file(path), environ, with_secrets=False)
    engine = _history(locating.storage_url(path, environ))
    with closing(_Disposing(engine)):
        ctx = wiring.context(engine, wiring.knowledge(config, config_rev=0), config, now=now)
        desk = Desk(config, ctx, now)
        with engines.reading(engine) as connection:
            named = await _subject(connection, wish, text, desk)
            return stages.explain(connection, named, config, ctx, now)


async def _subject(connection: Connection, wish: Wish, text: str | None, desk: Desk) -> Subject:
    table = desk.ctx.knowledge.outlets
    if text is not None:
        return subject.pasted(text, wish, table, desk.now, "the text on stdin")
    known = subject.stored(connection, wish)
    if known is not None:
        return known
    if subject.is_address(wish.what):
        return await subject.fetched(wish, desk.config, table, desk.now)
    return subject.from_file(Path(wish.what), wish, table, desk.now)


def _history(url: str) -> Engine:
    """The stored history; an empty one in memory where nothing was stored yet."""
    parsed = engines.parse_url(url)
    is_new = parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists()
    engine = engines.open_engine(_NOWHERE if is_new else url)
    engines.check_reachable(engine)
    if is_new:
        migrate.ensure(engine)
    else:
        migrate.refuse_other(engine)
    return engine


class _Disposing:
    """Lets go of an engine's connections at the end."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        self._engine.dispose()
