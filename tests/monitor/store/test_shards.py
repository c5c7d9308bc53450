"""Shards in both databases: a run takes over what earlier ones held, and nothing is claimed twice."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text, update

from monitor.errors import LeaseLost, SchemaMismatch
from monitor.store import claims, feeds, meta, shards, tables
from monitor.values import Shard

NOW = datetime.now(UTC)  # leases on Postgres are measured by its clock
LEASE = timedelta(seconds=90)
ONE = Shard(1)


def seeded(engine: Engine, *hosts: str) -> None:
    """Feeds of these hosts, all in one shard."""
    seeds = [feeds.Seed(f"http://{host}/{n}", host) for n, host in enumerate(hosts)]
    with engine.begin() as connection:
        shards.prepare(connection)
        feeds.sync(connection, seeds, NOW)
        connection.execute(update(tables.feed).values(shard=ONE))


def opened(engine: Engine) -> int:
    with engine.begin() as connection:
        return shards.open_run(connection, ONE)


def claimed(engine: Engine, run: int, limit: int = 200, **more: object) -> tuple[feeds.FeedRow, ...]:
    with engine.begin() as connection:
        found = shards.claim(connection, ONE, run, NOW, lease=LEASE, limit=limit, **more)  # type: ignore[arg-type]
        return claims.claimed_rows(found, NOW + LEASE)


@pytest.mark.parametrize(
    ("host", "shard"), [("news.example", 191), ("vreme.example", 190), ("127.0.0.1", 436), ("xn--d1acufc.example", 410)]
)
def test_a_host_lives_in_the_same_shard_for_ever(host: str, shard: int) -> None:
    assert shards.shard_of(host) == shard


def test_a_feed_is_stored_with_the_shard_of_its_host(engine: Engine) -> None:
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed("http://news.example/a", "news.example")], NOW)
        row = connection.execute(text("select shard from feed")).scalar_one()
    assert row == shards.shard_of("news.example")


def test_a_new_run_takes_over_at_once_and_the_old_one_writes_and_claims_nothing(engine: Engine) -> None:
    seeded(engine, *(f"h{n}.example" for n in range(8)))
    old = opened(engine)
    late = claimed(engine, old, limit=4)
    new = opened(engine)
    assert len(claimed(engine, new)) == 8
    assert claimed(engine, old) == ()
    assert late[0].claim is not None
    with pytest.raises(LeaseLost), engine.begin() as connection:
        claims.fence(connection, late[0].claim)


def test_what_was_claimed_by_itself_is_left_alone_by_a_run_until_its_lease_ends(engine: Engine) -> None:
    seeded(engine, "a.example", "b.example")
    with engine.begin() as connection:
        claims.claim(connection, datetime.now(UTC), lease=LEASE, limit=1)  # NOW may be minutes ago
    assert len(claimed(engine, opened(engine))) == 1


def test_six_workers_that_claim_one_shard_at_once_get_every_feed_exactly_once(engine: Engine) -> None:
    seeded(engine, *(f"h{n}.example" for n in range(120)))
    run = opened(engine)

    def all_i_can_get(_: int) -> list[int]:
        taken: list[int] = []
        while rows := claimed(engine, run, limit=15):
            taken += [row.id for row in rows]
        return taken

    with ThreadPoolExecutor(6) as pool:
        parts = list(pool.map(all_i_can_get, range(6)))
    counted = Counter(feed for part in parts for feed in part)
    with engine.begin() as connection:
        tokens = connection.execute(text("select distinct lease_token from feed")).scalars().all()
    assert (len(counted), set(counted.values()), list(tokens)) == (120, {1}, [1])


def test_a_host_gives_nine_feeds_to_a_claim_and_none_while_it_is_busy(engine: Engine) -> None:
    seeded(engine, *["big.example"] * 30, "small.example")
    run = opened(engine)
    first = claimed(engine, run, limit=40)
    assert Counter(row.host for row in first) == {"big.example": 9, "small.example": 1}
    assert claimed(engine, run, busy=("big.example",)) == ()


def test_only_shards_with_something_to_poll_are_due(engine: Engine) -> None:
    seeded(engine, "a.example")
    with engine.begin() as connection:
        assert shards.due(connection, NOW) == (ONE,)
        assert shards.due(connection, NOW - timedelta(minutes=1)) == ()
    claimed(engine, opened(engine))
    with engine.begin() as connection:
        assert shards.due(connection, NOW) == ()


def test_a_database_whose_hosts_are_divided_otherwise_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        shards.prepare(connection)
        meta.put(connection, "shards", "256")
    with pytest.raises(SchemaMismatch, match="256 shards"), engine.begin() as connection:
        shards.prepare(connection)


@pytest.mark.postgres
def test_a_prepared_claim_of_many_feeds_goes_by_the_index(postgres_url: str) -> None:
    from monitor.store import engine as engines

    engine = engines.open_engine(postgres_url)
    try:
        with engine.begin() as connection:
            shards.prepare(connection)
            connection.execute(
                text(
                    "insert into feed (url, host, shard, next_at, next_reason, schedule) select 'http://x/' || n, "
                    "'h' || n / 3, n % 512, now() + (n - 1000) * interval '1 s', 'adaptive', '{}' "
                    "from generate_series(1, 40000) n"
                )
            )
            connection.execute(text("analyze feed"))
        with engine.connect() as connection:
            statement = (
                "prepare due (int, timestamptz) as select id from feed where shard = $1 and "
                "state in ('active', 'gone') and next_at <= $2 order by next_at limit 400"
            )
            connection.execute(text(statement))
            connection.execute(text("set plan_cache_mode = force_generic_plan"))
            plan = "\n".join(connection.execute(text("explain execute due (1, now())")).scalars())
        assert "ix_feed_shard_next_at" in plan, plan
    finally:
        engine.dispose()
