"""The door of the package: any bytes give the entries of a document, or one ParseError with a reason word.

Pure and total: nothing is fetched, read or remembered, nothing else is raised. Entries come in document order, before
any deduplication (`monitor.parse.identity`). The readers of single formats say what a document holds, this module
decides what it means: texts, dates, addresses, publisher, language. Called in parser processes (`monitor.parser_pool`)
and by `lab parse`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from monitor.errors import ParseError
from monitor.parse import (
    charset,
    dates,
    json_feed,
    language,
    links,
    markup,
    publishers,
    repair,
    sitemap,
    web_page,
    xml_feed,
    zones,
)
from monitor.parse.documents import RawDocument, RawItem, RawLink
from monitor.parse.tasks import NO_HINTS, FeedHints
from monitor.values import Domain, ParsedEntry, ParsedFeed, ParseReason

REVISION = 2
"""Raised with every change of a value this package makes of the same bytes: stored parse results are then void."""
MAX_BYTES = 10 * 1024 * 1024
MAX_ENTRIES = 2_000
"""Media Cloud's limit: full archives are longer, news is not."""
_BOMB_RATIO, _BOMB_FROM = 200, 1024 * 1024
_GZIP = b"\x1f\x8b\x08"
XML_FEEDS = frozenset({"rss", "rdf", "feed", "channel"})
_SITEMAPS = frozenset({"urlset", "sitemapindex"})
_HTML_ROOTS = frozenset(
    {"html", "head", "body", "div", "p", "br", "title", "meta", "script", "center", "h1", "span", "table", "b"}
)
_SHOWN = 120


def parse(
    body: bytes,
    url: str,
    headers: Mapping[str, str],
    now: datetime,
    hints: FeedHints = NO_HINTS,
    table: publishers.HostTable = publishers.DEFAULT,
) -> ParsedFeed:
    """Read a decompressed body that `url` (the final address) answered with `headers` (names in lower case).

    Errors: ParseError with a word of `ParseReason`; `found` holds feeds, sitemaps or the new address to go on with.
    """
    opened = open_body(body, headers)
    return cook(read_document(opened, url, headers), opened, url, headers, now, hints, table)


@dataclass(frozen=True, slots=True)
class Opened:
    """A body as text from its root element on. `recovered`: characters were guessed or junk was dropped."""

    tidied: repair.Tidied
    encoding: str
    recovered: bool


def open_body(body: bytes, headers: Mapping[str, str]) -> Opened:
    """The first half of `parse`: from bytes to text.

    Errors: ParseError for an empty, too large or undecodable body.
    """
    decoded = charset.decode(_inflated(body), headers.get("content-type"))
    tidied = repair.tidy(decoded.text)
    return Opened(tidied, decoded.encoding, decoded.recovered or tidied.repaired)


def cook(
    document: RawDocument,
    opened: Opened,
    url: str,
    headers: Mapping[str, str],
    now: datetime,
    hints: FeedHints = NO_HINTS,
    table: publishers.HostTable = publishers.DEFAULT,
    total: int | None = None,
) -> ParsedFeed:
    """The second half of `parse`: from fields as written to entries.

    `total` is the number of items of the whole document, where `document` holds only some of them.
    """
    count = len(document.items) if total is None else total
    maker = _Cook(document, url, headers, now, hints, table, alone=count == 1)
    kept = document.items[:MAX_ENTRIES]
    return ParsedFeed(
        entries=tuple(maker.entry(item) for item in kept),
        title=markup.line(document.title),
        link=maker.channel,
        language=language.code(document.language),
        kind=document.kind,
        recovered=opened.recovered or document.mended or document.truncated,
        truncated=document.truncated,
        ttl=document.ttl,
        update_period=document.update_period,
        skip_hours=document.skip_hours,
        skip_days=document.skip_days,
        moved_to=links.absolute(document.new_location, url),
        older=_older(document, url),
        left_out=max(0, count - MAX_ENTRIES),
    )


def _older(document: RawDocument, url: str) -> str | None:
    """Where the entries before those of this document are: an archive (RFC 5005), a next page, WordPress's second."""
    for rel in ("prev-archive", "next"):
        found = next((links.absolute(link.href, link.base or url) for link in document.links if link.rel == rel), None)
        if found:
            return found
    if "wordpress" in (document.generator or "").lower():
        return f"{url}{'&' if '?' in url else '?'}paged=2"
    return None


def _inflated(body: bytes) -> bytes:
    """The body, gunzipped if it is gzip after all, within the limits of a fetched one."""
    if not body.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise ParseError(ParseReason.EMPTY_BODY, f"nothing in the body ({len(body)} bytes)")
    if not body.startswith(_GZIP):
        _check_size(body)
        return body
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain = inflater.decompress(body, MAX_BYTES + 1)
    except zlib.error as exc:
        raise ParseError(ParseReason.UNDECODABLE, f"gzip without a header, and broken: {exc}") from exc
    if not plain:
        raise ParseError(ParseReason.UNDECODABLE, f"gzip without a header, and nothing in its {len(body)} bytes")
    if len(plain) > _BOMB_FROM and len(plain) > _BOMB_RATIO * len(body):
        raise ParseError(ParseReason.BOMB, f"{len(body)} bytes of gzip inflate to {len(plain)} or more")
    _check_size(plain)
    return plain


def _check_size(body: bytes) -> None:
    if len(body) > MAX_BYTES:
        raise ParseError(ParseReason.TOO_LARGE, f"{len(body)} bytes, more than {MAX_BYTES}")


def read_document(opened: Opened, url: str, headers: Mapping[str, str]) -> RawDocument:
    """The whole document as a reader finds it.

    Errors: ParseError for anything that is no feed, and for a feed that says nothing at all.
    """
    document = _read(opened.tidied, url, headers)
    if not document.items:
        _refuse_empty(document)
    return document


def _read(tidied: repair.Tidied, url: str, headers: Mapping[str, str]) -> RawDocument:
    """Choose the reader by what the document begins with."""
    text, root = tidied.text, tidied.root
    start = text[:64].lstrip("\ufeff \t\r\n")
    if start.startswith(("{", "[")):
        return json_feed.read(text.lstrip("\ufeff \t\r\n"))
    if root == "redirect":
        raise _moved(xml_feed.new_location(text), url)
    if root in _SITEMAPS:
        return sitemap.read(text, root)
    if root in XML_FEEDS:
        return xml_feed.read(text, root, url, tidied.entities)
    if root in ("item", "entry"):
        return xml_feed.read(f"<rss><channel>{text}</channel></rss>", "rss", url)
    if root in _HTML_ROOTS or _says_html(text, headers):
        raise web_page.refusal(text, url, headers)
    raise ParseError(ParseReason.NOT_A_FEED, _what_it_is(text, root))


def _says_html(text: str, headers: Mapping[str, str]) -> bool:
    declared = "text/html" in headers.get("content-type", "").lower()
    return (declared and "<" in text) or "<html" in text[:4096].lower()


def _what_it_is(text: str, root: str | None) -> str:
    if root is not None:
        return f"XML with the root element <{root[:40]}>, which is no feed"
    shown = " ".join(text[: 4 * _SHOWN].split())[:_SHOWN]
    return f'text that is no feed: "{shown}"' if shown else "a document without an element"


def _moved(location: str | None, url: str) -> ParseError:
    address = links.absolute(location, url)
    if address is None:
        return ParseError(ParseReason.NOT_A_FEED, "a redirect document without an address")
    return ParseError(ParseReason.MOVED, f"the feed says it has moved to {address}", found=(address,))


def _refuse_empty(document: RawDocument) -> None:
    """A feed may be empty; one that says nothing at all is an error in a feed's clothes."""
    if document.new_location and links.absolute(document.new_location, ""):
        raise _moved(document.new_location, "")
    if not markup.line(document.title):
        raise ParseError(ParseReason.EMPTY_SHELL, "a feed without title and entries: likely a server's error")


class _Cook:
    """What is the same for all entries of a document, and how an entry is made of an item."""

    def __init__(
        self,
        document: RawDocument,
        url: str,
        headers: Mapping[str, str],
        now: datetime,
        hints: FeedHints,
        table: publishers.HostTable,
        *,
        alone: bool,
    ) -> None:
        self.document, self.url, self.now, self.hints, self.table = document, url, now, hints, table
        self.channel = _best_link(document.links, url)
        self.declared = hints.language or language.code(document.language)
        self.zone = self._zone()
        self.fallback_date = headers.get("last-modified") if alone else None

    def entry(self, item: RawItem) -> ParsedEntry:
        """Decide what one item means."""
        url = self._url(item)
        summary, content = markup.paragraphs(item.summary), markup.paragraphs(item.content)
        summary, content = (summary, content if content != summary else None) if summary else (content, None)
        who = publishers.publisher(
            self.table,
            url=url,
            source_name=markup.line(item.source_name),
            source_url=(item.source_url or "").strip() or None,
            feed_url=self.url,
            feed_outlet=self.hints.outlet,
            channel_url=self.channel,
        )
        title = self._title(item, through=who.via)
        raw, dated = self._date(item)
        return ParsedEntry(
            id=_trimmed(item.id),
            url=url,
            title=title,
            summary=summary,
            content=content,
            author=markup.line(item.author),
            published=dated.at,
            published_raw=raw,
            outlet=who.outlet,
            via=who.via,
            language=self._language(item, title, summary or content, url),
            zone_guess=dated.zone_guess and dated.at is not None,
            date_note=dated.note,
            url_key=links.canonical(url).key if url else None,
        )

    def _url(self, item: RawItem) -> str | None:
        original = links.absolute(item.original_link, "")
        found = original or _best_link(item.links, self.url)
        return found or (links.absolute(item.id, "") if item.id_is_link else None)

    def _title(self, item: RawItem, *, through: Domain | None) -> str | None:
        """The title; Google News appends " - Outlet" to it, which goes if it is the source's name."""
        title = markup.line(item.title)
        name = markup.line(item.source_name)
        if title and name and through and title.endswith(f" - {name}"):
            return title[: -len(f" - {name}")].rstrip() or title
        return title

    def _date(self, item: RawItem) -> tuple[str | None, dates.Dated]:
        """The first date that can be read, and the first as written."""
        candidates = [*item.dates, self.fallback_date] if self.fallback_date else list(item.dates)
        first = dates.Dated(None)
        for at, raw in enumerate(candidates):
            dated = dates.read(raw, self.now, self.zone, self.hints.language or self.document.language)
            if dated.at is not None:
                return _trimmed(raw), dated
            first = dated if at == 0 else first
        return _trimmed(candidates[0]) if candidates else None, first

    def _zone(self) -> tzinfo:
        host = links.host_of(self.channel) or links.host_of(self.url)
        return zones.outlet_zone(
            zone=self.hints.timezone,
            country=self.hints.country,
            host=host,
            language=self.declared,
        )

    def _language(self, item: RawItem, title: str | None, text: str | None, url: str | None) -> str | None:
        declared = self.hints.language or language.code(item.language) or self.declared
        country = self.hints.country or zones.country_of_host(links.host_of(url) or links.host_of(self.url))
        return language.detect(title, text, declared, country)


def _best_link(candidates: Iterable[RawLink], base: str) -> str | None:
    """The page: an alternate of type text/html without hreflang, then any other alternate, the first of each."""
    alternates = [link for link in candidates if link.rel in ("alternate", "")]
    alternates.sort(key=_preference)
    return next(
        (url for link in alternates if (url := links.absolute(link.href, links.absolute(link.base, base) or base))),
        None,
    )


def _preference(link: RawLink) -> int:
    html = link.type in (None, "", "text/html", "application/xhtml+xml", "html")
    return (0 if html else 2) + (1 if link.hreflang else 0)


def _trimmed(text: str | None) -> str | None:
    return (text or "").strip() or None
