"""The live entries: what they are compared by, which story each is in, and when they leave.

Knows nothing of decisions. Used by `index`, which adds and removes, and by `assign`, which reads.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from monitor.cluster import prior
from monitor.cluster.copies import Shingles
from monitor.cluster.features import Bag, Features
from monitor.cluster.habits import LEAST_ENTRIES, Habits
from monitor.cluster.knowledge import Knowledge
from monitor.cluster.view import View
from monitor.values import EntryId, StoryKey

_LEAST_EPOCH = 8
_OWN_TEXTS = 200

_Key = TypeVar("_Key", bound=Hashable)


@dataclass(slots=True)
class Live:
    """An entry of the window.

    `number` counts additions, `told_s` is a Unix time, `naming` are its features that name something.
    """

    number: int
    id: EntryId
    story: StoryKey
    seen_at: datetime
    told_s: float
    publisher: str | None
    family: str
    title: str
    folded_title: str
    naming: frozenset[str]
    shingles: Shingles


@dataclass(slots=True)
class _Counted:
    """What document frequencies need of an entry, kept until no epoch can ask for it."""

    id: EntryId
    story: StoryKey
    seen_at: datetime
    features: Features


class Window:
    """Entries by number, and four ways to find them: by feature, story, title, publisher."""

    def __init__(self, length: timedelta, knowledge: Knowledge) -> None:
        self._length = length
        self._knowledge = knowledge
        self._words: dict[str, View] = {}
        self.names = View(prior.of_names(knowledge), prior.WEIGHT)
        self.live: dict[int, Live] = {}
        self.numbers: dict[EntryId, int] = {}
        self.stories: dict[StoryKey, deque[int]] = {}
        self._titles: dict[tuple[str, str], deque[int]] = {}
        self._publishers: dict[str, deque[int]] = {}
        self._habits = Habits()
        self._counted: deque[_Counted] = deque()
        self._now: datetime | None = None
        self._day: date | None = None
        self._today = 0
        self._epoch: tuple[date, int] | None = None

    @property
    def features(self) -> int:
        """How many different features are indexed."""
        return self.names.features + sum(view.features for view in self._words.values())

    def words(self, family: str) -> View:
        """The words of one language family."""
        view = self._words.get(family)
        if view is None:
            view = self._words[family] = View(prior.of_words(self._knowledge, family), prior.WEIGHT)
        return view

    def same_title(self, family: str, folded_title: str) -> Live | None:
        """The earliest live entry with this title."""
        numbers = self._titles.get((family, folded_title))
        return self.live[numbers[0]] if numbers else None

    def printed(self, publisher: str, shared: frozenset[int], but: int) -> frozenset[int]:
        """Those of some shingles that a publisher prints under everything, judged by its last texts but one."""
        numbers = list(self._publishers.get(publisher, ()))[-_OWN_TEXTS:]
        if len(numbers) < LEAST_ENTRIES:
            return frozenset()
        texts = {number: self.live[number].shingles for number in numbers}
        return self._habits.printed(publisher, shared, texts, but)

    def placed(self) -> dict[EntryId, StoryKey]:
        """The story of every live entry."""
        return {live.id: live.story for live in self.live.values()}

    # --------------------------------------------------------------------------------------- coming and going

    def count(self, entry: EntryId, story: StoryKey, seen_at: datetime, found: Features) -> None:
        """Let an entry take part in document frequencies, from the next epoch on."""
        self._counted.append(_Counted(entry, story, seen_at, found))
        self._today += seen_at.date() == self._day

    def add(self, live: Live, found: Features) -> None:
        """Make an entry findable."""
        self.live[live.number] = live
        self.numbers[live.id] = live.number
        _append(self.stories, live.story, live.number)
        _append(self._titles, (live.family, live.folded_title), live.number)
        if live.publisher is not None:
            _append(self._publishers, live.publisher, live.number)
        self.words(live.family).add(live.number, found.words)
        self.names.add(live.number, found.names)

    def forget(self, number: int) -> None:
        """Let an entry go."""
        live = self.live.pop(number)
        del self.numbers[live.id]
        _drop(self.stories, live.story, number)
        _drop(self._titles, (live.family, live.folded_title), number)
        if live.publisher is not None:
            _drop(self._publishers, live.publisher, number)
        self.words(live.family).remove(number)
        self.names.remove(number)

    def uncount(self, entries: frozenset[EntryId]) -> None:
        """Undo `count`."""
        self._counted = deque(counted for counted in self._counted if counted.id not in entries)
        self._today = sum(counted.seen_at.date() == self._day for counted in self._counted)

    def move(self, entries: Mapping[EntryId, StoryKey]) -> None:
        """Put entries into other stories; those that are there already, or not known, stay as they are.

        Document frequencies are counted anew, as they would be after a restart.
        """
        for counted in self._counted:
            story = entries.get(counted.id, counted.story)
            if story != counted.story:
                counted.story = story
                self._epoch = None
        for entry in sorted(entries.keys() & self.numbers.keys()):
            live = self.live[self.numbers[entry]]
            if live.story != entries[entry]:
                _drop(self.stories, live.story, live.number)
                live.story = entries[entry]
                insort(self.stories.setdefault(live.story, deque()), live.number)

    # --------------------------------------------------------------------------------------------------- time

    def move_to(self, now: datetime) -> None:
        """Let old entries go and enter the epoch that `now` lies in. Time never goes back."""
        now = self._now = now if self._now is None else max(now, self._now)
        oldest = now - self._length
        expired = []
        for number, live in self.live.items():
            if live.seen_at >= oldest:
                break
            expired.append(number)
        for number in expired:
            self.forget(number)
        if now.date() != self._day:
            self._begin_day(now)
        self._enter_epoch()

    def _begin_day(self, now: datetime) -> None:
        self._day = now.date()
        needed = reach(self._length, now)
        while self._counted and self._counted[0].seen_at < needed:
            self._counted.popleft()
        self._today = sum(counted.seen_at.date() == self._day for counted in self._counted)

    def _enter_epoch(self) -> None:
        """Document frequencies stand still within an epoch, so that neither restarts nor batches make a difference."""
        assert self._day is not None
        epoch = (self._day, epoch_start(len(self._counted) - self._today, self._today))
        if epoch == self._epoch:
            return
        self._epoch = epoch
        stories: dict[StoryKey, list[Features]] = {}
        for counted in self._counted_in_epoch():
            stories.setdefault(counted.story, []).append(counted.features)
        self.names.start_epoch([found.names for found in told] for told in stories.values())
        families: dict[str, dict[StoryKey, list[Bag]]] = {family: {} for family in self._words}
        for story, told in stories.items():
            for found in told:
                families.setdefault(found.family, {}).setdefault(story, []).append(found.words)
        for family, bags in families.items():
            self.words(family).start_epoch(bags.values())

    def _counted_in_epoch(self) -> list[_Counted]:
        """The entries of one window before the epoch began."""
        if self._epoch is None:
            return []
        day, begun = self._epoch
        before = list(self._counted)[: len(self._counted) - self._today + begun]
        if not before:
            return []
        midnight = before[-1].seen_at.replace(hour=0, minute=0, second=0, microsecond=0)
        start = before[-1].seen_at if begun else midnight + (day - midnight.date())
        return [counted for counted in before if counted.seen_at >= start - self._length]


def reach(length: timedelta, now: datetime) -> datetime:
    """Entries seen since then are all that decisions at `now` can depend on: a window before the day began."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - length


def epoch_start(before: int, today: int) -> int:
    """With how many entries of the day the current epoch began: one each time the window has grown by a third.

    `before` counts the entries of the window that ends with the last day, `today` those since.

    >>> [epoch_start(0, today) for today in (0, 7, 8, 15, 16, 100)], [epoch_start(300, today) for today in (99, 100)]
    ([0, 0, 8, 8, 16, 98], [0, 100])
    """
    begun = 0
    while (following := begun + max(_LEAST_EPOCH, (before + begun) // 3)) <= today:
        begun = following
    return begun


def _append(table: dict[_Key, deque[int]], key: _Key, number: int) -> None:
    table.setdefault(key, deque()).append(number)


def _drop(table: dict[_Key, deque[int]], key: _Key, number: int) -> None:
    numbers = table[key]
    if numbers[0] == number:
        numbers.popleft()
    else:
        numbers.remove(number)
    if not numbers:
        del table[key]
