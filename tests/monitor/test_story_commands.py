"""`story merge`, `story split` and `label`: what people correct is kept, said, and exported."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from alerts import tables
from monitor import cli, pipeline, understanding, wiring
from monitor.config import api
from monitor.parse import delta
from monitor.store import claims, feeds, migrate, results
from monitor.store import engine as engines
from monitor.stories import CorrectionRefused
from monitor.values import ParsedEntry, ParsedFeed

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Run = Callable[..., str]
CONFIG = """\
version: 1
contact: https://newsroom.example/storywatch
storage: {{url: 'sqlite:///{folder}/storywatch.db'}}
feeds: [{{url: 'https://wire.example/rss'}}]
watches: [{{name: flights, query: "deport* OR flood*"}}]
channels: {{console: {{type: stdout}}}}
"""
ENTRIES = tuple(
    ParsedEntry(str(n), f"https://{host}/{n}", title, text, published=NOW + timedelta(minutes=n), language="en")
    for n, (host, title, text) in enumerate(
        (
            (
                "wire.example",
                "Serbia asked to take deported migrants",
                "Three officials said so in Washington on Monday.",
            ),
            ("press.example", "Serbia asked to take deported migrants, aides say", "Washington wants Serbia to help."),
            ("wire.example", "Flood closes the coastal road near Bar", "The water rose after two days of rain."),
        )
    )
)


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command line on a database that holds two stories: entries 1 and 2, and entry 3."""
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    config = api.load(file, {})
    engine = engines.open_engine(f"sqlite:///{tmp_path}/storywatch.db")
    migrate.ensure(engine)
    with engine.begin() as connection:
        feeds.sync(connection, [feeds.Seed("https://wire.example/rss", "wire.example")], NOW)
        (row,) = claims.claim(connection, NOW, lease=timedelta(minutes=1))
    assert row.claim is not None
    ctx: understanding.Context = wiring.context(engine, wiring.knowledge(config, config_rev=1), config, now=NOW)
    decision = pipeline.Decision(results.Settlement(NOW, "adaptive", {}, NOW, ok=True))
    turn = pipeline.Turn(row.claim, None, 1, False, lambda _: decision)
    pipeline.process(delta.whole(ParsedFeed(ENTRIES)), turn, ctx, NOW)
    engine.dispose()

    def call(*words: str) -> str:
        cli.app([*words, "-c", str(file)], standalone_mode=False)
        return capsys.readouterr().out

    return call


def keys(run: Run) -> dict[str, str]:
    """Story keys by the first word of their titles."""
    return {story["title"].split()[0]: story["key"] for story in json.loads(run("story", "list", "--json"))}


def entries(run: Run, key: str) -> list[int]:
    return [mention["entry"] for mention in json.loads(run("story", "show", key, "--json"))["mentions"]]


def test_a_merged_story_leads_to_its_survivor(run: Run) -> None:
    known = keys(run)
    said = run("story", "merge", known["Flood"], known["Serbia"])
    assert "moved" in said
    assert len(keys(run)) == 1
    assert entries(run, known["Flood"]) == entries(run, known["Serbia"]) == [1, 2, 3]


def test_a_split_entry_has_a_story_of_its_own(run: Run) -> None:
    known = keys(run)
    said = json.loads(run("story", "split", "2", "--note", "another request", "--json"))
    assert entries(run, said["story"]) == [2]
    assert entries(run, known["Serbia"]) == [1]
    assert "    2  " in run("story", "show", said["story"])


def test_who_was_told_of_a_story_hears_what_became_of_it(run: Run, tmp_path: Path) -> None:
    known = keys(run)
    engine = engines.open_engine(f"sqlite:///{tmp_path}/storywatch.db")
    told = {"recipient": "console/console", "event_id": None, "told_at": NOW, "reached_at": NOW}
    with engine.begin() as tx:
        tx.execute(insert(tables.cursor), [{**told, "group_key": key} for key in known.values()])
    part = json.loads(run("story", "split", "2", "--json"))["story"]
    (merged,) = json.loads(run("story", "merge", known["Serbia"], known["Flood"], "--json"))
    columns = tables.event.c
    waiting = select(columns.kind, tables.item.c.group_key, tables.item.c.recipient).join_from(
        tables.event, tables.item, tables.item.c.event_id == columns.id
    )
    with engines.reading(engine) as connection:
        rows = connection.execute(waiting.where(columns.kind.in_(("merged", "split"))).order_by(columns.id)).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [
        ("split", part, "console/console"),
        ("merged", merged["story"], "console/console"),
    ]


def test_labels_are_kept_and_exported_as_rows(run: Run) -> None:
    known = keys(run)
    assert known["Flood"] in run("label", known["Flood"], "wrong", "--note", "weather")
    run("label", "1", "right")
    run("label", "--missed", "https://elsewhere.example/9")
    rows = [json.loads(line) for line in run("label", "--export").splitlines()]
    assert [(row["subject"], row["verdict"]) for row in rows] == [
        (known["Flood"], "wrong"),
        ("1", "right"),
        ("https://elsewhere.example/9", "missed"),
    ]
    assert (rows[0]["note"], rows[1]["story"]) == ("weather", known["Serbia"])


REFUSED = {
    "an unknown story": (("story", "merge", "st_nothing000", "st_nothing001"), "no story st_nothing000"),
    "all entries of a story": (("story", "split", "3"), "all entries"),
    "an entry of no story": (("story", "split", "99"), "entry 99 is in no story"),
    "entries of two stories": (("story", "split", "1", "3"), "more than one story"),
    "a label for nothing": (("label", "st_nothing000", "right"), "no story st_nothing000"),
}


@pytest.mark.parametrize(("words", "says"), REFUSED.values(), ids=REFUSED)
def test_a_correction_that_cannot_be_made_says_why(run: Run, words: tuple[str, ...], says: str) -> None:
    with pytest.raises(CorrectionRefused, match=says):
        run(*words)


def test_a_label_needs_a_verdict(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run("label", "1", "perhaps")
    assert ended.value.code == 64
    assert "right|wrong" in capsys.readouterr().err
