"""What the forms of the lexicon stand for: the frozen rows that `lexicon` reads and the detector works with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from monitor.detect.forms import Element

BODIES = frozenset(
    (
        *("head of state", "head of government", "government", "foreign ministry", "interior ministry"),
        *("justice ministry", "other ministry", "embassy", "agency", "military", "legislature", "court"),
    )
)
SPEAKERS = frozenset(("spokesperson", "official", "officials", "office"))
STANCES = frozenset(
    (
        *("confirmed", "denied", "agreed", "refused", "condemned", "announced_action", "commented"),
        *("declined", "no_reply", "said", "believed", "nothing"),
    )
)
SILENT = frozenset(("declined", "no_reply"))
PLACES = frozenset(("country", "capital", "adjective"))
ACTORS = frozenset(("before", "after", "any"))


@dataclass(frozen=True, slots=True)
class Tag:
    """A word of a word list: negation, conjunction, time word, ..."""

    name: str


@dataclass(frozen=True, slots=True)
class Body:
    """A body or office. `code` is set where the name alone tells the country; `fixed` rows may carry dates."""

    body: str
    code: str | None = None
    row: str = ""
    shout: bool = False
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """Somebody who speaks for a body: spokesperson, office, official (unnamed), officials."""

    kind: str


@dataclass(frozen=True, slots=True)
class Place:
    """A country, its capital or its adjective. `shout`: counts only in capitals (SAD, US)."""

    code: str
    kind: str
    shout: bool = False


@dataclass(frozen=True, slots=True)
class Leader:
    """An office-holder by name."""

    code: str
    body: str
    name: str
    since: date | None
    until: date | None


@dataclass(frozen=True, slots=True)
class Row:
    """A predicate. `needs` and `excludes` look at the clause, `objects` at the words after the verb.

    `actor` says where the government stands: before or after the verb as grammar has it, only after it, or anywhere
    in the clause. `asker`: the subject is who asked. `before`: words that must stand before the verb.
    """

    id: str
    stance: str
    needs: Element | None = None
    excludes: Element | None = None
    objects: tuple[tuple[str, Element], ...] = ()
    actor: str = "before"
    asker: bool = False
    before: Element | None = None

    @property
    def silent(self) -> bool:
        """Whether it is a non-answer."""
        return self.stance in SILENT


Payload = Tag | Body | Speaker | Place | Leader | Row
