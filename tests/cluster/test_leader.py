"""Who leads: at once after a leader's death, soon after it froze, and never two that write."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from monitor import status
from monitor.engines.leader import VACANT_FOR, Elected
from monitor.errors import LeaseLost
from monitor.store import engine as engines
from tests.cluster.house import Database, until

pytestmark = pytest.mark.postgres
TTL = timedelta(seconds=3)


@asynccontextmanager
async def striving(
    database: Database, *, candidate: bool = True, vacant_for: timedelta = VACANT_FOR
) -> AsyncIterator[Elected]:
    one = Elected(engines.open_engine(database.url, pool=1), candidate=candidate, ttl=TTL, vacant_for=vacant_for)
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


@asynccontextmanager
async def process(database: Database) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that strives for the lead and has it."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.cluster.candidate", database.url, "3", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert await told(child) == {"leads": True}
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def told(child: asyncio.subprocess.Process) -> dict[str, bool]:
    """The next thing it says; what it logs is left out."""
    assert child.stdout is not None
    while not (line := await asyncio.wait_for(child.stdout.readline(), 120)).startswith(b"{"):
        assert line, "it ended"
    found: dict[str, bool] = json.loads(line)
    return found


async def test_the_first_leads_at_once_and_a_second_waits(database: Database) -> None:
    async with striving(database) as first:
        async with striving(database) as second:
            assert (first.is_leader, second.is_leader) == (True, False)
        assert first.is_leader
    async with striving(database) as third:
        assert (third.is_leader, database.one("select token from lease")) == (True, 2)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "asked to end"])
async def test_a_leader_that_ends_is_followed_by_one_that_has_the_lock(
    database: Database, number: signal.Signals
) -> None:
    async with process(database) as leader, striving(database) as next_one:
        assert not next_one.is_leader
        leader.send_signal(number)
        await until(lambda: next_one.is_leader)
        assert database.one("select locked from lease") is True


async def test_a_frozen_leader_is_unseated_when_its_lease_ends_and_knows_it_when_it_wakes(database: Database) -> None:
    async with process(database) as leader, striving(database) as next_one:
        leader.send_signal(signal.SIGSTOP)
        await until(lambda: next_one.is_leader)
        token = database.one("select token from lease")
        leader.send_signal(signal.SIGCONT)
        assert await told(leader) == {"leads": False}
        await until(lambda: database.one("select locked from lease"))  # the lock has gone to the one that leads
        assert next_one.is_leader
        assert database.one("select token from lease") == token


async def test_a_leader_whose_lease_was_given_to_another_writes_nothing_more(database: Database) -> None:
    async with striving(database) as one:
        database.run("update lease set owner = 'somebody', token = token + 1, until = now() + interval '5 min'")
        with pytest.raises(LeaseLost), database.engine.begin() as connection:
            one.check(connection)
        await until(lambda: not one.is_leader)


async def test_one_that_may_not_lead_never_does(database: Database) -> None:
    async with striving(database, candidate=False) as worker:
        assert not worker.is_leader
        assert database.all("select * from lease") == []


async def test_one_that_only_works_says_when_nobody_leads_and_when_somebody_does_again(database: Database) -> None:
    def told(logged: list[Any]) -> list[str]:
        return [line["event"] for line in logged if line["event"] in ("no_leader", "led_again")]

    with capture_logs() as logged:
        async with striving(database, candidate=False, vacant_for=timedelta(seconds=0.1)) as worker:
            await until(lambda: told(logged) == ["no_leader"])
            assert worker.is_missing
            async with striving(database):
                await until(lambda: told(logged) == ["no_leader", "led_again"])
                assert not worker.is_missing


STANDING = {
    "nobody ever led": (None, "green", False),
    "one leads": ("5 seconds", "green", False),
    "one has just stopped": ("-20 seconds", "green", False),
    "nobody has led for a while": ("-90 seconds", "amber", True),
}


@pytest.mark.parametrize(("until_when", "colour", "said"), STANDING.values(), ids=STANDING)
def test_status_says_when_nobody_leads(database: Database, until_when: str | None, colour: str, said: bool) -> None:
    if until_when is not None:
        database.run(
            "insert into lease (name, owner, until, token, locked)"
            f" values ('leader', 'somebody', now() + interval '{until_when}', 1, true)"
        )
    with engines.reading(database.engine) as connection:
        standing = status.read(connection, datetime.now(UTC))
    assert (standing.colour, "nobody has led since" in standing.as_text()) == (colour, said)
    assert (standing.as_dict()["unled_since"] is not None) is said
