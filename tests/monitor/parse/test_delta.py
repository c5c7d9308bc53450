"""Delta parsing: never another result than a whole parse, and a whole parse wherever one cannot be sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.parse import delta, feed, unseen
from tests.monitor.parse.building import NOW, URL, atom, item, rss

ITEMS = tuple(
    item(f"Vest broj {n} o vodi", f"https://glasnik.example.rs/{n}", f"g{n}", f"Thu, 05 Jun 2025 1{n}:00:00 +0200")
    for n in range(6)
)
ENTRIES = tuple(f'<entry><id>tag:{n}</id><title>Vest {n}</title><link href="/{n}"/></entry>' for n in range(4))


def parse(
    document: str | bytes, before: delta.Memory | None = None, headers: dict[str, str] | None = None
) -> delta.Delta:
    raw = document.encode() if isinstance(document, str) else document
    return unseen.parse(raw, URL, headers or {}, NOW, before=before)


def memory(document: str | bytes) -> delta.Memory:
    found = parse(document).memory
    assert found is not None
    return found


def titles(found: delta.Delta) -> list[str | None]:
    return [entry.title for entry in found.feed.entries]


SAME = {
    "RSS 2.0": rss(*ITEMS),
    "Atom": atom(*ENTRIES),
    "RDF": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
    "<channel><title>G</title></channel>" + "".join(ITEMS) + "</rdf:RDF>",
    "items in capital letters": rss(*ITEMS).replace("item>", "ITEM>"),
    "a prefixed Atom": '<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:title>G</a:title>'
    + "".join(f"<a:entry><a:id>{n}</a:id><a:title>Vest {n}</a:title></a:entry>" for n in range(4))
    + "</a:feed>",
    "xml:base on the root and on an item": atom(
        *ENTRIES,
        ENTRIES[0].replace("tag:0", "tag:9").replace("/0", "c").replace("<entry>", '<entry xml:base="/b/">'),
        attributes=' xml:base="https://x.example/a/"',
    ),
    "xml:lang on an item": atom(
        *ENTRIES, ENTRIES[0].replace("tag:0", "9").replace("/0", "/9").replace("<entry>", '<entry xml:lang="mk">')
    ),
    "channel elements between and after the items": rss(
        ITEMS[0], "<ttl>7</ttl>", *ITEMS[1:], "<language>sr</language>"
    ),
    "an item in CDATA and in a comment": rss(
        ITEMS[0],
        "<!-- <item><title>X</title></item> -->",
        item("T", "/t", "t", more="<description><![CDATA[<item>]]></description>"),
    ),
    "dates without a zone": rss(*(one.replace(" +0200", "") for one in ITEMS)),
    "Atom with XHTML that holds an entry": atom(
        ENTRIES[0],
        '<entry><id>2</id><title>T</title><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>a</p></div></content></entry>',
    ),
    "windows-1250": rss(
        *ITEMS, item("Vučića čekaju đaci", "/z", "z"), head='<?xml version="1.0" encoding="windows-1250"?>'
    ).encode("cp1250"),
    "a prefix bound to two namespaces": rss(
        item("A", "/a", "a", more='<d:date xmlns:d="http://purl.org/dc/elements/1.1/">2025-06-01T00:00:00Z</d:date>'),
        item("B", "/b", "b", more='<d:date xmlns:d="urn:other">2025-06-02T00:00:00Z</d:date>'),
    ),
}


@pytest.mark.parametrize("document", SAME.values(), ids=SAME)
def test_every_part_equals_the_whole(document: str | bytes) -> None:
    raw = document.encode() if isinstance(document, str) else document
    whole = feed.parse(raw, URL, {}, NOW)
    remembered = memory(document)
    count = len(whole.entries)
    parts: Sequence[set[int]] = [set(range(0, count, 2)), set(range(1, count, 2)), set(), set(range(count))]
    for seen in parts:
        found = parse(document, remembered.only(seen))
        assert found.whole is None
        assert set(found.positions) == set(range(count)) - seen
        assert found.feed.entries == tuple(whole.entries[at] for at in found.positions)
        assert replace(found.feed, entries=()) == replace(whole, entries=())
        assert found.memory == remembered


WHOLE = {
    "nothing is remembered": (rss(*ITEMS), None, "first"),
    "not well-formed": (rss(*ITEMS)[:-9], rss(*ITEMS), "not_well_formed"),
    "an undeclared prefix": (rss(*ITEMS, item(more="<x:y/>")), rss(*ITEMS), "not_well_formed"),
    "a DOCTYPE": ("<!DOCTYPE rss>" + rss(*ITEMS, head=""), rss(*ITEMS), "repaired"),
    "characters that were guessed": (rss(*ITEMS, item("Vučića čekaju đaci")).encode("cp1250"), rss(*ITEMS), "repaired"),
    "another frame above the items": (rss(*ITEMS, attributes=' xml:lang="mk"'), rss(*ITEMS), "context"),
    "an item in an item": (rss(ITEMS[0], item(more=ITEMS[1])), rss(*ITEMS), "structure"),
    "items below another element": (rss(f"<items>{ITEMS[0]}</items>"), rss(*ITEMS), "structure"),
    "no item": (rss(), rss(*ITEMS), "structure"),
    "JSON": ('{"version": "https://jsonfeed.org/version/1", "title": "G", "items": []}', rss(*ITEMS), "kind"),
    "an unseen item with a known id": (rss(*ITEMS, item("Druga", "/9", "g0")), rss(*ITEMS), "shared"),
    "an unseen item with a known address": (
        rss(*ITEMS, item("Druga", "https://glasnik.example.rs/0?utm_x=1", "h")),
        rss(*ITEMS),
        "shared",
    ),
}


@pytest.mark.parametrize(("document", "earlier", "reason"), WHOLE.values(), ids=WHOLE)
def test_a_doubt_means_a_whole_parse(document: str | bytes, earlier: str | None, reason: str) -> None:
    raw = document.encode() if isinstance(document, str) else document
    found = parse(document, memory(earlier) if earlier else None)
    assert str(found.whole) == reason
    assert found.feed == feed.parse(raw, URL, {}, NOW)


def test_an_edited_item_is_parsed_again_and_nothing_else() -> None:
    edited = ITEMS[2].replace("Vest broj 2", "NOVO: ministarstvo negira")
    found = parse(rss(*ITEMS[:2], edited, *ITEMS[3:]), memory(rss(*ITEMS)))
    assert (found.whole, titles(found)) == (None, ["NOVO: ministarstvo negira o vodi"])


def test_items_in_another_order_are_not_parsed() -> None:
    found = parse(rss(*reversed(ITEMS)), memory(rss(*ITEMS)))
    assert (found.whole, found.positions, found.total) == (None, (), 6)


def test_a_new_build_date_is_no_new_item() -> None:
    channel = "<title>Glasnik</title><lastBuildDate>{}</lastBuildDate>"
    found = parse(rss(*ITEMS, channel=channel.format("2")), memory(rss(*ITEMS, channel=channel.format("1"))))
    assert (found.whole, found.positions) == (None, ())


def test_two_items_of_the_same_bytes_are_a_whole_parse_while_unseen_and_nothing_when_seen() -> None:
    twice = rss(ITEMS[0], ITEMS[1], ITEMS[1])
    assert parse(twice, memory(rss(ITEMS[0]))).whole == "shared"
    assert parse(twice, memory(twice)).positions == ()


def test_last_modified_does_not_date_the_only_new_item_of_many() -> None:
    undated = [item(f"Vest {n}", f"/{n}", str(n)) for n in range(2)]
    headers = {"last-modified": "Thu, 05 Jun 2025 12:00:00 GMT"}
    found = parse(rss(*undated), memory(rss(undated[0])), headers)
    assert [entry.published for entry in found.feed.entries] == [None]


def test_a_memory_survives_its_column() -> None:
    remembered = memory(rss(*ITEMS))
    assert delta.Memory.unpack(remembered.pack()) == remembered
    assert len(remembered.pack()) == 8 + 6 * delta.ITEM_BYTES
    assert delta.Memory.unpack(b"x" * 9) is None
    assert delta.Memory.unpack(None) is None


EDITS = st.lists(
    st.tuples(st.sampled_from(["drop", "swap", "edit", "insert", "frame"]), st.integers(0, 20)), max_size=4
)


@settings(max_examples=60, deadline=None)
@given(st.lists(EDITS, min_size=1, max_size=4))
def test_many_polls_by_parts_find_what_whole_parses_find(polls: list[list[tuple[str, int]]]) -> None:
    items, channel, serial = list(ITEMS), "<title>Glasnik</title>", 100
    remembered: delta.Memory | None = None
    by_parts: set[tuple[str | None, str | None]] = set()
    by_whole: set[tuple[str | None, str | None]] = set()
    for edits in polls:
        for edit, at in edits:
            at, serial = at % max(1, len(items)), serial + 1
            if edit == "insert":
                items.insert(at, item(f"Nova {serial}", f"/n{serial}", f"n{serial}"))
            elif edit == "frame":
                channel = f"<title>Glasnik</title><pubDate>{serial}</pubDate>"
            elif items and edit == "drop":
                del items[at]
            elif items and edit == "swap":
                items[0], items[at] = items[at], items[0]
            elif items:
                items[at] = items[at].replace("</title>", f" i {serial}</title>")
        document = rss(*items, channel=channel).encode()
        found = unseen.parse(document, URL, {}, NOW, before=remembered)
        remembered = found.memory
        by_parts |= {(entry.id, entry.title) for entry in found.feed.entries}
        by_whole |= {(entry.id, entry.title) for entry in feed.parse(document, URL, {}, NOW).entries}
    assert by_parts == by_whole
