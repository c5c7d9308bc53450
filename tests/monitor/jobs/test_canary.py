"""The canary goes the whole way, is seen by nobody but its channel, and is missed when it does not come out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from alerts import tables as alert_tables
from monitor import canary, daemon, metrics, status
from monitor.canary import Flights, Standing
from monitor.config import api
from monitor.store import engine as engines
from monitor.views import listing

EVENT = alert_tables.event.c
NOW = datetime(2025, 6, 5, 12, tzinfo=UTC)
CONFIG = """\
version: 1
contact: https://newsroom.example/storywatch
watches:
  - {{name: everything, query: "storywatchcanary OR canary OR flights"}}
canary: {{every: 6h{channel}}}
channels:
  desk: {{type: folder, path: '{folder}/desk'}}
  bird: {{type: folder, path: '{folder}/bird'}}
routes: {{to: desk}}
"""


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def passes(self, **more: float) -> None:
        self.at += timedelta(**more)


@asynccontextmanager
async def house(folder: Path, url: str, clock: Clock, channel: str = "") -> AsyncIterator[daemon.Running]:
    config = api.parse_text(CONFIG.format(folder=folder, channel=channel), {})
    config = replace(config, parse=replace(config.parse, workers=0))
    async with daemon.assembled(config, {}, url=url, now=clock, who="test", text="", seed=1) as running:
        await running.keeper.work(config)
        yield running


def seconds(flights: Flights) -> int | None:
    """What the last one took, without what this machine took."""
    return int(flights.took.total_seconds()) if flights.took is not None else None


async def test_a_canary_comes_out_where_it_should_and_its_story_is_on_no_list(tmp_path: Path, storage_url: str) -> None:
    clock = Clock()
    async with house(tmp_path, storage_url, clock, ", channel: bird") as running:
        clock.passes(seconds=20)
        await running.teller.work(clock.at)
        landed = await running.keeper.work(running.config)
        assert (landed.standing, seconds(landed)) == (Standing.OUT, 20)
        assert int(metrics.canary_seconds._value.get()) == 20
        with engines.reading(running.engine) as connection:
            assert listing.page(connection, listing.Wanted()).cards == ()
            watches = set(connection.execute(select(EVENT.watch)).scalars())
    assert watches == {canary.NAME}
    (message,) = (tmp_path / "bird").glob("*.txt")
    assert "storywatchcanary" in message.read_text(encoding="utf-8")
    assert not (tmp_path / "desk").exists() or not list((tmp_path / "desk").iterdir())


async def test_the_next_one_is_let_go_when_its_hour_has_come_and_is_a_story_of_its_own(
    tmp_path: Path, sqlite_url: str
) -> None:
    clock = Clock()
    async with house(tmp_path, sqlite_url, clock) as running:
        for _ in range(3):
            await running.teller.work(clock.at)
            assert (await running.keeper.work(running.config)).standing is Standing.OUT
            clock.passes(hours=5, minutes=59)
            assert (await running.keeper.work(running.config)).standing is Standing.OUT
            clock.passes(minutes=1)
            assert (await running.keeper.work(running.config)).standing is Standing.FLYING
        with engines.reading(running.engine) as connection:
            events = connection.execute(select(EVENT.kind, EVENT.group_key).where(EVENT.state == "open")).all()
    assert {event.kind for event in events} == {"new_story"}
    assert len({event.group_key for event in events}) == 4


async def test_a_canary_that_is_not_out_in_time_is_told_and_colours_the_whole(tmp_path: Path, sqlite_url: str) -> None:
    clock = Clock()
    async with house(tmp_path, sqlite_url, clock) as running:
        clock.passes(minutes=14)
        assert (await running.keeper.work(running.config)).standing is Standing.FLYING
        clock.passes(minutes=1)
        assert (await running.keeper.work(running.config)).standing is Standing.LATE
        assert metrics.canary_ok._value.get() == 0
        with engines.reading(running.engine) as connection:
            standing = status.read(connection, clock.at)
            kinds = connection.execute(select(EVENT.kind).where(EVENT.state == "open")).scalars().all()
        assert (standing.colour, standing.as_dict()["canary"]) == ("amber", "late")
        assert "canary     has not come out" in standing.as_text()
        assert sorted(kinds) == ["canary_late", "new_story"]
        clock.passes(minutes=15)
        assert (await running.keeper.work(running.config)).standing is Standing.FLYING
        await running.teller.work(clock.at)
        assert (await running.keeper.work(running.config)).standing is Standing.OUT
    assert metrics.canary_ok._value.get() == 1


async def test_a_restart_waits_for_the_canary_that_is_on_its_way(tmp_path: Path, sqlite_url: str) -> None:
    clock = Clock()
    async with house(tmp_path, sqlite_url, clock):
        clock.passes(seconds=30)
    async with house(tmp_path, sqlite_url, clock) as running:
        await running.teller.work(clock.at)
        assert seconds(await running.keeper.work(running.config)) == 30


def test_canaries_share_no_word_but_one() -> None:
    words = [set(canary._words(n, "text", 40).split()) | set(canary._words(n, "title", 5).split()) for n in range(30)]
    assert all(len(one) == 45 for one in words)
    assert not any(a & b for i, a in enumerate(words) for b in words[:i])


@pytest.mark.parametrize(
    ("flights", "due"),
    [
        pytest.param(Flights(), True, id="the first is due at once"),
        pytest.param(Flights((NOW,), 1, Standing.FLYING), False, id="never two at once"),
        pytest.param(Flights((NOW - timedelta(hours=6),), 1, Standing.OUT), True, id="after its time"),
        pytest.param(Flights((NOW - timedelta(hours=5),), 1, Standing.OUT), False, id="not before"),
        pytest.param(Flights((NOW - timedelta(minutes=31),), 1, Standing.LATE), True, id="sooner after a late one"),
    ],
)
def test_when_the_next_one_is_due(flights: Flights, due: bool) -> None:
    assert flights.is_due(timedelta(hours=6), NOW) is due
    assert canary.load(flights.dump()) == flights
