"""A watch query as a tree of values, and its canonical text.

Holds no positions that count for equality: printing a tree and reading the text gives the same tree again.
Called by query (builds it), matcher (compiles it), explain (walks it).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from monitor.match.patterns import Phrase


@dataclass(frozen=True, slots=True)
class Term:
    """A word, phrase or exact form; `text` is how the query writes it."""

    text: str
    phrase: Phrase


@dataclass(frozen=True, slots=True)
class ConceptRef:
    """`~name`: the words a shipped or configured concept lists."""

    name: str


@dataclass(frozen=True, slots=True)
class Filter:
    """A fact about the entry: `kind` is outlet, lang or country. Never marked."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Scoped:
    """`title:X` or `text:X`."""

    field: str
    inner: Node


@dataclass(frozen=True, slots=True)
class And:
    """All of them, anywhere."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of them."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """`left`, and none of `right` anywhere."""

    left: Node
    right: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """At most `words` words between, within a paragraph; `ordered`: left comes first."""

    left: Node
    right: Node
    words: int
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class NotNear:
    """Some occurrence of `left` without `right` within `words` words."""

    left: Node
    right: Node
    words: int


@dataclass(frozen=True, slots=True)
class Together:
    """Both in one sentence or paragraph; `unit` says which."""

    left: Node
    right: Node
    unit: str


Operand = Term | ConceptRef
Node = Term | ConceptRef | Filter | Scoped | And | Or | Not | Near | NotNear | Together

DEFAULT_NEAR = 4
"""Words between for a plain NEAR; Meltwater's default."""


def show(node: Node) -> str:
    """Print a query in its canonical form."""
    match node:
        case Term():
            return node.text
        case ConceptRef():
            return f"~{node.name}"
        case Filter():
            return f"{node.kind}:{_quoted(node.value)}"
        case Scoped():
            return f"{node.field}:{_wrapped(node.inner, Term, ConceptRef)}"
        case And():
            return " AND ".join(_wrapped(item, *_TIGHT, Not) for item in node.items)
        case Or():
            return " OR ".join(_wrapped(item, *_TIGHT, Not) for item in node.items)
        case Not():
            return " NOT ".join(_wrapped(item, *_TIGHT) for item in (node.left, *node.right))
        case Near() | NotNear() | Together():
            return f"{_wrapped(node.left, *_SINGLE)} {operator(node)} {_wrapped(node.right, *_SINGLE)}"
        case _:
            assert_never(node)


def operator(node: Near | NotNear | Together) -> str:
    """How the operator of a pair is written."""
    match node:
        case Near():
            return f"{'BEFORE' if node.ordered else 'NEAR'}/{node.words}"
        case NotNear():
            return f"NOT NEAR/{node.words}"
        case Together():
            return node.unit.upper()
        case _:
            assert_never(node)


_SINGLE = (Term, ConceptRef, Filter, Scoped)
_TIGHT = (*_SINGLE, Near, NotNear, Together)


def _wrapped(node: Node, *bare: type) -> str:
    return show(node) if isinstance(node, bare) else f"({show(node)})"


def _quoted(value: str) -> str:
    return f'"{value}"' if any(letter in " ()" for letter in value) else value


def children(node: Node) -> tuple[Node, ...]:
    """What a node is made of."""
    match node:
        case Term() | ConceptRef() | Filter():
            return ()
        case Scoped():
            return (node.inner,)
        case And() | Or():
            return node.items
        case Not():
            return (node.left, *node.right)
        case Near() | NotNear() | Together():
            return (node.left, node.right)
        case _:
            assert_never(node)


def operands(node: Node) -> Iterator[Operand]:
    """Every term and concept of a query, left to right, also those behind NOT."""
    if isinstance(node, Term | ConceptRef):
        yield node
    for child in children(node):
        yield from operands(child)


def is_group_of_operands(node: Node) -> bool:
    """Whether a node may stand beside NEAR: terms, phrases, concepts, OR groups of them."""
    return isinstance(node, Term | ConceptRef) or (isinstance(node, Or) and all(map(is_group_of_operands, node.items)))


def has_words(node: Node) -> bool:
    """Whether a node can only hold where some positive term stands in title or text."""
    match node:
        case Filter():
            return False
        case And():
            return any(map(has_words, node.items))
        case Or():
            return all(map(has_words, node.items))
        case Not() | Near() | NotNear() | Together():
            return has_words(node.left)
        case Scoped():
            return has_words(node.inner)
        case _:
            return True
