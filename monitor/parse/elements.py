"""The elements of XML feeds that are read, by the names feedparser gives them. What means the same stands together.

Read by `monitor.parse.recorder`, which shows feedparser nothing else, and by `monitor.parse.xml_feed`.
"""

from __future__ import annotations

import itertools

ITEMS = ("item", "entry")
WITH_CHILDREN = ("author", "dc:creator", "source")
"""Children of an item whose own children belong to it; inside any other, nothing may touch the item."""
TITLES = ("title", "dc:title", "media:title", "itunes:title")
IDS = ("guid", "id")
LINKS = ("link", "atom:link", "a10:link")
ORIGINAL_LINKS = ("feedburner:origlink", "pheedo:origlink")
SUMMARIES = ("description", "summary", "abstract")
LESSER_SUMMARIES = ("dc:description", "itunes:summary", "itunes:subtitle", "media:description")
CONTENTS = ("content:encoded", "content", "fullitem", "body", "xhtml:body", "yandex:full-text", "full-text")
DATES = (
    ("pubdate", "published", "issued", "dcterms:issued"),
    ("updated", "modified", "dcterms:modified", "atom:updated", "a10:updated"),
    ("dc:date", "date", "dcterms:created", "created", "prism:publicationdate"),
)
AUTHORS = ("author", "dc:creator", "creator", "itunes:author")
SOURCES = ("source", "news:source")
TONGUES = ("dc:language", "language")
WANTED = frozenset(
    itertools.chain(
        TITLES,
        IDS,
        LINKS,
        ORIGINAL_LINKS,
        SUMMARIES,
        LESSER_SUMMARIES,
        CONTENTS,
        *DATES,
        AUTHORS,
        SOURCES,
        TONGUES,
    )
)
"""The children of an item that are read. Others are not shown to feedparser: it would parse, copy and store them."""
CONTAINERS = frozenset({"channel", "feed", "rdf", "rdf:rdf", "rss"})
OF_THE_FEED = CONTAINERS | {
    "items", "title", "dc:title", "link", "atom:link", "a10:link", "language", "dc:language", "ttl", "sy:updateperiod",
    "sy:updatefrequency", "skiphours", "hour", "skipdays", "day", "newlocation", "itunes:new-feed-url",
    "generator",
}  # fmt: skip
XHTML = frozenset({"body", "xhtml:body"})
"""Of those, what feedparser reads as markup without being told so."""
WITH_PLAIN_ATTRIBUTES = frozenset({"guid", "link", "title", "summary", "description", "content:encoded", "content"})
"""Of those, what feedparser reads in the same way with attributes and without, but for a few of them."""
