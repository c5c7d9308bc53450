"""One daemon per SQLite file: an advisory lock on `<file>.lock`, free at once when its holder dies.

The database file itself is never locked by us: closing any descriptor of it would drop SQLite's own locks. The lock
file outlives its holder and says whether there was a database: one that vanished is not replaced by an empty one.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
from pathlib import Path
from types import TracebackType

from monitor.errors import StoreError
from monitor.store import engine

_HOLDER = re.compile(r"process (\d+) on (\S+)")
_WAS_THERE = b"its database was made\n"


class AlreadyRunning(StoreError):
    """Another storywatch process works on this database file."""


class FileLock:
    """Held for the life of a process that polls. Does nothing for Postgres, which has locks of its own."""

    def __init__(self, url: str) -> None:
        parsed = engine.parse_url(url)
        named = parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:")
        self._database = Path(str(parsed.database))
        self._path = Path(f"{parsed.database}.lock") if named else None
        self._fd: int | None = None

    @property
    def path(self) -> Path | None:
        """The lock file; None where there is none."""
        return self._path

    def __enter__(self) -> FileLock:
        """Take the lock.

        Errors: AlreadyRunning, naming process and host of the holder; StoreError when there can be no lock file, or
        when the database is gone that an earlier holder worked on.
        """
        if self._path is None:
            return self
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as exc:
            raise StoreError(f"{self._path}: cannot be made ({exc.strerror}); choose another storage.url") from exc
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            holder = os.read(fd, 200).decode(errors="replace").partition("\n")[0].strip() or "another process"
            os.close(fd)
            raise AlreadyRunning(
                f"{self._path} is held by {holder}: storywatch is already running on this database"
            ) from exc
        except OSError as exc:
            os.close(fd)
            raise StoreError(f"{self._path}: cannot be locked ({exc.strerror}); choose another storage.url") from exc
        self._fd = fd
        was_there = _WAS_THERE in os.read(fd, 400)
        if was_there and not self._database.exists():
            self._release()
            raise StoreError(
                f"{self._database} is gone, and storywatch has worked on it: put it back, or a backup of it; "
                f"to begin with an empty one, remove {self._path}"
            )
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        if was_there or self._database.exists():
            self.note_database()
        return self

    def note_database(self) -> None:
        """Tell the next holder that there was a database. Does nothing where there is no lock."""
        if self._fd is not None and _WAS_THERE not in os.pread(self._fd, 400, 0):
            os.pwrite(self._fd, _WAS_THERE, os.fstat(self._fd).st_size)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def holder(url: str) -> tuple[int, str] | None:
    """Who works on a database file now: process id and host. None when nobody does, or it is no file."""
    lock = FileLock(url)
    if lock.path is None or not lock.path.exists():
        return None
    try:
        with lock:
            return None
    except AlreadyRunning:
        found = _HOLDER.match(lock.path.read_text(encoding="utf-8", errors="replace"))
        return (int(found[1]), found[2]) if found else None
