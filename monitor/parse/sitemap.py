"""News sitemaps: a `urlset` whose addresses carry Google's news tags. feedparser yields nothing for them.

Called by `monitor.parse.feed`. Source: https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap
"""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from monitor.errors import ParseError
from monitor.parse import repair
from monitor.parse.documents import RawDocument, RawItem, RawLink
from monitor.values import ParseReason

_MAX_CHILDREN = 50


def read(text: str, root: str) -> RawDocument:
    """Read a sitemap whose prolog has been dropped (so it can hold no entity and no DOCTYPE).

    Errors: ParseError `sitemap_index` with the children's addresses, `not_a_feed` for a plain or broken sitemap.
    """
    tree, mended, truncated = _tree(text, root)
    if root == "sitemapindex":
        children = tuple(loc for child in tree if _local(child) == "sitemap" and (loc := _child(child, "loc")))
        message = f"an index of {len(children)} sitemaps, not a feed; follow one of its news sitemaps"
        raise ParseError(ParseReason.SITEMAP_INDEX, message, found=children[:_MAX_CHILDREN])
    rows = [(url, news) for url in tree if _local(url) == "url" and (news := _news(url)) is not None]
    if not rows:
        raise ParseError(ParseReason.NOT_A_FEED, "a sitemap without news tags: it names pages, not news")
    return RawDocument("sitemap", tuple(_item(url, news) for url, news in rows), mended=mended, truncated=truncated)


def _tree(text: str, root: str) -> tuple[Element, bool, bool]:
    closed = repair.close_truncated(text)
    for attempt, mended in ((text, False), (repair.mend(closed or text, root), True)):
        try:
            return ElementTree.fromstring(attempt.encode("utf-8", "replace")), mended, closed is not None  # noqa: S314  no DTD left
        except (ElementTree.ParseError, ValueError) as exc:
            problem = exc
    raise ParseError(ParseReason.NOT_A_FEED, f"a broken sitemap: {problem}") from problem


def _item(url: Element, news: Element) -> RawItem:
    publication = next((child for child in news if _local(child) == "publication"), None)
    address, date = _child(url, "loc"), _child(news, "publication_date")
    return RawItem(
        links=(RawLink(address),) if address else (),
        title=_child(news, "title"),
        dates=(date,) if date else (),
        source_name=_child(publication, "name") if publication is not None else None,
        language=_child(publication, "language") if publication is not None else None,
    )


def _news(url: Element) -> Element | None:
    return next((child for child in url if _local(child) == "news" and "news" in str(child.tag)), None)


def _child(parent: Element, name: str) -> str | None:
    found = next((child for child in parent if _local(child) == name), None)
    return (found.text or "").strip() or None if found is not None else None


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()
