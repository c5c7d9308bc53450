"""Hostile documents: bounded time, nothing read from outside, the next entry survives, and never another exception."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import ParseError
from monitor.parse import feed, identity, unseen
from monitor.parser_pool import CPU_SECONDS
from monitor.values import ParsedFeed
from tests.monitor.parse.building import NOW, URL, atom, item, read, rss

NEXT = item(title="Sledeća vest", link="https://glasnik.example.rs/2")
ATTRIBUTES = "".join(f" a{n}=''" for n in range(100_000))
LAUGHS = "".join(f"<!ENTITY a{n} '" + f"&a{n - 1};" * 10 + "'>" for n in range(1, 10))

HOSTILE = {
    "billion laughs": f'<!DOCTYPE rss [<!ENTITY a0 "ha">{LAUGHS}]>' + rss(item(title="&a9;"), NEXT, head=""),
    "a large entity many times": f'<!DOCTYPE rss [<!ENTITY x "{"x" * 20_000}">]>'
    + rss(item(title="&x;" * 200), NEXT, head=""),
    "an external entity": '<!DOCTYPE rss [<!ENTITY f SYSTEM "file:///etc/hostname">]>'
    + rss(item(title="&f;"), NEXT, head=""),
    "XInclude": rss(
        item(more='<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/hostname" parse="text"/>'),
        NEXT,
    ),
    "three thousand nested elements": rss(item(more="<a>" * 3_000 + "</a>" * 3_000), NEXT),
    "three thousand nested tags in a text": rss(item(more=f"<description>{'&lt;b&gt;' * 3_000}</description>"), NEXT),
    "a megabyte of description": rss(item(more=f"<description>{'reč ' * 260_000}</description>"), NEXT),
    "a hundred thousand attributes": rss(item().replace("<item>", "<item" + ATTRIBUTES + ">"), NEXT),
    "a hundred thousand unclosed comments": rss(item(more=f"<description>{'&lt;!--' * 100_000}</description>"), NEXT),
    "a hundred thousand ampersands": rss(item(title="&" * 100_000), NEXT),
    "a hundred thousand less-than signs": rss(item(title="< " * 100_000), NEXT),
}


@pytest.mark.parametrize("document", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_entry_costs_little_and_the_next_one_survives(document: str) -> None:
    began = time.process_time()
    parsed = read(document)
    assert time.process_time() - began < 6.0
    assert [entry.title for entry in parsed.entries][1:] == ["Sledeća vest"]


def test_nothing_is_read_from_files() -> None:
    with open("/etc/hostname", encoding="utf-8") as file:  # noqa: PTH123
        secret = file.read().strip()
    for name in ("an external entity", "XInclude"):
        assert secret not in repr(read(HOSTILE[name]))


UNCLOSED = {
    "start tags": "<rss><channel>" + "<item>" * 20_000,
    "CDATA": "<rss><channel><item>" + "<title><![CDATA[" * 20_000,
    "a DOCTYPE": "<!DOCTYPE rss [" + "<!ENTITY " * 20_000,
    "quotes": "<rss><channel><item " + "a='" * 20_000,
    "nested JSON": "[" * 100_000,
    "nested JSON objects": '{"items":' * 50_000,
    "end tags": "<rss>" + "</item>" * 50_000,
}


@pytest.mark.parametrize("document", UNCLOSED.values(), ids=UNCLOSED)
def test_what_is_never_closed_ends_soon(document: str) -> None:
    began = time.process_time()
    _total(document.encode())
    assert time.process_time() - began < 6.0


def _total(body: bytes, headers: dict[str, str] | None = None) -> ParsedFeed | ParseError:
    """Parse and key a body; anything but a feed or a ParseError is a failure of the test."""
    began = time.process_time()
    try:
        parsed = feed.parse(body, URL, headers or {}, NOW)
        identity.keyed(parsed)
    except ParseError as exc:
        return exc
    finally:
        assert time.process_time() - began < CPU_SECONDS
    return parsed


SEEDS = (
    rss(
        item(guid="1", date="Thu, 05 Jun 2025 14:02:00 +0200", more="<description>Vlada &amp; &lt;b&gt;</description>"),
        NEXT,
    ).encode(),
    atom('<entry><id>tag:1</id><title type="xhtml"><div>T</div></title><link href="/1"/></entry>').encode(),
    rss(item(title="Vučić")).encode("cp1250"),
    json.dumps({"version": "https://jsonfeed.org/version/1", "title": "G", "items": [{"id": 1, "url": "/1"}]}).encode(),
    b'<urlset xmlns:n="urn:news"><url><loc>https://a.rs/1</loc><n:news><n:title>T</n:title></n:news></url></urlset>',
)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["", "text/xml; charset=utf-16", "text/html", "x; charset=\udcff"]))
def test_any_bytes_give_a_feed_or_a_reason(body: bytes, content_type: str) -> None:
    _total(body, {"content-type": content_type})


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SEEDS), st.data())
def test_any_mutation_of_a_feed_gives_a_feed_or_a_reason(seed: bytes, data: st.DataObject) -> None:
    body = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(0, len(body) - 1)))
        end = min(len(body), at + data.draw(st.integers(0, 12)))
        body[at:end] = data.draw(
            st.one_of(
                st.binary(max_size=6), st.sampled_from([b"<", b"&", b"]]>", b"<![CDATA[", b"</item>", b"\0", b'"'])
            )
        )
    _total(bytes(body))


TOKENS = (
    "<",
    ">",
    "&",
    "&amp;",
    "&x",
    ";",
    "<item>",
    "</item>",
    "<title>",
    "</title>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE",
    "[",
    "]",
    "<?",
    "?>",
    '"',
    "'",
    "=",
    "a",
    " ",
    "\n",
    "xmlns:a=",
    "<a:b ",
    "/>",
    "<b>",
    "&#1",
)
"""What markup is made of: any of it again and again must not take longer than its length explains."""


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=6).map("".join), st.booleans())
def test_any_piece_of_markup_may_come_again_and_again(piece: str, inside: bool) -> None:
    many = piece * (32_000 // len(piece))
    _total(rss(item(more=f"<description>{many}</description>")).encode() if inside else f"<rss>{many}".encode())


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SEEDS), st.binary(max_size=30), st.integers(0, 400))
def test_any_bytes_after_a_known_document_are_its_parts_or_a_whole_or_a_reason(
    seed: bytes, put: bytes, at: int
) -> None:
    before = unseen.parse(SEEDS[0], URL, {}, NOW).memory
    body = seed[:at] + put + seed[at:]
    found = _total(body)
    if isinstance(found, ParseError):
        with pytest.raises(ParseError, match=re.escape(str(found))):
            unseen.parse(body, URL, {}, NOW, before=before)
        return
    part = unseen.parse(body, URL, {}, NOW, before=before)
    assert part.feed.entries == tuple(found.entries[place] for place in part.positions)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_any_text_may_stand_in_any_field(text: str) -> None:
    entry = {
        "id": text,
        "url": text,
        "title": text,
        "content_html": text,
        "date_published": text,
        "language": text,
        "summary": text,
    }
    _total(json.dumps({"version": "https://jsonfeed.org/version/1", "title": "G", "items": [entry]}).encode())
