"""Bring the schema up to date, safely when several processes start at once.

One transaction holds a lock for the whole chain: an advisory lock on Postgres, `BEGIN IMMEDIATE` on SQLite. So a
failed upgrade leaves the old schema, and of six processes that start together one migrates and five find it done.
"""

from __future__ import annotations

from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from monitor import resources
from monitor.errors import SchemaMismatch, StoreError

HEAD = "0003"
"""The newest revision this program knows; a test compares it with the migrations."""


def current(engine: Engine) -> str | None:
    """The schema revision a database is at, None for an empty one."""
    with engine.connect().execution_options(reads=True) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("select version_num from alembic_version")).scalar_one_or_none()


def ensure(engine: Engine) -> bool:
    """Migrate to the newest schema; returns whether anything was to do.

    Errors: SchemaMismatch when the database is newer than this program, StoreError when the upgrade fails.
    """
    at = current(engine)
    if at == HEAD:
        return False
    _refuse_newer(at)
    # Alembic costs a quarter of a second to import: only when the schema is behind.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(resources.resource_path("migrations")))
    config.attributes["engine"] = engine
    try:
        command.upgrade(config, "head")
    except DBAPIError as exc:
        said = " ".join(str(exc.orig).split())
        raise StoreError(f"the schema could not be brought from {at or 'nothing'} to {HEAD}: {said}") from exc
    return True


def ready(engine: Engine, how: str) -> None:
    """Make a database fit to be worked on at a start: `how` is storage.migrate, auto or check.

    Errors: as `ensure` and, for check, as `refuse_other`.
    """
    if how == "check":
        refuse_other(engine)
    else:
        ensure(engine)


def refuse_other(engine: Engine) -> None:
    """Refuse to read a database whose schema is not the one this program knows.

    Errors: SchemaMismatch saying which it is and what to do.
    """
    at = current(engine)
    _refuse_newer(at)
    if at != HEAD:
        raise SchemaMismatch(f"the database is at {at or 'nothing'}, this version needs {HEAD}: run storywatch migrate")


def _refuse_newer(at: str | None) -> None:
    if at is not None and at > HEAD:
        raise SchemaMismatch(f"the database is at {at}, this version knows {HEAD}: install the newer storywatch")
