"""One sparse view of the live entries: an inverted index of weighted features, with its own document frequencies.

Postings hold raw weights. What a feature tells is multiplied in when it is asked for, so that an epoch that begins
with new document frequencies touches no posting; only the lengths of the live vectors are made anew. Used by `window`
and `assign`; knows nothing of stories.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from math import log, sqrt
from operator import mul

from monitor.cluster.features import Bag

MOST_POSTINGS = 400
"""A feature of more live entries than this tells nothing and costs everything."""

MOST_TOLD = 5
"""So many mentions of one story count as documents. Where only what matches a watch is compared, one story is most of
the window: counted in full it makes its own words common, and its follow-ups fit it no longer."""

_MOST_REMEMBERED = 20_000
_EMPTY = Bag()

Vector = Mapping[str, float]


class _Rarity(dict[str, float]):
    """How much each feature tells: the logarithm of all documents by those that have it. Worked out when asked for.

    Counts may move on; what was told of a feature stands until `clear`.
    """

    def __init__(self, prior: Callable[[str], float], prior_documents: float) -> None:
        super().__init__()
        self._prior = prior
        self._prior_documents = prior_documents
        self._shares: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._documents = 0

    def __missing__(self, name: str) -> float:
        share = self._shares.get(name)
        if share is None:
            if len(self._shares) >= _MOST_REMEMBERED:
                self._shares.clear()
            share = self._shares[name] = self._prior(name)
        having = share * self._prior_documents + self._counts.get(name, 0)
        told = self[name] = max(0.0, log((self._prior_documents + self._documents + 2) / (having + 0.7)))
        return told

    def start(self, stories: Iterable[Sequence[Bag]]) -> None:
        """Count anew in these stories, given by their mentions."""
        self.clear()
        counts: Counter[str] = Counter()
        self._documents = 0
        for bags in stories:
            self._documents += min(len(bags), MOST_TOLD)
            names = chain.from_iterable(bag.names for bag in bags)
            if len(bags) <= MOST_TOLD:
                counts.update(names)
            else:
                for name, count in Counter(names).items():
                    counts[name] += min(count, MOST_TOLD)
        self._counts = counts


class View:
    """Bags of live entries by number. `prior` gives the expected share of documents of a feature."""

    def __init__(self, prior: Callable[[str], float], prior_documents: float) -> None:
        self._rarity = _Rarity(prior, prior_documents)
        self._bags: dict[int, Bag] = {}
        self._lengths: dict[int, float] = {}
        self._vectors: dict[int, Vector] = {}
        self._postings: dict[str, dict[int, float]] = {}

    @property
    def features(self) -> int:
        """How many different features the live entries have."""
        return len(self._postings)

    def start_epoch(self, stories: Iterable[Sequence[Bag]]) -> None:
        """Go by the document frequencies in these stories from now on."""
        self._rarity.start(stories)
        self._vectors = {}
        self._lengths = {number: self._length(bag) for number, bag in self._bags.items()}

    def vector(self, bag: Bag) -> Vector:
        """The bag weighted by rarity, of length 1."""
        length = self._length(bag)
        if not length:
            return {}
        rarity = self._rarity
        return {
            name: weight * rarity[name] / length
            for name, weight in zip(bag.names, bag.weights, strict=True)
            if rarity[name]
        }

    def _length(self, bag: Bag) -> float:
        """The length of the weighted bag."""
        weighted = list(map(mul, map(self._rarity.__getitem__, bag.names), bag.weights))
        return sqrt(sum(map(mul, weighted, weighted)))

    def vector_of(self, number: int) -> Vector:
        """The vector of a live entry."""
        kept = self._vectors.get(number)
        if kept is None:
            kept = self._vectors[number] = self.vector(self._bags.get(number, _EMPTY))
        return kept

    def add(self, number: int, bag: Bag) -> None:
        """Make an entry findable."""
        self._bags[number] = bag
        self._lengths[number] = self._length(bag)
        for name, weight in zip(bag.names, bag.weights, strict=True):
            posting = self._postings.get(name)
            if posting is None:
                posting = self._postings[name] = {}
            posting[number] = weight

    def remove(self, number: int) -> None:
        """Forget an entry."""
        self._lengths.pop(number, None)
        self._vectors.pop(number, None)
        for name in self._bags.pop(number, _EMPTY).names:
            posting = self._postings[name]
            del posting[number]
            if not posting:
                del self._postings[name]

    def similar(self, vector: Vector, least: float) -> dict[int, float]:
        """Cosines with the live entries that share a feature, as far as they are above `least`."""
        scores: dict[int, float] = {}
        known = scores.get  # half the cost of a defaultdict, and this loop is most of the step
        for name, weight in vector.items():
            posting = self._postings.get(name)
            if posting is not None and len(posting) <= MOST_POSTINGS:
                factor = weight * self._rarity[name]
                for number, raw in posting.items():
                    scores[number] = known(number, 0.0) + factor * raw
        lengths = self._lengths
        return {number: score / lengths[number] for number, score in scores.items() if score > least * lengths[number]}

    def in_common(self, vector: Vector, number: int) -> list[tuple[str, float]]:
        """What a vector shares with one live entry: feature and product, heaviest first."""
        other = self.vector_of(number)
        products = [(name, weight * other[name]) for name, weight in vector.items() if name in other]
        return sorted(products, key=lambda pair: (-pair[1], pair[0]))
