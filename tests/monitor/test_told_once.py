"""Nothing is told twice when stories become one or two: the told set goes with a part, old keys stay known."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import pytest
from sqlalchemy import Engine

from monitor import retelling, understanding
from monitor import stories as repairs
from monitor.store import corrections, feeds
from monitor.store import engine as engines
from monitor.values import EntryId, ParsedEntry, StoryKey
from tests.monitor.test_pipeline import FEEDS, MINUTE, NOW, fresh, kinds, process

ASKED = "The United States has asked Serbia to accept migrants deported from its soil"
ENDS = {
    "asked": (
        "three officials said.",
        "people close to the talks say.",
        "a letter shows.",
        "diplomats told reporters.",
    ),
    "denied": ("Serbia's Foreign Ministry denied it.",) * 4,
}


class Newsroom:
    """Entries of outlets, one document each, in a running process; a person corrects stories between them."""

    def __init__(self, engine: Engine) -> None:
        with engine.begin() as connection:
            feeds.sync(connection, [feeds.Seed(url, url.split("/")[2]) for url in FEEDS], NOW)
        self.ctx: understanding.Context = fresh(engine)
        self.number = 0
        self.entries: dict[StoryKey, list[EntryId]] = {}
        self.told: Counter[tuple[str, str]] = Counter()

    @property
    def now(self) -> datetime:
        return NOW + self.number * MINUTE

    def tells(self, outlet: str, says: str = "asked", *, into: StoryKey | None = None) -> list[str]:
        """An outlet writes; the kinds of what is told of it. `into`: the story it is to be found in."""
        self.number += 1
        parsed = ParsedEntry(
            id=f"e{self.number}",
            url=f"https://{outlet}.example/{self.number}",
            title=f"Washington asks Serbia to take deported migrants ({self.number})",
            summary=f"{ASKED}, {ENDS[says][self.number % 4]}",
            published=self.now,
            language="en",
        )
        if into is not None:
            self._only(into)
        report = process(self.ctx, parsed, at=self.now)
        (taken,) = report.taken
        assert into is None or taken.story == into
        self.entries.setdefault(taken.story, []).append(taken.entry.id)
        for event in report.events:
            if event.mention is not None and event.kind in ("new_story", "new_outlet"):
                self.told[(event.watch, event.mention.outlet or "")] += 1
        return [kind for kind in kinds(report) if kind in ("new_story", "new_outlet", "response", "spike")]

    def _only(self, story: StoryKey) -> None:
        """Let the window know this story alone, so that what comes joins it."""
        self.ctx = fresh(self.ctx.engine, self.now)
        with engines.reading(self.ctx.engine) as connection:
            placed = corrections.placed(connection, NOW)
        self.ctx.window.remove([entry for entry, key in placed.items() if key != story])

    def split(self, entries: Sequence[EntryId]) -> StoryKey:
        with self.ctx.engine.begin() as tx:
            change = repairs.split(tx, entries, "ana", self.now)
            retelling.tell(tx, (change,), self.ctx.knowledge.plan, self.now)
        self._stand_anew()
        return change.story

    def merge(self, *keys: StoryKey) -> None:
        with self.ctx.engine.begin() as tx:
            changes = repairs.merge(tx, keys, "ana", self.now)
            retelling.tell(tx, changes, self.ctx.knowledge.plan, self.now)
        self._stand_anew()

    def _stand_anew(self) -> None:
        self.ctx = fresh(self.ctx.engine, self.now)
        with engines.reading(self.ctx.engine) as connection:
            placed = corrections.placed(connection, NOW)
        self.entries = {}
        for entry, key in sorted(placed.items()):
            self.entries.setdefault(key, []).append(entry)

    @property
    def stories(self) -> list[StoryKey]:
        return list(self.entries)


@pytest.fixture
def newsroom(engine: Engine) -> Newsroom:
    return Newsroom(engine)


def test_a_part_split_off_does_not_tell_again_what_the_whole_had_told(newsroom: Newsroom) -> None:
    for outlet in ("first", "second", "third"):
        newsroom.tells(outlet)
    newsroom.tells("fourth", "denied")
    (whole,) = newsroom.stories
    part = newsroom.split(newsroom.entries[whole][1:3])
    assert newsroom.tells("first", into=part) == []
    assert newsroom.tells("fourth", "denied", into=part) == []
    assert "new_outlet" in newsroom.tells("fifth", into=part)
    assert newsroom.tells("second", into=whole) == []


def test_parts_of_one_story_know_of_each_other_what_was_told_before_they_parted(newsroom: Newsroom) -> None:
    for outlet in ("first", "second", "third", "fourth"):
        newsroom.tells(outlet)
    (whole,) = newsroom.stories
    one = newsroom.split(newsroom.entries[whole][1:2])
    other = newsroom.split(newsroom.entries[whole][2:3])
    assert newsroom.tells("second", into=other) == []
    assert newsroom.tells("third", into=one) == []
    assert "new_outlet" in newsroom.tells("fifth", into=one)
    assert "new_outlet" in newsroom.tells("fifth", into=other), "told there after they had parted"


def test_what_a_story_told_before_it_was_merged_stays_told(newsroom: Newsroom) -> None:
    for outlet in ("first", "second", "third"):
        newsroom.tells(outlet)
    (whole,) = newsroom.stories
    part = newsroom.split(newsroom.entries[whole][1:])
    newsroom.tells("fourth", into=part)
    assert "response" in newsroom.tells("fifth", "denied", into=part)
    newsroom.merge(whole, part)
    assert newsroom.stories == [whole]
    assert newsroom.tells("fourth") == []
    assert newsroom.tells("fifth", "denied") == []
    assert "spike" not in newsroom.tells("sixth"), "the part had told of it under its own key"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_however_a_story_is_taken_apart_no_outlet_it_had_told_is_told_again(sqlite_url: str, seed: int) -> None:
    engine = engines.open_engine(sqlite_url)
    newsroom, dice = Newsroom(engine), random.Random(seed)
    outlets = [f"outlet{n}" for n in range(7)]
    for outlet in outlets:
        newsroom.tells(outlet)
    before = dict(newsroom.told)
    assert len(before) == len(outlets)
    for _ in range(3):
        whole = max(newsroom.entries.values(), key=len)
        newsroom.split(dice.sample(whole[1:], k=len(whole) // 3))
        for outlet in dice.sample(outlets, k=4):
            newsroom.tells(outlet, into=dice.choice([None, *newsroom.stories]))
    assert len(newsroom.stories) > 3
    assert newsroom.told == before
    engine.dispose()
