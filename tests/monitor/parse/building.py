"""Documents for the tests of parsing: invented news, built as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from monitor.errors import ParseError
from monitor.parse import feed
from monitor.values import ParsedEntry, ParsedFeed

NOW = datetime(2025, 6, 6, 8, 0, tzinfo=UTC)
URL = "https://glasnik.example.rs/rss.xml"


def item(
    title: str | None = "Ministar najavio razgovore o sporazumu",
    link: str | None = "https://glasnik.example.rs/vesti/1",
    guid: str | None = None,
    date: str | None = None,
    more: str = "",
) -> str:
    """One RSS item; None leaves an element out."""
    parts = (
        f"<title>{title}</title>" if title is not None else "",
        f"<link>{link}</link>" if link is not None else "",
        f"<guid>{guid}</guid>" if guid is not None else "",
        f"<pubDate>{date}</pubDate>" if date is not None else "",
    )
    return f"<item>{''.join(parts)}{more}</item>"


def rss(
    *items: str, head: str = '<?xml version="1.0"?>', channel: str = "<title>Glasnik</title>", attributes: str = ""
) -> str:
    """An RSS 2.0 document of these items."""
    return f'{head}<rss version="2.0"{attributes}><channel>{channel}{"".join(items)}</channel></rss>'


def atom(*entries: str, attributes: str = "") -> str:
    """An Atom 1.0 document of these entries."""
    return f'<feed xmlns="http://www.w3.org/2005/Atom"{attributes}><title>Glasnik</title>{"".join(entries)}</feed>'


def read(body: str | bytes, headers: Mapping[str, str] | None = None, url: str = URL, **hints: str) -> ParsedFeed:
    """Parse at the tests' time and address."""
    raw = body.encode() if isinstance(body, str) else body
    return feed.parse(raw, url, headers or {}, NOW, feed.FeedHints(**hints))  # type: ignore[arg-type]  # words of hints


def only(body: str | bytes, headers: Mapping[str, str] | None = None, url: str = URL, **hints: str) -> ParsedEntry:
    """The one entry of a document."""
    (entry,) = read(body, headers, url, **hints).entries
    return entry


def reason(body: str | bytes, headers: Mapping[str, str] | None = None) -> str | None:
    """The word a document is refused with, None for a feed."""
    try:
        read(body, headers)
    except ParseError as exc:
        return str(exc.reason)
    return None
