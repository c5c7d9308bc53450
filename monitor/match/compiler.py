"""From query trees to checks: terms become leaves, concepts are expanded, each watch gets its key group.

Equal terms of different watches share their leaves. Called by matcher alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from typing import assert_never

from monitor.match import filters, patterns, tree
from monitor.match.concepts import Concept, ConceptPattern, Concepts
from monitor.match.evaluate import All, Apart, Atom, Check, Close, Group, GuardLeaves, Holds, OneOf, Same, Without
from monitor.match.patterns import Kind, Phrase, WordPattern
from monitor.match.scan import FIELDS, Leaf
from monitor.match.tree import And, ConceptRef, Filter, Near, Node, Not, NotNear, Operand, Or, Scoped, Term, Together

_RARE = {1: 400, 2: 300, 3: 60, 4: 25, 5: 12, 6: 6, 7: 4}
"""Documents in ten thousand guessed for an unlisted word of so many letters; 2 for longer ones."""
_PREFIXES = 4
"""How many times as many documents a wildcard takes as the same letters alone."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A watch ready to run: its check, and the leaves one of which every match must hold."""

    check: Check
    key: frozenset[int]


@dataclass(frozen=True, slots=True)
class Key:
    """A group of leaves, and in how many of ten thousand documents one of them is expected."""

    cost: float
    leaves: frozenset[int]

    def rank(self) -> tuple[float, int]:
        """The rarer first, of equals the one with fewer leaves."""
        return self.cost, len(self.leaves)


class Builder:
    """Collects the leaves of all watches while compiling them one by one."""

    def __init__(self, concepts: Concepts) -> None:
        self.concepts = concepts
        self.leaves: list[Leaf] = []
        self._known_leaves: dict[tuple[Phrase, frozenset[str] | None], Leaf] = {}
        self._atoms: dict[Operand, Atom] = {}
        self._numbers = count()

    def watch(self, name: str, node: Node) -> Compiled:
        """Compile one watch. Errors: KeyError when the tree was read with other concepts."""
        check, key = self.check(node, None)
        if key is None:
            raise ValueError(f"{name}: no text term is required; query.parse refuses this")
        return Compiled(check, key.leaves)

    # ------------------------------------------------------------------------------------------------- nodes

    def check(self, node: Node, field: int | None = None) -> tuple[Check, Key | None]:
        """The check of one node (within a field), and its key where it requires words."""
        match node:
            case Term() | ConceptRef():
                group = Group((self.atom(node),), field)
                return group, self._key(group)
            case Filter():
                return Holds(filters.check(node.kind, node.value)), None
            case Scoped():
                return self.check(node.inner, FIELDS.index(node.field))
            case And():
                return self._all(node, field)
            case Or():
                return self._one_of(node, field)
            case Not():
                check, key = self.check(node.left, field)
                return Without(check, tuple(self.check(right, field)[0] for right in node.right)), key
            case Near() | NotNear() | Together():
                return self._pair(node, field)
            case _:
                assert_never(node)

    def _all(self, node: And, field: int | None) -> tuple[Check, Key | None]:
        parts = [self.check(item, field) for item in node.items]
        parts.sort(key=lambda part: part[1].cost if part[1] else -1)
        keys = [key for _, key in parts if key is not None]
        return All(tuple(check for check, _ in parts)), min(keys, key=Key.rank, default=None)

    def _one_of(self, node: Or, field: int | None) -> tuple[Check, Key | None]:
        parts = [self.check(item, field) for item in node.items]
        keys = [key for _, key in parts]
        check: Check = OneOf(tuple(check for check, _ in parts))
        groups = [part for part, _ in parts if isinstance(part, Group)]
        if len(groups) == len(parts) and len({group.field for group in groups}) == 1:
            check = Group(tuple(dict.fromkeys(atom for group in groups for atom in group.atoms)), groups[0].field)
        return check, _union([key for key in keys if key is not None]) if all(keys) else None

    def _pair(self, node: Near | NotNear | Together, field: int | None) -> tuple[Check, Key | None]:
        left, right = self._group(node.left, field), self._group(node.right, field)
        left_key, right_key = self._key(left), self._key(right)
        match node:
            case Near():
                rarer = min(left_key, right_key, key=Key.rank)
                return Close(left, right, node.words, node.ordered), rarer
            case NotNear():
                return Apart(left, right, node.words), left_key
            case Together():
                return Same(left, right, node.unit), min(left_key, right_key, key=Key.rank)
            case _:
                assert_never(node)

    def _group(self, node: Node, field: int | None) -> Group:
        atoms = (self.atom(operand) for operand in tree.operands(node))
        return Group(tuple(dict.fromkeys(atoms)), field)

    # ------------------------------------------------------------------------------------------------- atoms

    def atom(self, operand: Operand) -> Atom:
        """The atom of a term or concept; the same one for equal operands."""
        known = self._atoms.get(operand)
        if known is None:
            known = self._term(operand) if isinstance(operand, Term) else self._concept(operand)
            self._atoms[operand] = known
        return known

    def _term(self, term: Term) -> Atom:
        return Atom(next(self._numbers), term.text, (self._leaf(term.phrase, term.text, None),))

    def _concept(self, reference: ConceptRef) -> Atom:
        concept = self.concepts.named(reference.name)
        if concept is None:
            raise KeyError(reference.name)
        needs = []
        for pattern in concept.patterns:
            if pattern.only_with:
                needed = tuple(self._plain(name) for name in pattern.only_with)
                needs.append((self._concept_leaf(pattern, concept), needed))
        leaves, guards = self._plain_leaves(concept), self._guards(concept)
        return Atom(next(self._numbers), tree.show(reference), leaves, guards, tuple(needs))

    def _plain(self, name: str) -> Atom:
        """A concept without its conditional patterns, so that two concepts may name each other."""
        concept = self.concepts.named(name)
        if concept is None:
            raise KeyError(name)
        return Atom(next(self._numbers), f"~{concept.name}", self._plain_leaves(concept), self._guards(concept))

    def _plain_leaves(self, concept: Concept) -> tuple[Leaf, ...]:
        found = (self._concept_leaf(pattern, concept) for pattern in concept.patterns if not pattern.only_with)
        return tuple(dict.fromkeys(found))

    def _concept_leaf(self, pattern: ConceptPattern, concept: Concept) -> Leaf:
        """One leaf for a pattern that several languages of a concept share."""
        same = (pattern.phrase, pattern.only_with)
        spoken = [other.language for other in concept.patterns if (other.phrase, other.only_with) == same]
        families = None if None in spoken else frozenset(language for language in spoken if language)
        return self._leaf(pattern.phrase, pattern.text, families)

    def _guards(self, concept: Concept) -> tuple[GuardLeaves, ...]:
        return tuple(
            GuardLeaves(tuple(self._leaf(pattern.phrase, pattern.text, None) for pattern in guard.phrases), guard.words)
            for guard in concept.guards
        )

    def _leaf(self, phrase: Phrase, label: str, families: frozenset[str] | None) -> Leaf:
        known = self._known_leaves.get((phrase, families))
        if known is None:
            anchor = min(range(len(phrase.words)), key=lambda number: self._cost(phrase.words[number]))
            known = Leaf(len(self.leaves), phrase, label, families, anchor)
            self._known_leaves[phrase, families] = known
            self.leaves.append(known)
        return known

    # -------------------------------------------------------------------------------------------------- keys

    def _key(self, group: Group) -> Key:
        leaves = [leaf for atom in group.atoms for leaf in (*atom.leaves, *(leaf for leaf, _ in atom.needs))]
        cost = sum(self._cost(leaf.phrase.words[leaf.anchor]) for leaf in leaves)
        return Key(cost, frozenset(leaf.number for leaf in leaves))

    def _cost(self, word: WordPattern) -> float:
        """In how many of ten thousand documents a word is expected."""
        if word.kind is Kind.WILD:
            return sum(_PREFIXES * self._seen(anchor.strip()) for anchor in patterns.anchors(word))
        return self._seen(word.letters)

    def _seen(self, letters: str) -> float:
        return self.concepts.frequencies.get(letters, _RARE.get(len(letters), 2))


def _union(keys: Iterable[Key]) -> Key:
    keys = list(keys)
    return Key(sum(key.cost for key in keys), frozenset().union(*(key.leaves for key in keys)))
