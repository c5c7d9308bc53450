"""The nearest right word for a wrong one, and how lists of words are told. Pure; used by every check of the file."""

from __future__ import annotations

from collections.abc import Iterable

_SHOWN = 12


def distance(left: str, right: str, limit: int) -> int:
    """Count the edits (insert, delete, replace, swap of neighbours) between two words; `limit + 1` means more.

    >>> distance("group_wayt", "group_wait", 2), distance("abc", "xyz", 2)
    (1, 3)
    """
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return min(row[-1], limit + 1)


def _shared_start(left: str, right: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


def nearest(word: str, allowed: Iterable[str]) -> str | None:
    """Find the word that was probably meant; None when nothing is near. Case does not count.

    >>> nearest("XX", ["AX", "XK"]), nearest("Europe/Belgrad", ["Europe/Berlin", "Europe/Belgrade"])
    ('XK', 'Europe/Belgrade')
    """
    wrong = word.casefold()
    limit = 1 if len(wrong) <= 3 else 2
    ranked = [
        (found, -_shared_start(wrong, right.casefold()), right)
        for right in allowed
        if (found := distance(wrong, right.casefold(), limit)) <= limit
    ]
    return min(ranked)[2] if ranked else None


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
