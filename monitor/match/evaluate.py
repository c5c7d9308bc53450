"""A compiled watch, evaluated against one entry: None where it does not hold, else what to mark.

Every node answers `marks(entry)`; nothing here knows the query's text. Called by matcher and explain.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from monitor.match.filters import Facts
from monitor.match.patterns import LONGEST_GUARD
from monitor.match.scan import Entry, Leaf, Occurrence

Mark = tuple[int, int, int, str]
"""An occurrence and the term that found it."""
Found = tuple[Occurrence, Leaf]


@dataclass(frozen=True, slots=True)
class GuardLeaves:
    """The leaves of one guard; `words` is None for "not inside"."""

    leaves: tuple[Leaf, ...]
    words: int | None


@dataclass(frozen=True, slots=True)
class Atom:
    """One term or concept: any of its leaves, unless a guard takes the occurrence back.

    `needs`: leaves that count only beside an occurrence of another atom in the sentence.
    """

    number: int
    term: str
    leaves: tuple[Leaf, ...]
    guards: tuple[GuardLeaves, ...] = ()
    needs: tuple[tuple[Leaf, tuple[Atom, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Vetoed:
    """An occurrence that a guard took back; `guard` is None where a needed neighbour is missing."""

    occurrence: Occurrence
    leaf: Leaf
    guard: Leaf | None


def found(atom: Atom, entry: Entry) -> list[Found]:
    """The occurrences of an atom that count, each with the leaf that found it; worked out once per entry."""
    known = entry.kept.get(atom.number)
    if known is None:
        known = entry.kept[atom.number] = _found(atom, entry)
    return known


def _found(atom: Atom, entry: Entry) -> list[Found]:
    kept = [(place, leaf) for leaf in atom.leaves for place in entry.occurrences(leaf)]
    for leaf, needed in atom.needs:
        kept.extend((place, leaf) for place in entry.occurrences(leaf) if _has_company(place, needed, entry))
    return [(place, leaf) for place, leaf in kept if _guard(atom, place, entry) is None] if atom.guards else kept


def vetoed(atom: Atom, entry: Entry) -> list[Vetoed]:
    """The occurrences of an atom that do not count, with the reason: for `explain`."""
    out = []
    needs = dict(atom.needs)
    for leaf in (*atom.leaves, *needs):
        for place in entry.occurrences(leaf):
            guard = _guard(atom, place, entry)
            if guard is not None or (leaf in needs and not _has_company(place, needs[leaf], entry)):
                out.append(Vetoed(place, leaf, guard))
    return out


def _has_company(place: Occurrence, needed: Iterable[Atom], entry: Entry) -> bool:
    """Whether the sentence holds one of the needed atoms."""
    field = entry.fields[place[0]]
    sentence = field.sentence(place[1])
    others = (other for atom in needed for other, _ in found(atom, entry))
    return any(other[0] == place[0] and field.sentence(other[1]) == sentence for other in others)


def _guard(atom: Atom, place: Occurrence, entry: Entry) -> Leaf | None:
    """The guard phrase that takes an occurrence back."""
    for guard in atom.guards:
        for leaf in guard.leaves:
            others = entry.occurrences(leaf)
            if others and any(_forbids(guard, other, place, entry) for other in _around(others, guard, place, entry)):
                return leaf
    return None


def _around(others: list[Occurrence], guard: GuardLeaves, place: Occurrence, entry: Entry) -> list[Occurrence]:
    """The guard's occurrences near enough to matter: without this a text full of both would cost their product."""
    field, reach = entry.fields[place[0]], (guard.words or 0) + LONGEST_GUARD
    first, last = field.word_numbers(place[1], place[2])
    low, high = field.starts[max(0, first - reach)], field.starts[min(len(field.starts) - 1, last + reach)]
    return others[bisect_left(others, (place[0], low, 0)) : bisect_right(others, (place[0], high, high + 10**9))]


def _forbids(guard: GuardLeaves, other: Occurrence, place: Occurrence, entry: Entry) -> bool:
    if guard.words is None:
        return other[1] <= place[1] and place[2] <= other[2]
    between = words_between(other, place, entry)
    return between is not None and between <= guard.words


def words_between(left: Occurrence, right: Occurrence, entry: Entry) -> int | None:
    """Words between two occurrences of one field, in either order; None where they overlap."""
    field = entry.fields[left[0]]
    first, last = field.word_numbers(left[1], left[2])
    other_first, other_last = field.word_numbers(right[1], right[2])
    if other_first > last:
        return other_first - last - 1
    return first - other_last - 1 if first > other_last else None


# ----------------------------------------------------------------------------------------------------------- nodes


class Check(Protocol):
    """A node of a compiled watch."""

    def marks(self, entry: Entry, facts: Facts) -> list[Mark] | None:
        """What to mark where the node holds; None where it does not."""
        ...


@dataclass(frozen=True, slots=True)
class Group:
    """One or several atoms, any of them, in one field or both."""

    atoms: tuple[Atom, ...]
    field: int | None = None

    def marks(self, entry: Entry, facts: Facts) -> list[Mark] | None:
        """All occurrences."""
        return self.places(entry) or None

    def places(self, entry: Entry) -> list[Mark]:
        """All occurrences; empty where there are none."""
        return [
            (*place, atom.term)
            for atom in self.atoms
            for place, _ in found(atom, entry)
            if self.field is None or self.field == place[0]
        ]


@dataclass(frozen=True, slots=True)
class All:
    """Every one of several checks, the rarest first."""

    checks: tuple[Check, ...]

    def marks(self, entry: Entry, facts: Facts) -> list[Mark] | None:
        """The marks of all."""
        out: list[Mark] = []
        for check in self.checks:
            marks = check.marks(entry, facts)
            if marks is None:
                return None
            out.extend(marks)
        return out


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several checks."""

    checks: tuple[Check, ...]

    def marks(self, entry: Entry, facts: Facts) -> list[Mark] | None:
        """The marks of every alternative that holds."""
        held = [marks for check in self.checks if (marks := check.marks(entry, facts)) is not None]
        return [mark for marks in held for mark in marks] if held else None


@dataclass(frozen=True, slots=True)
class Without:
    """A check, and none of others."""

    check: Check
    others: tuple[Check, ...]

    def marks(self, entry: Entry, facts: Facts) -> list[Mark] | None:
        """The marks of the positive side."""
        marks = self.check.marks(entry, facts)
        if marks is None or any(other.marks(entry, facts) is not None for other in self.others):
            return None
        return marks


@dataclass(frozen=True, slots=True)
class Holds:
    """A fact about the entry, never marked."""

    fact: Callable[[Facts], bool]

    def marks(self, entry: Entry, facts: Facts) -> list[Mark] | None:
        """Nothing to mark."""
        return [] if self.fact(facts) else None


@dataclass(frozen=True, slots=True)
class Close:
    """Two groups at most `words` words apart within a paragraph; `ordered`: left first."""

    left: Group
    right: Group
    words: int
    ordered: bool = False

    def marks(self, entry: Entry, facts: Facts) -> list[Mark] | None:
        """The occurrences that take part in a pair."""
        out: list[Mark] = []
        for lefts, rights in _by_part(self.left.places(entry), self.right.places(entry), entry, "paragraph"):
            near_left = _near(rights, lefts, self.words, before=True, after=not self.ordered)
            near_right = _near(lefts, rights, self.words, before=not self.ordered, after=True)
            out.extend(near_left + near_right)
        return out or None


@dataclass(frozen=True, slots=True)
class Apart:
    """A group away from another: occurrences that have none of it within `words` words of their paragraph."""

    left: Group
    right: Group
    words: int

    def marks(self, entry: Entry, facts: Facts) -> list[Mark] | None:
        """The occurrences that stand alone."""
        lefts = self.left.places(entry)
        near: set[Mark] = set()
        for some, rights in _by_part(lefts, self.right.places(entry), entry, "paragraph"):
            near.update(_near(rights, some, self.words, before=True, after=True))
        return [mark for mark in lefts if mark not in near] or None


@dataclass(frozen=True, slots=True)
class Same:
    """Two groups in one sentence or paragraph (`unit`)."""

    left: Group
    right: Group
    unit: str

    def marks(self, entry: Entry, facts: Facts) -> list[Mark] | None:
        """The occurrences that meet."""
        out: list[Mark] = []
        for lefts, rights in _by_part(self.left.places(entry), self.right.places(entry), entry, self.unit):
            out.extend(_near(rights, lefts, None, before=True, after=True))
            out.extend(_near(lefts, rights, None, before=True, after=True))
        return out or None


_Placed = tuple[int, int, Mark]
"""Numbers of the first and last word of a mark, and the mark."""


def _by_part(
    lefts: Sequence[Mark], rights: Sequence[Mark], entry: Entry, unit: str
) -> list[tuple[list[_Placed], list[_Placed]]]:
    """Both sides' marks, grouped by the sentence or paragraph they stand in; only parts that hold both."""
    if not lefts or not rights:
        return []
    parts: dict[tuple[int, int], tuple[list[_Placed], list[_Placed]]] = {}
    for side, marks in enumerate((lefts, rights)):
        for mark in marks:
            field = entry.fields[mark[0]]
            part = field.sentence(mark[1]) if unit == "sentence" else field.paragraph(mark[1])
            parts.setdefault((mark[0], part), ([], []))[side].append((*field.word_numbers(mark[1], mark[2]), mark))
    return [both for both in parts.values() if both[0] and both[1]]


def _near(others: list[_Placed], marks: list[_Placed], words: int | None, *, before: bool, after: bool) -> list[Mark]:
    """The marks with one of `others` within reach: `before`, they come before it; `after`, behind it; never inside.

    Sorted ends and starts keep this from being quadratic in a long text.
    """
    reach = words if words is not None else len(marks) + 10**9
    firsts, lasts = sorted(place[0] for place in others), sorted(place[1] for place in others)
    return [mark for first, last, mark in marks if _reaches(first, last, firsts, lasts, reach, before, after)]


def _reaches(first: int, last: int, firsts: list[int], lasts: list[int], reach: int, before: bool, after: bool) -> bool:
    # A later one starts in (last, last + reach + 1]; an earlier one ends in [first - reach - 1, first).
    later = bisect_right(firsts, last + reach + 1) > bisect_right(firsts, last)
    earlier = bisect_left(lasts, first) > bisect_left(lasts, first - reach - 1)
    return (before and later) or (after and earlier)
