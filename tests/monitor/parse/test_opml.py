"""Lists of feeds: folders and categories become tags, what is no use is named by line, nothing unbounded is read."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.parse import opml
from monitor.parse.opml import Listed

FEED = '<outline text="Danas" xmlUrl="https://danas.example/rss"/>'


def document(inside: str) -> bytes:
    return f"<?xml version='1.0'?>\n<opml version='1.1'><head/><body>{inside}</body></opml>".encode()


READ = {
    "a feed": (FEED, ("https://danas.example/rss", "Danas", ())),
    "folders become tags": (
        f"<outline text='Balkan News'><outline text='Вести'>{FEED}</outline></outline>",
        ("https://danas.example/rss", "Danas", ("balkan-news", "vesti")),
    ),
    "categories become tags": (
        '<outline text="A" category="/Press/Daily,serbia" xmlUrl="https://a.example/"/>',
        ("https://a.example/", "A", ("daily", "press", "serbia")),
    ),
    "a title is better than a text": (
        '<outline text="x" title="The Paper" xmlUrl="https://a.example/"/>',
        ("https://a.example/", "The Paper", ()),
    ),
    "an address is no title": (
        '<outline text="https://a.example/" xmlUrl="https://a.example/"/>',
        ("https://a.example/", None, ()),
    ),
    "names of attributes in any case": (
        '<OUTLINE Text="A" XMLURL="https://a.example/"/>',
        ("https://a.example/", "A", ()),
    ),
    "a feed: address": ('<outline text="A" xmlUrl="feed:https://a.example/"/>', ("https://a.example/", "A", ())),
    "a feed that holds feeds gives no tag": (
        '<outline text="A" xmlUrl="https://a.example/"></outline>',
        ("https://a.example/", "A", ()),
    ),
}


@pytest.mark.parametrize(("inside", "wanted"), READ.values(), ids=READ)
def test_what_a_list_holds(inside: str, wanted: tuple[str, str | None, tuple[str, ...]]) -> None:
    (feed,) = opml.read(document(inside)).feeds
    assert (feed.url, feed.title, feed.tags) == wanted


def test_what_cannot_be_used_is_named_by_line_and_the_rest_is_taken() -> None:
    read = opml.read(
        document('<outline text="N" type="rss"/>\n<outline text="F" xmlUrl="file:///etc/passwd"/>\n' + FEED)
    )
    assert [(one.line, one.title) for one in read.unusable] == [(2, "N"), (3, "F")]
    assert [feed.line for feed in read.feeds] == [4]


REFUSED = {
    "a DTD": (b"<!DOCTYPE opml [<!ENTITY a 'b'>]><opml/>", "line 1: a DTD"),
    "an external entity": (b"<!DOCTYPE opml SYSTEM 'file:///etc/passwd'><opml/>", "a DTD"),
    "another root": (b"<rss><channel/></rss>", "the root element is <rss>"),
    "a file cut short": (b"<opml><body>\n<outline", "line 2: not well-formed"),
    "nothing": (b"", "not well-formed"),
    "folders in folders for ever": (document("<outline text='f'>" * 11 + "</outline>" * 11), "nested deeper than 10"),
    "more outlines than anybody reads": (document("<outline text='f'/>" * 10_001), "more than 10,000 outlines"),
    "more bytes than anybody needs": (b" " * (10 * 1024 * 1024 + 1), "at most 10,485,760"),
    "an encoding nobody knows": (b"<?xml version='1.0' encoding='klingon'?><opml/>", "encoding"),
}


@pytest.mark.parametrize(("body", "says"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_says_where_and_why(body: bytes, says: str) -> None:
    with pytest.raises(opml.OpmlError, match=says):
        opml.read(body)


def test_ten_folders_deep_and_ten_thousand_outlines_are_read() -> None:
    assert opml.read(document("<outline text='f'>" * 9 + FEED + "</outline>" * 9)).feeds[0].tags == ("f",)
    assert len(opml.read(document(FEED * 10_000)).feeds) == 10_000


names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True).filter(lambda name: "--" not in name)
titles = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=30)
listed = st.builds(
    Listed,
    url=st.integers(0, 99).map(lambda n: f"https://a.example/{n}?x=1&y=<2>"),
    title=st.none() | titles,
    tags=st.sets(names, max_size=3).map(lambda tags: tuple(sorted(tags))),
    outlet=st.none() | st.just("a.example"),
)


@given(st.lists(listed, unique_by=lambda feed: feed.url))
def test_what_is_written_is_read_again(feeds: list[Listed]) -> None:
    read = opml.read(opml.write(feeds, "a <list> & more").encode())
    assert read.unusable == ()
    bare = {(feed.url, feed.title, feed.tags, feed.outlet) for feed in read.feeds}
    assert bare == {(feed.url, feed.title, feed.tags, feed.outlet) for feed in feeds}


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(opml.OpmlError):
        opml.read(body)
