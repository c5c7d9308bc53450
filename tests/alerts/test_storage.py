"""Databases that are locked, full, gone or broken: nothing is lost, nothing is sent that cannot be recorded."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alerts import tables
from alerts.channels import base, exchange
from alerts.errors import Ambiguous
from alerts.values import Delivery, DeliveryKind, Digest, Draft, Kind, Receipt
from monitor import status
from monitor.errors import StoreError
from monitor.store import engine as engines
from tests.alerts.house import House, at, event
from tests.alerts.test_faults import db

__all__ = ["db"]


class Locking:
    """A channel during whose call somebody else takes the database's write lock."""

    name = "desk"
    manners = base.Manners(timedelta(seconds=20), at_once=1)

    def __init__(self, path: str) -> None:
        self.other = sqlite3.connect(path, isolation_level=None)
        self.taken: list[str] = []

    def render(self, digest: Digest, *, first: bool) -> Draft:
        return Draft(DeliveryKind.FLAT, digest.subject.encode())

    def refresh(self, digest: Digest) -> Draft | None:
        return None

    async def send(self, delivery: Delivery, at: datetime) -> Receipt:
        if not self.taken:
            self.other.execute("begin immediate")
        self.taken.append(delivery.delivery_id)
        return Receipt("ok")

    async def find(self, delivery: Delivery, at: datetime) -> Receipt | None:
        return None


def impatient(engine: sa.Engine) -> None:
    """Wait for locks a moment instead of ten seconds."""

    @sa.event.listens_for(engine, "checkout")
    def _(connection: Any, *_: Any) -> None:
        connection.execute("pragma busy_timeout = 20")


async def test_a_send_that_ended_while_the_database_was_locked_is_recorded_afterwards(
    db: sa.Engine, tmp_path: Path
) -> None:
    impatient(db)
    made = House(db, {"channels": {"desk": {"type": "folder", "path": str(tmp_path)}}}, now=at("10:00"))
    channel = Locking(str(db.url.database))
    made.courier._channels = made.desk._channels = made.desk._press._channels = {"desk": channel}  # type: ignore[dict-item]
    made.put(event(Kind.NEW_STORY, at("10:00"), story="st_a"), event(Kind.NEW_STORY, at("10:00"), story="st_b"))
    made.now = at("10:02")
    await made.step()
    assert len(channel.taken) == 1
    with db.connect().execution_options(reads=True) as connection:
        states = connection.execute(sa.select(tables.outbox.c.state).order_by(tables.outbox.c.state)).scalars().all()
    assert states == ["ready", "sending"]
    with pytest.raises(sa.exc.OperationalError):  # it is still locked: nothing can be recorded, so nothing is sent
        await made.courier.send_due(at("10:02:20"))
    assert len(channel.taken) == 1
    channel.other.close()
    await made.courier.send_due(at("10:02:30"))
    assert len(channel.taken) == len(set(channel.taken)) == 2
    assert [row.tries for row in made.sent()] == [0, 0]


async def until_full(made: House) -> None:
    """Use up what is free inside the file."""
    for n in range(100):
        made.put(event(Kind.NEW_OUTLET, at("10:01"), f"p{n}.example", mention={"lead": "x" * 20_000}))
        await made.step()


async def test_a_full_disk_commits_nothing_by_halves_and_sends_nothing_unrecorded(
    db: sa.Engine, tmp_path: Path
) -> None:
    made = House(db, {"channels": {"desk": {"type": "folder", "path": str(tmp_path / "out")}}}, now=at("10:00"))
    made.put(event(Kind.NEW_STORY, at("10:00")))
    pages = {"most": 1}  # SQLite takes the smallest number that holds what is there: no page more

    @sa.event.listens_for(db, "checkout")
    def _(connection: Any, *_: Any) -> None:
        connection.execute(f"pragma max_page_count = {pages['most']}")

    large = event(Kind.NEW_STORY, at("10:01"), story="st_large", mention={"lead": "long " * 100_000})
    with pytest.raises(sa.exc.OperationalError, match="full"):
        made.put(event(Kind.NEW_STORY, at("10:01"), story="st_small"), large)
    with db.connect().execution_options(reads=True) as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.event)).scalar_one() == 1
        assert connection.exec_driver_sql("pragma integrity_check").scalar_one() == "ok"
    made.now = at("10:10")
    with pytest.raises(sa.exc.OperationalError, match="full"):
        await until_full(made)
    told = len(list((tmp_path / "out").glob("*.json"))) if (tmp_path / "out").is_dir() else 0
    assert told == len(made.sent())
    pages["most"] = 1_073_741_823
    made.put(large)
    await made.until(at("12:00"))
    assert {row.state for row in made.rows()} == {"sent"}
    assert len(list((tmp_path / "out").glob("*.json"))) == len(made.sent())


def test_what_is_committed_is_on_disk_before_anything_is_sent(db: sa.Engine) -> None:
    with db.begin() as connection:
        assert connection.exec_driver_sql("pragma journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("pragma synchronous").scalar_one() == 2


def broken(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4000)


def foreign(path: Path) -> None:
    path.write_text("no database at all, but a text that somebody put here" * 50)


def folder(path: Path) -> None:
    path.mkdir()


UNUSABLE = {
    "a broken file": (broken, "file is not a database; put a backup in its place"),
    "another file": (foreign, "file is not a database; put a backup in its place"),
    "a folder": (folder, "cannot be reached"),
}


@pytest.mark.parametrize(("spoil", "says"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_database_that_cannot_be_used_is_refused_and_left_as_it_is(spoil: Any, says: str, tmp_path: Path) -> None:
    path = tmp_path / "storywatch.db"
    spoil(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(StoreError, match=says):
        engines.check_reachable(engines.open_engine(f"sqlite:///{path}"))
    assert (path.read_bytes() if path.is_file() else b"") == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_database_that_is_only_readable_is_refused(sqlite_url: str) -> None:
    path = Path(str(engines.make_url(sqlite_url).database))
    path.chmod(0o400)
    with pytest.raises(StoreError, match="read-only"):
        engines.open_engine(sqlite_url)


def test_an_event_that_no_route_takes_is_stored_and_shown_by_status(engine: sa.Engine, tmp_path: Path) -> None:
    raw = {
        "channels": {"desk": {"type": "folder", "path": str(tmp_path)}},
        "routes": {"routes": [{"watch": "mines", "to": ["desk"]}], "kind": "response", "to": ["desk"]},
    }
    made = House(engine, raw, now=at("10:00"))
    made.put(event(Kind.NEW_STORY, at("10:00")))
    with engines.reading(engine) as connection:
        standing = status.read(connection, at("10:01"))
    assert standing.events == {"new_story": 1, "unrouted": 1}
    assert "1 unrouted" in standing.as_text()


@asynccontextmanager
async def dripping(every_s: float) -> AsyncIterator[str]:
    """A receiver that takes the request and answers one byte at a time, without an end."""

    calls: set[asyncio.Task[Any]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        assert call is not None
        calls.add(call)
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
            while not writer.is_closing():
                writer.write(b".")
                await writer.drain()
                await asyncio.sleep(every_s)
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_a_receiver_that_drips_its_answer_ends_at_the_total_and_is_in_doubt() -> None:
    async with dripping(0.02) as url:
        began = asyncio.get_running_loop().time()
        with pytest.raises(Ambiguous) as caught:
            # One byte every 20 ms: every single read is in time, the whole is not.
            await exchange.call("hook", exchange.Request("POST", url, {}, b"{}"), timedelta(seconds=0.3))
        assert caught.value.reason == "timeout"
        assert asyncio.get_running_loop().time() - began >= 0.3
