"""Every stored decision of a replay is explained by what is on record, in the words of the record."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from alerts import tables as alert_tables
from monitor import replay, wiring
from monitor.config import api
from monitor.explain import rendering, stages, subject
from monitor.store import engine as engines
from monitor.store import tables
from tests.monitor.backtest.test_backtest import RUNNING, START, stream, write

ENTRIES = int(os.environ.get("STORYWATCH_EXPLAINED", "120"))
"""A thousand and a half make a thousand decisions; so many are explained where it is asked for."""


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Connection, dict[int, stages.Explained]]]:
    """A database in which a stream was decided, and what is said of each entry that a watch took."""
    folder: Path = tmp_path_factory.mktemp("explained")
    config = api.load(write(folder, "config.yaml", RUNNING), {})
    replay.play([replay.row(raw) for raw in stream(ENTRIES)], config, folder, lambda line: None)
    engine = engines.open_engine(f"sqlite:///{folder}/replay.db")
    context = wiring.context(engine, wiring.knowledge(config, config_rev=0), config, now=START)
    with engines.reading(engine) as connection:
        told = {}
        for entry in connection.execute(select(tables.match.c.entry_id).distinct()).scalars():
            known = subject.stored(connection, subject.Wish(str(entry)))
            assert known is not None
            told[entry] = stages.explain(connection, known, config, context, START)
        yield connection, told
    engine.dispose()


def grouped(connection: Connection, statement: Any) -> dict[int, set[Any]]:
    found: dict[int, set[Any]] = defaultdict(set)
    for entry, *rest in connection.execute(statement):
        found[entry].add(tuple(rest))
    return found


def test_every_entry_is_explained_with_the_watches_and_the_story_on_record(
    explained: tuple[Connection, dict[int, stages.Explained]],
) -> None:
    connection, told = explained
    matches = grouped(connection, select(tables.match.c.entry_id, tables.match.c.watch))
    mention, story = tables.mention.c, tables.story.c
    joined = select(mention.entry_id, story.key, mention.role).join(tables.story, story.id == mention.story_id)
    placed = grouped(connection, joined)
    assert len(told) > ENTRIES / 3
    for entry, said in told.items():
        assert {(line.watch,) for line in said.watches if line.matches} == matches[entry]
        assert said.story is not None
        assert {(said.story.key, str(said.story.assignment.role))} == placed[entry]


def test_every_event_and_each_step_of_it_is_told_in_the_words_on_record(
    explained: tuple[Connection, dict[int, stages.Explained]],
) -> None:
    connection, told = explained
    event, item = alert_tables.event.c, alert_tables.item.c
    rows = connection.execute(select(event.id, event.event_key, event.kind, event.state, event.payload)).all()
    steps = grouped(connection, select(item.event_id, item.recipient, item.state, item.reason, item.delivery_id))
    events: dict[int, set[Any]] = defaultdict(set)
    for row in rows:
        mentioned = json.loads(row.payload).get("mention")
        if mentioned:
            events[int(mentioned["entry"])].add((row.event_key, row.kind, row.state, len(steps[row.id])))
    for entry, said in told.items():
        assert {(one.key, one.kind, one.state, len(one.steps)) for one in said.events} == events[entry]
        assert "would" not in rendering.as_text(said, colour=False, spans=False)
    words = {one.key: " ".join(one.steps) for said in told.values() for one in said.events}
    for row in rows:
        for recipient, state, reason, delivery in steps[row.id] if row.event_key in words else ():
            assert all(part in words[row.event_key] for part in (recipient, state, reason, delivery) if part)
