"""The text of an article out of its page, for entries whose feed gave only a teaser.

Reads bytes and nothing else: fetching, robots.txt and limits are `monitor.fetch.article`'s. Runs in a parser process.
trafilatura, without comments and tables, finds the text; where it finds nothing, the paragraphs of the largest article
element are taken. Its own comparison: https://trafilatura.readthedocs.io/en/latest/evaluation.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.parse import charset, links, markup

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MAX_BYTES = 5 * 1024 * 1024
_HEAD = 256 * 1024
_LINK = re.compile(rb"<link\b[^<>]{0,2000}>", re.IGNORECASE)
_CANONICAL = re.compile(rb"rel\s*=\s*[\"']?canonical\b", re.IGNORECASE)
_HREF = re.compile(rb"href\s*=\s*(\"[^\"]+\"|'[^']+'|[^\s>]+)", re.IGNORECASE)
_MIN_PARAGRAPH = 40
_PARAGRAPHS = ("p", "h2", "h3", "blockquote", "li")


@dataclass(frozen=True, slots=True)
class Extract:
    """What a page says. `canonical` is the address it gives itself, where it is one of the same outlet."""

    text: str
    canonical: str | None = None


def read(body: bytes, url: str, content_type: str | None = None) -> Extract | None:
    """The article's text and its own address; None for a page without text."""
    text = extract(body, url, content_type)
    return None if text is None else Extract(text, canonical(body, url))


def canonical(body: bytes, url: str) -> str | None:
    """The address a page gives as its own (RFC 6596), if it is on the same registrable domain."""
    for tag in _LINK.finditer(body[:_HEAD]):
        if _CANONICAL.search(tag.group()) and (href := _HREF.search(tag.group())):
            found = links.absolute(href.group(1).decode("utf-8", "replace").strip("\"' "), url)
            same = found and links.registrable(links.host_of(found) or "") == links.registrable(
                links.host_of(url) or ""
            )
            return found if same else None
    return None


def extract(body: bytes, url: str, content_type: str | None = None) -> str | None:
    """The article's text, paragraphs separated by a blank line; None if the page holds none.

    Pages over 5 MiB are not looked at.
    """
    if not body or len(body) > MAX_BYTES:
        return None
    text = charset.decode(body, content_type).text
    found = _by_trafilatura(text, url) or _largest_article(text)
    return markup.clean(found).strip() or None if found else None


def _by_trafilatura(text: str, url: str) -> str | None:
    import trafilatura  # here and below: they take half a second and 12 MB, and few entries need them
    from lxml import etree

    # trafilatura lets lxml's errors through for documents that are no documents.
    try:
        found = trafilatura.extract(text, url=url, include_comments=False, include_tables=False, favor_recall=False)
    except (etree.LxmlError, ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError):
        return None
    return "\n\n".join(line.strip() for line in found.splitlines() if line.strip()) if found else None


def _largest_article(text: str) -> str | None:
    """All paragraphs of the article element with the most text, else of the whole body."""
    from lxml import etree, html

    try:
        tree = html.document_fromstring(text.encode("utf-8", "replace"), parser=html.HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, ValueError):
        return None
    articles = [_paragraphs(node) for node in tree.iter("article", "main")] or [_paragraphs(tree)]
    best = max(articles, key=lambda paragraphs: sum(map(len, paragraphs)), default=[])
    return "\n\n".join(best) or None


def _paragraphs(node: HtmlElement) -> list[str]:
    texts = (" ".join("".join(_visible(paragraph)).split()) for paragraph in node.iter(*_PARAGRAPHS))
    return [text for text in texts if len(text) >= _MIN_PARAGRAPH]


def _visible(node: HtmlElement) -> Iterable[str]:
    if node.tag in ("script", "style", "noscript"):
        return
    if node.text:
        yield node.text
    for child in node:
        if isinstance(child.tag, str):
            yield from _visible(child)
        if child.tail:
            yield child.tail
