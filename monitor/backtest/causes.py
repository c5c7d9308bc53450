"""Why an entry is told under one configuration and not under another, with the place in the file that makes it so.

A lost alert is explained by what the candidate lacks, a new one by what the running configuration lacked. Called by
`compare` for each difference that is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from alerts import route
from alerts import tables as alert_tables
from alerts.outbox import admin, codec
from alerts.values import Event
from monitor import understanding, wiring
from monitor.config import changes, queries, stored, units
from monitor.config.document import Document, Path, Place
from monitor.config.values import Config, FeedConfig, Watch
from monitor.match import explain, matcher, query
from monitor.match.concepts import Concepts
from monitor.match.tree import ConceptRef, Node, Or, Term, children, operands
from monitor.store import listed
from monitor.values import Entry


@dataclass(frozen=True, slots=True)
class Cause:
    """Why, in words, and where: `places` are file:line:column, the candidate's last."""

    said: str
    places: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.said} ({', '.join(self.places)})"


@dataclass(frozen=True, slots=True)
class Side:
    """One configuration with its file and the database it worked in."""

    config: Config
    document: Document
    context: understanding.Context

    def at(self, *path: str | int) -> str:
        """Name the place of a value, or of what is nearest to it."""
        return _named(self.document, self.document.value_place(path))

    def watch_at(self, name: str, *more: str | int) -> str:
        """Name a place within a watch."""
        return self.at(*self.watch_path(name), *more)

    def watch_path(self, name: str) -> Path:
        """Where a watch stands; its section where it does not."""
        rows = self.document.data.get("watches") or []
        for i, row in enumerate(rows):
            if isinstance(row, dict) and row.get("name") == name:
                return ("watches", i)
        return ("watches",)

    def term_at(self, watch: str, term: str) -> str | None:
        """Name the place of a term in the query or the keywords of a watch."""
        path = self.watch_path(watch)
        row = self._row(path)
        text = row.get("query")
        if isinstance(text, str):
            column = text.casefold().find(term.casefold()) + 1
            place = queries.place_in(self.document, (*path, "query"), text, column) if column else None
            return _named(self.document, place) if place else None
        keywords = row.get("keywords")
        for i, word in enumerate(keywords if isinstance(keywords, list) else []):
            if str(word).casefold() in (term.casefold(), term.casefold().removeprefix("~")):
                return self.at(*path, "keywords", i)
        return None

    def query_at(self, watch: str) -> str:
        """Name the place where the query of a watch begins."""
        path = self.watch_path(watch)
        return self.at(*path, "query" if "query" in self._row(path) else "keywords")

    def _row(self, path: Path) -> dict[str, Any]:
        rows = self.document.data.get("watches") or []
        return rows[path[1]] if len(path) == 2 and isinstance(path[1], int) else {}


def _named(document: Document, place: Place) -> str:
    return f"{document.file}:{place.line}:{place.column}"


def why_not(entry: Entry, fact: tuple[str, str, int | None, str], quiet: Side, loud: Side, candidate: Side) -> Cause:
    """Say why `quiet` does not tell what `loud` tells; places are those of the candidate and, where it helps, both."""
    kind, name, _, _ = fact
    watch = quiet.config.watch(name)
    if watch is None or watch.paused:
        return _no_watch(name, quiet, candidate)
    feed = _feed_change(entry, quiet, loud, candidate)
    if feed is not None:
        return feed
    unmatched = _unmatched(entry, watch, quiet, loud, candidate)
    return unmatched or _untold(entry, kind, watch, quiet, candidate)


def _no_watch(name: str, quiet: Side, candidate: Side) -> Cause:
    is_lost = quiet is candidate
    if quiet.config.watch(name) is not None:
        said = f"{name} is paused" if is_lost else f"{name} was paused"
        return Cause(said, (candidate.watch_at(name, "paused" if is_lost else "name"),))
    said = f"the watch {name} is gone" if is_lost else f"the watch {name} is new"
    return Cause(said, (candidate.watch_at(name),))


def _feed_change(entry: Entry, quiet: Side, loud: Side, candidate: Side) -> Cause | None:
    """A feed that only one of the two polls."""
    with quiet.context.engine.connect().execution_options(reads=True) as connection:
        feed = listed.by_id(connection, [entry.feed]).get(entry.feed)
    if feed is None or _is_polled(quiet.config, feed) or not _is_polled(loud.config, feed):
        return None
    url = feed.url
    is_lost = quiet is candidate
    said = f"the feed {url} is {'gone or paused' if is_lost else 'new'}"
    rows = candidate.document.data.get("feeds") or []
    index = next((i for i, row in enumerate(rows) if isinstance(row, dict) and row.get("url") == url), None)
    return Cause(said, (candidate.at("feeds") if index is None else candidate.at("feeds", index),))


def _is_polled(config: Config, feed: listed.Named) -> bool:
    return _said_of(config, feed) is not None


def _said_of(config: Config, feed: listed.Named) -> FeedConfig | None:
    """What holds for a feed that is polled; None for one that is not."""
    said = stored.config_of({one.url: one for one in config.feeds}, feed.url, feed.settings)
    return said if said is not None and not said.paused else None


def _unmatched(entry: Entry, watch: Watch, quiet: Side, loud: Side, candidate: Side) -> Cause | None:
    """What of the watch's query, languages or scope does not take the entry."""
    compiled, concepts = _compiled(quiet.config, watch)
    found = explain.explain(compiled, _document(entry, quiet), concepts)
    is_lost = quiet is candidate
    if not found.matches:
        if found.lines[0].label == "languages":
            said = f"languages {'lost' if is_lost else 'gained'} {entry.language}"
            return Cause(said, (candidate.watch_at(watch.name, "languages"),))
        return _missing(entry, watch, found, quiet, loud, candidate)
    return _out_of_scope(entry, watch, quiet, loud, candidate)


def _compiled(config: Config, watch: Watch) -> tuple[matcher.WatchQuery, Concepts]:
    concepts = wiring.concepts_of(config)
    return matcher.WatchQuery(watch.name, query.parse(watch.query_text, concepts), watch.languages), concepts


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


def _missing(entry: Entry, watch: Watch, found: explain.Explanation, quiet: Side, loud: Side, candidate: Side) -> Cause:
    """A term that only the other query has, else the part of this query that fails."""
    other = loud.config.watch(watch.name)
    is_lost = quiet is candidate
    if other is not None:
        compiled, concepts = _compiled(loud.config, other)
        spans = explain.explain(compiled, _document(entry, loud), concepts).spans
        own = changes.terms_of(watch, quiet.config)
        apart = [term for term in dict.fromkeys(span.term for span in spans) if term not in own]
        if apart:
            there = loud.term_at(other.name, apart[0]) or loud.query_at(other.name)
            said = f"'{apart[0]}' is {'gone from' if is_lost else 'new in'} the query"
            beside = _beside(apart[0], compiled.tree, watch.name, candidate) or candidate.query_at(watch.name)
            return Cause(said, (there, beside) if is_lost else (there,))
    failure = found.first_failure
    text = failure.text if failure is not None else watch.query_text
    return _lacks(text, watch, quiet, candidate)


def _beside(term: str, tree: Node, watch: str, side: Side) -> str | None:
    """Name the place where a term stood: that of another one of its group."""
    for group in groups(tree):
        words = [query.show(item) for item in group.items if isinstance(item, Term | ConceptRef)]
        if term in words:
            return next((at for word in words if (at := side.term_at(watch, word)) is not None), None)
    return None


def groups(node: Node) -> Iterator[Or]:
    """Every group of alternatives in a query, the outer ones first."""
    if isinstance(node, Or):
        yield node
    for child in children(node):
        yield from groups(child)


def _lacks(text: str, watch: Watch, quiet: Side, candidate: Side) -> Cause:
    if quiet is not candidate:
        return Cause(f"the query no longer asks for {text}", (candidate.query_at(watch.name),))
    tree = query.parse(text, wiring.concepts_of(quiet.config)) if text else None
    terms = [query.show(term) for term in operands(tree)] if tree is not None else []
    place = next((at for term in terms if (at := quiet.term_at(watch.name, term)) is not None), None)
    return Cause(f"the entry lacks {text}", (place or quiet.query_at(watch.name),))


def _out_of_scope(entry: Entry, watch: Watch, quiet: Side, loud: Side, candidate: Side) -> Cause | None:
    other = loud.config.watch(watch.name)
    is_lost = quiet is candidate
    if entry.outlet in watch.exclude:
        said = f"{entry.outlet} is {'excluded' if is_lost else 'no longer excluded'}"
        return Cause(said, (candidate.watch_at(watch.name, "exclude"),))
    if watch.outlets is not None and entry.outlet not in watch.outlets:
        said = f"{entry.outlet} is {'not' if is_lost else 'now'} among the outlets"
        return Cause(said, (candidate.watch_at(watch.name, "outlets"),))
    if other is not None and watch.feed_tags != other.feed_tags and not _by_tags(entry, watch, quiet):
        said = f"its feed has {'none' if is_lost else 'one now'} of the watch's tags"
        return Cause(said, (candidate.watch_at(watch.name, "feeds"),))
    return None


def _by_tags(entry: Entry, watch: Watch, side: Side) -> bool:
    with side.context.engine.connect().execution_options(reads=True) as connection:
        feed = listed.by_id(connection, [entry.feed]).get(entry.feed)
    said = _said_of(side.config, feed) if feed is not None else None
    tags = said.tags if said is not None else frozenset()
    return watch.feed_tags is None or bool(watch.feed_tags & tags)


def _untold(entry: Entry, kind: str, watch: Watch, quiet: Side, candidate: Side) -> Cause:
    """The entry matches in both; something later in the ladder keeps it from being told."""
    if kind not in watch.alert_on:
        return Cause(f"{kind} is not among what the watch alerts on", (candidate.watch_at(watch.name, "alert_on"),))
    with quiet.context.engine.connect().execution_options(reads=True) as connection:
        events = [event for event in _events_of(connection, entry, watch.name) if event.kind == kind]
        for event in events:
            return _ladder(connection, event, quiet, candidate)
    if kind in ("response", "silence_broken", "stance_change"):
        said = "the government is not among those the watch tells of, or its answer was known"
        return Cause(said, (candidate.watch_at(watch.name, "governments"),))
    return Cause("its story was told before, or is another one", (candidate.watch_at(watch.name),))


def _events_of(connection: Connection, entry: Entry, watch: str) -> Iterator[Event]:
    row = alert_tables.event.c
    for found in connection.execute(select(row.payload).where(row.watch == watch).order_by(row.id)):
        event = codec.load(found.payload)
        if event.mention is not None and event.mention.entry == str(entry.id):
            yield event


def _ladder(connection: Connection, event: Event, quiet: Side, candidate: Side) -> Cause:
    if event.state == "stale":
        age = units.written_duration(quiet.config.limits.max_item_age)
        return Cause(f"it was older than {age} when it came", (candidate.at("limits", "max_item_age"),))
    if not route.targets(event, quiet.context.knowledge.plan):
        return Cause("no route takes it", (candidate.at("routes"),))
    reasons = {step.reason for step in admin.ladder(connection, event.key) if step.reason}
    if "held" in reasons:
        return Cause("quiet hours hold it", (candidate.at("quiet_hours"),))
    if reasons:
        return Cause(f"held back: {', '.join(sorted(reasons))}", (candidate.at("caps"),))
    return Cause("it waits for a digest or for company", (candidate.at("routes"),))
