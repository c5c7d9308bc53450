"""RSS, RDF and Atom into raw items, with the values that feedparser alone gets wrong.

`monitor.parse.recorder` reads the document; this module says what the fields mean that it wrote down. Values are taken
in the order of the document, the first non-empty one counts. Called by `monitor.parse.feed`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from monitor.parse import elements, recorder, repair
from monitor.parse.documents import RawDocument, RawItem, RawLink
from monitor.parse.recorder import Field, Item

_PERIODS = {"hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class _Fields:
    """Fields in document order, found by their elements' names."""

    def __init__(self, fields: list[Field]) -> None:
        self.all = fields
        self.by_tag: dict[str, list[Field]] = {}
        for found in fields:
            self.by_tag.setdefault(found.tag, []).append(found)

    def of(self, tags: Sequence[str]) -> list[Field]:
        """All fields of these names, in document order."""
        there = [tag for tag in tags if tag in self.by_tag]
        if len(there) > 1:
            return [found for found in self.all if found.tag in there]
        return self.by_tag[there[0]] if there else []

    def values(self, *tags: str) -> list[str]:
        """What they say, where they say anything."""
        return [value for found in self.of(tags) if (value := found.value.strip())]

    def value(self, *tags: str) -> str | None:
        """The first non-empty value of the first name that has one."""
        return next((values[0] for tag in tags if tag in self.by_tag and (values := self.values(tag))), None)

    def first(self, *tags: str) -> Field | None:
        """The first field of the first name with a value; without any, the first of all."""
        there = self.of(tags)
        for tag in tags if there else ():
            found = next((f for f in self.by_tag.get(tag, ()) if f.value.strip()), None)
            if found is not None:
                return found
        return there[0] if there else None


def read(text: str, root: str, base: str, entities: Mapping[str, str] | None = None) -> RawDocument:
    """Read an XML feed from its root element on. `base` is its address, used only where xml:base is;
    `entities` are texts its DOCTYPE named.

    Never raises for what the text holds: a document of which nothing can be read has no items and no title.
    """
    base = base if "base=" in text else ""
    parser = recorder.strict(text, base)
    if parser is not None:
        return _document(parser, mended=False, truncated=False)
    closed = repair.close_truncated(text)
    mended = repair.mend(closed if closed is not None else text, root, entities)
    parser = recorder.strict(mended, base) or recorder.loose(mended, base)
    return _document(parser, mended=True, truncated=closed is not None)


def new_location(text: str) -> str | None:
    """The address in a redirect document. Source: https://rssweblog.com/redirect (Userland's `newLocation`)."""
    found = re.search(r"<newLocation[^<>]*>\s*(?:<!\[CDATA\[)?\s*([^<\]]{1,2048})", text, re.IGNORECASE)
    return found.group(1).strip() if found else None


def _document(parser: Any, *, mended: bool, truncated: bool) -> RawDocument:
    items: list[Item] = parser.items
    if truncated and items and not items[-1].complete:
        items = items[:-1]
    fields = _Fields(parser.feed_fields)
    return RawDocument(
        kind=_kind(parser.version or ""),
        items=tuple(_item(item) for item in items),
        title=fields.value("title", "dc:title"),
        links=tuple(_links(fields)),
        language=fields.value("language", "dc:language") or parser.feeddata.get("language"),
        new_location=fields.value("newlocation", "itunes:new-feed-url"),
        generator=fields.value("generator"),
        ttl=_minutes(fields.value("ttl")),
        update_period=_period(fields),
        skip_hours=frozenset(int(hour) % 24 for hour in fields.values("hour") if hour.isdecimal() and len(hour) < 3),
        skip_days=frozenset(_WEEKDAYS.index(day.lower()) for day in fields.values("day") if day.lower() in _WEEKDAYS),
        mended=mended,
        truncated=truncated,
    )


def _kind(version: str) -> str:
    if version.startswith("atom"):
        return "atom"
    return "rdf" if version in ("rss10", "rss090") else "rss"


def _item(item: Item) -> RawItem:
    fields = _Fields(item.fields)
    title = fields.first(*elements.TITLES)
    guid = fields.first(*elements.IDS)
    summary, content = _texts(fields)
    source_name, source_url = _source(item, fields)
    return RawItem(
        id=(guid.value.strip() if guid else "") or item.attributes.get("rdf:about", "").strip() or None,
        id_is_link=_is_permalink(guid),
        links=(*_links(fields), *_links_of_item(item)),
        original_link=fields.value(*elements.ORIGINAL_LINKS),
        title=title.value if title else None,
        summary=summary,
        content=content,
        author=(_Fields(item.names).value("name") if item.names else None) or fields.value(*elements.AUTHORS),
        dates=tuple(itertools.chain.from_iterable(fields.values(*tags) for tags in elements.DATES)),
        source_name=source_name,
        source_url=source_url,
        language=fields.value(*elements.TONGUES) or item.attributes.get("xml:lang") or None,
    )


def _is_permalink(guid: Field | None) -> bool:
    """An RSS guid is an address unless it says otherwise, an Atom id never is."""
    return guid is not None and guid.tag == "guid" and guid.attributes.get("ispermalink", "true").lower() != "false"


def _links_of_item(item: Item) -> Iterable[RawLink]:
    """CDF wrote an item's address as its attribute."""
    if item.attributes.get("href"):
        yield RawLink(item.attributes["href"])


def _texts(fields: _Fields) -> tuple[str | None, str | None]:
    """Summary and content; a second description is content, as feedparser sees it."""
    short = fields.values(*elements.SUMMARIES)
    full = fields.value(*elements.CONTENTS) or (short[1] if len(short) > 1 else None)
    summary = short[0] if short else fields.value(*elements.LESSER_SUMMARIES)
    return summary or full, full if summary else None


def _source(item: Item, fields: _Fields) -> tuple[str | None, str | None]:
    """Name and address of the publisher an item names itself: RSS and Atom `source`, Bing's `News:Source`."""
    direct = fields.first("source")
    if item.source:
        said = _Fields(item.source)
        name = said.value("title")
        links = list(_links(said))
        page = next((link.href for link in links if link.rel == "alternate"), None) or (
            links[0].href if links else None
        )
        return name, page or said.value("id")
    if direct is not None:
        return direct.value.strip() or None, direct.attributes.get("url") or None
    return fields.value("news:source"), None


def _links(fields: _Fields) -> Iterable[RawLink]:
    for found in fields.of(elements.LINKS):
        href = found.attributes.get("href") or found.value
        if href.strip():
            attributes = found.attributes
            kind = attributes.get("type", "").split(";")[0].strip().lower() or None
            rel = attributes.get("rel", "alternate").lower().rpartition("/")[2]
            yield RawLink(href, rel, kind, attributes.get("hreflang"), found.base)


def _minutes(text: str | None) -> timedelta | None:
    return timedelta(minutes=int(text)) if text and re.fullmatch(r"[0-9]{1,6}", text) and int(text) else None


def _period(fields: _Fields) -> timedelta | None:
    """Source: https://web.resource.org/rss/1.0/modules/syndication/ (a period divided by its frequency)."""
    seconds = _PERIODS.get((fields.value("sy:updateperiod") or "").lower())
    frequency = fields.value("sy:updatefrequency") or "1"
    if seconds is None or not re.fullmatch(r"[0-9]{1,4}", frequency) or not int(frequency):
        return None
    return timedelta(seconds=seconds / int(frequency))
