"""The engine on Postgres: limits, names for the administrator, and manners behind a transaction pooler."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from monitor.store import engine as engines


@pytest.mark.postgres
@pytest.mark.parametrize("pooled", [False, True], ids=["on its own sessions", "behind a transaction pooler"])
def test_every_transaction_has_its_limits_and_its_name(postgres_url: str, pooled: bool) -> None:
    engine = engines.open_engine(postgres_url, role="worker", pooled=pooled)
    with engine.begin() as connection:
        names = [*engines.LIMITS, "application_name"]
        said = {name: connection.execute(text(f"show {name}")).scalar_one() for name in names}
    engine.dispose()
    assert said == {**engines.LIMITS, "application_name": "storywatch/worker"}


@pytest.mark.postgres
def test_behind_a_pooler_nothing_sticks_to_a_connection(postgres_url: str) -> None:
    engine = engines.open_engine(postgres_url, pool=1, pooled=True)
    for _ in range(10):
        with engine.begin() as connection:
            connection.execute(text("select count(*) from feed where id = :id"), {"id": 1})
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from pg_prepared_statements")).scalar_one() == 0
        raw = connection.connection.driver_connection
        assert raw is not None
    with engine.connect() as connection:
        session = connection.execution_options(isolation_level="AUTOCOMMIT")
        assert (
            session.execute(text("select reset_val from pg_settings where name = 'lock_timeout'")).scalar_one() == "0"
        )
    engine.dispose()


@pytest.mark.postgres
def test_a_stopped_holder_of_the_story_lock_loses_it_and_what_it_wrote(postgres_url: str) -> None:
    """Thirty seconds are the limit for an idle transaction; here it is a fifth of one."""
    stopped, goes_on = (engines.open_engine(postgres_url, pool=1, role=role) for role in ("stopped", "goes on"))
    with stopped.connect() as holder:
        holder.execute(text("set local idle_in_transaction_session_timeout = '200ms'"))
        engines.lock_stories(holder)
        holder.execute(text("insert into meta (key, value) values ('half', 'done')"))
        with goes_on.begin() as other:
            engines.lock_stories(other)  # waits until the server has ended the other session
            assert other.execute(text("select count(*) from meta where key = 'half'")).scalar_one() == 0
        with pytest.raises(DBAPIError) as lost:
            holder.execute(text("select 1"))
        assert engines.is_outage(lost.value)
    stopped.dispose()
    goes_on.dispose()
