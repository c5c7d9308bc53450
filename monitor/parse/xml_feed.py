"""The only door to feedparser: RSS, RDF and Atom into raw items, with the values that feedparser alone gets wrong.

feedparser's own parser classes read the document; a recorder on top of them keeps what stands directly in each item,
as written. So elements nested in an item (related items, media, photo credits) cannot overwrite the item's own, ids
are never resolved, links keep their relation, and an entry whose end was not seen is known. Values are taken in the
order of the document, the first non-empty one counts. Called by `monitor.parse.feed`.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import xml.sax
import xml.sax.handler
import xml.sax.xmlreader
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from xml.sax.xmlreader import AttributesNSImpl

import feedparser.api
from feedparser.exceptions import UndeclaredNamespace

from monitor.parse import repair
from monitor.parse.documents import RawDocument, RawItem, RawLink

Attributes = dict[str, str]

_ITEMS = ("item", "entry")
_WITH_CHILDREN = ("author", "dc:creator", "source")
"""Children of an item whose own children belong to it; inside any other, nothing may touch the item."""
_TITLES = ("title", "dc:title", "media:title", "itunes:title")
_IDS = ("guid", "id")
_LINKS = ("link", "atom:link", "a10:link")
_ORIGINAL_LINKS = ("feedburner:origlink", "pheedo:origlink")
_SUMMARIES = ("description", "summary", "abstract")
_LESSER_SUMMARIES = ("dc:description", "itunes:summary", "itunes:subtitle", "media:description")
_CONTENTS = ("content:encoded", "content", "fullitem", "body", "xhtml:body", "yandex:full-text", "full-text")
_DATES = (
    ("pubdate", "published", "issued", "dcterms:issued"),
    ("updated", "modified", "dcterms:modified", "atom:updated", "a10:updated"),
    ("dc:date", "date", "dcterms:created", "created", "prism:publicationdate"),
)
_AUTHORS = ("author", "dc:creator", "creator", "itunes:author")
_SOURCES = ("source", "news:source")
_TONGUES = ("dc:language", "language")
_WANTED = frozenset(
    itertools.chain(
        _TITLES,
        _IDS,
        _LINKS,
        _ORIGINAL_LINKS,
        _SUMMARIES,
        _LESSER_SUMMARIES,
        _CONTENTS,
        *_DATES,
        _AUTHORS,
        _SOURCES,
        _TONGUES,
    )
)
"""The children of an item that are read. Others are not shown to feedparser: it would parse, copy and store them."""
_CONTAINERS = frozenset({"channel", "feed", "rdf", "rdf:rdf", "rss"})
_OF_THE_FEED = _CONTAINERS | {
    "items", "title", "dc:title", "link", "atom:link", "a10:link", "language", "dc:language", "ttl", "sy:updateperiod",
    "sy:updatefrequency", "skiphours", "hour", "skipdays", "day", "newlocation", "itunes:new-feed-url",
    "generator",
}  # fmt: skip
_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What feedparser's handlers and sgmllib raise on markup they cannot follow."""
_PERIODS = {"hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MAX_ATTRIBUTES = 200
_MAX_DEPTH_LOOSE = 20_000


@dataclass(slots=True)
class _Field:
    """One element directly in an item or in the feed, in document order."""

    tag: str
    attributes: Attributes
    base: str
    value: str = ""
    type: str = ""


@dataclass(slots=True)
class _Item:
    fields: list[_Field] = field(default_factory=list)
    attributes: Attributes = field(default_factory=dict)
    source: list[_Field] = field(default_factory=list)
    names: list[_Field] = field(default_factory=list)
    complete: bool = False


@dataclass(slots=True)
class _Open:
    tag: str
    ignored: bool
    record: _Field | None = None


class _Recorder:
    """Mixed in before feedparser's parsers: decides which elements they see, writes down what they make of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.items: list[_Item] = []
        self.feed_fields: list[_Field] = []
        self.path: list[_Open] = []
        self._item_at = -1
        self._popped: str | None = None
        super().__init__(*args, **kwargs)

    # What feedparser calls for each start tag, end tag and finished text.

    def unknown_starttag(self, tag: str, attrs: list[tuple[str, str]]) -> None:
        known: Any = self
        if known.incontent and self.path and not self.path[-1].ignored:
            self.path.append(_Open(tag, ignored=False))
            super().unknown_starttag(tag, attrs)  # type: ignore[misc]  # the parser this is mixed into
            return
        name = self._name(tag)
        if name in _ITEMS and self._item_at >= 0 and self._item_at == len(self.path) - 1:
            self._close_item()  # an item directly in an item: the end tag of the first was forgotten
        opened = _Open(name, ignored=self._is_foreign(name))
        self.path.append(opened)
        if opened.ignored:
            return
        super().unknown_starttag(tag, attrs)  # type: ignore[misc]
        attributes = {key.lower(): value for key, value in attrs}
        if name in _ITEMS and self._item_at < 0:
            self._item_at = len(self.path) - 1
            self.items.append(_Item(attributes=attributes))
        else:
            opened.record = self._place(_Field(name, attributes, known.baseuri or ""))

    def unknown_endtag(self, tag: str) -> None:
        at = self._matching(tag)
        if at is None:
            return
        opened = self.path[at]
        del self.path[at:]
        if not opened.ignored:
            self._popped, params = None, getattr(self, "contentparams", None) or {}
            kind = params.get("type") or ""
            super().unknown_endtag(tag)  # type: ignore[misc]
            if opened.record is not None:
                opened.record.value, opened.record.type = self._popped or "", kind
        if at <= self._item_at:
            self.items[-1].complete = at == self._item_at
            self._item_at = -1
            known: Any = self
            known.incontent = 0  # a text element that was never closed ends with its item
            known.contentparams.clear()

    def pop(self, element: str, strip_whitespace: int = 1) -> Any:
        """Take an item's value as its text, before feedparser guesses at types, dates and addresses in it.

        What goes on to feedparser's own dictionaries is empty: nothing reads them.
        """
        known: Any = self
        if self._item_at < 0 or known.contentparams.get("base64"):
            value = super().pop(element, strip_whitespace)  # type: ignore[misc]
        elif known.elementstack and known.elementstack[-1][0] == element:
            pieces = known.elementstack.pop()[2]
            text = "".join(piece.decode("utf-8", "replace") if isinstance(piece, bytes) else piece for piece in pieces)
            value = known.decode_entities(element, text.strip())
        else:
            return None
        if self._popped is None and isinstance(value, str):
            self._popped = value
        return value if self._item_at < 0 else ""

    def resolve_uri(self, uri: str) -> str:
        """As written: we resolve, and only what is a link."""
        return uri

    # Where we are.

    def _name(self, tag: str) -> str:
        prefix, colon, local = tag.lower().rpartition(":")
        if not colon:
            return local
        mapped = getattr(self, "namespacemap", {}).get(prefix, prefix)
        return f"{mapped}:{local}" if mapped else local

    def _close_item(self) -> None:
        del self.path[self._item_at :]
        self._item_at = -1

    def _matching(self, tag: str) -> int | None:
        name = self._name(tag)
        for at in range(len(self.path) - 1, max(-1, len(self.path) - 1 - _MAX_DEPTH_LOOSE), -1):
            if self.path[at].tag in (name, tag):
                return at
        return None

    def _is_foreign(self, name: str) -> bool:
        """Whether an element is nothing we read, or lies deeper in an item than anything that can be its value."""
        if self._item_at < 0:
            inside_ignored = bool(self.path) and self.path[-1].ignored
            return name not in _ITEMS and (inside_ignored or name not in _OF_THE_FEED)
        if name in _ITEMS:
            return True
        inside = self.path[self._item_at + 1 :]
        if not inside:
            return name not in _WANTED
        return inside[0].tag not in _WITH_CHILDREN or len(inside) > 2 or inside[-1].ignored

    def _place(self, record: _Field) -> _Field | None:
        if self._item_at >= 0:
            item, inside = self.items[-1], self.path[self._item_at + 1 :]
            if len(inside) == 1:
                item.fields.append(record)
            elif inside[0].tag == "source":
                item.source.append(record)
            elif record.tag == "name":
                item.names.append(record)
            else:
                return None
            return record
        parents = [opened.tag for opened in self.path[:-1]]
        if parents and (parents[-1] in _CONTAINERS or parents[-1] in ("skiphours", "skipdays")):
            self.feed_fields.append(record)
            return record
        return None


class _Strict(_Recorder, feedparser.api.StrictFeedParser):  # type: ignore[misc]  # feedparser has no types
    def _name(self, tag: str) -> str:
        """The strict parser names elements by their namespace already; a prefix may mean two things in one document."""
        return tag.lower()

    def startElementNS(self, name: Any, qname: Any, attrs: Any) -> None:  # noqa: N802  SAX's name
        """feedparser looks up each attribute among all of them: an element with very many keeps the first ones."""
        if len(attrs) > _MAX_ATTRIBUTES:
            kept = dict(itertools.islice(attrs.items(), _MAX_ATTRIBUTES))
            attrs = AttributesNSImpl(kept, {})
        super().startElementNS(name, qname, attrs)


class _Loose(_Recorder, feedparser.api.LooseFeedParser):  # type: ignore[misc]
    def __init__(self, base: str) -> None:
        super().__init__(base, None, "utf-8", {})


def read(text: str, root: str, base: str, entities: Mapping[str, str] | None = None) -> RawDocument:
    """Read an XML feed from its root element on. `base` is its address, used only where xml:base is;
    `entities` are texts its DOCTYPE named.

    Never raises for what the text holds: a document of which nothing can be read has no items and no title.
    """
    base = base if "base=" in text else ""
    parser = _strict(text, base)
    if parser is not None:
        return _document(parser, mended=False, truncated=False)
    closed = repair.close_truncated(text)
    mended = repair.mend(closed if closed is not None else text, root, entities)
    parser = _strict(mended, base) or _loose(mended, base)
    return _document(parser, mended=True, truncated=closed is not None)


def new_location(text: str) -> str | None:
    """The address in a redirect document. Source: https://rssweblog.com/redirect (Userland's `newLocation`)."""
    found = re.search(r"<newLocation[^<>]*>\s*(?:<!\[CDATA\[)?\s*([^<\]]{1,2048})", text, re.IGNORECASE)
    return found.group(1).strip() if found else None


def _strict(text: str, base: str) -> _Recorder | None:
    """feedparser's strict parser over well-formed XML; None if expat refuses the text."""
    handler: Any = _Strict(base, None, "utf-8")
    handler.sanitize_html = handler.resolve_relative_uris = False
    reader = xml.sax.make_parser()  # noqa: S317  there is no DOCTYPE left, and external entities are off
    reader.setFeature(xml.sax.handler.feature_namespaces, True)
    reader.setFeature(xml.sax.handler.feature_external_ges, False)
    reader.setContentHandler(handler)
    reader.setErrorHandler(handler)
    source = xml.sax.xmlreader.InputSource()
    source.setByteStream(io.BytesIO(text.encode("utf-8", "replace")))
    try:
        reader.parse(source)
    except (xml.sax.SAXException, UndeclaredNamespace, *_FAULTS):
        return None
    recorder: _Recorder = handler
    return recorder


def _loose(text: str, base: str) -> _Recorder:
    """feedparser's tag soup parser, for what no repair made well-formed. It stops where its own parser gives up."""
    handler: Any = _Loose(base)
    handler.sanitize_html = handler.resolve_relative_uris = False
    with contextlib.suppress(*_FAULTS):  # what came before is good
        handler.feed(text)
    recorder: _Recorder = handler
    return recorder


def _document(parser: Any, *, mended: bool, truncated: bool) -> RawDocument:
    items: list[_Item] = parser.items
    if truncated and items and not items[-1].complete:
        items = items[:-1]
    fields: list[_Field] = parser.feed_fields
    return RawDocument(
        kind=_kind(parser.version or ""),
        items=tuple(_item(item) for item in items),
        title=_first(fields, "title", "dc:title"),
        links=tuple(_links(fields)),
        language=_first(fields, "language", "dc:language") or parser.feeddata.get("language"),
        new_location=_first(fields, "newlocation", "itunes:new-feed-url"),
        generator=_first(fields, "generator"),
        ttl=_minutes(_first(fields, "ttl")),
        update_period=_period(fields),
        skip_hours=frozenset(int(hour) % 24 for hour in _all(fields, "hour") if hour.isdecimal() and len(hour) < 3),
        skip_days=frozenset(_WEEKDAYS.index(day.lower()) for day in _all(fields, "day") if day.lower() in _WEEKDAYS),
        mended=mended,
        truncated=truncated,
    )


def _kind(version: str) -> str:
    if version.startswith("atom"):
        return "atom"
    return "rdf" if version in ("rss10", "rss090") else "rss"


def _item(item: _Item) -> RawItem:
    fields = item.fields
    title = _first_field(fields, *_TITLES)
    guid = _first_field(fields, *_IDS)
    summary, content = _texts(fields)
    source_name, source_url = _source(item)
    return RawItem(
        id=(guid.value.strip() if guid else "") or item.attributes.get("rdf:about", "").strip() or None,
        id_is_link=_is_permalink(guid),
        links=(*_links(fields), *_links_of_item(item)),
        original_link=_first(fields, *_ORIGINAL_LINKS),
        title=title.value if title else None,
        summary=summary,
        content=content,
        author=_first(item.names, "name") or _first(fields, *_AUTHORS),
        dates=tuple(itertools.chain.from_iterable(_all(fields, *tags) for tags in _DATES)),
        source_name=source_name,
        source_url=source_url,
        language=_first(fields, *_TONGUES) or item.attributes.get("xml:lang") or None,
    )


def _is_permalink(guid: _Field | None) -> bool:
    """An RSS guid is an address unless it says otherwise, an Atom id never is."""
    return guid is not None and guid.tag == "guid" and guid.attributes.get("ispermalink", "true").lower() != "false"


def _links_of_item(item: _Item) -> Iterable[RawLink]:
    """CDF wrote an item's address as its attribute."""
    if item.attributes.get("href"):
        yield RawLink(item.attributes["href"])


def _texts(fields: list[_Field]) -> tuple[str | None, str | None]:
    """Summary and content; a second description is content, as feedparser sees it."""
    short = _all(fields, *_SUMMARIES)
    full = _first(fields, *_CONTENTS) or (short[1] if len(short) > 1 else None)
    summary = short[0] if short else _first(fields, *_LESSER_SUMMARIES)
    return summary or full, full if summary else None


def _source(item: _Item) -> tuple[str | None, str | None]:
    """Name and address of the publisher an item names itself: RSS and Atom `source`, Bing's `News:Source`."""
    direct = _first_field(item.fields, "source")
    if item.source:
        name = _first(item.source, "title")
        links = list(_links(item.source))
        page = next((link.href for link in links if link.rel == "alternate"), None) or (
            links[0].href if links else None
        )
        return name, page or _first(item.source, "id")
    if direct is not None:
        return direct.value.strip() or None, direct.attributes.get("url") or None
    return _first(item.fields, "news:source"), None


def _links(fields: list[_Field]) -> Iterable[RawLink]:
    for found in fields:
        if found.tag not in _LINKS:
            continue
        href = found.attributes.get("href") or found.value
        if href.strip():
            attributes = found.attributes
            kind = attributes.get("type", "").split(";")[0].strip().lower() or None
            rel = attributes.get("rel", "alternate").lower().rpartition("/")[2]
            yield RawLink(href, rel, kind, attributes.get("hreflang"), found.base)


def _all(fields: list[_Field], *tags: str) -> list[str]:
    return [value for found in fields if found.tag in tags and (value := found.value.strip())]


def _first(fields: list[_Field], *tags: str) -> str | None:
    """The first non-empty value of the first tag that has one."""
    return next((values[0] for tag in tags if (values := _all(fields, tag))), None)


def _first_field(fields: list[_Field], *tags: str) -> _Field | None:
    for tag in tags:
        found = next((f for f in fields if f.tag == tag and f.value.strip()), None)
        if found is not None:
            return found
    return next((f for f in fields if f.tag in tags), None)


def _minutes(text: str | None) -> timedelta | None:
    return timedelta(minutes=int(text)) if text and re.fullmatch(r"[0-9]{1,6}", text) and int(text) else None


def _period(fields: list[_Field]) -> timedelta | None:
    """Source: https://web.resource.org/rss/1.0/modules/syndication/ (a period divided by its frequency)."""
    seconds = _PERIODS.get((_first(fields, "sy:updateperiod") or "").lower())
    frequency = _first(fields, "sy:updatefrequency") or "1"
    if seconds is None or not re.fullmatch(r"[0-9]{1,4}", frequency) or not int(frequency):
        return None
    return timedelta(seconds=seconds / int(frequency))
