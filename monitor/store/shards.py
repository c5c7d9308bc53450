"""Shards: parts of the hosts, each polled by one job at a time; its runs, and what a run may claim.

A run is a number. Opening one makes the claims of earlier runs free at once: they can only be a dead or stalled
worker's, and an older run that wakes up is not current and claims nothing more. Tokens fence what it still writes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Interval, and_, bindparam, func, insert, literal, or_, select, update

from monitor.errors import SchemaMismatch
from monitor.store import choosing, meta, plain, tables
from monitor.values import Shard

COUNT = 512
"""At 1,000,000 feeds 2,000 of them and two due ones a second in each; a stuck shard delays 0.2 % of the hosts."""
_FEED, _SHARD = tables.feed.c, tables.shard.c
_COUNT_KEY = "shards"
_NEWER_RUN = (
    update(tables.shard).where(_SHARD.n == bindparam("of_shard")).values(run=_SHARD.run + 1).returning(_SHARD.run)
)


def shard_of(host: str) -> int:
    """The shard a host lives in, everywhere and for ever: neither `hash` nor Postgres' hashtext promises that."""
    return int.from_bytes(hashlib.sha256(host.encode()).digest()[:4]) % COUNT


def prepare(connection: Connection) -> None:
    """Make the rows of the shards in a new database; refuse one whose hosts are divided otherwise.

    Errors: SchemaMismatch.
    """
    stored = meta.get(connection, _COUNT_KEY)
    if stored is None:
        make = plain.INSERT[connection.dialect.name]
        rows = [{"n": n, "run": 0} for n in range(COUNT)]
        connection.execute(make(tables.shard).on_conflict_do_nothing(index_elements=["n"]), rows)
        connection.execute(
            make(tables.meta).on_conflict_do_nothing(index_elements=["key"]), {"key": _COUNT_KEY, "value": str(COUNT)}
        )
    elif stored != str(COUNT):
        raise SchemaMismatch(
            f"the hosts of this database are divided into {stored} shards, this version divides them into {COUNT}: "
            "install the version that made it"
        )


def due(connection: Connection, now: datetime) -> tuple[Shard, ...]:
    """The shards with something to poll: one look into an index for each."""
    waits = select(_FEED.id).where(_FEED.shard == _SHARD.n, choosing.is_due(now), _is_free(connection, now)).exists()
    return tuple(Shard(n) for n in connection.execute(select(_SHARD.n).where(waits).order_by(_SHARD.n)).scalars())


def open_run(connection: Connection, shard: Shard) -> int:
    """Begin a run; from now on the claims of the shard's earlier runs are void."""
    run = connection.execute(_NEWER_RUN, {"of_shard": shard}).scalar_one_or_none()
    if run is None:
        run = connection.execute(insert(tables.shard).values(n=shard, run=1).returning(_SHARD.run)).scalar_one()
    return int(run)


def claim(
    connection: Connection,
    shard: Shard,
    run: int,
    now: datetime,
    *,
    lease: timedelta,
    limit: int,
    per_host: int = 9,
    busy: Sequence[str] = (),
) -> Sequence[Any]:
    """Take due feeds of a shard for a run, as `choosing.chosen` does; rows for `claims.claimed_rows`.

    Nothing once a newer run was opened. At most `per_host` of one host and none of a `busy` one: nine are what a
    spacing of 5 s lets begin before a lease of 90 s gets short. Candidates are twice the take, or one big host would
    have all of them read.
    """
    given = {"of_shard": shard, "of_run": run, "now": now, "most": limit, "looked_at": 2 * limit, "per_host": per_host}
    given |= {"busy": list(busy)} if busy else {}
    is_shared = connection.dialect.name == "postgresql"
    given |= {"lease": lease} if is_shared else {"until": now + lease}
    return _claiming(is_shared=is_shared, some_busy=bool(busy)).rows(connection, given)


@cache
def _claiming(*, is_shared: bool, some_busy: bool) -> plain.Statement:
    """The statement that claims; made once, since making it costs more than running it.

    Leases are measured by the database's clock where processes on several machines share one.
    """
    now = bindparam("now", type_=_FEED.next_at.type)
    clock = func.now() if is_shared else now
    until = func.now() + bindparam("lease", type_=Interval) if is_shared else bindparam("until")
    free = or_(_FEED.lease_until.is_(None), _FEED.lease_until < clock, _FEED.lease_run < bindparam("of_run"))
    others = [_FEED.host.not_in(bindparam("busy", expanding=True))] if some_busy else []
    wanted = and_(_FEED.shard == bindparam("of_shard"), choosing.is_due(now), free, *others)
    current = select(_SHARD.n).where(_SHARD.n == bindparam("of_shard"), _SHARD.run == bindparam("of_run")).exists()
    take = choosing.chosen(wanted, still=and_(current, choosing.is_due(now), free)).cte("take")
    claimed = {"lease_run": bindparam("of_run"), "lease_until": until, "lease_token": _FEED.lease_token + 1}
    claiming = update(tables.feed).where(_FEED.id.in_(select(take.c.id))).values(**claimed)
    return plain.Statement(claiming.returning(*tables.FEED_STATE))


def _is_free(connection: Connection, now: datetime) -> Any:
    clock = func.now() if connection.dialect.name == "postgresql" else literal(now, _FEED.lease_until.type)
    return or_(_FEED.lease_until.is_(None), _FEED.lease_until < clock)
