"""The ledger of silence: who asked which government's body in a story and got no answer, and what became of it.

A row is (government, voice, asker). Two askers are two rows; an unknown asker joins the rows that are there. Rows raise
nothing by themselves: `events` reads here whether an answer breaks a silence, the story page and digests show them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from monitor.detect.outlets import OutletTable
from monitor.values import Asker, Certainty, EntryId, Stance, StanceFact, StoryFacts

SHOWN_FOR = timedelta(days=14)
"""How long after its last mention a row stands among the open ones."""


@dataclass(frozen=True, slots=True)
class Row:
    """An unanswered question. `asker` is None when nobody says who asked; `office` is the speaker as first named.

    `partial`: the body refused beside an answer it gave in the same text, so it was not silent. `entries` are those
    that carried the row, copies left out. `answered_by` is the entry with the first new answer of that voice.
    """

    government: str
    voice: str
    asker: Asker | None
    asked_by: str | None
    form: Stance
    first_seen: datetime
    last_seen: datetime
    entries: tuple[EntryId, ...]
    office: str = ""
    partial: bool = False
    first_hand: bool = False
    answered_by: EntryId | None = None
    answered_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether an answer would break a silence."""
        return self.answered_by is None and not self.partial

    def is_current(self, now: datetime) -> bool:
        """Whether it is shown among the open rows, not under "older"."""
        return now - self.last_seen <= SHOWN_FOR


def rows(facts: StoryFacts, table: OutletTable) -> tuple[Row, ...]:
    """Work out the rows of a story from its stances, in the order in which they were opened."""
    seen_at = {mention.entry: mention.seen_at for mention in facts.mentions}
    book: list[Row] = []
    known: set[tuple[str, str, Stance]] = set()
    counted = (fact for fact in facts.stances if _counts(fact))
    for entry, group in groupby(counted, key=lambda fact: fact.entry):
        added = tuple(group)
        # A re-telling of what that voice said before the question was asked is no answer to it.
        news = [fact for fact in added if fact.stance.is_answer and _said(fact) not in known]
        known.update(_said(fact) for fact in added)
        book = _after(book, news, added, seen_at.get(entry), table)
    return tuple(book)


def joined(
    book: tuple[Row, ...], government: str, voice: str, asker: Asker | None, table: OutletTable
) -> tuple[Row, ...]:
    """The rows a non-answer belongs to: its asker's, or all of that voice when the asker is unknown."""
    asked_by = publisher(asker, table)
    same = tuple(row for row in book if (row.government, row.voice) == (government, voice))
    return same if asked_by is None else tuple(row for row in same if row.asked_by == asked_by)


def broken(book: tuple[Row, ...], government: str, voice: str, said_at: datetime) -> tuple[Row, ...]:
    """The open rows that an answer of this voice ends; an answer older than the question ends none."""
    return tuple(
        row
        for row in book
        if row.is_open
        and (row.government, row.voice) == (government, voice)
        and said_at.date() >= row.first_seen.date()
    )


def times_broken(book: tuple[Row, ...], government: str, voice: str) -> int:
    """How often a silence of this voice was ended before."""
    return len({row.answered_by for row in book if (row.government, row.voice) == (government, voice)} - {None})


def publisher(asker: Asker | None, table: OutletTable) -> str | None:
    """Whose question it was: the publisher, else the name; None when not said."""
    if asker is None:
        return None
    return table.by_domain(asker.domain).publisher if asker.domain else asker.name.casefold()


def _counts(fact: StanceFact) -> bool:
    return not fact.from_copy and not fact.background and fact.certainty is not Certainty.WEAK


def _same_voice(row: Row, fact: StanceFact) -> bool:
    return (row.government, row.voice) == (fact.government, fact.voice)


def _said(fact: StanceFact) -> tuple[str, str, Stance]:
    return fact.government, fact.voice, fact.stance


def _after(
    book: list[Row], news: list[StanceFact], added: tuple[StanceFact, ...], seen: datetime | None, table: OutletTable
) -> list[Row]:
    """The book after one entry: its new answers close what stood before, then its non-answers join or open rows."""
    for fact in news:
        book = [_closed(row, fact, seen or fact.said_at) for row in book]
    answered = {(fact.government, fact.voice) for fact in added if fact.stance.is_answer}
    for fact in added:
        if not fact.stance.is_answer:
            partial = fact.partial or (fact.government, fact.voice) in answered
            book = list(_entered(book, fact, seen or fact.said_at, partial, table))
    return book


def _closed(row: Row, fact: StanceFact, seen: datetime) -> Row:
    if not row.is_open or not _same_voice(row, fact) or fact.said_at.date() < row.first_seen.date():
        return row
    return replace(row, answered_by=fact.entry, answered_at=seen)


def _entered(book: list[Row], fact: StanceFact, seen: datetime, partial: bool, table: OutletTable) -> Iterator[Row]:
    to = set(map(id, joined(tuple(book), fact.government, fact.voice, fact.asker, table)))
    for row in book:
        yield _carried(row, fact, seen, table) if id(row) in to else row
    if not to:
        yield Row(
            government=fact.government,
            voice=fact.voice,
            asker=fact.asker,
            asked_by=publisher(fact.asker, table),
            form=fact.stance,
            first_seen=seen,
            last_seen=seen,
            entries=(fact.entry,),
            office=fact.office,
            partial=partial,
            first_hand=fact.first_hand,
        )


def _carried(row: Row, fact: StanceFact, seen: datetime, table: OutletTable) -> Row:
    """A row told once more. Its asker's own report decides the form; otherwise declined outweighs no reply."""
    entries = row.entries if fact.entry in row.entries else (*row.entries, fact.entry)
    row = replace(row, entries=entries, last_seen=max(row.last_seen, seen))
    if publisher(fact.asker, table) != row.asked_by or fact.asker is None:
        return row
    if fact.first_hand and not row.first_hand:
        return replace(row, form=fact.stance, first_hand=True)
    if fact.stance is Stance.DECLINED and fact.first_hand == row.first_hand:
        return replace(row, form=Stance.DECLINED)
    return row
