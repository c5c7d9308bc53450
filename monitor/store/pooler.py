"""Does a transaction pooler stand before a Postgres server? Behind one a lock that a session holds lies to its holder.

A server tells the number of its process at connecting, and a pooler makes one up; where the two differ, connections
that are served by one process in turn show a pooler that hands sessions out by the transaction. Called at the start.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import conninfo

from monitor.errors import StoreUnreachable
from monitor.store.engine import parse_url, plain_url

_TRIES = 10
"""On a busy pooler another client may get the session in between."""
_NUMBER = b"select pg_backend_pid()"


def stands_before(url: str) -> bool:
    """Whether sessions of this address are shared between connections.

    Errors: StoreUnreachable.
    """
    try:
        with _connected(url) as one:
            if _served_by(one) == one.info.backend_pid:
                return False
            with _connected(url) as other:
                return any(_share(one, other) for _ in range(_TRIES))
    except psycopg.Error as exc:
        named = parse_url(url).render_as_string(hide_password=True)
        raise StoreUnreachable(f"{named} cannot be reached: {' '.join(str(exc).split())}") from exc


def _share(one: psycopg.Connection[Any], other: psycopg.Connection[Any]) -> bool:
    first = _served_by(one)
    with other.transaction():
        return _served_by(other) == first


def _served_by(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(_NUMBER).fetchone()
    assert row is not None
    return int(row[0])


def _connected(url: str) -> psycopg.Connection[Any]:
    address = conninfo.make_conninfo(plain_url(url), application_name="storywatch/start", connect_timeout=5)
    connection = psycopg.connect(address, autocommit=True)
    connection.prepare_threshold = None
    return connection
