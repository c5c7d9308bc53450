"""Feeds in both databases: claims are exclusive, tokens fence late workers, results are kept whole."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from monitor.errors import LeaseLost
from monitor.store import claims, feeds, hosts, results
from monitor.store import engine as engines
from monitor.values import Validators

NOW = datetime(2025, 6, 5, 8, 0, tzinfo=UTC)
LEASE = timedelta(seconds=90)


def seeded(engine: Engine, *urls: str) -> None:
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed(url, url.split("/")[2]) for url in urls], NOW)


def claimed(engine: Engine, at: datetime = NOW, **more: object) -> tuple[feeds.FeedRow, ...]:
    with engine.begin() as connection:
        return claims.claim(connection, at, lease=LEASE, **more)  # type: ignore[arg-type]


def settled(at: datetime = NOW, **more: object) -> results.Settlement:
    values: dict[str, object] = {
        "next_at": at + timedelta(minutes=15),
        "next_reason": "adaptive",
        "schedule": {},
        "at": at,
        "ok": True,
    }
    return results.Settlement(**(values | more))  # type: ignore[arg-type]


def test_a_claimed_feed_is_not_claimed_again_until_its_lease_ends(engine: Engine) -> None:
    seeded(engine, "http://a.example/rss")
    assert len(claimed(engine)) == 1
    assert claimed(engine) == ()
    assert len(claimed(engine, NOW + LEASE + timedelta(seconds=1))) == 1


def test_four_claimers_at_once_get_every_feed_exactly_once(engine: Engine) -> None:
    urls = [f"http://h{n}.example/rss" for n in range(60)]
    seeded(engine, *urls)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda _: claimed(engine, limit=20), range(4)))
    taken = [row.url for part in parts for row in part]
    assert len(taken) == len(set(taken))
    rest = claimed(engine)
    assert sorted(taken + [row.url for row in rest]) == sorted(urls)


def test_a_host_gives_at_most_nine_feeds_to_one_claim_and_others_are_not_starved(engine: Engine) -> None:
    seeded(engine, *(f"http://big.example/{n}" for n in range(40)), "http://small.example/rss")
    first = claimed(engine, limit=20)
    assert [row.host for row in first].count("big.example") == 9
    assert "small.example" in {row.host for row in first}


def test_a_host_with_more_due_feeds_than_a_claim_looks_at_keeps_others_waiting_for_one_claim_only(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "CANDIDATES", 30)
    seeded(engine, *(f"http://big.example/{n}" for n in range(40)), "http://small.example/rss")
    assert {row.host for row in claimed(engine, limit=10)} == {"big.example"}
    assert [row.host for row in claimed(engine, limit=10, busy=("big.example",))] == ["small.example"]


def test_busy_hosts_are_left_out(engine: Engine) -> None:
    seeded(engine, "http://a.example/rss", "http://b.example/rss")
    assert [row.host for row in claimed(engine, busy=("a.example",))] == ["b.example"]


def test_a_late_worker_changes_nothing(engine: Engine) -> None:
    seeded(engine, "http://a.example/rss")
    (late,) = claimed(engine)
    (current,) = claimed(engine, NOW + timedelta(minutes=2))
    assert late.claim is not None
    assert current.claim is not None
    with pytest.raises(LeaseLost), engine.begin() as connection:
        results.settle(connection, late.claim, settled(validators=Validators(b"old")))
    with engine.begin() as connection:
        results.settle(connection, current.claim, settled(validators=Validators(b"new")))
    with engine.connect() as connection:
        assert feeds.all_rows(connection)[0].validators.etag == b"new"


def test_validators_come_back_byte_for_byte(engine: Engine) -> None:
    seeded(engine, "http://a.example/rss")
    (row,) = claimed(engine)
    assert row.claim is not None
    odd = Validators(b'W/"caf\xe9"', b"")
    with engine.begin() as connection:
        results.settle(connection, row.claim, settled(validators=odd, document=results.Recorded(1, b"\0" * 32)))
    with engine.connect() as connection:
        stored = feeds.all_rows(connection)[0]
    assert stored.validators == odd
    assert stored.body_sha256 == b"\0" * 32


def test_failures_keep_the_first_time_and_a_success_clears_them(engine: Engine) -> None:
    seeded(engine, "http://a.example/rss")
    for minutes in (0, 60):
        at = NOW + timedelta(minutes=minutes)
        (row,) = claimed(engine, at)
        assert row.claim is not None
        with engine.begin() as connection:
            failed = settled(at, ok=False, fail_reason="dns_unknown", fail_message="no such name", next_at=at)
            results.settle(connection, row.claim, failed)
    with engine.connect() as connection:
        broken = feeds.all_rows(connection)[0]
    assert (broken.first_fail_at, broken.fail_reason) == (NOW, "dns_unknown")
    (row,) = claimed(engine, NOW + timedelta(hours=2))
    assert row.claim is not None
    with engine.begin() as connection:
        results.settle(connection, row.claim, settled(NOW + timedelta(hours=2)))
    with engine.connect() as connection:
        well = feeds.all_rows(connection)[0]
    assert (well.first_fail_at, well.fail_reason) == (None, None)


def test_a_feed_that_leaves_the_configuration_is_paused_and_comes_back(engine: Engine) -> None:
    seeded(engine, "http://a.example/rss", "http://b.example/rss")
    seeded(engine, "http://b.example/rss")
    assert [row.url for row in claimed(engine)] == ["http://b.example/rss"]
    seeded(engine, "http://a.example/rss", "http://b.example/rss")
    assert [row.url for row in claimed(engine)] == ["http://a.example/rss"]


def test_a_host_hold_is_kept(engine: Engine) -> None:
    held = hosts.HostRow("host", "a.example", NOW, "rate_limited", NOW, ever_429=True)
    for _ in range(2):
        with engine.begin() as connection:
            hosts.remember(connection, held)
    with engine.connect() as connection:
        assert hosts.read(connection) == (held,)


def test_a_learnt_move_is_kept_with_its_history(engine: Engine) -> None:
    seeded(engine, "http://a.example/rss")
    (row,) = claimed(engine)
    assert row.claim is not None
    with engine.begin() as connection:
        results.settle(connection, row.claim, settled(moved_to="https://a.example/rss", moved_why="https"))
    with engine.connect() as connection:
        stored = feeds.all_rows(connection)[0]
    assert (stored.url, stored.moved_to) == ("http://a.example/rss", "https://a.example/rss")


def test_two_processes_that_start_at_once_make_each_feed_once(engine: Engine) -> None:
    urls = [f"http://h{n}.example/rss" for n in range(50)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: seeded(engine, *urls), range(4)))
    with engine.connect() as connection:
        assert sorted(row.url for row in feeds.all_rows(connection)) == sorted(urls)


def test_asking_whether_a_database_answers_waits_for_no_writer(engine: Engine) -> None:
    with engine.begin() as writing:
        claims.void_claims(writing)
        began = time.monotonic()
        engines.check_reachable(engine)
    assert time.monotonic() - began < 5
