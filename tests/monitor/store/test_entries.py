"""Entries in both databases: known ones are known, edits are revisions, one address is one entry per outlet."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine

from monitor.parse import identity
from monitor.store import entries, feeds
from monitor.values import Domain, Entry, FeedId, KeyedEntry, ParsedEntry

NOW = datetime(2025, 6, 5, 8, 0, tzinfo=UTC)


def item(n: int, title: str | None = None, url: str | None = None) -> KeyedEntry:
    address = url or f"https://a.example/{n}"
    return KeyedEntry(
        ParsedEntry(f"id{n}", address, title or f"Title {n}", "Summary"), f"id{n}", address.partition("//")[2]
    )


def feed_id(engine: Engine, url: str = "http://a.example/rss") -> FeedId:
    with engine.begin() as connection:
        feeds.sync(
            connection,
            [*(feeds.Seed(r.url, r.host) for r in feeds.all_rows(connection)), feeds.Seed(url, "a.example")],
            NOW,
        )
        row = feeds.by_url(connection, url)
    assert row is not None
    return row.id


def poll(engine: Engine, feed: FeedId, *items: KeyedEntry, gen: int = 1) -> tuple[Entry, ...]:
    with engine.begin() as connection:
        new = identity.sort(items, entries.recall(connection, feed, entries.hashed(items))).new
        stored = entries.add(
            connection, feed, [entries.Arrival(i, "en", Domain("a.example")) for i in new], gen=gen, now=NOW
        )
        entries.mark_seen(connection, feed, entries.hashed(items), gen)
    return stored


def test_a_document_polled_twice_is_stored_once(engine: Engine) -> None:
    feed = feed_id(engine)
    assert [entry.title for entry in poll(engine, feed, item(1), item(2))] == ["Title 1", "Title 2"]
    assert poll(engine, feed, item(1), item(2), gen=2) == ()
    with engine.connect() as connection:
        assert entries.count(connection) == 2


def test_entries_come_back_in_document_order_with_ids(engine: Engine) -> None:
    stored = poll(engine, feed_id(engine), *(item(n) for n in range(700)))
    assert [entry.entry_key for entry in stored] == [f"id{n}" for n in range(700)]
    assert len({entry.id for entry in stored}) == 700


def test_the_same_address_in_another_feed_of_the_outlet_is_an_alias_and_no_news(engine: Engine) -> None:
    first, second = feed_id(engine), feed_id(engine, "http://a.example/other")
    (original,) = poll(engine, first, item(1))
    assert poll(engine, second, item(9, "Title 1", original.url)) == ()
    with engine.connect() as connection:
        assert entries.count(connection) == 2


def test_an_edited_title_is_a_revision_and_keeps_the_old_words(engine: Engine) -> None:
    feed = feed_id(engine)
    poll(engine, feed, item(1, "Ministry considers"))
    with engine.begin() as connection:
        (revised,) = entries.revise(connection, feed, [item(1, "Ministry denies")], [], NOW)
        assert (revised.before.title, revised.entry.title) == ("Ministry considers", "Ministry denies")
        assert entries.revise(connection, feed, [item(1, "Ministry denies")], [], NOW) == ()


def test_seen_keys_belong_to_one_feed(engine: Engine) -> None:
    first, second = feed_id(engine), feed_id(engine, "http://a.example/other")
    poll(engine, first, item(1))
    with engine.connect() as connection:
        assert entries.recall(connection, second, entries.hashed([item(1)])) == identity.Known()
        assert entries.recall(connection, first, entries.hashed([item(1)])) == identity.Known(
            frozenset({"id1"}), frozenset({"a.example/1"})
        )


def test_letters_of_every_script_and_times_survive(engine: Engine) -> None:
    feed = feed_id(engine)
    (entry,) = poll(engine, feed, item(1, "Вучић, Đoković, Ștefan, απέλαση 😀"))
    with engine.connect() as connection:
        stored = entries.by_id(connection, entry.id)
    assert stored is not None
    assert stored.title == "Вучић, Đoković, Ștefan, απέλαση 😀"
    assert stored.first_seen == NOW
