"""Identity: what is one entry, what is new, and what a feed without order does to its ids."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.parse import identity
from monitor.values import KeyedEntry, ParsedEntry, ParsedFeed
from tests.monitor.parse.building import item, read, rss

HERE = "https://glasnik.example.rs"
TITLES = ("Vlada usvojila budžet", "Skupština zaseda u sredu", "Reke se povlače posle poplava")


def keys(*items: str) -> tuple[KeyedEntry, ...]:
    return identity.keyed(read(rss(*items)))


def known(items: tuple[KeyedEntry, ...]) -> identity.Known:
    return identity.Known(
        frozenset(one.entry_key for one in items),
        frozenset(one.url_key for one in items if one.url_key),
        frozenset(one.tail_key for one in items if one.tail_key),
    )


COUNTS = {
    "ids of their own": ([item(TITLES[n], f"{HERE}/{n}", f"g{n}") for n in range(3)], 3),
    "one id, links of their own": ([item(TITLES[n], f"{HERE}/{n}", "g") for n in range(3)], 3),
    "one link and no id": ([item(title, f"{HERE}/sve") for title in TITLES], 3),
    "one id and one link for unlike titles": ([item(title, f"{HERE}/sve", "g") for title in TITLES], 3),
    "three ids, one title, one address with trackers": (
        [item(TITLES[0], f"{HERE}/a?utm_source={n}", f"g{n}") for n in range(3)],
        1,
    ),
    "neither id nor link": ([item(title, None) for title in TITLES], 3),
    "an edited title under one address": (
        [
            item("Kosovo agrees to take deportees", f"{HERE}/a", "1", "Thu, 05 Jun 2025 10:00:00 GMT"),
            item("UPDATE: Kosovo agrees to take 50 deportees", f"{HERE}/a", "2", "Thu, 05 Jun 2025 12:00:00 GMT"),
        ],
        1,
    ),
    "WordPress ids in the query": ([item("Vest", f"{HERE}/?p={n}") for n in range(3)], 3),
    "short titles with one word in common": (
        [item(title, f"{HERE}/sve") for title in ("La Wii", "La France", "La Suisse")],
        3,
    ),
}


@pytest.mark.parametrize(("items", "count"), COUNTS.values(), ids=COUNTS)
def test_entries_of_a_document_are_told_apart(items: list[str], count: int) -> None:
    found = keys(*items)
    assert len(found) == count
    assert len({one.entry_key for one in found}) == count


@pytest.mark.parametrize(("items", "count"), COUNTS.values(), ids=COUNTS)
def test_the_same_document_again_brings_nothing_new(items: list[str], count: int) -> None:
    novelty = identity.sort(keys(*items), known(keys(*items)))
    assert (len(novelty.new), len(novelty.seen)) == (0, count)


@pytest.mark.parametrize(("items", "count"), COUNTS.values(), ids=COUNTS)
def test_the_order_of_the_items_does_not_matter(items: list[str], count: int) -> None:
    assert {one.entry_key for one in keys(*items)} == {one.entry_key for one in keys(*reversed(items))}
    assert count > 0


def test_the_newest_text_wins_and_the_older_is_a_revision() -> None:
    (entry,) = keys(*COUNTS["an edited title under one address"][0])
    assert entry.entry.title == "UPDATE: Kosovo agrees to take 50 deportees"
    assert [older.title for older in entry.older] == ["Kosovo agrees to take deportees"]


def test_a_shared_page_is_no_address_to_know_an_entry_by() -> None:
    assert {one.url_key for one in keys(*COUNTS["one link and no id"][0])} == {None}


def test_new_ids_under_known_addresses_are_aliases() -> None:
    before = keys(*(item(TITLES[n], f"{HERE}/{n}", f"old{n}") for n in range(3)))
    after = keys(*(item(TITLES[n], f"{HERE}/{n}", f"new{n}") for n in range(3)))
    novelty = identity.sort(after, known(before))
    assert (len(novelty.new), len(novelty.seen), len(novelty.aliases)) == (0, 0, 3)
    assert novelty.moving_share == 1.0


def test_a_site_that_moves_its_host_brings_nothing_new() -> None:
    def moved(host: str) -> tuple[KeyedEntry, ...]:
        return keys(*(item(TITLES[n], f"{host}/clanak/vest-{n}/", f"{host}/clanak/vest-{n}/") for n in range(3)))

    novelty = identity.sort(moved("https://novi.example.com"), known(moved("https://stari.example.rs")))
    assert (len(novelty.new), len(novelty.aliases)) == (0, 3)


def test_a_short_id_on_another_host_is_another_entry() -> None:
    before = keys(item(TITLES[0], "https://a.example.rs/?p=17", "https://a.example.rs/?p=17"))
    after = keys(item(TITLES[1], "https://b.example.rs/?p=17", "https://b.example.rs/?p=17"))
    assert len(identity.sort(after, known(before)).new) == 1


def test_ids_that_differ_only_behind_the_number_sign_are_different_entries() -> None:
    before = keys(item(TITLES[0], f"{HERE}/1", "https://glasnik.example.rs/pregled/vesti#1"))
    after = keys(item(TITLES[1], f"{HERE}/2", "https://glasnik.example.rs/pregled/vesti#2"))
    assert len(identity.sort(after, known(before)).new) == 1


def test_a_back_dated_entry_is_new() -> None:
    before = keys(item(TITLES[0], f"{HERE}/1", "1", "Thu, 05 Jun 2025 10:00:00 GMT"))
    after = keys(item(TITLES[1], f"{HERE}/2", "2", "Mon, 02 Jun 2025 10:00:00 GMT"))
    assert len(identity.sort(after, known(before)).new) == 1


def test_a_live_blog_is_one_entry_whatever_its_title() -> None:
    before = keys(item("Uživo: glasanje počelo", f"{HERE}/live/1"))
    after = keys(item("Uživo: prvi rezultati", f"{HERE}/live/1"))
    novelty = identity.sort(after, known(before))
    assert (len(novelty.new), len(novelty.seen)) == (0, 1)


def test_repeats_can_be_known_from_the_whole_document() -> None:
    part = read(rss(item(TITLES[0], f"{HERE}/9", "g")))
    (plain,), (told,) = identity.keyed(part), identity.keyed(part, repeated=frozenset({"g"}))
    assert plain.entry_key == "g"
    assert told.entry_key != "g"


POLICIES = {
    identity.Policy.GUID: lambda key: key == "g1",
    identity.Policy.URL: lambda key: key == "url:glasnik.example.rs/1",
    identity.Policy.TEXT: lambda key: key.startswith("text:"),
}


@pytest.mark.parametrize("policy", POLICIES)
def test_the_policy_says_what_an_id_is_made_of(policy: identity.Policy) -> None:
    (entry,) = identity.keyed(read(rss(item(link=f"{HERE}/1?utm_source=x", guid="g1"))), policy=policy)
    assert POLICIES[policy](entry.entry_key)


def test_three_troubled_documents_change_the_policy_and_thirty_quiet_days_bring_it_back() -> None:
    start = datetime(2025, 6, 1, tzinfo=UTC)
    trust = identity.Trust()
    for day in range(3):
        assert trust.policy is identity.Policy.GUID
        trust = identity.reconsider(trust, 0.2, start + timedelta(days=day))
    assert trust.policy is identity.Policy.URL
    trust = identity.reconsider(trust, 0.0, start + timedelta(days=20))
    assert trust.policy is identity.Policy.URL
    assert identity.reconsider(trust, 0.0, start + timedelta(days=32)) == identity.Trust()


def test_ids_that_stay_bad_do_no_harm_to_addresses_and_there_is_no_way_back_to_them() -> None:
    start = datetime(2025, 6, 1, tzinfo=UTC)
    trust = identity.Trust(identity.Policy.URL, 0, start)
    for day in range(60):
        trust = identity.reconsider(trust, 1.0, start + timedelta(days=day))
        assert trust.policy is identity.Policy.URL


def test_addresses_that_are_shared_leave_the_text_to_know_entries_by() -> None:
    trust = identity.Trust(identity.Policy.URL)
    for _ in range(3):
        trust = identity.reconsider(trust, 0.0, datetime(2025, 6, 1, tzinfo=UTC), addresses=0.5)
    assert trust.policy is identity.Policy.TEXT


def test_trouble_must_come_in_a_row() -> None:
    now = datetime(2025, 6, 1, tzinfo=UTC)
    trust = identity.reconsider(identity.reconsider(identity.Trust(), 0.2, now), 0.0, now)
    assert trust == identity.Trust()


def test_the_share_of_repeated_ids() -> None:
    def entry(guid: str | None) -> ParsedEntry:
        return ParsedEntry(guid, None, "T")

    assert identity.repeated_share(ParsedFeed((entry("a"), entry("a"), entry("b"), entry(None)))) == 0.5
    assert identity.repeated_share(ParsedFeed(())) == 0.0


def test_many_items_under_one_address_are_told_apart_in_time() -> None:
    entries = tuple(ParsedEntry(None, f"{HERE}/sve", f"Naslov broj {n} o nečemu") for n in range(2_000))
    assert len(identity.keyed(ParsedFeed(entries))) == 2_000


def test_a_key_hash_is_half_a_sha_256() -> None:
    assert identity.key_hash("abc").hex() == "ba7816bf8f01cfea414140de5dae2223"
