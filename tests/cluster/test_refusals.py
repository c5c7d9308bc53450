"""What cannot work is refused at the start, with a message and an exit code, and nothing half done."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.engines import distributed
from tests.cluster.house import write_config

NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"


@dataclass(frozen=True)
class Case:
    """A start and what comes of it."""

    words: tuple[str, ...]
    url: str
    code: int
    said: str
    kind: str = "pgqueuer"


CASES = {
    "several processes on SQLite": Case(("run",), "sqlite:///{folder}/x.db", 1, "pgqueuer needs Postgres"),
    "a worker without the engine that feeds it": Case(
        ("run", "--role", "worker"), "sqlite:///{folder}/x.db", 1, "the role worker is for several processes", "local"
    ),
    "an unknown role": Case(("run", "--role", "king"), "sqlite:///{folder}/x.db", 64, "king", "local"),
    "a database that nobody answers for": Case(("run",), NOWHERE, 69, "cannot be reached"),
    "an address of no database we know": Case(("run",), "mysql://a/b", 1, "E025 storage.url", "local"),
}


async def ended(folder: Path, *words: str) -> tuple[int, str]:
    """The exit code of a command, and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", *words, cwd=folder, stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), 240)
    return process.returncode or 0, said.decode()


@pytest.mark.parametrize("name", CASES)
async def test_a_start_that_cannot_work_is_refused(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    write_config(tmp_path, case.url.format(folder=tmp_path), ["http://127.0.1.1:9/a"], kind=case.kind)
    code, said = await ended(tmp_path, *case.words)
    assert (code, case.said in said) == (case.code, True), said
    assert not await asyncio.to_thread((tmp_path / "x.db").exists)


@pytest.mark.postgres
async def test_migrate_makes_the_queues_tables_too(tmp_path: Path, postgres_url: str) -> None:
    write_config(tmp_path, postgres_url, ["http://127.0.1.1:9/a"])
    assert not await distributed.is_installed(postgres_url)
    code, said = await ended(tmp_path, "migrate")
    assert code == 0, said
    assert await distributed.is_installed(postgres_url)
