"""Search on both databases: scripts, endings, changed texts, and hostile questions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, insert, update

from monitor.store import partitions, search, tables

AT = datetime(2025, 6, 5, tzinfo=UTC)
TEXTS = {
    1: ("Србија прима депортоване мигранте", "Влада је одговорила."),
    2: ("Srbija razgovara o deportaciji", "Vlada Srbije nije odgovorila na pitanja."),
    3: ("Kosovo accepts fifty", "Kosova's government said yes. TPS-om, plan B."),
}


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Three entries in a story each, indexed."""
    with engine.begin() as connection:
        feed = {"id": 1, "url": "https://a.example/f", "host": "a.example", "next_at": AT, "next_reason": "new"}
        connection.execute(insert(tables.feed).values(**feed, schedule={}))
        partitions.make_room(connection, AT)
        for number, (title, text) in TEXTS.items():
            story = {"id": number, "key": f"st_{number}", "title": title, "size": 1, "state": "open", "algo": 1}
            connection.execute(insert(tables.story).values(**story, first_at=AT, last_at=AT))
            entry = {"id": number, "feed_id": 1, "entry_key": str(number), "title": title, "summary": text}
            kept = {"content": "", "gen": 1, "text_sha256": bytes(32), "first_seen_at": AT}
            connection.execute(insert(tables.entry).values(**entry, **kept))
            mention = {"entry_id": number, "story_id": number, "title": title, "lead": "", "role": "report"}
            scores = {"score": 0.0, "threshold": 0.0, "runner_up_score": 0.0, "containment": 0.0}
            why = {"shared": [], "reason": "joined", "algo": 1, "seen_at": AT}
            connection.execute(insert(tables.mention).values(**mention, **scores, **why))
        while search.catch_up(connection):
            pass
    return engine


ASKED: dict[str, tuple[str, set[int]]] = {
    "Latin letters find both scripts": ("srbija", {1, 2}),
    "Cyrillic letters find both scripts": ("СРБИЈА", {1, 2}),
    "a case finds the others": ("Srbiju", {1, 2}),
    "the beginning of a word": ("deport", {1, 2}),
    "all words must be there": ("srbija migranti", {1}),
    "a word without its marks": ("razgovara", {2}),
    "a short word is whole": ("je", {1}),
    "a letter alone": ("b", {3}),
    "another name of a country": ("Kosova", {3}),
    "operators are words": ("kosovo AND fifty", set()),
    "quotes and stars mean nothing": ('"kosovo"* (', {3}),
    "a column filter means nothing": ("body:kosovo", set()),
    "colons, ampersands and brackets": ("kosovo & ! <-> :*", {3}),
}


@pytest.mark.parametrize(("asked", "stories"), ASKED.values(), ids=ASKED)
def test_what_a_question_finds(filled: Engine, asked: str, stories: set[int]) -> None:
    with filled.connect() as connection:
        found = search.find(connection, asked)
    assert found is not None
    assert found.stories == stories


def test_a_question_without_words_is_none(filled: Engine) -> None:
    with filled.connect() as connection:
        assert search.find(connection, '" ( * -') is None


def test_a_changed_text_is_found_by_its_new_words_only(filled: Engine) -> None:
    with filled.begin() as connection:
        connection.execute(update(tables.entry).where(tables.entry.c.id == 3).values(title="Correction", summary="No."))
        assert search.refresh(connection, AT) == 1
        assert search.refresh(connection, AT) == 0
        for asked, stories in (("kosovo", frozenset()), ("correction", frozenset({3}))):
            found = search.find(connection, asked)
            assert found is not None
            assert found.stories == stories


def test_without_an_index_nothing_is_found_and_nothing_breaks(engine: Engine) -> None:
    with engine.connect() as connection:
        assert not search.is_ready(connection)
        found = search.find(connection, "kosovo")
        assert found is not None
        assert not found.stories
