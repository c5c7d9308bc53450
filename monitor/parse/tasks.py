"""What crosses the border to a parser process: what is to be read, and what came of it. Values only.

Both sides import this module, and the daemon's side has no parser: nothing here may import one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor.errors import ParseError
from monitor.parse.article import Extract
from monitor.parse.delta import Delta, Memory
from monitor.values import Domain, ParsedFeed


@dataclass(frozen=True, slots=True)
class FeedHints:
    """What is known of a feed beside its bytes. `country` is ISO alpha-2, `timezone` an IANA name."""

    outlet: Domain | None = None
    country: str | None = None
    timezone: str | None = None
    language: str | None = None


NO_HINTS = FeedHints()


@dataclass(frozen=True, slots=True)
class Body:
    """What a feed answered: decompressed bytes, the final address, headers with lower-case names."""

    body: bytes
    url: str
    headers: Mapping[str, str]
    now: datetime
    hints: FeedHints = NO_HINTS


@dataclass(frozen=True, slots=True)
class Page:
    """An article's page whose text is wanted."""

    body: bytes
    url: str
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """A body of which only the items that `before` does not know are wanted."""

    body: bytes
    url: str
    whole: Body
    before: Memory | None


Task = Body | Page | Changed
Outcome = ParsedFeed | Delta | Extract | None | ParseError
