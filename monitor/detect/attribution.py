"""Whom a text has it from: the outlets it credits, and whether each is the origin or passes on.

A name counts where a credit stands beside it ("according to X", "X reports", "told X", a dateline). Within a sentence
the strongest credit is the origin and weaker ones pass it on: "X, as reported by Y", "Y, citing X", "told X, Y says".
An outlet's own name is kept ("told N1" in N1 is first-hand); `provenance` drops that edge. Nothing is looked up
outside the entry here. Called by the pipeline and `lab detect`; `explain` shows each decision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

from monitor.detect import mentions, names
from monitor.detect.credits import Credits as Credits
from monitor.detect.credits import Cue
from monitor.detect.credits import from_raw as from_raw
from monitor.detect.mentions import Mention
from monitor.detect.outlets import OutletTable
from monitor.text import sentences
from monitor.values import Citation, EntryText, Outlet

ORIGINAL = "original"
RELAY = "relay"


class Rank(IntEnum):
    """How near to the origin a credit puts its outlet."""

    RELAY = 0
    DATELINE = 1
    ASKED = 2
    WEAK = 3
    PUBLISH = 4
    CITE = 5
    TOLD = 6
    FIRST = 7


_RANKS: dict[Cue, Rank] = {
    Cue.FIRST: Rank.FIRST,
    Cue.TOLD: Rank.TOLD,
    Cue.FOR: Rank.TOLD,
    Cue.CITING: Rank.TOLD,
    Cue.CITE: Rank.CITE,
    Cue.RELAY: Rank.RELAY,
    Cue.PUBLISH: Rank.PUBLISH,
    Cue.AFTER: Rank.PUBLISH,
    Cue.REPORT_BEFORE: Rank.CITE,
    Cue.REPORT_AFTER: Rank.CITE,
    Cue.ASK_BEFORE: Rank.ASKED,
    Cue.ASK_AFTER: Rank.ASKED,
    Cue.WEAK: Rank.WEAK,
}

_REFERENCES = frozenset((Cue.REPORT_BEFORE, Cue.REPORT_AFTER, Cue.WEAK, Cue.ASK_BEFORE, Cue.ASK_AFTER))


@dataclass(frozen=True, slots=True)
class Credit:
    """A credited mention and what was decided about it; `reason` is for people."""

    mention: Mention
    rank: Rank
    kind: str
    own: bool
    background: bool
    reason: str

    @property
    def is_reference(self) -> bool:
        """Whether only a report is spoken of ("the Bloomberg report"): a credit, but not the source of this text."""
        return bool(self.mention.cues) and self.mention.cues <= _REFERENCES


def citations(document: EntryText, table: OutletTable, known: Credits) -> tuple[Citation, ...]:
    """Find the outlets a text credits, once each, in the order of the text."""
    return tuple(
        Citation(
            credit.mention.name,
            credit.mention.domain,
            credit.kind,
            credit.mention.field,
            credit.mention.start,
            credit.mention.end,
            credit.background,
        )
        for credit in decide(document, table, known)
    )


def decide(document: EntryText, table: OutletTable, known: Credits) -> tuple[Credit, ...]:
    """Find the credited outlets with the reason for each kind; `citations` without the reasons."""
    country = document.outlet.country if document.outlet else None
    found = [
        _credit(mention, document, table)
        for mention in mentions.find(document.title, document.text, document.language, country, table, known)
    ]
    ordered = _relays_in_sentences(found)
    merged = _merged(ordered, table)
    settled = list(_relays_of_askers(_own_without_news(merged)))
    return tuple(_relays_of_unnamed(settled, document, known))


def _relays_of_unnamed(found: list[Credit], document: EntryText, known: Credits) -> Iterable[Credit]:
    """ "say sources, reports X" passes on, where the text names another outlet as its source."""
    source = next((c for c in found if c.kind == ORIGINAL and c.rank >= Rank.CITE and not c.background), None)
    unnamed = known.of(document.language).unnamed
    for credit in found:
        tail = credit.kind == ORIGINAL and credit.rank == Rank.PUBLISH and not credit.own
        if source is not None and tail and unnamed & _words_around(credit.mention, document):
            yield replace(
                credit, kind=RELAY, reason=f"{credit.reason}, of unnamed sources beside {source.mention.name}"
            )
        else:
            yield credit


def _words_around(mention: Mention, document: EntryText) -> frozenset[str]:
    """The folded words of the sentence a mention stands in."""
    text = document.title if mention.field == mentions.TITLE else document.text
    place = next((p for p in sentences.sentences(text) if p[0] <= mention.start < p[1]), (0, 0))
    return frozenset(word.folded for word in names.words(text[place[0] : place[1]]))


def explain(document: EntryText, table: OutletTable, known: Credits) -> tuple[str, ...]:
    """One line per credited outlet: what was found where, and why it counts as origin or relay."""
    return tuple(
        f'{credit.kind:<8} {credit.mention.field}[{credit.mention.start}:{credit.mention.end}] "{credit.mention.name}"'
        f" = {credit.mention.domain or 'not in the outlet table'}; {credit.reason}"
        + ("; an earlier fact" if credit.background else "")
        + ("; the outlet itself" if credit.own else "")
        for credit in decide(document, table, known)
    )


def _credit(mention: Mention, document: EntryText, table: OutletTable) -> Credit:
    rank = Rank.DATELINE if mention.dateline else max((_RANKS[cue] for cue in mention.cues), default=Rank.WEAK)
    if mention.passes_on:
        rank = Rank.RELAY
    own = _is_own(mention, document.outlet, table)
    credited_by = "dateline" if mention.dateline else f'"{mention.credit}"'
    return Credit(mention, rank, ORIGINAL, own, mention.background, f"{rank.name.lower()} by {credited_by}")


def _is_own(mention: Mention, outlet: Outlet | None, table: OutletTable) -> bool:
    if outlet is None or mention.domain is None:
        return False
    return mention.domain == outlet.domain or table.by_domain(mention.domain).publisher == outlet.publisher


def _relays_in_sentences(found: list[Credit]) -> list[Credit]:
    """Within a sentence the strongest credit is the origin, weaker ones of the same fact pass it on."""
    strongest: dict[tuple[str, int, bool], Rank] = {}
    for credit in found:
        strongest[_fact(credit)] = max(strongest.get(_fact(credit), Rank.RELAY), credit.rank)
    return [_below(credit, strongest[_fact(credit)]) for credit in found]


def _fact(credit: Credit) -> tuple[str, int, bool]:
    """What a credit is for: a sentence tells one fact, and perhaps an earlier one."""
    return credit.mention.field, credit.mention.sentence, credit.background


def _below(credit: Credit, strongest: Rank) -> Credit:
    if credit.rank == Rank.RELAY:
        return replace(credit, kind=RELAY)
    if credit.rank >= strongest or strongest < Rank.CITE:
        return credit
    return replace(credit, kind=RELAY, reason=f"{credit.reason}, below {strongest.name.lower()} in its sentence")


def _merged(found: Iterable[Credit], table: OutletTable) -> list[Credit]:
    """One credit per outlet, at its first mention as a source; original if any of its mentions is, of the best rank."""
    kept: dict[str, Credit] = {}
    for credit in found:
        key = _identity(credit.mention, table)
        kept[key] = _joined(kept[key], credit) if key in kept else credit
    return sorted(kept.values(), key=lambda credit: (credit.mention.field != mentions.TITLE, credit.mention.start))


def _joined(before: Credit, credit: Credit) -> Credit:
    better = max(before, credit, key=lambda one: (one.kind == ORIGINAL, one.rank))
    place = credit if before.is_reference and not credit.is_reference else before
    return replace(
        better,
        mention=place.mention,
        own=before.own,
        background=before.background and credit.background,
    )


def _identity(mention: Mention, table: OutletTable) -> str:
    if mention.domain is None:
        return mention.name.casefold()
    return table.by_domain(mention.domain).publisher


def _own_without_news(found: list[Credit]) -> list[Credit]:
    """Drop the outlet's own dateline and own questions when the text credits somebody else for its news."""
    others = any(not credit.own and credit.rank > Rank.RELAY for credit in found)
    return [credit for credit in found if not (credit.own and others and credit.rank <= Rank.ASKED)]


def _relays_of_askers(found: list[Credit]) -> Iterable[Credit]:
    """Who only asked, or only stands in the dateline, passes on what another outlet brought."""
    origin = next((one for one in found if one.kind == ORIGINAL and one.rank >= Rank.PUBLISH), None)
    lone = not any(credit.kind == ORIGINAL for credit in found)
    for credit in found:
        if origin is not None and credit.rank <= Rank.ASKED:
            yield replace(credit, kind=RELAY)
        elif lone and credit is found[0]:
            yield replace(credit, kind=ORIGINAL, reason=f"{credit.reason}, the only one named")
            lone = False
        else:
            yield credit
