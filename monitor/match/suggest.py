"""What a misspelled word was probably meant to be. Called by query."""

from __future__ import annotations

from collections.abc import Iterable

FARTHEST = 2


def closest(word: str, known: Iterable[str], farthest: int = FARTHEST) -> str | None:
    """The known word fewest slips away; None when all are farther than `farthest`.

    Of equals the one with the same first letter, then the first.

    >>> closest("depotation", ["deportation", "migrant"])
    'deportation'
    """
    ranked = sorted(
        (distance(word.lower(), other.lower()), other[:1].lower() != word[:1].lower(), place, other)
        for place, other in enumerate(known)
    )
    return ranked[0][3] if ranked and ranked[0][0] <= min(farthest, max(1, len(word) - 1)) else None


def distance(left: str, right: str) -> int:
    """Letters inserted, deleted, replaced or exchanged with their neighbour."""
    if abs(len(left) - len(right)) > FARTHEST:
        return FARTHEST + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
