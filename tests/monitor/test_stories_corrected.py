"""Stories merged, split and labelled, in both databases: keys keep working, corrections survive, nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, select

from alerts.outbox import acts
from monitor import stories as repairs
from monitor.backtest import labels
from monitor.cluster.index import Index
from monitor.cluster.item import Item, story_key
from monitor.cluster.settings import Settings
from monitor.store import corrections, entries, feeds, live_mentions, stories, story_facts, tables
from monitor.store.corrections import Verdict
from monitor.values import (
    Assignment,
    Domain,
    Entry,
    EntryId,
    Evidence,
    Finding,
    KeyedEntry,
    Outlet,
    ParsedEntry,
    Role,
    Stance,
    StoryKey,
)
from tests.monitor.cluster.stream import knowledge
from tests.monitor.cluster.test_repair import BRIDGED

NOW = datetime(2025, 6, 5, 8, 0, tzinfo=UTC)
ANSWER = Finding("RS", "ministry", Stance.CONFIRMED, "Ministry of Agriculture", "The ministry will pay.")


class Newsroom:
    """Entries arrive, are placed by a window, and stored: the pipeline without matching and events."""

    def __init__(self, engine: Engine, settings: Settings | None = None) -> None:
        self.engine = engine
        self.settings = settings or Settings()
        self.window = Index(self.settings, knowledge())
        self.entries: list[Entry] = []
        self.seen = 0
        with engine.begin() as tx:
            feeds.sync(tx, [feeds.Seed("http://a.example/rss", "a.example")], NOW)

    @property
    def now(self) -> datetime:
        return NOW + timedelta(hours=len(self.entries))

    def tell(self, title: str, text: str, *, answer: Finding | None = None) -> tuple[corrections.Changed, ...]:
        """Store one entry, and whatever it repairs."""
        with self.engine.begin() as tx:
            self.seen = repairs.catch_up(tx, self.window, Index.reach(self.settings, self.now), self.seen)
            entry = self._stored(tx, title, text)
            told = self._item(entry, self.now)
            decided = self.window.assign(told, self.now)
            key = decided.joined or story_key(f"{entry.feed}:{entry.entry_key}")
            self.window.add(told, key, decided)
            story = stories.record(tx, entry, Outlet(Domain("a.example"), "A"), decided, key, self.now, text)
            stories.record_evidence(tx, entry, story, Evidence((answer,) if answer else ()), self.now)
            changes = repairs.repair(tx, self.window, [entry.id], self.now)
        repairs.settle(self.window, changes)
        self.entries.append(entry)
        return changes

    def _stored(self, tx: Connection, title: str, text: str) -> Entry:
        n = len(self.entries)
        row = feeds.by_url(tx, "http://a.example/rss")
        assert row is not None
        address = f"https://a.example/{n}"
        keyed = KeyedEntry(ParsedEntry(f"id{n}", address, title, text), f"id{n}", f"a.example/{n}")
        (entry,) = entries.add(tx, row.id, [entries.Arrival(keyed, "en", Domain("a.example"))], gen=1, now=self.now)
        return entry

    @staticmethod
    def _item(entry: Entry, seen: datetime) -> Item:
        return Item(entry.id, "en", seen, seen, Domain("a.example"), f"outlet{entry.id}", entry.title, entry.text)

    def restart(self) -> None:
        """Build the window again from what is stored."""
        self.window = Index(self.settings, knowledge())
        with self.engine.connect() as connection:
            self.seen = stories.newest_change(connection)
            for row in live_mentions.since(connection, Index.reach(self.settings, self.now)):
                told = Item(
                    row.entry, "en", row.seen_at, row.seen_at, row.outlet, f"outlet{row.entry}", row.title, row.text
                )
                self.window.add(told, row.story, row.decided)

    @property
    def placed(self) -> list[StoryKey]:
        """The story of every entry, as stored."""
        with self.engine.connect() as connection:
            found = corrections.placed(connection, NOW)
        return [found[entry.id] for entry in self.entries]

    @property
    def groups(self) -> list[int]:
        """For each entry the number of the first entry of its story."""
        return [self.placed.index(key) for key in self.placed]

    def resolved(self, key: StoryKey) -> StoryKey:
        with self.engine.connect() as connection:
            return stories.resolve(connection, key)

    def merge(self, *keys: StoryKey) -> Sequence[corrections.Changed]:
        with self.engine.begin() as tx:
            return repairs.merge(tx, keys, "ana", self.now, "one fire")

    def split(self, *numbers: int) -> corrections.Changed:
        with self.engine.begin() as tx:
            return repairs.split(tx, [self.entries[n].id for n in numbers], "ana", self.now)


def told(engine: Engine, count: int = len(BRIDGED), **settings: bool) -> Newsroom:
    room = Newsroom(engine, Settings(**settings))  # type: ignore[arg-type]
    for title, text in BRIDGED[:count]:
        room.tell(title, text)
    return room


# -------------------------------------------------------------------------------------------------- the machine


def test_two_entries_that_tell_both_stories_merge_them_and_the_older_key_stays(engine: Engine) -> None:
    room = told(engine, 5)
    older, younger = room.placed[0], room.placed[2]
    assert room.groups == [0, 0, 2, 2, 2]
    (change,) = room.tell(*BRIDGED[5])
    assert (change.story, change.gone) == (older, (younger,))
    assert room.groups == [0] * 6
    assert room.resolved(younger) == older
    with engine.connect() as connection:
        facts = story_facts.of(connection, older)
        listed = stories.newest(connection)
    assert ([mention.entry for mention in facts.mentions], facts.aliases) == ([e.id for e in room.entries], {younger})
    assert [(row.key, row.size) for row in listed] == [(older, 6)]


def test_what_comes_after_a_merge_joins_the_survivor_with_and_without_a_restart(engine: Engine) -> None:
    room = told(engine)
    room.tell("Insurer of the silo in Kikinda refuses to pay", BRIDGED[3][1])
    room.restart()
    room.tell("Wheat in Kikinda: cooperatives in Banat want the insurer to pay", BRIDGED[4][1])
    assert room.groups == [0] * 8


def test_no_merges_while_they_are_off(engine: Engine) -> None:
    assert told(engine, merge=False).groups == [0, 0, 2, 2, 2, 2]


def test_answers_move_with_their_entries(engine: Engine) -> None:
    room = told(engine, 3)
    room.tell(*BRIDGED[3], answer=ANSWER)
    room.tell(*BRIDGED[4])
    room.tell(*BRIDGED[5])
    with engine.connect() as connection:
        assert [stance.body for stance in story_facts.of(connection, room.placed[0]).stances] == [ANSWER.body]


def test_a_rolled_back_merge_leaves_window_and_database_as_they_were(engine: Engine) -> None:
    room = told(engine, 5)
    last = room.entries[-1]
    with engine.connect() as connection, connection.begin() as transaction:
        bridge = Item(EntryId(last.id + 1), "en", room.now, room.now, None, None, *BRIDGED[5])
        decided = room.window.assign(bridge, room.now)
        assert decided.joined is not None
        room.window.add(bridge, decided.joined, decided)
        assert repairs.repair(connection, room.window, [bridge.id], room.now) != ()
        transaction.rollback()
    room.window.remove([bridge.id])
    assert room.groups == [0, 0, 2, 2, 2]
    assert len(room.tell(*BRIDGED[5])) == 1


# ----------------------------------------------------------------------------------------------------- a person


def test_a_person_merges_stories_and_every_old_key_leads_to_the_oldest_in_one_hop(engine: Engine) -> None:
    room = Newsroom(engine)
    for title in ("Silo burns in Kikinda", "Parliament debates fishing quotas", "Volcano erupts on Reykjanes"):
        room.tell(title, "")
    first, second, third = room.placed
    room.merge(third, second)
    room.merge(third, first)
    assert room.groups == [0, 0, 0]
    assert [room.resolved(key) for key in (second, third)] == [first, first]
    with engine.connect() as connection:
        rows = connection.execute(select(tables.story).order_by(tables.story.c.id)).all()
    assert [(row.state, row.merged_into, row.size) for row in rows] == [
        ("open", None, 3),
        ("merged", rows[0].id, 0),
        ("merged", rows[0].id, 0),
    ]


def test_a_running_window_hears_of_a_merge_made_elsewhere(engine: Engine) -> None:
    room = told(engine, 4, merge=False)
    room.merge(room.placed[0], room.placed[2])
    room.tell("Insurer refuses to pay farmers in Banat", BRIDGED[3][1])
    assert room.groups == [0] * 5


def test_what_a_person_split_the_machine_does_not_merge(engine: Engine) -> None:
    room = told(engine)
    assert room.groups == [0] * 6
    change = room.split(2, 3)
    assert room.groups == [0, 0, 2, 2, 0, 0]
    for restarts in (False, True):
        if restarts:
            room.restart()
        room.tell(*BRIDGED[4])
        room.tell(*BRIDGED[5])
        assert change.story in room.placed
        assert room.placed[2] != room.placed[0]


BREAD = (
    ("Bakers in Nis raise the price of bread", "Bakers in Nis raise the price of bread by ten dinars from Monday."),
    ("Bread in Nis dearer from Monday", "From Monday bakers in Nis raise the price of bread by ten dinars a loaf."),
    ("Price of bread in Nis up ten dinars", "The price of bread in Nis goes up by ten dinars from Monday, bakers say."),
    ("Nis bakers: bread ten dinars dearer", "Bread in Nis is ten dinars dearer from Monday, bakers say."),
)


@pytest.mark.parametrize(("why", "parts"), [(corrections.BY_HAND, 1), (corrections.BY_LIKENESS, 2)])
def test_the_machine_splits_what_it_put_together_and_not_what_a_person_did(
    engine: Engine, why: str, parts: int
) -> None:
    room = told(engine, 5, merge=False, split=True)
    for title, text in BREAD:
        room.tell(title, text)
    silo, farmers, bread = dict.fromkeys(room.placed)
    with engine.begin() as tx:
        stood = {key: corrections.standing(tx, key) for key in (silo, farmers, bread)}
        for key in (farmers, bread):
            survivor, loser = stood[silo], stood[key]
            assert survivor is not None
            assert loser is not None
            repairs.settle(room.window, [corrections.merge(tx, survivor, loser, why, NOW)])
    room.tell(*BREAD[0])
    assert len(set(room.groups)) == parts
    assert room.groups[5:] == [5 if parts == 2 else 0] * 5


def test_a_story_split_again_gets_a_key_that_never_was_one(engine: Engine) -> None:
    room = told(engine, 4)
    first, younger = room.placed[0], room.placed[2]
    room.merge(first, younger)
    change = room.split(2, 3)
    assert change.story not in {first, younger}
    assert room.resolved(younger) == first
    assert room.groups == [0, 0, 2, 2]


def test_the_part_with_the_first_mention_keeps_the_key(engine: Engine) -> None:
    room = told(engine)
    kept = room.placed[0]
    room.split(0, 1)
    assert room.groups == [0, 0, 2, 2, 2, 2]
    assert room.placed[0] == kept


REFUSED = {
    "an unknown key": (lambda room: room.merge(room.placed[0], StoryKey("st_none000000")), "no story st_none000000"),
    "one story twice": (lambda room: room.merge(room.placed[0], room.placed[1]), "lead to one"),
    "all entries of a story": (lambda room: room.split(0, 1), "all entries"),
    "entries of two stories": (lambda room: room.split(1, 2), "more than one story"),
    "no entries": (lambda room: room.split(), "needs entries"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_corrected_is_refused_with_the_reason(engine: Engine, case) -> None:  # type: ignore[no-untyped-def]
    attempt, reason = case
    room = told(engine, 4)
    before = room.placed
    with pytest.raises(repairs.CorrectionRefused, match=reason):
        attempt(room)
    assert room.placed == before


# -------------------------------------------------------------------------------------------------------- labels


def exported(engine: Engine) -> list[dict[str, object]]:
    with engine.connect() as connection:
        return [json.loads(line) for line in repairs.labelled(connection)]


def test_labels_are_exported_with_what_they_are_about(engine: Engine) -> None:
    room = told(engine, 4)
    first, entry = room.placed[0], room.entries[2]
    with engine.begin() as tx:
        repairs.label(tx, first, Verdict.RIGHT, "ana", NOW)
        repairs.label(tx, str(entry.id), Verdict.WRONG, "bo", NOW, "another fire")
        repairs.label(tx, "https://b.example/unseen", Verdict.MISSED, "ana", NOW)
    story, one, missed = exported(engine)
    assert (story["story"], story["entry"], story["verdict"], story["title"]) == (first, None, "right", BRIDGED[0][0])
    assert (one["story"], one["entry"], one["who"], one["note"]) == (room.placed[2], entry.id, "bo", "another fire")
    assert (one["url"], one["at"]) == ("https://a.example/2", "2025-06-05T08:00:00Z")
    assert (missed["story"], missed["entry"], missed["subject"]) == (None, None, "https://b.example/unseen")


def test_what_readers_say_by_the_links_in_messages_is_a_label_like_any_other(engine: Engine) -> None:
    room = told(engine, 4)
    first, kept = room.placed[0], tuple(dict.fromkeys(room.placed))
    with engine.begin() as tx:
        acts.label(tx, "mail/ana@ngo.example", kept[1], "wrong", NOW)
        repairs.label(tx, first, Verdict.WRONG, "bo", NOW)
        repairs.label(tx, first, Verdict.RIGHT, "ana", NOW + timedelta(hours=1))
    room.merge(*kept)
    said = [row for row in exported(engine) if row["verdict"] in ("right", "wrong")]
    assert [(row["who"], row["verdict"], row["story"]) for row in said] == [
        ("bo", "wrong", first),
        ("mail/ana@ngo.example", "wrong", first),
        ("ana", "right", first),
    ]
    assert said[1]["note"] == "by the link in a message"
    with engine.connect() as connection:
        found = {label.named: (label.verdict, len(label.entries)) for label in labels.stored(connection)}
    assert found == {first: ("right", 4), kept[1]: ("wrong", 4)}


def test_corrections_are_exported_entry_by_entry_under_the_keys_of_today(engine: Engine) -> None:
    room = told(engine, 4)
    first = room.placed[0]
    room.merge(*dict.fromkeys(room.placed))
    apart = room.split(3)
    assert [(row["story"], row["entry"], row["verdict"], row["note"]) for row in exported(engine)] == [
        (first, room.entries[2].id, "merged", "one fire"),
        (first, room.entries[3].id, "merged", "one fire"),
        (apart.story, room.entries[3].id, "split", ""),
    ]


@pytest.mark.parametrize("subject", ["st_none000000", "4711"])
def test_a_label_on_nothing_is_refused(engine: Engine, subject: str) -> None:
    with pytest.raises(repairs.CorrectionRefused), engine.begin() as tx:
        repairs.label(tx, subject, Verdict.WRONG, "ana", NOW)


def test_a_decision_comes_back_from_the_store_as_it_was(engine: Engine) -> None:
    room = told(engine, 5, merge=False)
    with engine.connect() as connection:
        rows = list(live_mentions.since(connection, NOW))
    last = rows[-1].decided
    assert [row.decided.joined is None for row in rows] == [True, False, True, False, False]
    assert isinstance(last, Assignment)
    assert (last.role, last.joined, last.runner_up) == (Role.REPORT, room.placed[4], room.placed[0])
    assert last.runner_up_score > last.threshold
