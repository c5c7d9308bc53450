"""Who does the work: the engine and the election a configuration and a role ask for. Called by `serving`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec

from monitor.config import locating
from monitor.config.values import Config
from monitor.daemon.running import Role, Running
from monitor.engines.leader import Alone, Elected
from monitor.engines.local import Local
from monitor.errors import ConfigError, Problem, SchemaMismatch
from monitor.store import engine as engines


def refuse_odd(config: Config, url: str, role: Role) -> None:
    """Refuse an engine or a role that cannot work on this database.

    Errors: ConfigError.
    """
    said, hint = None, None
    if config.engine.kind == "pgqueuer" and url.startswith("sqlite"):
        said, hint = "pgqueuer needs Postgres; SQLite is for one process", "set storage.url, or kind: local"
    elif config.engine.kind == "pgqueuer" and find_spec("pgqueuer") is None:
        said = "the extra for several processes is not installed"
        hint = "pip install 'storywatch[cluster]'"
    elif config.engine.kind == "local" and role is not Role.ALL:
        said, hint = f"the role {role} is for several processes", "set engine.kind: pgqueuer, or leave --role out"
    if said is not None:
        raise ConfigError((Problem("E027", "engine.kind", said, config.file, hint=hint),))


def refuse_pooler(config: Config, environ: Mapping[str, str], url: str) -> None:
    """Refuse an address of Postgres behind which sessions are shared, where no direct one is known.

    Leading and listening want a session of their own: behind a pooler two processes would both be told that they lead.
    Errors: ConfigError; StoreUnreachable of the direct address.
    """
    direct = locating.direct_url_of(config, environ)
    if not url.startswith("postgresql"):
        return
    from monitor.store import pooler  # the driver costs a start on SQLite what it does not need

    if pooler.stands_before(direct or url):
        raise shared_sessions(config, "storage.url" if direct is None else "storage.direct_url")


def shared_sessions(config: Config, setting: str) -> ConfigError:
    """Say that an address leads to a transaction pooler."""
    said = "a pooler (PgBouncer?) stands before this address and shares sessions between connections"
    hint = "set storage.direct_url to the server itself; storage.url may stay the pooler's"
    return ConfigError((Problem("E027", setting, said, config.file, hint=hint),))


async def hire(
    running: Running, environ: Mapping[str, str], url: str, role: Role, on_hopeless: Callable[[str], None]
) -> None:
    """Give a daemon its engine and its part in the election; nothing runs yet.

    Errors: StoreError, StoreUnreachable; SchemaMismatch when the queue has no tables and is not to be given any.
    """
    config, direct = running.config, locating.direct_url_of(running.config, environ) or url
    running.role = role
    if running.engine.dialect.name == "sqlite":
        running.leader = Alone()
    else:
        session = engines.open_engine(direct, pool=1, role="leader")
        running.leader = Elected(session, candidate=role is not Role.WORKER)
    if config.engine.kind == "local":
        slots = max(config.engine.shards, config.engine.fetches)
        running.dispatcher = Local(slots, on_hopeless, _may_be_hopeless)
        return
    from monitor.engines import distributed  # an extra

    if config.storage.migrate == "auto":
        await distributed.install(direct)
    elif not await distributed.is_installed(direct):
        raise SchemaMismatch("the queue of engine.kind pgqueuer has no tables: run storywatch migrate")
    slots = 0 if role is Role.WEB else config.engine.shards
    running.dispatcher = distributed.Distributed(direct, slots, on_hopeless, _may_be_hopeless)


def _may_be_hopeless(error: Exception) -> bool:
    return not engines.is_outage(error)
