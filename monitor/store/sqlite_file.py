"""The file of a SQLite database: is it still the one that was opened, and may it be written?

SQLite goes on writing to a file that was deleted or moved away, and makes an empty one where there is none: both lose
what is written without a word. So a file is looked at before each change, by a few questions to the file system; a
process holds on to the file it began with, and goes on when that one is back. Called by `engine`.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote


class SqliteFile:
    """A database file, as the first connection found it: from then on no other is taken for it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: tuple[int, int] | None = None

    @property
    def is_known(self) -> bool:
        """Whether it has been opened."""
        return self._opened is not None

    @property
    def address(self) -> str:
        """What opens it and never makes one."""
        return f"file:{quote(str(self._path))}?mode=rw"

    def know(self) -> None:
        """Take the file that lies there now for the one to work on."""
        self._opened = self._found()

    def fault(self) -> str | None:
        """Say why nothing may be written now, None when nothing speaks against it."""
        if self._opened is not None:
            found = self._found()
            if found is None:
                return f"{self._path} is gone: put it back"
            if found != self._opened:
                return f"{self._path} is another file than the one in use: put that one back, or restart storywatch"
        return locked_up(self._path)

    def _found(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def locked_up(path: Path) -> str | None:
    """Say why a file cannot be written, None when it can be or is still to be made.

    Its folder, too: the write-ahead log is made there.
    """
    if not path.exists():
        return None
    if not os.access(path, os.W_OK):
        return f"{path} is read-only for this user"
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return f"{path.parent} is read-only for this user, and {path.name} needs a log beside it"
    return None
