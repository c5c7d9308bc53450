"""One sparse view of the live entries: an inverted index of weighted features, with its own document frequencies.

Entries leave in the order in which they came, so a posting is a queue. Weights follow the document frequencies of the
current epoch and are made anew when the next one begins. Used by `index` only; knows nothing of stories.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from math import log, sqrt

from monitor.cluster.features import Bag

MOST_POSTINGS = 400
"""A feature of more live entries than this tells nothing and costs everything."""

_MOST_REMEMBERED = 20_000

Vector = dict[str, float]


class View:
    """Bags of live entries by number; numbers only grow. `prior` gives the expected share of documents of a feature."""

    def __init__(self, prior: Callable[[str], float], prior_documents: float, *, keeps_vectors: bool = False) -> None:
        self._prior = prior
        self._prior_documents = prior_documents
        self._bags: dict[int, Bag] = {}
        self._vectors: dict[int, Vector] | None = {} if keeps_vectors else None
        self._postings: dict[str, deque[tuple[int, float]]] = {}
        self._shares: dict[str, float] = {}
        self._rarity: dict[str, float] = {}
        self._frequency: dict[str, int] = {}
        self._documents = 0

    @property
    def features(self) -> int:
        """How many different features the live entries have."""
        return len(self._postings)

    def start_epoch(self, bags: Iterable[Bag]) -> None:
        """Take document frequencies from these bags and make every live vector anew."""
        counted: dict[str, int] = {}
        documents = 0
        for bag in bags:
            documents += 1
            for name, _ in bag:
                counted[name] = counted.get(name, 0) + 1
        self._frequency, self._documents = counted, documents
        self._rarity, self._postings = {}, {}
        for number, bag in self._bags.items():
            self._post(number, bag)

    def vector(self, bag: Bag) -> Vector:
        """The bag weighted by rarity, of length 1."""
        known = self._rarity
        weighted: Vector = {}
        square = 0.0
        for name, weight in bag:
            rarity = known.get(name)
            if rarity is None:
                rarity = self._rarity_of(name)
            if rarity:
                value = weighted[name] = weight * rarity
                square += value * value
        length = sqrt(square)
        return {name: value / length for name, value in weighted.items()} if length else weighted

    def vector_of(self, number: int) -> Vector:
        """The vector of a live entry."""
        kept = None if self._vectors is None else self._vectors.get(number)
        return self.vector(self._bags.get(number, ())) if kept is None else kept

    def _rarity_of(self, name: str) -> float:
        """How much a feature tells: the logarithm of all documents by those that have it."""
        share = self._shares.get(name)
        if share is None:
            share = self._prior(name)
            _remember(self._shares, name, share)
        frequency = share * self._prior_documents + self._frequency.get(name, 0)
        rarity = max(0.0, log((self._prior_documents + self._documents + 2) / (frequency + 0.7)))
        _remember(self._rarity, name, rarity)
        return rarity

    def add(self, number: int, bag: Bag) -> None:
        """Make an entry findable."""
        self._bags[number] = bag
        self._post(number, bag)

    def _post(self, number: int, bag: Bag) -> None:
        vector = self.vector(bag)
        if self._vectors is not None:
            self._vectors[number] = vector
        for name, value in vector.items():
            posting = self._postings.get(name)
            if posting is None:
                posting = self._postings[name] = deque()
            posting.append((number, value))

    def remove(self, number: int) -> None:
        """Forget an entry; quick for the oldest and the newest."""
        if self._vectors is not None:
            self._vectors.pop(number, None)
        for name, _ in self._bags.pop(number, ()):
            posting = self._postings.get(name)
            if posting is None:
                continue
            if posting[0][0] == number:
                posting.popleft()
            elif posting[-1][0] == number:
                posting.pop()
            else:
                posting = self._postings[name] = deque(pair for pair in posting if pair[0] != number)
            if not posting:
                del self._postings[name]

    def similar(self, vector: Vector) -> dict[int, float]:
        """Cosines with all live entries that share a feature."""
        scores: defaultdict[int, float] = defaultdict(float)
        for name, weight in vector.items():
            posting = self._postings.get(name)
            if posting is not None and len(posting) <= MOST_POSTINGS:
                for number, value in posting:
                    scores[number] += weight * value
        return scores

    def in_common(self, vector: Vector, number: int) -> list[tuple[str, float]]:
        """What a vector shares with one live entry: feature and product, heaviest first."""
        other = self.vector_of(number)
        products = [(name, weight * other[name]) for name, weight in vector.items() if name in other]
        return sorted(products, key=lambda pair: (-pair[1], pair[0]))


def _remember(table: dict[str, float], name: str, value: float) -> None:
    """Keep a value that can be computed again; a full table starts afresh."""
    if len(table) >= _MOST_REMEMBERED:
        table.clear()
    table[name] = value
