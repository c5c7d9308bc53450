"""A changed config.yaml under a running daemon: all or nothing, nothing of the past, nothing lost, nothing leaked."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client import REGISTRY
from sqlalchemy import func, select, text

from alerts import tables as alert_tables
from alerts.values import DeliveryState
from monitor import asking, daemon, logs, pipeline, reloading, status
from monitor.config import api
from monitor.parse import delta
from monitor.store import claims, feeds, meta, results, revisions, tables
from monitor.store import engine as engines
from monitor.values import Domain, ParsedEntry, ParsedFeed

NOW = datetime(2026, 6, 13, 12, tzinfo=UTC)
FEED = "https://outlet-a.example/rss"
BASE = """\
version: 1
contact: https://newsroom.example/storywatch
storage: {{url: 'sqlite:///{folder}/storywatch.db'}}
parse: {{workers: 0}}
feeds:
  - {{url: 'https://outlet-a.example/rss', tags: [balkan]}}
watches:
  - name: flights
    query: |
      deport* AND Serbia
channels:
  digests: {{type: folder, path: '{folder}/digests'}}
"""


class House:
    """A daemon without a tick: the file, the reloader, and what a test asks of them."""

    def __init__(self, folder: Path, running: daemon.Running, reloader: reloading.Reloader) -> None:
        self.file = folder / "config.yaml"
        self.running, self.reloader = running, reloader
        self._gen = 0

    def write(self, old: str, new: str) -> None:
        text = self.file.read_text(encoding="utf-8")
        assert old in text
        self.file.write_text(text.replace(old, new), encoding="utf-8")

    def rows(self, statement: Any) -> list[Any]:
        with engines.reading(self.running.engine) as connection:
            return list(connection.execute(statement).all())

    def events(self, *states: str) -> list[str]:
        event = alert_tables.event.c
        news = event.kind.not_in(("config_rejected", "primed"))
        rows = self.rows(select(event.event_key, event.state).where(news).order_by(event.id))
        return [row.event_key for row in rows if not states or row.state in states]

    def rejections(self) -> int:
        event = alert_tables.event.c
        return int(self.rows(select(func.count()).where(event.kind == "config_rejected"))[0][0])

    def history(self) -> list[tuple[str, str]]:
        with engines.reading(self.running.engine) as connection:
            return [(one.outcome, one.who) for one in revisions.history(connection, 20)]

    def arrive(self, *titles: str, at: datetime, host: str = "outlet-a.example") -> None:
        """One poll of the feed, recorded as the poller would."""
        engine = self.running.engine
        entries = tuple(ParsedEntry(id=t, url=f"https://{host}/{t}", title=t, published=at) for t in titles)
        with engine.begin() as connection:
            row = feeds.by_url(connection, FEED)
            assert row is not None
            (claimed,) = claims.claim(connection, at + timedelta(days=999), lease=timedelta(minutes=5), only=row.id)
        assert claimed.claim is not None
        self._gen += 1
        decision = pipeline.Decision(results.Settlement(at, "test", {}, at, ok=True))
        turn = pipeline.Turn(
            claimed.claim, Domain("outlet-a.example"), self._gen, False, lambda _: decision, frozenset({"balkan"})
        )
        pipeline.process(delta.whole(ParsedFeed(entries)), turn, self.running.context, at)


@asynccontextmanager
async def house(folder: Path, text: str | None = None, now: datetime = NOW, **more: Any) -> AsyncIterator[House]:
    file = folder / "config.yaml"
    if not file.exists():
        file.write_text((text or BASE).format(folder=folder), encoding="utf-8")
    start = daemon.start_config(file, os.environ)
    url = f"sqlite:///{folder}/storywatch.db"
    async with daemon.assembled(
        start.config, os.environ, url=url, now=lambda: now, who=start.who, text=start.text
    ) as running:
        reloader = reloading.Reloader(running.working, file, **more)
        await daemon.tell_start(reloader, start)
        try:
            yield House(folder, running, reloader)
        finally:
            await reloader.stop()


def metric(name: str) -> float | None:
    return REGISTRY.get_sample_value(f"storywatch_{name}")


async def until(check: Callable[[], bool], seconds: float = 30.0) -> None:
    for _ in range(int(seconds / 0.05)):
        if check():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


async def test_a_good_file_is_taken_up_in_one_step_with_a_revision_that_says_what_changed(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        knowledge = at.running.context.knowledge
        at.write("tags: [balkan]}", "tags: [balkan]}\n  - {url: 'https://outlet-b.example/rss'}")
        at.write("deport* AND Serbia", "deport* AND Serbia\n    alert_on: [response]")
        answer = await at.reloader.reload("signal")
        assert (answer.outcome, answer.revision) == ("accepted", 2)
        assert answer.notes[0].startswith("+ feeds[https://outlet-b.example/rss]")
        assert any("watches[flights].alert_on" in note for note in answer.notes)
        assert at.running.context.knowledge is not knowledge
        assert at.running.context.knowledge.config_rev == at.running.context.knowledge.plan.config_rev == 2
        assert at.history() == [("accepted", "signal"), ("accepted", "start")]
        urls = [row.url for row in at.rows(select(tables.feed.c.url).where(tables.feed.c.state == "active"))]
        assert sorted(urls) == [FEED, "https://outlet-b.example/rss"]


async def test_a_broken_file_is_refused_once_and_a_good_one_after_it_tells_nothing_of_the_past(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        at.arrive("Serbia takes deportees", at=NOW)
        told = at.events()
        knowledge = at.running.context.knowledge
        at.write("deport* AND Serbia", "deport* AND (Serbia")
        for _ in range(2):
            answer = await at.reloader.reload("signal")
            assert answer.outcome == "refused"
            assert "config.yaml:10:19 E051" in answer.notes[0]
        assert metric("config_last_reload_successful") == 0
        assert (at.rejections(), at.running.context.knowledge) == (1, knowledge)
        with engines.reading(at.running.engine) as connection:
            standing = status.read(connection, NOW)
        assert (standing.colour, "E051" in standing.trouble) == ("amber", True)
        at.write("deport* AND (Serbia", "deport* AND Serbia")
        assert (await at.reloader.reload("signal")).outcome == "unchanged"
        assert metric("config_last_reload_successful") == 1
        with engines.reading(at.running.engine) as connection:
            assert status.read(connection, NOW).trouble == ""
        assert (at.events(), at.rejections()) == (told, 1)


async def by_rename(file: Path, text: str) -> None:
    beside = file.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(file)


async def by_truncating(file: Path, text: str) -> None:
    with file.open("w", encoding="utf-8") as out:
        out.flush()
        await asyncio.sleep(0.2)
        out.write(text[:40])
        out.flush()
        await asyncio.sleep(0.2)
        out.write(text[40:])


async def by_swapping_a_link(file: Path, text: str) -> None:
    """As a mounted config map is updated: the file is a link into a folder that is itself a link."""
    new = file.parent / "..2"
    new.mkdir()
    (new / "config.yaml").write_text(text, encoding="utf-8")
    link = file.parent / "..data_tmp"
    link.symlink_to(new)
    link.replace(file.parent / "..data")


SAVES: dict[str, Callable[[Path, str], Awaitable[None]]] = {
    "an editor that renames a new file over the old one": by_rename,
    "an editor that empties the file and writes it anew": by_truncating,
    "a mounted folder whose link is swapped": by_swapping_a_link,
}


@pytest.mark.parametrize("case", SAVES)
async def test_a_saved_file_is_taken_up_once_and_never_half_written(case: str, tmp_path: Path) -> None:
    if SAVES[case] is by_swapping_a_link:
        first = tmp_path / "..1"
        first.mkdir()
        (first / "config.yaml").write_text(BASE.format(folder=tmp_path), encoding="utf-8")
        (tmp_path / "..data").symlink_to(first)
        (tmp_path / "config.yaml").symlink_to(Path("..data") / "config.yaml")
    async with house(tmp_path, look_every_s=5.0) as at:
        at.reloader.start(at.running.config.sha256)
        await asyncio.sleep(0.3)
        text = at.file.read_text(encoding="utf-8").replace("AND Serbia", "AND Serbia\n    title: Flights")
        await SAVES[case](at.file, text)
        await until(lambda: at.running.revision == 2)
        await asyncio.sleep(0.8)
        assert at.history() == [("accepted", "file"), ("accepted", "start")]
        assert at.rejections() == 0


async def test_a_file_waits_for_a_database_that_cannot_be_written_to_and_is_taken_up_then(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        knowledge, engine = at.running.context.knowledge, at.running.engine
        at.write("AND Serbia", "AND Serbia\n    title: Flights")
        with engine.begin() as connection:
            connection.execute(text("alter table config_revision rename to away"))
        await at.reloader._look("file")
        assert (at.running.context.knowledge, at.running.config.watches[0].title) == (knowledge, "flights")
        with engine.begin() as connection:
            connection.execute(text("alter table away rename to config_revision"))
        await at.reloader._look("file")
        assert (at.running.revision, at.running.config.watches[0].title) == (2, "Flights")


async def test_a_file_that_stays_half_written_is_refused_and_the_old_state_goes_on(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        whole = at.file.read_text(encoding="utf-8")
        for half in ("", whole[:90]):
            at.file.write_text(half, encoding="utf-8")
            assert (await at.reloader.reload("file")).outcome == "refused"
        at.file.unlink()
        assert (await at.reloader.reload("file")).outcome == "refused"
        assert at.running.revision == 1
        assert at.running.context.knowledge.rules.keys() == {"flights"}


async def test_keys_that_need_a_restart_make_the_reload_wait_unless_a_part_is_asked_for(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        at.write("workers: 0", "workers: 1")
        at.write("AND Serbia", "AND Serbia\n    title: Flights")
        waiting = await at.reloader.reload("ana")
        assert (waiting.outcome, waiting.notes) == ("waiting", ("needs restart: parse.workers",))
        assert at.running.config.watches[0].title == "flights"
        part = await at.reloader.reload("ana", part=True)
        assert part.outcome == "accepted"
        assert part.notes[-1] == "waits for a restart: parse.workers"
        assert (at.running.config.watches[0].title, at.running.config.parse.workers) == ("Flights", 0)


async def test_a_new_watch_records_the_past_and_fires_for_what_came_after_it(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        for n in range(4):
            at.arrive(f"Kosovo minister {n} speaks of TPS {n}", at=NOW - timedelta(days=9 - n))
        at.arrive("Serbia takes deportees, Kosovo waits", at=NOW - timedelta(hours=3))
        told = at.events()
        at.write("channels:", "  - name: kosovo\n    query: |\n      Kosovo\nchannels:")
        # The writer is kept busy, so that an entry comes while the watch is still being primed.
        at.reloader.prime = lambda since: None  # type: ignore[method-assign]
        assert (await at.reloader.reload("signal")).outcome == "accepted"
        assert "kosovo" not in at.running.context.knowledge.rules
        at.arrive("Kosovo police stop a bus", at=NOW + timedelta(minutes=1), host="outlet-b.example")
        at.running.working.now = lambda: NOW + timedelta(minutes=2)
        await at.reloader.primed({"kosovo": NOW})
        fresh = [key for key in at.events("open") if key not in told]
        assert [key.split(":")[1] for key in fresh] == ["kosovo"]
        mentions = at.rows(select(func.count()).select_from(tables.match).where(tables.match.c.watch == "kosovo"))
        assert mentions == [(6,)]
        baseline = {key.split(":")[2] for key in at.events("baseline") if key.startswith("new_story:kosovo:")}
        assert len(baseline) == 2
        at.arrive("Kosovo: police stop a bus, 12 are held", at=NOW + timedelta(minutes=5), host="outlet-c.example")
        assert any(key.startswith("new_outlet:kosovo:") and "outlet-c" in key for key in at.events("open"))
        states = {row.watch: row.primed_at for row in at.rows(select(tables.watch_state))}
        assert states["kosovo"] is not None


KOSOVO = ("channels:", "  - name: kosovo\n    query: |\n      Kosovo\nchannels:")


async def test_whoever_runs_the_daemon_is_told_in_one_line_what_a_new_watch_found(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        for n in range(3):
            at.arrive(f"Kosovo minister {n} speaks of TPS {n}", at=NOW - timedelta(days=9 - n))
        at.write(*KOSOVO)
        await at.reloader.reload("signal")
        await until(lambda: not at.reloader._waking.is_under_way)
        event = alert_tables.event.c
        ((key, payload),) = at.rows(select(event.event_key, event.payload).where(event.kind == "primed"))
        assert key == "primed:kosovo:2"
        assert "kosovo primed: 3 entries, 1 stories in 30 d" in payload
        assert at.rows(select(func.count()).where(alert_tables.item.c.group_key == "watch:kosovo")) == [(1,)]


async def test_the_past_of_a_new_watch_is_told_once_and_only_when_it_is_asked_for(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        at.arrive("Kosovo minister speaks of TPS", at=NOW - timedelta(days=9))
        at.arrive("Kosovo police stop a bus near Prizren", at=NOW - timedelta(days=2))
        at.write(*KOSOVO)
        later = NOW + timedelta(minutes=1)
        at.running.working.now = lambda: later
        at.reloader.prime = lambda since: None  # type: ignore[method-assign]
        answer = await asked(at, timedelta(days=7))
        assert answer["notes"][-1] == "backfill of kosovo: told when it has looked through what is stored"
        assert at.events("open") == []
        await at.reloader.primed({"kosovo": later})
        assert [key.split(":")[:2] for key in at.events("open")] == [["new_story", "kosovo"]]
        again = await asked(at, timedelta(days=7))
        assert again["notes"] == ["backfill of kosovo: 0 stories told in one digest"]
        at.running.teller._desk.build_due(later)
        (body,) = at.rows(select(alert_tables.outbox.c.body).where(alert_tables.outbox.c.form == "scheduled"))
        assert "near Prizren" in str(body)
        assert "speaks of TPS" not in str(body)
        assert "told because it was asked for" in str(body)


async def test_a_backfill_without_a_new_watch_says_so_and_tells_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        at.arrive("Serbia takes deportees", at=NOW - timedelta(days=2))
        at.write("version: 1", "version: 1  # one")
        at.running.working.now = lambda: NOW + timedelta(minutes=2)
        answer = await asked(at, timedelta(days=7))
        assert answer["notes"][-1].startswith("backfill: this revision brought no new or changed watch")


async def asked(at: House, backfill: timedelta) -> dict[str, Any]:
    """Let the daemon do what `storywatch reload --backfill` leaves in the database."""
    with at.running.engine.begin() as connection:
        meta.put(connection, asking.REQUEST, asking.Request("r", "ana", backfill=backfill).as_json())
    await at.reloader._answer_request()
    with engines.reading(at.running.engine) as connection:
        return dict(json.loads(meta.get(connection, asking.ANSWER) or "{}"))


async def test_pages_parsers_and_couriers_work_by_the_new_state_and_keep_what_they_learnt(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        running, teller = at.running, at.running.teller
        teller._courier._buckets["slack/C0DESK"] = NOW
        at.write("tags: [balkan]", "tags: [wire]")
        at.write("channels:", "outlets: {outlet-a.example: {name: Bosfor Daily, kind: aggregator}}\nchannels:")
        assert (await at.reloader.reload("signal")).outcome == "accepted"
        assert running.pages._parts.feeds[FEED].tags == {"wire"}
        assert "outlet-a.example" in running.working.parsers._table.aggregators
        assert teller._courier._buckets == {"slack/C0DESK": NOW}


UNPRIMED = {
    "nothing": ("version: 1", "version: 1  # one"),
    "a channel": ("digests: {", "more: {type: stdout}\n  digests: {"),
    "a title": ("AND Serbia", "AND Serbia\n    title: Flights"),
}


@pytest.mark.parametrize("case", UNPRIMED)
async def test_a_reload_that_changes_no_query_primes_nothing_and_sends_nothing(case: str, tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        at.arrive("Serbia takes deportees", at=NOW)
        told, items = at.events(), at.rows(select(alert_tables.item))
        at.write(*UNPRIMED[case])
        assert (await at.reloader.reload("signal")).outcome == "accepted"
        assert not at.reloader._waking.is_under_way
        assert (at.events(), at.rows(select(alert_tables.item))) == (told, items)


async def test_a_watch_that_left_and_comes_back_is_not_primed_again(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        watch = "watches:\n  - name: flights\n    query: |\n      deport* AND Serbia\n"
        at.write(watch, "")
        assert (await at.reloader.reload("signal")).outcome == "accepted"
        at.arrive("Serbia takes deportees", at=NOW)
        at.write("channels:", f"{watch}channels:")
        assert (await at.reloader.reload("signal")).outcome == "accepted"
        assert not at.reloader._waking.is_under_way
        assert at.events() == []


async def test_a_rollback_runs_the_text_of_a_revision_and_sends_what_waits_as_it_was_rendered(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        at.write("AND Serbia", "AND Serbia\n    title: Flights")
        await at.reloader.reload("signal")
        at.arrive("Serbia takes deportees", at=NOW)
        due = at.running.teller.next_due()
        assert due is not None
        at.running.teller._desk.build_due(due)
        bodies = at.rows(select(alert_tables.outbox.c.delivery_id, alert_tables.outbox.c.body))
        assert len(bodies) == 1
        answer = await at.reloader.roll_back(1, "ana")
        assert (answer.outcome, answer.revision) == ("accepted", 3)
        assert at.running.config.watches[0].title == "flights"
        assert at.rows(select(alert_tables.outbox.c.delivery_id, alert_tables.outbox.c.body)) == bodies
        assert await at.running.teller.work(due) == 1
        assert at.rows(select(alert_tables.outbox.c.state)) == [("sent",)]
        assert at.rows(select(alert_tables.event.c.config_rev)) == [(2,)]


async def test_rows_of_a_channel_that_left_are_held_and_go_when_it_comes_back(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        at.arrive("Serbia takes deportees", at=NOW)
        due = at.running.teller.next_due()
        assert due is not None
        at.running.teller._desk.build_due(due)
        channel = f"  digests: {{type: folder, path: '{tmp_path}/digests'}}\n"
        at.write(channel, "  console: {type: stdout}\n")
        await at.reloader.reload("signal")
        assert at.rows(select(alert_tables.outbox.c.state)) == [(DeliveryState.HELD,)]
        at.write("  console: {type: stdout}\n", channel)
        await at.reloader.reload("signal")
        assert at.rows(select(alert_tables.outbox.c.state)) == [(DeliveryState.READY,)]


async def test_a_command_leaves_its_wish_in_the_database_and_finds_the_answer_there(tmp_path: Path) -> None:
    async with house(tmp_path) as at:
        at.write("AND Serbia", "AND Serbia\n    title: Flights")
        asked = asking.Request("r1", "ana")
        with at.running.engine.begin() as connection:
            meta.put(connection, asking.REQUEST, asked.as_json())
        at.reloader.ask("signal")
        await until(lambda: bool(at.rows(select(tables.meta).where(tables.meta.c.key == asking.ANSWER))))
        with engines.reading(at.running.engine) as connection:
            answer = json.loads(meta.get(connection, asking.ANSWER) or "{}")
        assert (answer["id"], answer["outcome"], answer["revision"]) == ("r1", "accepted", 2)
        assert at.history()[0] == ("accepted", "ana")


STARTS = {
    "a file that is broken": "version: 1\ncontact: [\n",
    "a file that is empty": "",
}


@pytest.mark.parametrize("case", STARTS)
async def test_a_start_with_a_bad_file_runs_the_last_good_revision_and_says_so(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORYWATCH_STORAGE_URL", f"sqlite:///{tmp_path}/storywatch.db")
    async with house(tmp_path) as at:
        good = at.running.config.sha256
    (tmp_path / "config.yaml").write_text(STARTS[case], encoding="utf-8")
    async with house(tmp_path) as at:
        assert (at.running.revision, at.running.config.sha256) == (1, good)
        assert at.running.context.knowledge.rules.keys() == {"flights"}
        assert (at.rejections(), metric("config_last_reload_successful")) == (1, 0)
        with engines.reading(at.running.engine) as connection:
            assert status.read(connection, NOW).colour == "amber"


def test_a_start_without_the_file_runs_the_last_good_revision_not_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORYWATCH_STORAGE_URL", f"sqlite:///{tmp_path}/storywatch.db")
    monkeypatch.chdir(tmp_path)

    async def once() -> None:
        async with house(tmp_path):
            pass

    asyncio.run(once())
    (tmp_path / "config.yaml").unlink()
    start = daemon.start_config(Path("config.yaml"), os.environ)
    assert [watch.name for watch in start.config.watches] == ["flights"]
    assert start.refused[0].code == "E001"


CANARY = "zugvogel-canary-4711"
SECRETS = """\
web: {{login: {{user: ana, password: {{env: PAGE_PASSWORD}}}}, link_keys: [{{file: '{folder}/key'}}]}}
"""
FEED_SECRET = f"headers: {{{{X-Api-Key: {CANARY}-written}}}}"


async def test_no_secret_of_a_file_reaches_the_database_the_log_or_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAGE_PASSWORD", f"{CANARY}-env")
    (tmp_path / "key").write_text(f"{CANARY}-file-0123456789\n", encoding="utf-8")
    text = BASE.replace("tags: [balkan]", f"tags: [balkan], {FEED_SECRET}") + SECRETS
    before = logging.getLogger().handlers[:], logging.getLogger().level
    async with house(tmp_path, text) as at:
        logs.configure(__import__("sys").stderr, known=at.running.working.hidden)
        at.write("AND Serbia", "AND Serbia\n    title: Flights")
        answers = [await at.reloader.reload("signal")]
        at.write("AND Serbia", f"AND (Serbia {CANARY}-env")
        answers.append(await at.reloader.reload("signal"))
        structlog.get_logger().error("x", said=f"a password {CANARY}-env", where=[f"{CANARY}-file-0123456789"])
    structlog.reset_defaults()
    logging.getLogger().handlers[:], logging.getLogger().level = before
    assert [answer.outcome for answer in answers] == ["accepted", "refused"]
    assert CANARY not in str(answers)
    said = capsys.readouterr()
    assert CANARY not in said.out + said.err
    assert not any(CANARY.encode() in stored for stored in _files(tmp_path))


def _files(folder: Path) -> list[bytes]:
    return [stored.read_bytes() for stored in folder.glob("storywatch.db*")]


async def test_a_stored_text_reads_as_the_file_did(tmp_path: Path) -> None:
    async with house(tmp_path, BASE + "web: {{login: {{user: a, password: {{env: PATH}}}}}}\n") as at:
        (row,) = at.rows(select(tables.config_revision))
        assert row.text == at.file.read_text(encoding="utf-8")
        assert api.parse_text(row.text, os.environ).sha256 == at.running.config.sha256
