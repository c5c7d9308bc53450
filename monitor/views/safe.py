"""What others wrote, made harmless to show: addresses that may be followed, texts that turn nothing around. Pure."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")


def plain(text: str | None) -> str:
    """A text of others without what could turn or hide the words around it."""
    kept = _BIDI.sub("", text or "")
    return "".join(letter if letter in "\n\t" or unicodedata.category(letter) != "Cc" else " " for letter in kept)


def link_of(url: str | None) -> str | None:
    """An address a reader may follow: http or https, a host, nobody's name in it; else None.

    >>> link_of("javascript:alert(1)"), link_of("https://a.example/x")
    (None, 'https://a.example/x')
    """
    if not url or _BIDI.search(url) or any(unicodedata.category(letter) in ("Cc", "Zs") for letter in url):
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return None
    return url if usable else None
