"""Which known word a wrong one was probably meant to be: the "did you mean" of config, query and lexicon. Pure."""

from __future__ import annotations

from collections.abc import Iterable

FARTHEST = 2
"""Slips that a word may hold and still be recognised."""
_SHORT = 3
"""Letters of a word that may hold one slip only: with two, every short word is near every other."""


def distance(left: str, right: str, limit: int = FARTHEST) -> int:
    """Count the edits (insert, delete, replace, swap of neighbours) between two words; `limit + 1` means more.

    >>> distance("group_wayt", "group_wait"), distance("abc", "xyz")
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


def nearest(word: str, known: Iterable[str], farthest: int = FARTHEST) -> str | None:
    """Find the word that was probably meant; None when all are farther than `farthest`. Case does not count.

    Of equals the one with the longest common beginning, then the first of the alphabet.

    >>> nearest("XX", ["AX", "XK"]), nearest("depotation", ["deportation", "migrant"])
    ('XK', 'deportation')
    """
    wrong = word.casefold()
    limit = 1 if len(wrong) <= _SHORT else farthest
    ranked = [
        (found, -_shared_start(wrong, right.casefold()), right)
        for right in known
        if (found := distance(wrong, right.casefold(), limit)) <= limit
    ]
    return min(ranked)[2] if ranked else None


def _shared_start(left: str, right: str) -> int:
    return next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
