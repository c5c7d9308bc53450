"""What digests say of stories that became one or two: a line for the watches that were told of them.

Pure; called by the pipeline for what the clusterer mended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from alerts.values import Event, Kind
from monitor.detect.event_keys import key
from monitor.detect.events import WatchRule
from monitor.values import StoryFacts, StoryKey


def events(
    story: StoryFacts, gone: Sequence[StoryKey], rules: Mapping[str, WatchRule], now: datetime, config_rev: int
) -> Iterator[Event]:
    """One event for each watch that knows the story and each key that leads to it from now on."""
    title = story.mentions[0].title if story.mentions else ""
    watches = sorted({watch for mention in story.mentions for watch in mention.watches if watch in rules})
    for watch in watches:
        for old in gone:
            yield Event(
                key(Kind.MERGED, watch, story.key, old),
                Kind.MERGED,
                watch,
                story.key,
                now,
                story_title=title,
                config_rev=config_rev,
                facts=(("message", f"Story {old} turned out to be this one"), ("gone", old)),
            )
