"""Statements handed to the driver itself do what SQLAlchemy's own do: values, transactions, listeners and errors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, Engine, event, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from alerts import tables as telling
from monitor.store import engine as engines
from monitor.store import plain, tables

NOW = datetime(2025, 6, 5, 8, 0, tzinfo=UTC)
_S = tables.seen.c
ADD = plain.NewRows(tables.seen, ("feed_id", "key_hash", "kind", "gen_last"))
KEPT = plain.Statement(
    {name: select(_S.key_hash).where(plain.among(name, _S.key_hash, "asked")) for name in plain.DATABASES}
)
HOST = plain.Statement(insert(tables.host), ("kind", "name", "hold_until", "ever_429"))
HOSTS = plain.Statement(select(tables.host.c.name, tables.host.c.hold_until, tables.host.c.ever_429))
COLUMNS = ("event_key", "kind", "class", "watch", "group_key", "payload", "config_rev", "decided_at", "state")
EVENTS = plain.NewRows(telling.event, COLUMNS)


def key(n: int) -> bytes:
    return n.to_bytes(16, "big")


def seen(n: int) -> dict[str, object]:
    return {"feed_id": 1, "key_hash": key(n), "kind": "entry", "gen_last": 1}


@pytest.fixture
def connection(engine: Engine) -> Connection:
    connection = engine.connect()
    connection.execute(
        insert(tables.feed).values(id=1, url="u", host="h", next_at=NOW, next_reason="startup", schedule={})
    )
    return connection


@pytest.mark.parametrize("asked", [1, 2, 3, 5, 8, 90])
def test_a_list_of_any_length_finds_what_is_there(connection: Connection, asked: int) -> None:
    with connection:
        ADD.add(connection, [seen(n) for n in range(0, 200, 2)])
        found = KEPT.rows(connection, {"asked": [key(n) for n in range(asked)]})
        assert sorted(row[0] for row in found) == [key(n) for n in range(0, asked, 2)]


def test_values_are_read_as_they_were_given_whatever_the_database_makes_of_them(connection: Connection) -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=2)))
    with connection:
        HOST.run(connection, {"kind": "host", "name": "ž.example", "hold_until": elsewhere, "ever_429": True})
        HOST.run(connection, {"kind": "host", "name": "b", "hold_until": None, "ever_429": False})
        assert sorted(HOSTS.rows(connection, {})) == [("b", None, False), ("ž.example", NOW, True)]


def test_rows_are_told_by_their_key(connection: Connection) -> None:
    rows = [dict(zip(COLUMNS, (f"k{n}", "", "", "", "", "%s ? :x", n, NOW, "open"), strict=True)) for n in range(3)]
    with connection:
        ids = EVENTS.numbered(connection, rows, "event_key")
        stored = connection.execute(select(telling.event.c.event_key, telling.event.c.id, telling.event.c.payload))
        assert {(row[0], row[1], row[2]) for row in stored} == {(name, n, "%s ? :x") for name, n in ids.items()}
        assert len(ids) == 3


def test_a_statement_belongs_to_the_transaction_it_began(connection: Connection, engine: Engine) -> None:
    connection.commit()
    ADD.add(connection, [seen(1)])
    connection.rollback()
    ADD.add(connection, [seen(2)])
    connection.commit()
    connection.close()
    with engine.connect() as other:
        assert other.execute(select(_S.key_hash)).scalars().all() == [key(2)]


def test_an_error_is_that_of_sqlalchemy_and_tells_no_values(connection: Connection) -> None:
    with connection:
        ADD.add(connection, [seen(1)])
        with pytest.raises(IntegrityError) as caught:
            ADD.add(connection, [seen(1)])
    assert repr(key(1)) not in str(caught.value)


@pytest.mark.postgres
def test_a_connection_that_was_ended_is_given_up(postgres_url: str) -> None:
    engine = engines.open_engine(postgres_url)
    with engine.connect() as connection, engine.connect() as other:
        (pid,) = connection.execute(text("select pg_backend_pid()")).one()
        other.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(DBAPIError) as caught:
            HOSTS.rows(connection, {})
        assert caught.value.connection_invalidated
        assert engines.is_outage(caught.value)
    engine.dispose()


def test_who_listens_to_statements_hears_of_these(engine: Engine, connection: Connection) -> None:
    heard: list[str] = []
    with connection:
        event.listen(engine, "before_cursor_execute", lambda *call: heard.append(call[2].split()[0]))
        event.listen(engine, "after_cursor_execute", lambda *call: heard.append(call[2].split()[0]))
        HOSTS.rows(connection, {})
    assert heard == ["SELECT", "SELECT"]
