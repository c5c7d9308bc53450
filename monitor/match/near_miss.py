"""What stood in an entry instead of an operand that is missing: another case, ending, field, or a word too far away.

Looks at every word of the entry; only for people who ask why. Called by explain alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.match import evaluate, patterns
from monitor.match.concepts import Concepts
from monitor.match.evaluate import Apart, Atom, Check, Close, Mark, Same, Without
from monitor.match.filters import Facts
from monitor.match.patterns import Kind
from monitor.match.scan import FIELDS, Entry
from monitor.match.tree import ConceptRef, Near, NotNear, Operand, Term, Together
from monitor.text import languages, words
from monitor.text.words import Word

SHORTEST_STEM = 4


def operand(node: Operand, atom: Atom, entry: Entry, facts: Facts, concepts: Concepts, field: int | None) -> str:
    """Say why a term or concept was not found."""
    elsewhere = [place for place, _ in evaluate.found(atom, entry)]
    if field is not None and elsewhere:
        return f"only in {FIELDS[elsewhere[0][0]]}"
    if isinstance(node, ConceptRef):
        return _concept(node, atom, entry, facts, concepts)
    return next(_term(node, entry, concepts), "")


def _concept(node: ConceptRef, atom: Atom, entry: Entry, facts: Facts, concepts: Concepts) -> str:
    for veto in evaluate.vetoed(atom, entry):
        number, start, end = veto.occurrence
        place = f"{entry.fields[number].text[start:end]} {FIELDS[number]}[{start}:{end}]"
        if veto.guard is not None:
            return f"{place}: guard `{veto.guard.label}`"
        needed = next(atoms for leaf, atoms in atom.needs if leaf is veto.leaf)
        return f"{place}: needs {' or '.join(other.term for other in needed)} in the sentence"
    concept, family = concepts.named(node.name), languages.family(facts.language)
    if concept is not None and not concept.speaks(family):
        return f"no patterns for {facts.language}"
    return ""


def _term(term: Term, entry: Entry, concepts: Concepts) -> Iterator[str]:
    """Near misses of a single word, the telling ones first."""
    if len(term.phrase.words) != 1:
        return
    word = term.phrase.words[0]
    found = [
        (other, field.text[other.start : other.end]) for field in entry.fields for other in words.words(field.text)
    ]
    for other, written in found:
        if word.kind is Kind.ACRONYM and other.folded == word.letters:
            capitals = f"{written} found, but all is set in capitals" if other.is_caps else ""
            yield capitals or f"{written} found, {term.text} is case-sensitive"
        if word.kind is Kind.EXACT and other.folded == word.letters:
            yield f"{written} found, {term.text} asks for these very letters"
    for other, written in found:
        if word.kind is Kind.WORD and _is_inflected(word.letters, other):
            yield f"{written} found: {' or '.join(_wider(term, word.letters, concepts))}"


def _is_inflected(letters: str, other: Word) -> bool:
    return len(letters) >= SHORTEST_STEM and other.folded.startswith(letters) and other.folded != letters


def _wider(term: Term, letters: str, concepts: Concepts) -> Iterator[str]:
    """What to write instead: a wildcard, and a concept that lists the word."""
    yield term.text.strip('"') + "*"
    for concept in concepts.concepts.values():
        single = [pattern.phrase.words[0] for pattern in concept.patterns if len(pattern.phrase.words) == 1]
        if any(letters in patterns.forms(word) for word in single if word.kind is not Kind.WILD):
            yield f"~{concept.name}"


def excluded(check: Check, entry: Entry, facts: Facts) -> str:
    """Say what stands in the entry although NOT excludes it."""
    if not isinstance(check, Without) or check.check.marks(entry, facts) is None:
        return ""
    for other in check.others:
        for number, start, end, _ in other.marks(entry, facts) or ():
            return f"{entry.fields[number].text[start:end]} {FIELDS[number]}[{start}:{end}] is excluded"
    return "the entry is excluded"


def pair(node: Near | NotNear | Together, check: Check, entry: Entry) -> str:
    """Say how far apart the closest two occurrences are."""
    if not isinstance(check, Close | Apart | Same):
        return ""
    lefts, rights = check.left.places(entry), check.right.places(entry)
    if not lefts or not rights:
        return ""
    apart = [(between, left, right) for left, right, between in _distances(lefts, rights, entry)]
    if not apart:
        return "never in one field"
    between, left, right = min(apart)
    shown = f"{_written(left, entry)} and {_written(right, entry)}"
    field = entry.fields[left[0]]
    if isinstance(node, NotNear):
        return f"{shown}: {between} words between, at least {node.words + 1} asked"
    if isinstance(node, Together):
        return f"{shown} are in different {node.unit}s"
    if field.paragraph(left[1]) != field.paragraph(right[1]):
        return f"{shown} are in different paragraphs"
    if between <= node.words:
        return f"{shown} stand in the other order"
    return f"{shown} are {between} words apart, limit {node.words}"


def _distances(lefts: list[Mark], rights: list[Mark], entry: Entry) -> Iterator[tuple[Mark, Mark, int]]:
    for left in lefts[:100]:
        for right in rights[:100]:
            if left[0] == right[0]:
                between = evaluate.words_between(left[:3], right[:3], entry)
                if between is not None:
                    yield left, right, between


def _written(mark: Mark, entry: Entry) -> str:
    return entry.fields[mark[0]].text[mark[1] : mark[2]]
