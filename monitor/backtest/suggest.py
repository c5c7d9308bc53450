"""The smallest change that would have saved most: one term out of a query, or one outlet left out of a watch.

Each change is tried on the entries that the running configuration took: an estimate, to be confirmed by a backtest. One
that loses a story labelled right is not offered. Called by `storywatch backtest --suggest`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from monitor.backtest.causes import Side, groups
from monitor.backtest.labels import RIGHT, WRONG, Label
from monitor.backtest.run import Alert, Outcome, Pass
from monitor.config.values import Watch
from monitor.match import matcher, query
from monitor.match.concepts import Concepts
from monitor.match.tree import ConceptRef, Node, Or, Term, children, show
from monitor.store import engine as engines
from monitor.store import entries, tables
from monitor.values import Entry, EntryId
from monitor.wiring import concepts_of


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One change with its place, how many messages and alerts it saves, and how many stories labelled wrong it ends."""

    said: str
    place: str
    messages: int
    alerts: int
    wrong: int

    def __str__(self) -> str:
        wrong = f", {self.wrong} labelled wrong" if self.wrong else ""
        saved = f"{_count(self.messages, 'message')}, {_count(self.alerts, 'alert')}"
        return f"{self.said} ({self.place}): saves {saved}{wrong}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def suggestions(done: Pass, outcome: Outcome, side: Side, labels: Sequence[Label]) -> tuple[Suggestion, ...]:
    """Try every small change; those that save something, the best first."""
    taken = _taken(done)
    found = [
        made
        for watch in done.config.watches
        if not watch.paused
        for said, place, lost in _changes(watch, taken.get(watch.name, ()), side)
        if (made := _judged(said, place, watch.name, lost, outcome, labels)) is not None
    ]
    return tuple(sorted(found, key=lambda one: (-one.wrong, -one.messages, -one.alerts, one.said)))


def _taken(done: Pass) -> Mapping[str, tuple[Entry, ...]]:
    """The entries that each watch took."""
    match, found = tables.match.c, dict[str, list[Entry]]()
    with engines.reading(done.engine) as connection:
        for row in connection.execute(select(match.watch, match.entry_id).order_by(match.entry_id)).all():
            entry = entries.by_id(connection, EntryId(row.entry_id))
            if entry is not None and entry.first_seen >= done.since:
                found.setdefault(row.watch, []).append(entry)
    return {watch: tuple(some) for watch, some in found.items()}


def _changes(watch: Watch, taken: Sequence[Entry], side: Side) -> Iterator[tuple[str, str, frozenset[int]]]:
    """Each change in words, its place, and the entries it would lose."""
    concepts = concepts_of(side.config)
    tree = query.parse(watch.query_text, concepts)
    for term in dict.fromkeys(_optional(tree)):
        lost = _lost_without(tree, term, watch, taken, side, concepts)
        place = side.term_at(watch.name, show(term)) or side.query_at(watch.name)
        yield f"take {show(term)} out of {watch.name}", place, lost
    for outlet in sorted({str(entry.outlet) for entry in taken if entry.outlet}):
        lost = frozenset(int(entry.id) for entry in taken if entry.outlet == outlet)
        yield f"exclude {outlet} from {watch.name}", side.watch_at(watch.name), lost


def _optional(node: Node) -> Iterator[Term | ConceptRef]:
    """The terms of OR groups: what a query can do without."""
    if isinstance(node, Or):
        yield from (item for item in node.items if isinstance(item, Term | ConceptRef))
    for child in children(node):
        yield from _optional(child)


def _lost_without(
    tree: Node, term: Node, watch: Watch, taken: Sequence[Entry], side: Side, concepts: Concepts
) -> frozenset[int]:
    narrower = query.parse(_shown_without(tree, term), concepts)
    engine = matcher.compile([matcher.WatchQuery(watch.name, narrower, watch.languages)], concepts)
    return frozenset(int(entry.id) for entry in taken if not engine.match(_document(entry, side)))


def _shown_without(tree: Node, term: Node) -> str:
    """The query as text, the term gone from every OR group that has another."""
    whole = show(tree)
    for group in groups(tree):
        rest = [item for item in group.items if item != term]
        if rest and len(rest) < len(group.items):
            kept = rest[0] if len(rest) == 1 else Or(tuple(rest))
            whole = whole.replace(show(group), show(kept))
    return whole


def _document(entry: Entry, side: Side) -> matcher.Document:
    outlet = side.context.knowledge.outlets.by_domain(entry.outlet) if entry.outlet else None
    return matcher.Document(
        title=entry.title,
        text=entry.text,
        language=entry.language,
        outlet=outlet.name if outlet else None,
        domain=entry.outlet,
        country=outlet.country if outlet else None,
    )


def _judged(
    said: str, place: str, watch: str, lost: frozenset[int], outcome: Outcome, labels: Sequence[Label]
) -> Suggestion | None:
    """What a change saves; None when it saves nothing or loses what people called right."""
    gone = {alert.key for alert in outcome.alerts if alert.watch == watch and alert.entry in lost}
    if not gone:
        return None
    kept = [alert for alert in outcome.alerts if alert.key not in gone]
    for label in labels:
        if label.verdict == RIGHT and _tells(outcome.alerts, label) and not _tells(kept, label):
            return None
    wrong = sum(
        label.verdict == WRONG and _tells(outcome.alerts, label) and not _tells(kept, label) for label in labels
    )
    saved = sum(bool(message.keys) and set(message.keys) <= gone for message in outcome.messages)
    return Suggestion(said, place, saved, len(gone), wrong)


def _tells(alerts: Sequence[Alert], label: Label) -> bool:
    return any(alert.entry in label.entries for alert in alerts)
