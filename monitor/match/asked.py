"""The words a query asks for, as beginnings: what every entry that matches it may be expected to hold.

Parts behind NOT ask for nothing. Called by the wiring, which tells the clusterer what its entries share anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.match.concepts import Concepts
from monitor.match.patterns import Phrase
from monitor.match.tree import ConceptRef, Node, Not, NotNear, Term, children

_BEGINNING = re.compile(r"[^*?(|)]*")
_LEAST = 3
"""Letters of a beginning: with fewer it would be the beginning of anything."""


def words(node: Node, concepts: Concepts) -> frozenset[str]:
    """The folded words and beginnings of all terms and concepts of a query.

    `(deport* OR "third country") NOT football` asks for deport, third and country.
    """
    return frozenset(word for phrase in _phrases(node, concepts) for word in _words(phrase) if len(word) >= _LEAST)


def _phrases(node: Node, concepts: Concepts) -> Iterator[Phrase]:
    match node:
        case Term():
            yield node.phrase
        case ConceptRef():
            concept = concepts.named(node.name)
            yield from (pattern.phrase for pattern in concept.patterns) if concept else ()
        case Not() | NotNear():
            yield from _phrases(node.left, concepts)
        case _:
            for child in children(node):
                yield from _phrases(child, concepts)


def _words(phrase: Phrase) -> Iterator[str]:
    for word in phrase.words:
        yield _BEGINNING.match(word.letters)[0]  # type: ignore[index]  # it matches nothing, too
