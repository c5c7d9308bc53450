"""A private PgBouncer before a private Postgres, on a Unix socket; for tests of what stands behind a pooler.

The program is Debian's package pgbouncer, or whatever is on the path. Like the server it never runs as root. With
STORYWATCH_TEST_POOLER=1 the daemons of tests/cluster reach the suite's server through one: `make test-pooler`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import postgres

PORT = 6432
_BEFORE: dict[str, str] = {}
"""Addresses through a pooler, by those of the server behind it."""
_CONFIG = """\
[databases]
* = host={server} user=postgres
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = any
pool_mode = {mode}
default_pool_size = {sessions}
ignore_startup_parameters = {ignored}
"""


def program() -> str | None:
    """Where PgBouncer is, None where it is not installed."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextmanager
def before(
    server: postgres.Server, *, mode: str = "transaction", sessions: int = 4, ignored: str = ""
) -> Iterator[str]:
    """Run one; answers the beginning of addresses as `Server.base` has it, with {database} in it."""
    found, account = program(), server.account
    assert found is not None
    with tempfile.TemporaryDirectory(prefix="swpb", dir="/tmp") as made:
        folder = Path(made)
        settings = folder / "pgbouncer.ini"
        settings.write_text(
            _CONFIG.format(
                server=server.folder, port=PORT, folder=folder, mode=mode, sessions=sessions, ignored=ignored
            )
        )
        who: dict[str, object] = {}
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
            who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
            settings.chmod(0o644)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([found, str(settings)], stdout=log, stderr=log, cwd=folder, **who)  # type: ignore[call-overload]  # keywords, present or not
        try:
            _wait(folder / f".s.PGSQL.{PORT}", process, folder / "log")
            yield f"postgresql+psycopg://postgres@/{{database}}?host={folder}&port={PORT}"
        finally:
            process.kill()
            process.wait()


@contextmanager
def before_all(server: postgres.Server) -> Iterator[None]:
    """Let `address` lead through a pooler to this server, for as long as it runs."""
    with before(server, sessions=20) as base:
        _BEFORE[server.base] = base
        try:
            yield
        finally:
            del _BEFORE[server.base]


def address(url: str) -> str | None:
    """The address of a database through the pooler that all tests share; None where none stands before its server."""
    for direct, pooled in _BEFORE.items():
        head, _, tail = direct.partition("{database}")
        if url.startswith(head) and url.endswith(tail):
            return pooled.replace("{database}", url[len(head) : len(url) - len(tail)])
    return None


def _wait(door: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < until:
        with socket.socket(socket.AF_UNIX) as knocking:
            if knocking.connect_ex(str(door)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"PgBouncer did not start: {log.read_text(errors='replace')[-500:]}")
