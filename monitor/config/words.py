"""How words and lists of words are told in a message. Pure; used by every check of the file."""

from __future__ import annotations

from collections.abc import Iterable

from monitor.text.nearest import nearest

_SHOWN = 12


def suggestion(word: str, allowed: Iterable[str]) -> str | None:
    """Put the nearest word into a question, or None."""
    found = nearest(word, allowed)
    return f"did you mean {found!r}?" if found else None


def listed(words: Iterable[str]) -> str:
    """Join words for a message; a long list is cut.

    >>> listed(["a", "b"])
    'a, b'
    """
    every = list(words)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more
