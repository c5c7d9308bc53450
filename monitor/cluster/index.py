"""The window of one installation in memory: asked where an entry belongs, told where it went.

`assign` decides and changes nothing a later answer depends on; `add` records. An index built by `add`, in the order
(seen_at, id), from the entries seen since `reach` decides as one that never stopped. No clock, no I/O: the pipeline
and the lab own an index and store what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from monitor.cluster import repair, scoring, theme, window
from monitor.cluster.assign import Read, assign
from monitor.cluster.copies import shingles
from monitor.cluster.exclusions import excluded
from monitor.cluster.features import Reader
from monitor.cluster.item import Item
from monitor.cluster.knowledge import Knowledge
from monitor.cluster.settings import Settings
from monitor.cluster.window import Live, Window
from monitor.values import Assignment, EntryId, StoryKey

_MOST_WATCHES = 20_000


class Index:
    """Not for use by two threads at once."""

    def __init__(
        self,
        settings: Settings,
        knowledge: Knowledge,
        opinion: scoring.Opinion | None = None,
    ) -> None:
        """`opinion` is asked about close calls across languages; nobody without one."""
        self._settings = settings
        self._knowledge = knowledge
        self._opinion = opinion
        self._asked: dict[frozenset[str], theme.Asked] = {}
        self._reader = Reader(knowledge, settings)
        self._window = Window(settings.window, knowledge)
        self._next = 0
        self._last: Read | None = None
        self._witnesses = repair.Witnesses()

    def __len__(self) -> int:
        """How many entries are live."""
        return len(self._window.live)

    def __contains__(self, entry: EntryId) -> bool:
        return entry in self._window.numbers

    @property
    def features(self) -> int:
        """How many different features are indexed."""
        return self._window.features

    @staticmethod
    def reach(settings: Settings, now: datetime) -> datetime:
        """Entries seen since then must be added again after a restart at `now`."""
        return window.reach(settings.window, now)

    def reach_at(self, now: datetime) -> datetime:
        """Entries seen since then are all that decisions of this index at `now` can depend on."""
        return self.reach(self._settings, now)

    def assign(self, item: Item, now: datetime, asked: Iterable[frozenset[str]] = ()) -> Assignment:
        """Say which story an entry belongs to and whose text it is. `now` never goes back.

        `asked` are the folded words and beginnings that each watch asks for which brought it.
        """
        self._window.move_to(now)
        read = [self._words(one) for one in asked]
        return assign(self._read(item), self._window, self._settings, self._opinion, read)

    def _words(self, asked: frozenset[str]) -> theme.Asked:
        if asked not in self._asked:
            if len(self._asked) >= _MOST_WATCHES:
                self._asked.clear()  # they are of configurations long gone
            self._asked[asked] = theme.read(asked, self._knowledge)
        return self._asked[asked]

    def add(self, item: Item, story: StoryKey, decided: Assignment | None = None) -> None:
        """Record that an entry is a mention of a story. An entry that is there already stays as it is.

        Also for excluded entries: nothing will join them, but they count as read. `decided` may show that two stories
        are one.
        """
        if item.id in self._window.numbers:
            return
        self._window.move_to(item.seen_at)
        read = self._read(item)
        self._window.count(item.id, story, item.seen_at, read.features)
        if read.excluded is not None:
            return
        self._next += 1
        live = Live(
            number=self._next,
            id=item.id,
            story=story,
            seen_at=item.seen_at,
            told_s=scoring.told_at(item.published_at, item.seen_at).timestamp(),
            publisher=item.publisher,
            family=read.features.family,
            title=item.title,
            folded_title=read.features.folded_title,
            naming=read.features.naming,
            shingles=read.shingles,
        )
        self._window.add(live, read.features)
        if decided is not None:
            self._witnesses.note(item.id, decided)

    def put(self, item: Item, story: StoryKey, decided: Assignment | None = None) -> None:
        """Record what another process did: a mention that is new, has moved to this story, or was edited."""
        number = self._window.numbers.get(item.id)
        if number is not None:
            known, read = self._window.live[number], self._read(item)
            if (known.folded_title, known.shingles) == (read.features.folded_title, read.shingles):
                self.move({item.id: story})
                return
            self.remove([item.id])
        self.add(item, story, decided)

    def remove(self, entries: Iterable[EntryId]) -> None:
        """Take entries out again as if they had never been added: their transaction was rolled back."""
        gone = frozenset(entries)
        numbers = sorted((number for entry, number in self._window.numbers.items() if entry in gone), reverse=True)
        for number in numbers:
            self._window.forget(number)
        self._window.uncount(gone)
        self._witnesses.forget(gone)

    def move(self, entries: Mapping[EntryId, StoryKey]) -> None:
        """Put entries into the stories where they stand by now: stories were merged or split."""
        self._window.move(entries)

    def merges(self, new: Iterable[EntryId]) -> tuple[repair.Merge, ...]:
        """The stories that should be one now that these entries have been added; none while the setting is off."""
        fresh = frozenset(new)
        if not self._settings.merge or not self._witnesses.among(fresh):
            return ()
        witnessed = self._witnesses.pairs(fresh, self._window.placed())
        return repair.merges(self._window.stories, witnessed, self._similarity)

    @property
    def may_split(self) -> bool:
        """Whether a story that fell apart becomes two."""
        return self._settings.split

    def splits(self, stories: Iterable[StoryKey]) -> tuple[repair.Split, ...]:
        """Those of these stories that are two; none while the setting is off."""
        if not self._settings.split:
            return ()
        least = self._settings.thresholds.with_text
        found = []
        for story in sorted(set(stories) & self._window.stories.keys()):
            leaving = repair.parting(self._window.stories[story], self._similarity, least)
            if leaving:
                found.append(repair.Split(story, tuple(self._window.live[number].id for number in leaving)))
        return tuple(found)

    def _similarity(self, one: int, other: int) -> float:
        """How like each other two live entries are, time left out."""
        first, second = self._window.live[one], self._window.live[other]
        if first.family != second.family:
            names = self._window.names
            return scoring.across_languages(names.vector_of(one), names.vector_of(other))
        words = self._window.words(first.family)
        return scoring.cosine(words.vector_of(one), words.vector_of(other))

    def _read(self, item: Item) -> Read:
        """Read an item; the last one is remembered, as `add` follows `assign`."""
        if self._last is None or self._last.item is not item:
            found = self._reader.read(item)
            rule = excluded(item, self._knowledge)
            self._last = Read(item, found, shingles(item.text, self._knowledge), rule)
        return self._last
