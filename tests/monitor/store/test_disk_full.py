"""A full disk and a long reader: clear errors, nothing lost, nothing half done. Needs leave to mount a small tmpfs."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError

from monitor.errors import StoreError
from monitor.store import backup, checking, entries, feeds, fetch_log, migrate, tables
from monitor.store import engine as engines
from monitor.values import FeedId

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no leave to mount a small disk here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def opened(small: Path) -> Iterator[Engine]:
    engine = engines.open_engine(f"sqlite:///{small / 'storywatch.db'}")
    migrate.ensure(engine)
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed("https://a.example/f", "a.example")], NOW)
    yield engine
    engine.dispose()


def write(engine: Engine, numbers: Iterator[int]) -> None:
    """Two rows in each transaction, as a poll does, for ever."""
    for n in numbers:
        line = fetch_log.FetchRecord(NOW + timedelta(seconds=n), "failed", message="x" * 2000)
        with engine.begin() as connection:
            fetch_log.write(connection, FeedId(1), line)
            entries.know_address(connection, FeedId(1), f"a.example/{n}", 1)


def write_until_full(engine: Engine, first: int = 0) -> int:
    """Write transactions numbered from `first`; returns the number of the one that failed."""
    numbers = itertools.count(first)
    with pytest.raises(OperationalError, match="full"):
        write(engine, numbers)
    return next(numbers) - 1


def counts(engine: Engine) -> tuple[int, int]:
    with engines.reading(engine) as connection:
        lines = connection.execute(select(func.count()).select_from(tables.fetch_log)).scalar_one()
        known = connection.execute(select(func.count()).select_from(tables.seen)).scalar_one()
    return lines, known


def test_a_full_disk_loses_nothing_that_was_committed_and_room_heals_it(small: Path, opened: Engine) -> None:
    (small / "filler").write_bytes(bytes(500_000))
    done = write_until_full(opened)
    assert counts(opened) == (done, done)
    (small / "filler").unlink()
    more = write_until_full(opened, done)
    assert counts(opened) == (more, more) > (done, done)
    assert {finding.state for finding in checking.check(opened, NOW)} == {"ok"}


def test_a_command_on_a_full_disk_is_a_message_and_no_traceback(small: Path, opened: Engine) -> None:
    write_until_full(opened)
    room = os.statvfs(small).f_bavail * os.statvfs(small).f_frsize
    (small / "filler").write_bytes(bytes(room))
    command = [sys.executable, "-m", "monitor", "silence", "add", "--all", "--for", "1h", "--comment", "x" * 20_000]
    environ = {**os.environ, "STORYWATCH_STORAGE_URL": str(opened.url)}
    said = subprocess.run(command, capture_output=True, text=True, env=environ, check=False, timeout=60)
    assert (said.returncode, "the database failed: " in said.stderr, "Traceback" in said.stderr) == (3, True, False)


def test_a_backup_that_finds_no_room_is_refused_before_it_begins(small: Path, opened: Engine) -> None:
    source = backup.database_file(str(opened.url))
    (small / "filler").write_bytes(bytes(os.statvfs(small).f_bavail * os.statvfs(small).f_frsize - 100_000))
    with pytest.raises(StoreError, match=r"are needed and .* are free"):
        backup.make(source, small / "copy.db", replace=False)
    assert not list(small.glob("copy*"))


def test_a_long_reader_keeps_the_log_and_its_end_lets_it_go(sqlite_url: str) -> None:
    engine = engines.open_engine(sqlite_url)
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed("https://a.example/f", "a.example")], NOW)

    def write(first: int, lines: int) -> None:
        for n in range(first, first + lines):
            with engine.begin() as connection:
                fetch_log.write(connection, FeedId(1), fetch_log.FetchRecord(NOW + timedelta(seconds=n), "failed"))

    with engines.reading(engine) as reader:
        reader.execute(select(func.count()).select_from(tables.feed)).scalar_one()
        write(0, 600)
        held = checking.wal_bytes(engine)
    assert held > 4 * 1024 * 1024
    write(600, 3)
    assert checking.wal_bytes(engine) <= held + 100_000  # it is used again from its beginning
    engine.dispose()
    assert checking.wal_bytes(engine) == 0
