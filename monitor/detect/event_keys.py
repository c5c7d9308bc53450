"""The unique keys of events: what makes two findings the same news. Pure text; called by `events` alone.

A key is its kind and its parts joined with ``:``, lower-cased and percent-escaped; an absent part is ``-``.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from urllib.parse import quote

from alerts.values import Kind
from monitor.text.fold import fold


def key(kind: Kind, *parts: str | int | None) -> str:
    """Build a key.

    >>> key(Kind.RESPONSE, "tps", "st_a", "RS", "foreign ministry", "denied")
    'response:tps:st_a:rs:foreign%20ministry:denied'
    >>> key(Kind.NON_ANSWER, "a:b", "st_a", "US", "agency:FBI", "declined", None)
    'non_answer:a%3Ab:st_a:us:agency%3Afbi:declined:-'
    """
    return ":".join((kind.value, *(_part(part) for part in parts)))


@lru_cache(maxsize=5_000)
def quote_hash(text: str) -> str:
    """Sixteen hexadecimal digits of a quote, the same for either script, any spacing, marks and quotation marks.

    Remembered: each answer is held against all quotes of its story.

    >>> quote_hash("„Нема договора.“") == quote_hash("Nema  dogovora")
    True
    """
    letters = "".join(letter if letter.isalnum() else " " for letter in fold(text))
    return hashlib.sha256(" ".join(letters.split()).encode()).hexdigest()[:16]


def _part(part: str | int | None) -> str:
    """One part; the whole letters of other scripts stay readable only in their escaped form."""
    if part is None or part == "":
        return "-"
    return quote(str(part).lower(), safe=">").replace("%3e", "%3E")
