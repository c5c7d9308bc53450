"""What clustering needs to know of an entry.

Not a stored entry: the shell makes an item from one. Called by whoever feeds an index: pipeline, lab, restart.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from monitor.values import Domain, EntryId, StoryKey

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_KEY_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Item:
    """An entry as clustering sees it. `publisher` is what counts as one voice: a group's name or the domain.

    `text` is all the text known, summary first; features are taken from its beginning only, copies from all of it.
    """

    id: EntryId
    language: str | None
    seen_at: datetime
    published_at: datetime | None
    outlet: Domain | None
    publisher: str | None
    title: str
    text: str
    url: str | None = None


def story_key(first_entry_key: str) -> StoryKey:
    """The key of a story that starts with this entry: `st_` and ten characters of Crockford's base32.

    >>> story_key("tag:example.org,2025:1")
    'st_dhmcck8mk7'
    """
    number = int.from_bytes(hashlib.sha256(first_entry_key.encode()).digest()[:8], "big") >> 14
    return StoryKey("st_" + "".join(_CROCKFORD[number >> shift & 31] for shift in range(45, -1, -5)))
