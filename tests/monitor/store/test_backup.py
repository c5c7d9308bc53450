"""Backups of a SQLite database: one whole state of it while others write, or no file at all."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.errors import StoreError
from monitor.store import backup, migrate
from monitor.store import engine as engines

NOW = datetime(2026, 11, 22, 8, 35, tzinfo=UTC)


@pytest.fixture
def source(sqlite_url: str) -> Path:
    return backup.database_file(sqlite_url)


@pytest.fixture
def writer(source: Path) -> Iterator[sqlite3.Connection]:
    """Somebody who has the database open, with rows that stand only in the write-ahead log."""
    connection = sqlite3.connect(source, isolation_level=None, check_same_thread=False)
    connection.execute("pragma wal_autocheckpoint=0")
    connection.execute("create table pair (n integer, twin integer)")
    connection.executemany("insert into pair values (?, ?)", [(n, n) for n in range(1000)])
    yield connection
    connection.close()


@pytest.mark.parametrize("compact", [False, True], ids=["page by page", "without free pages"])
def test_a_backup_is_one_state_of_a_database_that_is_being_written_to(
    source: Path, writer: sqlite3.Connection, tmp_path: Path, compact: bool
) -> None:
    stop = threading.Event()

    def write() -> None:
        n = 1000
        while not stop.is_set():
            writer.execute("begin immediate")
            writer.execute("insert into pair values (?, null)", (n,))
            writer.execute("update pair set twin = n where twin is null")
            writer.execute("commit")
            n += 1

    writing = threading.Thread(target=write)
    writing.start()
    try:
        made = backup.make(source, tmp_path / "copy.db", replace=False, compact=compact)
    finally:
        stop.set()
        writing.join()
    with sqlite3.connect(made.path) as copy:
        rows, pairs = copy.execute("select count(*), count(twin) from pair").fetchone()
    assert rows == pairs >= 1000
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.glob("copy.db*")) == ["copy.db"]
    assert migrate.current(engines.open_engine(f"sqlite:///{made.path}")) == migrate.HEAD


def test_a_backup_tells_how_far_it_is(source: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    backup.make(source, tmp_path / "copy.db", replace=False, tell=lambda done, of: told.append((done, of)))
    assert told
    assert told[-1][0] == told[-1][1] > 0


REFUSED = {
    "a file that is there": ("there.db", "is there already.*--replace"),
    "the database itself": ("storywatch.db", "is the database itself"),
    "a folder that is not there": ("nowhere/copy.db", "no such folder"),
}


@pytest.mark.parametrize(("name", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_leaves_everything_as_it_was(source: Path, tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "there.db").write_bytes(b"old")
    before = {path: path.read_bytes() for path in tmp_path.glob("*.db")}
    with pytest.raises(StoreError, match=says):
        backup.make(source, tmp_path / name, replace=False)
    assert {path: path.read_bytes() for path in tmp_path.glob("*.db")} == before


def test_a_damaged_database_makes_no_backup_and_the_last_one_stays(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    backup.make(source, target, replace=False)
    whole = target.read_bytes()
    with source.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 4)
    with pytest.raises(StoreError, match=r"damaged|malformed"):
        backup.make(source, target, replace=True)
    assert target.read_bytes() == whole
    assert not list(tmp_path.glob("*.part"))


TARGETS = {
    "nothing: beside the database, with the time": (None, "storywatch-20261122-083500.db"),
    "a folder: in it, with the time": (Path(), "storywatch-20261122-083500.db"),
    "a file: that file": (Path("mine.db"), "mine.db"),
}


@pytest.mark.parametrize(("wish", "name"), TARGETS.values(), ids=TARGETS.keys())
def test_where_a_backup_goes(tmp_path: Path, wish: Path | None, name: str) -> None:
    wish = None if wish is None else tmp_path / wish
    assert backup.target_of(tmp_path / "storywatch.db", wish, NOW) == tmp_path / name


NO_FILE = {
    "Postgres has its own tool": (
        "postgresql+psycopg://sw:secret@db.example/news",
        "pg_dump --format=custom --file=storywatch.dump 'postgresql://sw@db.example/news'",
    ),
    "a database in memory": ("sqlite://", "names no database file"),
    "a file that is not there": ("sqlite:////nowhere/at/all.db", "no such database"),
}


@pytest.mark.parametrize(("url", "says"), NO_FILE.values(), ids=NO_FILE.keys())
def test_what_is_no_file_is_a_message_without_the_password(url: str, says: str) -> None:
    with pytest.raises(StoreError) as caught:
        backup.database_file(url)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)
