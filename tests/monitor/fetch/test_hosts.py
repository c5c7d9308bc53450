"""The gate of a host: two at once, five seconds apart, first come first served, and no way past a hold."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import tracemalloc
from datetime import UTC, datetime, timedelta

from monitor.fetch.hosts import HostGate
from monitor.schedule.state import Hold

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MOST_BYTES = 500
"""Of a host in the gate: hosts are thousands, and nearly all of them rest."""


class World:
    """A driven clock: sleepers wake in order as soon as nothing else can happen."""

    def __init__(self) -> None:
        self.time = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = itertools.count()

    def clock(self) -> float:
        return self.time

    def now(self) -> datetime:
        return START + timedelta(seconds=self.time)

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.time + seconds, next(self._count), future))
        await future

    async def run(self, *jobs: asyncio.Task[None]) -> None:
        while not all(job.done() for job in jobs):
            for _ in range(20):
                await asyncio.sleep(0)
            if self._sleepers and not all(job.done() for job in jobs):
                self.time, _, future = heapq.heappop(self._sleepers)
                if not future.cancelled():
                    future.set_result(None)
        await asyncio.gather(*jobs)


def gate(world: World, spacing: float = 5.0) -> HostGate:
    return HostGate(
        spacing=lambda _: spacing,
        domain_of=lambda host: host.split(".", 1)[1],
        clock=world.clock,
        sleep=world.sleep,
    )


class Visits:
    """Requests that take some time, and what was seen of them."""

    def __init__(self, world: World, through: HostGate) -> None:
        self.world = world
        self.gate = through
        self.starts: list[tuple[str, int, float]] = []
        self.held: list[tuple[str, str]] = []
        self.running: dict[str, int] = {}
        self.most: dict[str, int] = {}

    async def visit(self, host: str, n: int, takes: float) -> None:
        async with self.gate.turn(host, self.world.now) as held:
            if held:
                self.held.append((host, held.reason))
                return
            self.starts.append((host, n, self.world.time))
            self.running[host] = self.running.get(host, 0) + 1
            self.most[host] = max(self.most.get(host, 0), self.running[host])
            await self.world.sleep(takes)
            self.running[host] -= 1

    def of(self, host: str) -> list[tuple[int, float]]:
        return [(n, at) for name, n, at in self.starts if name == host]


async def test_500_feeds_on_3_hosts_start_in_their_order_with_spacing_and_none_starves() -> None:
    world = World()
    visits = Visits(world, gate(world))
    hosts = ("a.example", "b.example", "c.example")
    jobs = [asyncio.create_task(visits.visit(hosts[n % 3], n, takes=12.0 if n % 7 == 0 else 1.0)) for n in range(500)]
    await world.run(*jobs)
    assert len(visits.starts) == 500
    for host in hosts:
        order, times = zip(*visits.of(host), strict=True)
        assert list(order) == sorted(order)
        assert all(later - earlier >= 5.0 for earlier, later in itertools.pairwise(times))
        assert visits.most[host] <= 2


async def test_a_host_that_once_said_429_gets_one_request_at_a_time() -> None:
    world = World()
    through = gate(world, spacing=0.0)
    through.limit("a.example")
    visits = Visits(world, through)
    await world.run(*(asyncio.create_task(visits.visit("a.example", n, takes=1.0)) for n in range(5)))
    assert visits.most["a.example"] == 1


async def test_hosts_do_not_wait_for_each_other() -> None:
    world = World()
    visits = Visits(world, gate(world))
    await world.run(*(asyncio.create_task(visits.visit(f"h{n}.example", n, takes=1.0)) for n in range(20)))
    assert {at for _, _, at in visits.starts} == {0.0}


async def test_a_429_while_others_wait_holds_them_all() -> None:
    world = World()
    through = gate(world)
    visits = Visits(world, through)

    async def limited() -> None:
        async with through.turn("a.example", world.now):
            await world.sleep(1.0)
            through.hold(Hold("host", "a.example", world.now() + timedelta(seconds=120), "rate_limited"))

    first = asyncio.create_task(limited())
    await asyncio.sleep(0)
    jobs = [asyncio.create_task(visits.visit("a.example", n, takes=1.0)) for n in range(3)]
    other = asyncio.create_task(visits.visit("b.example", 0, takes=1.0))
    await world.run(first, *jobs, other)
    assert visits.held == [("a.example", "rate_limited")] * 3
    assert [host for host, _, _ in visits.starts] == ["b.example"]
    world.time = 130.0
    await world.run(asyncio.create_task(visits.visit("a.example", 9, takes=1.0)))
    assert visits.of("a.example") == [(9, 130.0)]


async def test_a_hold_on_a_domain_reaches_its_hosts_and_no_others() -> None:
    world = World()
    through = gate(world)
    through.hold(Hold("domain", "blogs.example", START + timedelta(hours=1), "rate_limited"))
    assert through.held("one.blogs.example", START)
    assert through.held("two.blogs.example", START)
    assert through.held("news.example", START) is None
    assert through.held("one.blogs.example", START + timedelta(hours=1)) is None


def test_a_shorter_hold_does_not_end_a_longer_one() -> None:
    through = gate(World())
    long, short = (Hold("host", "a.example", START + timedelta(hours=h), "rate_limited") for h in (5, 1))
    through.hold(long)
    through.hold(short)
    assert through.held("a.example", START) == long


async def test_whoever_gives_up_waiting_does_not_block_the_others() -> None:
    world = World()
    visits = Visits(world, gate(world))
    jobs = [asyncio.create_task(visits.visit("a.example", n, takes=1.0)) for n in range(4)]
    await asyncio.sleep(0)
    jobs.pop(1).cancel()
    await world.run(*jobs)
    assert [n for n, _ in visits.of("a.example")] == [0, 2, 3]


async def test_loopback_may_be_configured_without_spacing() -> None:
    world = World()
    visits = Visits(world, gate(world, spacing=0.0))
    await world.run(*(asyncio.create_task(visits.visit("a.example", n, takes=0.0)) for n in range(10)))
    assert {at for _, _, at in visits.starts} == {0.0}


async def test_a_host_that_was_asked_takes_little_room_afterwards() -> None:
    gate, hosts = HostGate(spacing=lambda _: 0.0), [f"paper-{n}.example" for n in range(500)]
    tracemalloc.start()
    try:
        for host in hosts:
            async with gate.turn(host, lambda: START):
                pass
        assert tracemalloc.get_traced_memory()[0] / len(hosts) < MOST_BYTES
    finally:
        tracemalloc.stop()
