"""Who has it from whom: the origin of an entry, and the graph of a story's attributions.

An origin is read from credits, never guessed from fame: without one it is unknown. Outlets of one publisher are one
voice. Pure functions over a story's facts; called by `events` for each entry and by the story page for the graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from monitor.detect.outlets import OutletTable
from monitor.values import Citation, Domain, EntryId, Role, StoryFacts

MAX_DEPTH = 6
"""How many relays are followed; longer chains are loops or noise."""
_ORIGINAL = "original"


class Label(StrEnum):
    """What an entry's origin is to the story."""

    OWN = "own"
    NEW = "new"
    KNOWN = "known"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Source:
    """What an entry says of its sources: enough to place it in the graph."""

    entry: EntryId
    outlet: Domain | None
    citations: tuple[Citation, ...]
    first_hand: bool = False
    copy_of: EntryId | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an entry has it from. `chain` names the credited outlets from the nearest to the origin.

    `publisher` is None when unknown. `own_reporting` says that the outlet adds its own questions or statements, also
    when the news itself is another's.
    """

    label: Label
    publisher: str | None = None
    name: str | None = None
    chain: tuple[str, ...] = ()
    own_reporting: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """`entry` of `outlet` credits `credited` (a domain, or a name the table does not know)."""

    entry: EntryId
    outlet: Domain | None
    credited: str
    name: str
    kind: str
    start: int
    end: int
    background: bool = False


@dataclass(frozen=True, slots=True)
class Confirmation:
    """An outlet that has the story at first hand; `independent` of all publishers before it."""

    entry: EntryId
    publisher: str
    independent: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """A story's attributions: edges between outlets, and the origin of every mention."""

    edges: tuple[Edge, ...]
    origins: Mapping[EntryId, Origin]
    confirmations: tuple[Confirmation, ...]

    @property
    def origin_count(self) -> int:
        """How many publishers the story comes from: the count that matters."""
        return len({origin.publisher for origin in self.origins.values() if origin.publisher})


def origin_of(source: Source, facts: StoryFacts, table: OutletTable) -> Origin:
    """Find where an entry has it from, judged against the story before it."""
    sources = {known.entry: known for known in sources_of(facts)}
    if source.copy_of is not None and source.copy_of in sources:
        original = sources[source.copy_of]
        before = tuple(known for known in sources.values() if known.entry != original.entry)
        found = origin_among(original, before, table)
        name = table.by_domain(original.outlet).name if original.outlet else None
        chain = ((name,) if name else ()) + found.chain
        return Origin(Label.KNOWN if found.publisher else Label.UNKNOWN, found.publisher, found.name, chain)
    return origin_among(source, tuple(sources.values()), table)


def sources_of(facts: StoryFacts) -> tuple[Source, ...]:
    """The story's mentions as sources, in their order; a copy stands behind what it copies and is left out."""
    spoke = {fact.entry for fact in facts.stances if fact.first_hand}
    return tuple(
        Source(mention.entry, mention.outlet, mention.citations, mention.entry in spoke)
        for mention in facts.mentions
        if mention.role is not Role.COPY
    )


def graph(facts: StoryFacts, table: OutletTable) -> Graph:
    """Draw a story's attributions; self edges are dropped, they only say first-hand."""
    sources = sources_of(facts)
    edges = tuple(edge for source in sources for edge in _edges(source, table))
    origins = {source.entry: origin_among(source, sources[:at], table) for at, source in enumerate(sources)}
    return Graph(edges, origins, tuple(_confirmations(sources, origins, table)))


def is_first_hand(citations: Iterable[Citation], outlet: Domain | None, table: OutletTable) -> bool:
    """Whether an entry credits its own outlet: somebody spoke to it."""
    return any(citation.kind == _ORIGINAL and _is_own(citation, outlet, table) for citation in citations)


def origin_among(source: Source, before: tuple[Source, ...], table: OutletTable) -> Origin:
    """Find where a source has it from, judged against the sources before it."""
    direct = _direct(source, table)
    own_reporting = source.first_hand or is_first_hand(source.citations, source.outlet, table)
    if direct is None:
        publisher = _publisher(source.outlet, table)
        if own_reporting and publisher is not None and source.outlet is not None:
            return Origin(Label.OWN, publisher, table.by_domain(source.outlet).name, (), own_reporting=True)
        return Origin(Label.UNKNOWN)
    path = _followed(direct, source, before, table)
    last = path[-1]
    known = _known_publishers(before, table)
    label = Label.KNOWN if _identity(last, table) in known else Label.NEW
    relays = [_name(c, table) for c in source.citations if c.kind != _ORIGINAL and not _is_own(c, source.outlet, table)]
    chain = tuple(dict.fromkeys([*relays, *(_name(step, table) for step in path)]))
    return Origin(label, _identity(last, table), _name(last, table), chain, own_reporting)


def _direct(source: Source, table: OutletTable) -> Citation | None:
    """The origin a text names: its first original credit, earlier facts last; None for its own news or none at all."""
    originals = [citation for citation in source.citations if citation.kind == _ORIGINAL]
    lead = [citation for citation in originals if not citation.background]
    if not lead and not source.first_hand:
        lead = originals
    if not lead or _is_own(lead[0], source.outlet, table):
        return None
    return lead[0]


def _followed(direct: Citation, source: Source, before: tuple[Source, ...], table: OutletTable) -> list[Citation]:
    """From the named origin on through the story's own entries of that outlet, until one has it from nobody."""
    path = [direct]
    seen = {_publisher(source.outlet, table), _identity(direct, table)}
    for _ in range(MAX_DEPTH):
        entry = next((known for known in before if _publisher(known.outlet, table) == _identity(path[-1], table)), None)
        further = _direct(entry, table) if entry is not None else None
        if further is None or _identity(further, table) in seen:
            break
        seen.add(_identity(further, table))
        path.append(further)
    return path


def _known_publishers(before: tuple[Source, ...], table: OutletTable) -> frozenset[str]:
    """Whom the story has or has credited as an origin."""
    outlets = {publisher for source in before if (publisher := _publisher(source.outlet, table))}
    named = {_identity(direct, table) for source in before if (direct := _direct(source, table))}
    return frozenset(outlets | named)


def _confirmations(
    sources: tuple[Source, ...], origins: Mapping[EntryId, Origin], table: OutletTable
) -> Iterable[Confirmation]:
    told: set[str] = set()
    for source in sources:
        origin = origins[source.entry]
        publisher = _publisher(source.outlet, table)
        if origin.label is Label.OWN and publisher is not None:
            yield Confirmation(source.entry, publisher, bool(told) and publisher not in told)
        if origin.publisher is not None:
            told.add(origin.publisher)


def _edges(source: Source, table: OutletTable) -> Iterable[Edge]:
    for citation in source.citations:
        if not _is_own(citation, source.outlet, table):
            yield Edge(
                source.entry,
                source.outlet,
                citation.domain or citation.source,
                _name(citation, table),
                citation.kind,
                citation.start,
                citation.end,
                citation.background,
            )


def _is_own(citation: Citation, outlet: Domain | None, table: OutletTable) -> bool:
    return (
        citation.domain is not None and outlet is not None and _identity(citation, table) == _publisher(outlet, table)
    )


def _publisher(domain: Domain | None, table: OutletTable) -> str | None:
    return table.by_domain(domain).publisher if domain else None


def _identity(citation: Citation, table: OutletTable) -> str:
    return table.by_domain(citation.domain).publisher if citation.domain else citation.source.casefold()


def _name(citation: Citation, table: OutletTable) -> str:
    """The catalogue's name, else as written."""
    if citation.domain is None:
        return citation.source
    name = table.by_domain(citation.domain).name
    return citation.source if name == citation.domain else name
