"""A database that vanishes or takes no changes: a start is refused; what runs waits, sends nothing, and goes on."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from alerts import outbox
from alerts.values import Kind
from monitor import swapping, wiring
from monitor.config import api
from monitor.config.values import Config
from monitor.errors import StoreError, StoreNotWritable
from monitor.store import engine as engines
from monitor.store import feeds, filelock, tables
from tests import pgbouncer, postgres
from tests.alerts.house import event
from tests.cluster.house import Database, Process, daemon, feeds_of, launched, until, write_config
from tests.fakes.feed_server import FeedServer, Step
from tests.scenarios.test_daemon import get, rss

RUN = ("--wait", "0")


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


# ------------------------------------------------------------------------------------------------------- the engine


def away(file: Path) -> None:
    file.rename(file.with_suffix(".away"))


def back(file: Path) -> None:
    file.with_suffix(".away").rename(file)


def replaced(file: Path) -> None:
    shutil.copyfile(file, file.with_suffix(".copy"))
    away(file)
    file.with_suffix(".copy").rename(file)


LOST: dict[str, tuple[Callable[[Path], None], str]] = {
    "moved away": (away, "is gone: put it back"),
    "replaced by a copy": (replaced, "is another file than the one in use"),
}


@pytest.mark.parametrize(("lose", "said"), LOST.values(), ids=LOST)
def test_nothing_is_written_to_a_file_that_is_not_at_its_place_and_none_is_made_there(
    sqlite_url: str, lose: Callable[[Path], None], said: str
) -> None:
    file, engine = file_of(sqlite_url), engines.open_engine(sqlite_url)
    write = sa.text("insert into meta (key, value) values (:key, '1')")
    with engine.begin() as connection:
        connection.execute(write, {"key": "before"})
        lose(file)
        with pytest.raises(sa.exc.OperationalError, match=said), engine.begin():  # on a connection that is new
            pass
    with pytest.raises(sa.exc.OperationalError, match=said) as caught, engine.begin():
        pass
    assert engines.is_outage(caught.value)
    with pytest.raises(StoreNotWritable, match=said):
        engines.check_writable(engine)
    assert file.exists() is (lose is replaced)
    back(file)
    engines.check_writable(engine)
    with engine.begin() as connection:
        connection.execute(write, {"key": "after"})
        assert connection.execute(sa.text("select count(*) from meta where value = '1'")).scalar_one() == 2
    engine.dispose()


def test_a_file_that_vanished_is_not_replaced_by_an_empty_one_at_the_next_start(sqlite_url: str) -> None:
    file = file_of(sqlite_url)
    with filelock.FileLock(sqlite_url):
        away(file)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"is gone, and storywatch has worked on it.*remove .*\.lock"):
            filelock.FileLock(sqlite_url).__enter__()
    back(file)
    with filelock.FileLock(sqlite_url):
        pass


# ------------------------------------------------------------------------------------------------- starts


def locked(file: Path) -> None:
    """A file that nobody may write."""
    file.chmod(0o444)


def shut(file: Path) -> None:
    """A folder in which nobody may make the write-ahead log."""
    lock = file.with_suffix(".db.lock")
    lock.touch()
    lock.chmod(0o666)
    file.parent.chmod(0o555)


READ_ONLY: dict[str, tuple[Callable[[Path], None], str]] = {
    "the file": (locked, "storywatch.db is read-only for this user"),
    "its folder": (shut, "is read-only for this user, and storywatch.db needs a log beside it"),
}


@contextmanager
def house(template: Path) -> Iterator[tuple[Path, Path]]:
    """A folder that a plain user may look into, as pytest's own are not, and a database one folder below."""
    folder = Path(tempfile.mkdtemp(prefix="swro", dir="/tmp"))
    folder.chmod(0o755)
    file = folder / "db" / "storywatch.db"
    file.parent.mkdir()
    try:
        shutil.copyfile(template, file)
        yield folder, file
    finally:
        file.parent.chmod(0o755)
        shutil.rmtree(folder)


@contextmanager
def plain_user(*owned: Path) -> Iterator[tuple[str, ...]]:
    """What a command begins with to be run by somebody for whom files can be read-only: for root none is."""
    if os.geteuid() != 0:
        yield ()
        return
    one = pwd.getpwnam("nobody")
    who = ("setpriv", f"--reuid={one.pw_uid}", f"--regid={one.pw_gid}", "--clear-groups")
    tried = [*who, sys.executable, "-c", "import monitor"]
    if shutil.which("setpriv") is None or subprocess.run(tried, capture_output=True, check=False).returncode:
        pytest.skip("root writes what is read-only, and no plain user can be made of it here (setpriv)")
    for path in owned:
        os.chown(path, one.pw_uid, one.pw_gid)
    yield who


@pytest.mark.parametrize(("make", "said"), READ_ONLY.values(), ids=READ_ONLY)
async def test_a_start_on_what_is_read_only_is_refused(
    sqlite_template: Path, make: Callable[[Path], None], said: str
) -> None:
    with house(sqlite_template) as (folder, file), plain_user(file, file.parent) as who:
        write_config(folder, f"sqlite:///{file}", [], kind="local")
        make(file)
        async with launched(folder, *RUN, through=who) as process:
            assert await process.ended() == 3, process.told
        assert said in process.told[-1]["text"]


async def test_a_start_on_a_file_that_vanished_is_refused_and_none_is_made(tmp_path: Path, sqlite_url: str) -> None:
    write_config(tmp_path, sqlite_url, [], kind="local")
    async with daemon(tmp_path) as process:
        away(file_of(sqlite_url))
    async with launched(tmp_path, *RUN) as process:
        assert await process.ended() == 3
    assert "is gone, and storywatch has worked on it" in process.told[-1]["text"]
    assert not file_of(sqlite_url).exists()


@contextmanager
def read_only(server: postgres.Server, url: str) -> Iterator[None]:
    """Let a database take no changes of whoever connects from now on, and everybody connect anew."""
    name = sa.make_url(url).database
    anew = f"select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '{name}'"
    server.ask(f'alter database "{name}" set default_transaction_read_only = on')
    server.ask(anew)
    try:
        yield
    finally:
        server.ask(f'alter database "{name}" reset default_transaction_read_only')
        if pgbouncer.address(url) is not None:  # its sessions outlive ours
            server.ask(anew)


@pytest.mark.postgres
async def test_a_start_on_a_postgres_that_takes_no_changes_is_refused(
    tmp_path: Path, postgres_server: postgres.Server, postgres_url: str
) -> None:
    write_config(tmp_path, postgres_url, [])
    with read_only(postgres_server, postgres_url):
        async with launched(tmp_path, *RUN) as process:
            assert await process.ended() == 3, process.told
    assert "is read-only: it takes no changes" in process.told[-1]["text"]


# ------------------------------------------------------------------------------------------------- while running


@dataclass(frozen=True)
class Play:
    """A daemon's world; `lose` and `heal` are the accident and its end, `who` begins its command."""

    folder: Path
    url: str
    kind: str
    lose: Callable[[], object]
    heal: Callable[[], object]
    who: tuple[str, ...] = ()


@contextmanager
def moved_away(request: pytest.FixtureRequest) -> Iterator[Play]:
    folder, url = request.getfixturevalue("tmp_path"), request.getfixturevalue("sqlite_url")
    yield Play(folder, url, "local", lambda: away(file_of(url)), lambda: back(file_of(url)))


@contextmanager
def locked_up(request: pytest.FixtureRequest) -> Iterator[Play]:
    with (
        house(request.getfixturevalue("sqlite_template")) as (folder, file),
        plain_user(folder, file.parent, file) as who,
    ):
        yield Play(folder, f"sqlite:///{file}", "local", lambda: file.chmod(0o444), lambda: file.chmod(0o644), who)


@contextmanager
def made_read_only(request: pytest.FixtureRequest) -> Iterator[Play]:
    folder, url = request.getfixturevalue("tmp_path"), request.getfixturevalue("postgres_url")
    accident = read_only(request.getfixturevalue("postgres_server"), url)
    yield Play(folder, url, "pgqueuer", accident.__enter__, lambda: accident.__exit__(None, None, None))


ACCIDENTS = (
    pytest.param(moved_away, id="the file is moved away"),
    pytest.param(locked_up, id="the file is made read-only", marks=pytest.mark.long),
    pytest.param(made_read_only, id="Postgres takes no changes", marks=pytest.mark.postgres),
)


@pytest.mark.slow
@pytest.mark.parametrize("accident", ACCIDENTS)
async def test_what_runs_without_its_database_polls_and_sends_nothing_and_goes_on_when_it_is_back(
    request: pytest.FixtureRequest, accident: Callable[[pytest.FixtureRequest], AbstractContextManager[Play]]
) -> None:
    """A message waits three seconds when the accident happens, and a feed falls due in it."""
    async with FeedServer(everywhere=True) as server:
        server.script("/0", Step(body=rss("Other news")))
        with accident(request) as play:
            file = write_config(play.folder, play.url, feeds_of(server, 1), kind=play.kind)
            file.write_text(file.read_text().replace("new_story: 0s", "new_story: 3s"))
            config = api.load(file, {})
            with Database(play.url) as database, database.engine.begin() as connection:
                feeds.sync(connection, swapping.seeds(config), datetime.now(UTC) + timedelta(hours=1))
            async with daemon(play.folder, through=play.who) as alone:
                await until(lambda: why_not_ready(alone) is None)
                begin(play.url, config)
                play.lose()
                await until(lambda: failed(alone, "send"))
                await until(lambda: alone.count("database_lost"))
                assert why_not_ready(alone) == "database_not_writable"
                assert (list(play.folder.glob("digests/*")), server.requests) == ([], [])
                play.heal()
                await until(lambda: list(play.folder.glob("digests/*")) and server.requests)
                await until(lambda: alone.count("database_back"))
                assert (why_not_ready(alone), alone.code) == (None, None)
            assert (len({path.stem for path in play.folder.glob("digests/*")}), len(server.requests)) == (1, 1)
    assert (alone.count("database_lost"), alone.count("database_back")) == (1, 1)


def begin(url: str, config: Config) -> None:
    """Let a story be told in three seconds, and the feed fall due in two."""
    now = datetime.now(UTC)
    with Database(url) as database, database.engine.begin() as connection:
        outbox.put(
            connection, [event(Kind.NEW_STORY, now, watch="flights")], wiring.knowledge(config, config_rev=1).plan
        )
        connection.execute(tables.feed.update().values(next_at=now + timedelta(seconds=2)))


def failed(process: Process, job: str) -> bool:
    return any(line["event"] == "job_failed" and line["job"] == job for line in process.told)


def why_not_ready(process: Process) -> str | None:
    """What its page says; `no page` while there is none."""
    (started,) = [line for line in process.told if line["event"] == "started"]
    try:
        code, said = get(f"{started['page']}ready")
    except OSError:
        return "no page"
    assert code in (200, 503)
    reason: str | None = json.loads(said)["reason"]
    return reason
