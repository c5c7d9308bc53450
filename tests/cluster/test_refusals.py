"""What cannot work is refused at the start, with a message and an exit code, and nothing half done."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from monitor.engines import distributed
from monitor.store import engine as engines
from monitor.store import filelock
from tests.cluster.house import write_config
from tests.commands import storywatch

NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"


@dataclass(frozen=True)
class Case:
    """A start and what comes of it. `lacks` is a package that is not installed there."""

    words: tuple[str, ...]
    url: str
    code: int
    said: str
    kind: str = "pgqueuer"
    lacks: str = ""


RUN = ("run", "--wait", "0")
CASES = {
    "several processes on SQLite": Case(RUN, "sqlite:///{folder}/x.db", 1, "pgqueuer needs Postgres"),
    "a worker without the engine that feeds it": Case(
        (*RUN, "--role", "worker"), "sqlite:///{folder}/x.db", 1, "the role worker is for several processes", "local"
    ),
    "an unknown role": Case((*RUN, "--role", "king"), "sqlite:///{folder}/x.db", 64, "king", "local"),
    "a database that nobody answers for": Case(RUN, NOWHERE, 69, "cannot be reached"),
    "an address of no database we know": Case(RUN, "mysql://a/b", 1, "E025 storage.url", "local"),
    "an address with a port that is no number": Case(
        RUN, "postgresql://u:sekret@h:port/d", 3, "storage.url is no database address", "local"
    ),
    "a file where no folder can be": Case(RUN, "sqlite:////dev/null/x.db", 3, "choose another storage.url", "local"),
    "the queue is not installed": Case(RUN, NOWHERE, 1, "pip install 'storywatch[cluster]'", lacks="pgqueuer"),
    "the driver is not installed": Case(RUN, NOWHERE, 3, "pip install 'psycopg[binary]'", "local", lacks="psycopg"),
}
WITHOUT = "import sys; sys.modules[{lacks!r}] = None; from monitor.cli import main; main()"


async def ended(folder: Path, *words: str, lacks: str = "") -> tuple[int, str]:
    """The exit code of a command, and what it said."""
    if not lacks:
        done = await asyncio.to_thread(storywatch, *words, cwd=folder)
        return done.returncode, done.stderr
    program = (sys.executable, "-c", WITHOUT.format(lacks=lacks), *words)
    process = await asyncio.create_subprocess_exec(*program, cwd=folder, stderr=asyncio.subprocess.PIPE)
    _, said = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode or 0, said.decode()


@pytest.mark.parametrize("name", CASES)
async def test_a_start_that_cannot_work_is_refused(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    write_config(tmp_path, case.url.format(folder=tmp_path), ["http://127.0.1.1:9/a"], kind=case.kind)
    code, said = await ended(tmp_path, *case.words, lacks=case.lacks)
    assert (code, case.said in said) == (case.code, True), said
    assert "sekret" not in said
    assert "Traceback" not in said
    assert not await asyncio.to_thread((tmp_path / "x.db").exists)


# ------------------------------------------------------------------------------------ databases that are not as wanted


@dataclass(frozen=True)
class Found:
    """A state of a database that is there, and what a start says of it."""

    change: str
    code: int
    said: str
    storage: str = ""
    is_held: bool = False
    databases: tuple[str, ...] = ("sqlite", "postgres")


FOUND = {
    "a schema that is newer": Found(
        "update alembic_version set version_num = '9999'", 3, "the database is at 9999, this version knows"
    ),
    "an older schema, which is not to be changed": Found(
        "update alembic_version set version_num = '0000'", 3, "run storywatch migrate", ", migrate: check"
    ),
    "no schema, and none is to be made": Found(
        "drop table alembic_version", 3, "the database is at nothing", ", migrate: check"
    ),
    "hosts that are divided otherwise": Found(
        "insert into meta (key, value) values ('shards', '7')", 3, "divided into 7 shards"
    ),
    "another daemon on the file": Found("select 1", 5, "is held by process {pid} on", "", True, ("sqlite",)),
}


def found() -> Iterator[object]:
    for name, case in FOUND.items():
        for database in case.databases:
            marks = [pytest.mark.postgres] if database == "postgres" else []
            yield pytest.param(case, database, marks=marks, id=f"{name}, {database}")


@pytest.mark.parametrize(("case", "database"), list(found()))
async def test_a_database_that_is_not_as_wanted_is_refused_and_not_touched(
    tmp_path: Path, request: pytest.FixtureRequest, case: Found, database: str
) -> None:
    url = str(request.getfixturevalue(f"{database}_url"))
    write_config(tmp_path, url, ["http://127.0.1.1:9/a"], kind="local", storage=case.storage)
    with changed(url, case.change) as rows, ExitStack() as stack:
        before = rows()
        if case.is_held:
            stack.enter_context(filelock.FileLock(url))
        code, said = await ended(tmp_path, *RUN)
        assert (code, case.said.format(pid=os.getpid()) in said) == (case.code, True), said
        assert rows() == before


PAGE = 4096
DAMAGED = {
    "no database at all": (lambda whole: b"Dear diary,\n" * 500, "file is not a database"),
    "pages that were written over": (lambda whole: whole[:PAGE] + b"\xff" * (len(whole) - PAGE), "malformed"),
}


@pytest.mark.parametrize(("damage", "said"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_refused_and_never_replaced_by_an_empty_one(
    tmp_path: Path, sqlite_url: str, damage: Callable[[bytes], bytes], said: str
) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    damaged = damage(file.read_bytes())
    file.write_bytes(damaged)
    write_config(tmp_path, sqlite_url, ["http://127.0.1.1:9/a"], kind="local")
    done = storywatch(*RUN, cwd=tmp_path)
    assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (3, True, False), done.stderr
    assert file.read_bytes() == damaged


@contextmanager
def changed(url: str, statement: str) -> Iterator[Callable[[], dict[str, int]]]:
    """Change a database behind our backs; answers what counts its rows by table, partitions of entries left out."""
    engine = engines.open_engine(url)

    def rows() -> dict[str, int]:
        with engines.reading(engine) as connection:
            names = [name for name in sa.inspect(connection).get_table_names() if not name.startswith("entry_")]
            return {name: connection.execute(sa.text(f"select count(*) from {name}")).scalar_one() for name in names}

    try:
        with engine.begin() as connection:
            connection.execute(sa.text(statement))
        yield rows
    finally:
        engine.dispose()


@pytest.mark.postgres
async def test_a_queue_without_tables_is_refused_where_none_are_to_be_made(tmp_path: Path, postgres_url: str) -> None:
    write_config(tmp_path, postgres_url, ["http://127.0.1.1:9/a"], storage=", migrate: check")
    code, said = await ended(tmp_path, *RUN)
    assert (code, "the queue of engine.kind pgqueuer has no tables: run storywatch migrate" in said) == (3, True), said


@pytest.mark.postgres
async def test_migrate_makes_the_queues_tables_too(tmp_path: Path, postgres_url: str) -> None:
    write_config(tmp_path, postgres_url, ["http://127.0.1.1:9/a"])
    assert not await distributed.is_installed(postgres_url)
    code, said = await ended(tmp_path, "migrate")
    assert code == 0, said
    assert await distributed.is_installed(postgres_url)
