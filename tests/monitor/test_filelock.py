"""One process per database file: the second is told who the first is, and a dead one leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.errors import StoreError
from monitor.store import filelock

HOLD = """
import sys
from monitor.store import filelock
with filelock.FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def address(path: Path) -> str:
    return f"sqlite:///{path}"


def test_the_second_process_is_told_who_holds_the_database(tmp_path: Path) -> None:
    url = address(tmp_path / "a.db")
    with filelock.FileLock(url), pytest.raises(filelock.AlreadyRunning, match=f"process {os.getpid()} on "):
        filelock.FileLock(url).__enter__()


def test_the_lock_is_free_again_after_the_block_and_may_be_taken_twice_in_turn(tmp_path: Path) -> None:
    lock = filelock.FileLock(address(tmp_path / "a.db"))
    with lock:
        pass
    with lock, pytest.raises(filelock.AlreadyRunning), filelock.FileLock(address(tmp_path / "a.db")):
        pass


def test_a_killed_holder_leaves_the_lock_free(tmp_path: Path) -> None:
    url = address(tmp_path / "a.db")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(filelock.AlreadyRunning, match=f"process {holder.pid} "):
            filelock.FileLock(url).__enter__()
        holder.kill()
        holder.wait()
    with filelock.FileLock(url):
        pass


def test_the_lock_lies_beside_the_database_in_a_folder_it_makes_and_touches_no_database_file(tmp_path: Path) -> None:
    with filelock.FileLock(address(tmp_path / "new" / "a.db")):
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.db.lock"]


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql://u:pw@127.0.0.1/none"])
def test_databases_without_a_file_need_no_lock(url: str) -> None:
    with filelock.FileLock(url), filelock.FileLock(url):
        pass


def test_a_place_that_can_hold_no_lock_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="choose another storage"):
        filelock.FileLock(address(tmp_path / "file" / "a.db")).__enter__()


@pytest.mark.parametrize("url", ["nonsense:sekret", "postgresql://u:sekret@host:port/db"])
def test_an_unreadable_address_is_a_message_that_keeps_the_password(url: str) -> None:
    with pytest.raises(StoreError, match="no database address") as caught:
        filelock.FileLock(url)
    assert "sekret" not in str(caught.value)
