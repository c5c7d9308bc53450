"""feedparser's own parser classes over a document, and on top of them a recorder of what stands directly in each item.

So elements nested in an item (related items, media, photo credits) cannot overwrite the item's own, ids are never
resolved, links keep their relation, and an entry whose end was not seen is known. What feedparser has nothing to say
about is not shown to it: elements that nobody reads, and plain ones that hold text alone. Called by
`monitor.parse.xml_feed`, which says what the fields mean.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import xml.sax
import xml.sax.expatreader
import xml.sax.handler
import xml.sax.xmlreader
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.xmlreader import AttributesNSImpl

import feedparser.api
from feedparser.exceptions import UndeclaredNamespace

from monitor.parse import elements

Attributes = dict[str, str]

_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What feedparser's handlers and sgmllib raise on markup they cannot follow."""
_PLAIN_TYPES = ("text", "html", "text/plain", "text/html")
_SAYING_NOTHING = frozenset({"ispermalink", "rel", "title", "length"})
"""Attributes that do not change how feedparser reads an element's text."""
_OF_A_LINK = frozenset({"href", "hreflang", "type"})
"""Nor do these with a link; the text of one with an address as its attribute is not read."""
_GIVEN_ATTRIBUTES = frozenset({"math", "svg"})
"""Elements to which feedparser gives their namespace as an attribute."""
_MAX_ATTRIBUTES = 200
_MAX_DEPTH_LOOSE = 20_000


@dataclass(slots=True)
class Field:
    """One element directly in an item or in the feed, in document order."""

    tag: str
    attributes: Attributes
    base: str
    value: str = ""


@dataclass(slots=True)
class Item:
    fields: list[Field] = field(default_factory=list)
    attributes: Attributes = field(default_factory=dict)
    source: list[Field] = field(default_factory=list)
    names: list[Field] = field(default_factory=list)
    complete: bool = False


@dataclass(slots=True)
class _Open:
    tag: str
    ignored: bool
    record: Field | None = None


class Recorder:
    """Mixed in before feedparser's parsers: decides which elements they see, writes down what they make of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.items: list[Item] = []
        self.feed_fields: list[Field] = []
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
        if name in elements.ITEMS and self._item_at >= 0 and self._item_at == len(self.path) - 1:
            self._close_item()  # an item directly in an item: the end tag of the first was forgotten
        opened = _Open(name, ignored=self._is_foreign(name))
        self.path.append(opened)
        if opened.ignored:
            return
        super().unknown_starttag(tag, attrs)  # type: ignore[misc]
        attributes = {key.lower(): value for key, value in attrs}
        if name in elements.ITEMS and self._item_at < 0:
            self._item_at = len(self.path) - 1
            self.items.append(Item(attributes=attributes))
        else:
            opened.record = self._place(Field(name, attributes, known.baseuri or ""))

    def unknown_endtag(self, tag: str) -> None:
        at = self._matching(tag)
        if at is None:
            return
        opened = self.path[at]
        del self.path[at:]
        if not opened.ignored:
            self._popped = None
            super().unknown_endtag(tag)  # type: ignore[misc]
            if opened.record is not None:
                opened.record.value = self._popped or ""
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
            return name not in elements.ITEMS and (inside_ignored or name not in elements.OF_THE_FEED)
        if name in elements.ITEMS:
            return True
        inside = self.path[self._item_at + 1 :]
        if not inside:
            return name not in elements.WANTED
        return inside[0].tag not in elements.WITH_CHILDREN or len(inside) > 2 or inside[-1].ignored

    def _place(self, record: Field) -> Field | None:
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
        if parents and (parents[-1] in elements.CONTAINERS or parents[-1] in ("skiphours", "skipdays")):
            self.feed_fields.append(record)
            return record
        return None


class _Strict(Recorder, feedparser.api.StrictFeedParser):  # type: ignore[misc]  # feedparser has no types
    def _name(self, tag: str) -> str:
        """The strict parser names elements by their namespace already; a prefix may mean two things in one document."""
        return tag.lower()

    def startElementNS(self, name: Any, qname: Any, attrs: Any) -> None:  # noqa: N802  SAX's name
        """feedparser looks up each attribute among all of them: an element with very many keeps the first ones."""
        if len(attrs) > _MAX_ATTRIBUTES:
            kept = dict(itertools.islice(attrs.items(), _MAX_ATTRIBUTES))
            attrs = AttributesNSImpl(kept, {})
        super().startElementNS(name, qname, attrs)


class _Short(_Strict):
    """The same in less time, for what feedparser would hand on as it is.

    A child of an item that holds text alone, and no attribute that says how to read it, has the text that expat found:
    feedparser gets to see it only when an element follows within. Neither does it see text that nobody reads.
    """

    def __init__(self, *args: Any) -> None:
        self._leaf: tuple[str, list[tuple[str, str]]] | None = None
        self._pieces: list[str] = []
        super().__init__(*args)

    def unknown_starttag(self, tag: str, attrs: list[tuple[str, str]]) -> None:
        known: Any = self
        if self._leaf is not None:
            self._unfold(*self._leaf)
        at_an_item = 0 <= self._item_at == len(self.path) - 1
        if at_an_item and tag in elements.WANTED and _is_plain(tag, attrs) and not known.incontent:
            self._leaf, self._pieces = (tag, attrs), []
        else:
            super().unknown_starttag(tag, attrs)

    def characters(self, text: str) -> None:
        if self._leaf is not None:
            self._pieces.append(text)
            return
        at = self._item_at
        if at < 0 or not (at == len(self.path) - 1 or self.path[at + 1].ignored):
            super().characters(text)

    def unknown_endtag(self, tag: str) -> None:
        if self._leaf is None:
            super().unknown_endtag(tag)
            return
        (tag, attrs), self._leaf = self._leaf, None
        known: Any = self
        attributes = dict(attrs)
        written = "" if "href" in attributes else "".join(self._pieces).strip()
        text = known.decode_entities(tag, written)
        self.items[-1].fields.append(Field(tag, attributes, known.baseuri or "", text))

    @property
    def is_alone(self) -> bool:
        """Whether feedparser has not seen the element that is open."""
        return self._leaf is not None or self.path[-1].ignored

    @property
    def newest(self) -> str:
        """The name of the element that was begun last."""
        return self._leaf[0] if self._leaf is not None else self.path[-1].tag

    def _unfold(self, tag: str, attrs: list[tuple[str, str]]) -> None:
        """An element begins in what looked plain: tell feedparser all of it so far."""
        self._leaf = None
        super().unknown_starttag(tag, attrs)
        for piece in self._pieces:
            super().characters(piece)


def _is_plain(tag: str, attrs: list[tuple[str, str]]) -> bool:
    """Whether feedparser hands on the text of such an element as it stands, if no element is within."""
    if not attrs:
        return tag not in elements.XHTML
    return tag in elements.WITH_PLAIN_ATTRIBUTES and all(
        key in _SAYING_NOTHING
        or (key == "type" and value.lower() in _PLAIN_TYPES)
        or (tag in elements.LINKS and key in _OF_A_LINK)
        for key, value in attrs
    )


class _Driver(xml.sax.expatreader.ExpatParser):
    """The standard library's, which asks feedparser only once what an element's name is, if its attributes have none.

    (A blank parts the name of an attribute from its namespace.)
    """

    def __init__(self) -> None:
        super().__init__(namespaceHandling=1)
        self._tags: dict[str, str] = {}

    def start_namespace_decl(self, prefix: str | None, uri: str) -> None:
        self._tags.clear()
        super().start_namespace_decl(prefix, uri)

    def start_element_ns(self, name: str, attrs: Mapping[str, str]) -> None:
        handler: Any = self.getContentHandler()
        tag = self._tags.get(name)
        plain = not handler.decls and len(attrs) <= _MAX_ATTRIBUTES and " " not in "".join(attrs)
        if tag is not None and plain:
            handler.unknown_starttag(tag, list({key.lower(): value for key, value in attrs.items()}.items()))
            return
        super().start_element_ns(name, attrs)
        if tag is None and not _GIVEN_ATTRIBUTES.intersection(name.lower().split()):
            self._tags[name] = handler.newest

    def end_element_ns(self, name: str) -> None:
        handler: Any = self.getContentHandler()
        if handler.is_alone and name in self._tags:
            handler.unknown_endtag(self._tags[name])
        else:
            super().end_element_ns(name)


class _Loose(Recorder, feedparser.api.LooseFeedParser):  # type: ignore[misc]
    def __init__(self, base: str) -> None:
        super().__init__(base, None, "utf-8", {})


def strict(text: str, base: str) -> Recorder | None:
    """feedparser's strict parser over well-formed XML; None if expat refuses the text."""
    handler: Any = _Short(base, None, "utf-8")
    handler.sanitize_html = handler.resolve_relative_uris = False
    return _read(text, handler, _Driver())


def _read(text: str, handler: Any, driver: xml.sax.xmlreader.XMLReader) -> Recorder | None:
    driver.setFeature(xml.sax.handler.feature_namespaces, True)
    driver.setFeature(xml.sax.handler.feature_external_ges, False)
    driver.setContentHandler(handler)
    driver.setErrorHandler(handler)
    source = xml.sax.xmlreader.InputSource()
    source.setByteStream(io.BytesIO(text.encode("utf-8", "replace")))
    try:
        driver.parse(source)
    except (xml.sax.SAXException, UndeclaredNamespace, *_FAULTS):
        return None
    recorder: Recorder = handler
    return recorder


def at_length(text: str, base: str) -> Recorder | None:
    """As `strict`, but feedparser sees all that it may: for tests, which compare both."""
    handler: Any = _Strict(base, None, "utf-8")
    handler.sanitize_html = handler.resolve_relative_uris = False
    return _read(text, handler, xml.sax.make_parser())  # noqa: S317  there is no DOCTYPE left, nothing external is read


def loose(text: str, base: str) -> Recorder:
    """feedparser's tag soup parser, for what no repair made well-formed. It stops where its own parser gives up."""
    handler: Any = _Loose(base)
    handler.sanitize_html = handler.resolve_relative_uris = False
    with contextlib.suppress(*_FAULTS):  # what came before is good
        handler.feed(text)
    recorder: Recorder = handler
    return recorder
