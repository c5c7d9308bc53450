"""Why an entry satisfies a watch, or what it lacks: every operand with yes or no, and the nearest miss.

Compiles the one watch again and is far slower than `matcher`: for people, not for the pipeline. Called by the CLI.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from monitor.match import evaluate, matcher, near_miss, tree
from monitor.match.compiler import Builder
from monitor.match.concepts import Concepts
from monitor.match.evaluate import Check, Mark
from monitor.match.filters import Facts
from monitor.match.matcher import Document, Look, Matcher, WatchQuery
from monitor.match.scan import FIELDS, Entry
from monitor.match.tree import And, ConceptRef, Filter, Near, Node, Not, NotNear, Operand, Or, Scoped, Term, Together
from monitor.text import languages
from monitor.values import Span


@dataclass(frozen=True, slots=True)
class Line:
    """One node of the query: `found` are its occurrences, `reason` says by which pattern, or what is missing.

    `text` is the node as a query, `label` its head.
    """

    depth: int
    label: str
    text: str
    holds: bool
    found: tuple[Span, ...] = ()
    words: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A watch against an entry. `spans` are empty where it does not match."""

    watch: str
    query: str
    language: str | None
    title: str
    lines: tuple[Line, ...]
    spans: tuple[Span, ...]
    lexicon: int

    @property
    def matches(self) -> bool:
        """Whether the entry satisfies the watch."""
        return bool(self.spans)

    @property
    def first_failure(self) -> Line | None:
        """The first operand that is missing, left to right; None for a match."""
        return None if self.matches else _failure(self.lines)


def _failure(lines: tuple[Line, ...]) -> Line:
    """Go down to the leftmost required part that fails: a side of a pair, an item of AND, the positive side of NOT."""
    head, children = lines[0], _children(lines)
    if head.holds or not children or head.label == "OR":
        return head
    required = children[:1] if head.label.startswith("NOT") else children
    failing = next((child for child in required if not child[0].holds), None)
    return _failure(failing) if failing else head


def _children(lines: tuple[Line, ...]) -> list[tuple[Line, ...]]:
    starts = [number for number, line in enumerate(lines) if number and line.depth == lines[0].depth + 1]
    return [lines[start:end] for start, end in pairwise([*starts, len(lines)])]


def explain(watch: WatchQuery, document: Document, concepts: Concepts) -> Explanation:
    """Work out what one watch makes of one entry."""
    builder = Builder(concepts)
    compiled = builder.watch(watch.name, watch.tree)
    walked = list(_walk(watch.tree, builder))
    engine = Matcher((watch,), (compiled,), tuple(builder.leaves), concepts)
    entry, facts = engine.scan(document), matcher.facts_of(document)
    speaks = engine.may_speak(0, facts)
    lines = [step.line(entry, facts, concepts) for step in walked]
    if not speaks:
        wanted = ", ".join(sorted(watch.languages or ()))
        reason = f"the watch reads {wanted}, the entry is {facts.language}"
        lines.insert(0, Line(0, "languages", "languages", holds=False, reason=reason))
    marks = compiled.check.marks(entry, facts) if speaks else None
    return Explanation(
        watch.name, tree.show(watch.tree), document.language, document.title, tuple(lines),
        matcher.spans(marks or ()), concepts.version,
    )  # fmt: skip


# ----------------------------------------------------------------------------------------------------- walking


@dataclass(frozen=True, slots=True)
class _Step:
    """A node on the way through a query, compiled for itself."""

    depth: int
    node: Node
    check: Check
    field: int | None
    atom: evaluate.Atom | None

    def line(self, entry: Entry, facts: Facts, concepts: Concepts) -> Line:
        marks = self.check.marks(entry, facts)
        holds = marks is not None
        found = matcher.spans(marks or ()) if self.atom else ()
        written = tuple(_written(entry, span) for span in found)
        label = _label(self.node) if self.field is None else _scoped_label(self.node, FIELDS[self.field])
        reason = self._reason(entry, facts, concepts, marks)
        return Line(self.depth, label, tree.show(self.node), holds=holds, found=found, words=written, reason=reason)

    def _reason(self, entry: Entry, facts: Facts, concepts: Concepts, marks: list[Mark] | None) -> str:
        if isinstance(self.node, Filter):
            return "" if marks is not None else _fact(self.node, facts)
        if isinstance(self.node, Near | NotNear | Together) and marks is None:
            return near_miss.pair(self.node, self.check, entry)
        if isinstance(self.node, Not) and marks is None:
            return near_miss.excluded(self.check, entry, facts)
        if self.atom is None or not isinstance(self.node, Term | ConceptRef):
            return ""
        if marks is None:
            return near_miss.operand(self.node, self.atom, entry, facts, concepts, self.field)
        return _pattern(self.node, self.atom, entry, facts)


def _walk(node: Node, builder: Builder, depth: int = 0, field: int | None = None) -> Iterator[_Step]:
    if isinstance(node, Scoped):
        yield from _walk(node.inner, builder, depth, FIELDS.index(node.field))
        return
    check, _ = builder.check(node, field)
    atom = builder.atom(node) if isinstance(node, Term | ConceptRef) else None
    yield _Step(depth, node, check, field, atom)
    for child in tree.children(node):
        yield from _walk(child, builder, depth + 1, field)


def _label(node: Node) -> str:
    match node:
        case And():
            return "AND"
        case Or():
            return "OR"
        case Not():
            return "NOT"
        case Near() | NotNear() | Together():
            return tree.operator(node)
        case _:
            return tree.show(node)


def _scoped_label(node: Node, field: str) -> str:
    return f"{field}:{_label(node)}" if isinstance(node, Term | ConceptRef) else _label(node)


def _written(entry: Entry, span: Span) -> str:
    return entry.fields[FIELDS.index(span.field)].text[span.start : span.end]


def _pattern(node: Operand, atom: evaluate.Atom, entry: Entry, facts: Facts) -> str:
    """The lines of the lexicon that found a concept."""
    if isinstance(node, Term):
        return ""
    first = {place: leaf.label for place, leaf in reversed(evaluate.found(atom, entry))}
    labels = dict.fromkeys(first[place] for place in sorted(first))
    family = languages.family(facts.language)
    return f"{family or 'unknown language'}: {', '.join(labels)}"


def _fact(node: Filter, facts: Facts) -> str:
    read: dict[str, Callable[[], str]] = {
        "lang": lambda: facts.language or "unknown",
        "country": lambda: facts.country or "unknown",
        "outlet": lambda: ", ".join(filter(None, (facts.outlet, facts.domain))) or "unknown",
    }
    return f"the entry's is {read[node.kind]()}"


# --------------------------------------------------------------------------------------------------- rendering


def render(
    explanation: Explanation,
    *,
    entry: str = "",
    look: Look | None = None,
    microseconds: float | None = None,
) -> str:
    """Write an explanation as text. `look` and the time belong to the matcher of all watches."""
    head = [
        f"watch {explanation.watch}    {explanation.query}",
        f'entry {entry}  {explanation.language or "language unknown"}  "{explanation.title}"',
    ]
    rows = [(f"{'  ' * line.depth}{line.label}", _places(line), line) for line in explanation.lines]
    wide, wider = max(len(row[0]) for row in rows), max(len(row[1]) for row in rows)
    body = [
        f"{label:{wide}}  {places:{wider}}  {'yes' if line.holds else 'no ':3}  {line.reason}".rstrip()
        for label, places, line in rows
    ]
    return "\n".join([*head, *body, "; ".join(_summary(explanation, look, microseconds))])


def _places(line: Line) -> str:
    shown = [f"{word} {span.field}[{span.start}:{span.end}]" for word, span in zip(line.words, line.found, strict=True)]
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")


def _summary(explanation: Explanation, look: Look | None, microseconds: float | None) -> Iterable[str]:
    missing = explanation.first_failure
    yield "match" if explanation.matches else "no match" + (f", first missing: {missing.text}" if missing else "")
    if explanation.matches:
        yield f"{len(explanation.spans)} span{'s' if len(explanation.spans) > 1 else ''}"
    yield f"lexicon {explanation.lexicon}"
    if look is not None:
        took = f", {microseconds:,.0f} µs" if microseconds is not None else ""
        found = f"{look.anchors:,} anchors, {look.anchors_found} found"
        yield f"automaton {found}, {look.watches_looked_at} watches looked at{took}"
