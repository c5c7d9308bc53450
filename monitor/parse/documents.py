"""What the readers of the single formats hand to `monitor.parse.feed`: fields as written, nothing decided yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class RawLink:
    """One link of an item. `base` is its xml:base, empty if there is none."""

    href: str
    rel: str = "alternate"
    type: str | None = None
    hreflang: str | None = None
    base: str = ""


@dataclass(frozen=True, slots=True)
class RawItem:
    """One item as a reader found it. Texts may hold markup; `dates` are in the order in which they are believed.

    `source_name`, `source_url`: whom the item itself names as its publisher.
    """

    id: str | None = None
    id_is_link: bool = False
    links: tuple[RawLink, ...] = ()
    original_link: str | None = None
    title: str | None = None
    summary: str | None = None
    content: str | None = None
    author: str | None = None
    dates: tuple[str, ...] = ()
    source_name: str | None = None
    source_url: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A document as a reader found it. `mended`: the reader had to repair it; `truncated`: its end was missing."""

    kind: str
    items: tuple[RawItem, ...] = ()
    title: str | None = None
    links: tuple[RawLink, ...] = ()
    language: str | None = None
    new_location: str | None = None
    generator: str | None = None
    ttl: timedelta | None = None
    update_period: timedelta | None = None
    skip_hours: frozenset[int] = field(default_factory=frozenset)
    skip_days: frozenset[int] = field(default_factory=frozenset)
    mended: bool = False
    truncated: bool = False
