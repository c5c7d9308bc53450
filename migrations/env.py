"""Alembic's door: both packages' tables, one transaction, one lock.

`monitor.store.migrate` passes its engine; the `alembic` command line takes STORYWATCH_STORAGE_URL.
"""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import text

import alerts.tables
import monitor.store.tables
from monitor.store import engine as engines

LOCK = 8001


def run() -> None:
    """Upgrade inside one transaction, under the lock that makes concurrent starts safe."""
    engine = context.config.attributes.get("engine")
    if engine is None:
        engine = engines.open_engine(os.environ.get("STORYWATCH_STORAGE_URL", "sqlite:///data/storywatch.db"))
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=[monitor.store.tables.metadata, alerts.tables.metadata],
            transactional_ddl=True,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
        )
        with context.begin_transaction():
            if connection.dialect.name == "postgresql":
                # Somebody else may be migrating, and a large table takes its time.
                connection.execute(text("set local statement_timeout = 0; set local lock_timeout = '10min'"))
                connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            context.run_migrations()


run()
