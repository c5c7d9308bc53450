"""Many results by one statement do what each would have done by itself, and nothing for a claim that is old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from monitor.store import claims, feeds, results
from monitor.values import Claim, Validators

NOW = datetime(2025, 6, 5, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=15)


def taken(engine: Engine, count: int) -> list[Claim]:
    urls = [f"http://h{n}.example/rss" for n in range(count)]
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed(url, url.split("/")[2]) for url in urls], NOW)
        taken = claims.claim(connection, NOW, lease=timedelta(seconds=90))
    return [row.claim for row in taken if row.claim is not None]


def result(**more: object) -> results.Settlement:
    values: dict[str, object] = {"schedule": {"interval": 900.5, "note": "ž"}, "at": NOW, "ok": True, "state": "active"}
    return results.Settlement(LATER, "adaptive", **(values | more))  # type: ignore[arg-type]


def test_results_written_together_are_those_written_one_by_one(engine: Engine) -> None:
    together, alone = taken(engine, 2)
    found = result(validators=Validators(b'W/"caf\xe9"', None))
    with engine.begin() as connection:
        assert results.settle_plain(connection, [(together, found)]) == {together.feed}
        results.settle(connection, alone, found)
        one, other = feeds.by_id(connection, together.feed), feeds.by_id(connection, alone.feed)
    assert one is not None
    assert other is not None
    assert (one.validators, one.next_at, one.schedule, one.last_ok_at, one.state) == (
        other.validators,
        other.next_at,
        other.schedule,
        other.last_ok_at,
        other.state,
    )
    assert (one.validators.etag, one.schedule["note"]) == (b'W/"caf\xe9"', "ž")


def test_a_claim_that_is_old_is_left_out_and_the_others_are_written(engine: Engine) -> None:
    mine, old = taken(engine, 2)
    with engine.begin() as connection:
        done = results.settle_plain(
            connection, [(Claim(old.feed, old.token - 1, old.until), result()), (mine, result())]
        )
        rows = {row.id: row.next_at for row in feeds.all_rows(connection)}
    assert done == {mine.feed}
    assert rows == {mine.feed: LATER, old.feed: NOW}


def test_a_feed_that_was_paused_meanwhile_stays_so_and_validators_that_are_not_given_stay(engine: Engine) -> None:
    (held,) = taken(engine, 1)
    with engine.begin() as connection:
        results.settle(connection, held, result(validators=Validators(b'"a"')))
        feeds.pause(connection, held.feed)
        results.settle_plain(connection, [(held, result())])
        row = feeds.by_id(connection, held.feed)
    assert row is not None
    assert (row.state, row.validators.etag) == ("paused", b'"a"')


def test_nothing_to_write_is_nothing_written(engine: Engine) -> None:
    with engine.begin() as connection:
        assert results.settle_plain(connection, []) == frozenset()
