"""A stream of told entries for tests: each is assigned, recorded, and its assignment kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from monitor import lexicons
from monitor.cluster.index import Index
from monitor.cluster.item import Item, story_key
from monitor.cluster.knowledge import Knowledge
from monitor.cluster.settings import Settings
from monitor.values import Assignment, Domain, EntryId, StoryKey

START = datetime(2025, 3, 10, 8, 0, tzinfo=UTC)


@cache
def knowledge() -> Knowledge:
    """The shipped lexicons, read once per run."""
    return Knowledge.from_raw(lexicons.load("cluster/data"))


def item(
    number: int,
    title: str,
    text: str = "",
    *,
    lang: str = "en",
    outlet: str | None = None,
    after: timedelta = timedelta(0),
    published: datetime | None = None,
) -> Item:
    """An item seen some time after the start, by default from an outlet of its own."""
    domain = Domain(outlet or f"outlet{number}.example")
    seen = START + after
    return Item(EntryId(number), lang, seen, published or seen, domain, domain, title, text)


class Stream:
    """An index and what it said so far. Stories are named by the number of their first entry."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.index = Index(settings or Settings(), knowledge())
        self.items: list[Item] = []
        self.assignments: list[Assignment] = []
        self.stories: list[StoryKey] = []

    def tell(self, told: Item) -> Assignment:
        """Assign and record one item."""
        assignment = self.index.assign(told, told.seen_at)
        story = assignment.joined or story_key(str(told.id))
        self.index.add(told, story, assignment)
        self.items.append(told)
        self.assignments.append(assignment)
        self.stories.append(story)
        return assignment

    def say(self, title: str, text: str = "", *, hours: float = 0, **more: object) -> Assignment:
        """Tell an entry with the next number, `hours` after the start."""
        return self.tell(item(len(self.items), title, text, after=timedelta(hours=hours), **more))  # type: ignore[arg-type]

    @property
    def groups(self) -> list[int]:
        """For each entry the number of the first entry of its story."""
        return [self.stories.index(story) for story in self.stories]
