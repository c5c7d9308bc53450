"""What a worker keeps in memory hardly grows with the feeds in the database; `bench.worker_memory` plays a million."""

from __future__ import annotations

import argparse

import pytest

from bench import worker_memory
from bench.cluster_run import Farm, database
from tests import postgres

pytestmark = [pytest.mark.postgres, pytest.mark.long]
MIB = {"worker": 30, "leader": 60}


async def test_a_worker_beside_a_hundred_times_as_many_feeds_takes_hardly_more(
    postgres_server: postgres.Server,
) -> None:
    """Nor does the leader, which counts those that are not seen: here nearly all of them."""
    farm, worker, leader = Farm(), {}, {}
    try:
        for feeds in (1_000, 100_000):
            asked = argparse.Namespace(feeds=feeds, hosts=feeds // 3, due=50, configured=200)
            found = await worker_memory.measure(database(postgres_server, f"memory{feeds}"), farm, asked)
            assert (found["polled"], found["failed"]) == (50, 0)
            worker[feeds], _ = found["mib_of_process_and_tree"]["most"]
            leader[feeds], _ = found["mib_of_the_leader"]
    finally:
        farm.close()
    assert worker[100_000] - worker[1_000] < MIB["worker"], worker
    assert leader[100_000] - leader[1_000] < MIB["leader"], leader
