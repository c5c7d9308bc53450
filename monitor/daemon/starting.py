"""What a start works with: the file's configuration, or the last good one that is stored; and a database that answers.

Faulty single feeds are left out; a file that is refused, or gone, means the last revision that was accepted. Called by
`serving`, `once`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain, repeat
from pathlib import Path

import structlog
from sqlalchemy import Engine

from monitor.config import api, locating
from monitor.config.values import Config
from monitor.errors import ConfigError, Problem, StoreError, StoreUnreachable
from monitor.store import engine as engines
from monitor.store import migrate, revisions

log = structlog.get_logger(__name__)
_NOT_OF_A_FILE = ("shipped", "demo")
PATIENCE = timedelta(seconds=60)
"""How long a start waits for a database that does not answer: machines that start together do so in any order."""
_PAUSES_S = (1.0, 2.0, 5.0)
_LAST_PAUSE_S = 10.0


@dataclass(frozen=True, slots=True)
class Start:
    """What a start works with: the configuration in use and its text, and the file with what it holds.

    `text` is as it may be stored; `known` are the secrets it refers to; `refused` are the errors that made it fall back
    on the last good revision.
    """

    config: Config
    problems: tuple[Problem, ...]
    text: str
    who: str
    file: Path
    known: tuple[str, ...] = ()
    content: bytes = b""
    refused: tuple[Problem, ...] = ()


def start_config(path: Path, environ: Mapping[str, str]) -> Start:
    """Read the file; when it cannot be used, the last good revision that is stored; faulty single feeds are left out.

    A file that is not there any more means the last good revision too, never defaults.

    Errors: ConfigError when there is nothing to run on.
    """
    file, content = locating.config_file(path), b""
    is_shipped = file != path
    try:
        if is_shipped and (stored := _last_good(path, environ)) and stored.who not in _NOT_OF_A_FILE:
            raise ConfigError((Problem("E001", "", "the file is not there", str(path), 1, 1, 2),))
        content = api.read_file(file)
        read = api.parse_lenient(content, environ, file=str(file))
    except ConfigError as refused:
        stored = _last_good(path, environ)
        if stored is None:
            raise
        return _fallen_back(stored, refused.problems, path, content, environ)
    who = "shipped" if is_shipped else "start"
    return Start(read.config, read.problems, read.storable, who, file, read.known, content)


def _fallen_back(
    stored: revisions.Revision,
    problems: tuple[Problem, ...],
    path: Path,
    content: bytes,
    environ: Mapping[str, str],
) -> Start:
    read = api.parse_lenient(stored.text.encode(), environ, file=f"revision {stored.no}")
    in_use = replace(read.config, sha256=stored.sha256)
    refused = tuple(problem for problem in problems if problem.severity == "error")
    return Start(in_use, problems, stored.text, "start", path, read.known, content, refused)


def _last_good(path: Path, environ: Mapping[str, str]) -> revisions.Revision | None:
    """The newest accepted revision, when a database can be found without a usable configuration."""
    url = environ.get("STORYWATCH_STORAGE_URL") or locating.url_in(path, environ) or "sqlite:///data/storywatch.db"
    database = url.removeprefix("sqlite:///")
    if url.startswith("sqlite:///") and not Path(database).exists():
        return None
    try:
        engine = engines.open_engine(url)
    except StoreError:
        return None
    try:
        engines.check_reachable(engine)
        if migrate.current(engine) != migrate.HEAD:
            return None
        with engines.reading(engine) as connection:
            return revisions.newest_good(connection)
    except StoreError:
        return None
    finally:
        engine.dispose()


async def reach(engine: Engine, within: timedelta = timedelta()) -> None:
    """Wait for the database to answer, and say so meanwhile. A file is there or is not: nothing is waited for.

    Errors: StoreUnreachable when it has not answered in time, StoreNotWritable when it takes no changes, StoreError
    when it is none.
    """
    clock, pauses = asyncio.get_running_loop().time, chain(_PAUSES_S, repeat(_LAST_PAUSE_S))
    until, waited = clock() + within.total_seconds(), False
    while True:
        try:
            await asyncio.to_thread(engines.check_writable, engine)
            break
        except StoreUnreachable as exc:
            left = until - clock()
            if left <= 0 or engine.dialect.name == "sqlite" or engines.is_refused_by_pooler(exc):
                raise
            log.warning("database_unreachable", message=str(exc), giving_up_in_s=round(left))
            await asyncio.sleep(min(next(pauses), left))
            waited = True
    if waited:
        log.info("database_reached")


def say_problems(problems: tuple[Problem, ...]) -> None:
    """Errors one by one, warnings as a number: `storywatch check` tells them."""
    for problem in problems:
        if problem.severity == "error":
            log.error("config_problem", problem=str(problem))
    warnings = sum(problem.severity != "error" for problem in problems)
    if warnings:
        log.info("config_warnings", count=warnings, hint="storywatch check shows them")
