"""Second thoughts about stories, carried out in database and window: merges, splits, labels.

    the machine   repair(tx, window, new, now)  -> changes;  after the commit  settle(window, changes)
    a person      merge | split | label(tx, ...)              from any process; the daemon's window hears of it by
    any process   catch_up(tx, window, since, seen)           before it decides anything else

What a person put together or apart the machine leaves so. Every change is one transaction of the caller's; the window
is told after the commit, so that a roll-back leaves it as it was. Called by `pipeline`, `cli` and the web pages.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from monitor.cluster.index import Index
from monitor.cluster.item import Item, story_key
from monitor.cluster.repair import Merge, Split
from monitor.errors import MonitorError
from monitor.store import corrections, live_mentions, stories
from monitor.store import engine as engines
from monitor.store.corrections import Changed, Label, Mentioned, Standing, Verdict
from monitor.values import EntryId, StoryKey

_SPLIT_AT_MOST_EVERY = timedelta(days=1)
_LONGEST_WHO = 64


class CorrectionRefused(MonitorError):
    """A story cannot be corrected so; the message says why."""


# -------------------------------------------------------------------------------------------------- the machine


def repair(tx: Connection, window: Index, new: Collection[EntryId], now: datetime) -> tuple[Changed, ...]:
    """Merge and split what the new entries have shown to be one story or two; the window is told by `settle`."""
    merges = window.merges(new)
    splits: tuple[Split, ...] = ()
    if new and window.may_split and not merges:
        splits = window.splits({mention.story for mention in corrections.mentioned(tx, new)})
    if not merges and not splits:
        return ()
    engines.lock_stories(tx)
    found = [_merge_alike(tx, intent, now) for intent in merges] + [_split_apart(tx, intent, now) for intent in splits]
    return tuple(change for change in found if change is not None)


def _merge_alike(tx: Connection, intent: Merge, now: datetime) -> Changed | None:
    one, other = (corrections.standing(tx, key) for key in intent.stories)
    if one is None or other is None or one.id == other.id or corrections.are_apart(tx, one.id, other.id):
        return None
    survivor, loser = _by_age((one, other))
    return corrections.merge(tx, survivor, loser, corrections.BY_LIKENESS, now)


def _split_apart(tx: Connection, intent: Split, now: datetime) -> Changed | None:
    story = corrections.standing(tx, intent.story)
    if story is None or corrections.is_whole(tx, story.id, now - _SPLIT_AT_MOST_EVERY):
        return None
    return _part(tx, story, corrections.mentioned(tx, intent.leaving), now)


def settle(window: Index, changes: Sequence[Changed]) -> None:
    """Tell the window what has been committed."""
    for change in changes:
        window.move(dict.fromkeys(change.entries, change.story))


def catch_up(tx: Connection, window: Index, since: datetime, seen: int) -> int:
    """Take up what other processes and people have done to stories; returns the number to give as `seen` next time.

    `since` is the window's reach. Takes the story lock: until the end of `tx` nothing is decided elsewhere, so that
    several processes cluster as one.
    """
    engines.lock_stories(tx)
    newest = stories.newest_change(tx)
    if newest != seen:
        for row in live_mentions.changed(tx, seen, since):
            window.put(live_item(row), row.story, row.decided)
    return newest


def live_item(row: live_mentions.Live) -> Item:
    """A stored mention as the clusterer sees it."""
    return Item(
        id=row.entry,
        language=row.language,
        seen_at=row.seen_at,
        published_at=row.published,
        outlet=row.outlet,
        publisher=row.publisher,
        title=row.title,
        text=row.text,
        url=row.url,
    )


# ----------------------------------------------------------------------------------------------------- a person


def merge(tx: Connection, keys: Sequence[StoryKey], who: str, now: datetime, note: str = "") -> tuple[Changed, ...]:
    """Make one story of several: the oldest keeps its key, the keys of the others lead to it.

    Errors: CorrectionRefused for an unknown key, or when the keys lead to fewer than two stories.
    """
    engines.lock_stories(tx)
    stories = {story.id: story for story in (_known(tx, key) for key in keys)}
    if len(stories) < 2:
        raise CorrectionRefused("a merge needs two stories; these keys lead to one")
    survivor, *losers = _by_age(stories.values())
    changes = tuple(corrections.merge(tx, survivor, loser, corrections.BY_HAND, now) for loser in losers)
    for change in changes:
        _keep(tx, change, Verdict.MERGED, change.gone[0], who, now, note)
    return changes


def split(tx: Connection, entries: Collection[EntryId], who: str, now: datetime, note: str = "") -> Changed:
    """Give entries of one story a story of their own. The part with the first mention keeps the key.

    Errors: CorrectionRefused for an entry of no story, entries of two stories, or all entries of one.
    """
    engines.lock_stories(tx)
    found = corrections.mentioned(tx, entries)
    missing = sorted(set(entries) - {mention.entry for mention in found})
    if not found or missing:
        raise CorrectionRefused(f"entry {missing[0]} is in no story" if missing else "a split needs entries")
    if len({mention.story for mention in found}) > 1:
        raise CorrectionRefused("these entries are in more than one story; split one story at a time")
    story = _known(tx, found[0].story)
    whole = corrections.mentions(tx, story.key)
    if len(found) == len(whole):
        raise CorrectionRefused(f"these are all entries of {story.key}; name those that do not belong")
    if whole[0] in found:
        found = tuple(mention for mention in whole if mention not in found)
    change = _part(tx, story, found, now)
    _keep(tx, change, Verdict.SPLIT, story.key, who, now, note)
    return change


def label(tx: Connection, subject: str, verdict: Verdict, who: str, now: datetime, note: str = "") -> Label:
    """Keep what a person says of a story (its key), an entry (its number) or an address.

    Errors: CorrectionRefused for a story or entry that is not there. An address may be unknown: it was missed.
    """
    story, entry = _about(tx, subject)
    kept = Label(now, who[:_LONGEST_WHO], verdict, subject, story, entry, note)
    corrections.label(tx, kept)
    return kept


def labelled(tx: Connection) -> Iterator[str]:
    """All labels as JSON Lines, oldest first: what a person said, of which entry in which story."""
    for row in corrections.labels(tx):
        fields = {
            "story": row.story,
            "entry": row.entry,
            "verdict": str(row.verdict),
            "who": row.who,
            "at": row.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "title": row.title,
            "url": row.url,
            "subject": row.subject,
            "note": row.note,
        }
        yield json.dumps(fields, ensure_ascii=False)


# --------------------------------------------------------------------------------------------------------- parts


def _known(tx: Connection, key: StoryKey) -> Standing:
    story = corrections.standing(tx, key)
    if story is None:
        raise CorrectionRefused(f"there is no story {key}; storywatch story list shows them")
    return story


def _about(tx: Connection, subject: str) -> tuple[StoryKey | None, EntryId | None]:
    """The story and the entry a label is about."""
    if "://" in subject:
        found = corrections.by_address(tx, subject)
        return (found.story, found.entry) if found else (None, None)
    if subject.isdecimal():
        entries = corrections.mentioned(tx, [EntryId(int(subject))])
        if not entries:
            raise CorrectionRefused(f"entry {subject} is in no story")
        return entries[0].story, entries[0].entry
    return _known(tx, StoryKey(subject)).key, None


def _by_age(stories: Collection[Standing]) -> list[Standing]:
    return sorted(stories, key=lambda story: (story.first_at, story.key))


def _part(tx: Connection, story: Standing, leaving: Sequence[Mentioned], now: datetime) -> Changed:
    """Split under a key that never was one: a story merged and split again does not get its old key back."""
    name, number = leaving[0].name, 0
    while corrections.is_known(tx, key := story_key(f"{name}#{number}" if number else name)):
        number += 1
    return corrections.split(tx, story, [mention.entry for mention in leaving], key, now)


def _keep(
    tx: Connection, change: Changed, verdict: Verdict, subject: StoryKey, who: str, now: datetime, note: str
) -> None:
    """Keep a correction as one label for each entry that moved: it is evidence of where that entry belongs."""
    for entry in change.entries:
        corrections.label(tx, Label(now, who[:_LONGEST_WHO], verdict, subject, change.story, entry, note))
