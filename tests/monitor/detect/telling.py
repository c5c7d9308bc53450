"""A story told entry by entry, for tests of events, ledger and provenance: what one line says goes through `decide`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from alerts.values import Event
from monitor.detect import events, outlets
from monitor.values import (
    Asker,
    Assignment,
    Certainty,
    Citation,
    Domain,
    Entry,
    EntryId,
    Evidence,
    FeedId,
    Finding,
    Match,
    Outlet,
    Role,
    Span,
    Stance,
    StoryFacts,
    StoryKey,
)

ROWS: dict[str, dict[str, object]] = {
    "wire.example": {"name": "Wire", "country": "US", "kind": "wire"},
    "agency.example": {"name": "Agency", "country": "GB", "kind": "wire"},
    "daily.example": {"name": "Daily", "country": "RS", "kind": "newspaper"},
    "evening.example": {"name": "Evening", "country": "RS", "kind": "newspaper"},
    "portal.example": {"name": "Portal", "country": "BA", "kind": "portal"},
    "radio-en.example": {"name": "Radio", "country": "US", "group": "radio"},
    "radio-sr.example": {"name": "Radio na srpskom", "country": "US", "group": "radio"},
}
TABLE = outlets.from_raw({"outlets": {"outlets": ROWS, "endings": {}}})
START = datetime(2025, 6, 5, 8, 0, tzinfo=UTC)
KEY = StoryKey("st_abcdefghij")
WATCH = "watch"


def outlet(name: str | None) -> Outlet | None:
    return TABLE.by_domain(Domain(f"{name}.example")) if name else None


def says(
    government: str,
    body: str,
    stance: str,
    *,
    quote: str = "",
    asker: str | None = None,
    hand: str = "first",
    said: datetime | None = None,
    **more: object,
) -> Finding:
    asked = None if asker is None else Asker(asker.title(), Domain(f"{asker}.example"))
    finding = Finding(
        government,
        body,
        Stance(stance),
        f"the {body}",
        quote or f"{body} {stance}",
        asker=asked,
        hand=hand,
        said_at=said,
    )
    return replace(finding, **more)  # type: ignore[arg-type]  # a test names the fields it wants


def cites(*credits: str) -> tuple[Citation, ...]:
    """ "wire", "-wire" for a relay, "(wire" for an earlier fact."""
    return tuple(
        Citation(
            name.strip("-(").title(),
            Domain(f"{name.strip('-(')}.example"),
            "relay" if name.startswith("-") else "original",
            background=name.startswith("("),
        )
        for name in credits
    )


@dataclass
class Story:
    """One story as a test tells it."""

    rules: Mapping[str, events.WatchRule] = field(default_factory=lambda: {WATCH: events.WatchRule(WATCH, "A watch")})
    facts: StoryFacts = field(default_factory=lambda: StoryFacts(KEY))
    now: datetime = START
    usual: Mapping[str, float] = field(default_factory=dict)

    def tells(
        self,
        name: str | None,
        *findings: Finding,
        credits: Sequence[Citation] = (),
        copy_of: int | None = None,
        after: timedelta = timedelta(hours=1),
        published: datetime | None = None,
        watches: Sequence[str] = (WATCH,),
        baseline: bool = False,
    ) -> tuple[Event, ...]:
        """An outlet's entry joins the story; returns the events it raises."""
        self.now += after
        number = EntryId(len(self.facts.mentions) + 1)
        publisher = outlet(name)
        entry = Entry(
            id=number,
            feed=FeedId(1),
            entry_key=str(number),
            url=f"https://{name}.example/{number}",
            url_key=None,
            title=f"Title {number}",
            summary="",
            content="The plane left at dawn.",
            language="en",
            outlet=publisher.domain if publisher else None,
            published=published or self.now,
            first_seen=self.now,
        )
        role = Role.REPORT if copy_of is None else Role.COPY
        assignment = Assignment(self.facts.key, 1, 0, role, EntryId(copy_of) if copy_of else None)
        matches = tuple(Match(watch, (Span("text", 4, 9, "plane"),)) for watch in watches)
        arrived = events.Arrived(entry, publisher, assignment, matches, Evidence(findings, tuple(credits)))
        at = events.Circumstances(
            now=self.now,
            outlets=TABLE,
            baseline=baseline,
            governments={"RS": "Serbia"},
            config_rev=7,
            usual=self.usual,
        )
        told = events.decide(self.facts, arrived, self.rules, at)
        self.facts = StoryFacts(
            self.facts.key,
            (*self.facts.mentions, events.mention(arrived, self.now)),
            (*self.facts.stances, *events.record(arrived)),
        )
        return told


def shown(told: Sequence[Event]) -> list[str]:
    """Events in short: kind, what it is about, and its state unless open."""
    return sorted(_shown(event) for event in told)


def _shown(event: Event) -> str:
    answer = event.answer
    about = f" {answer.government} {answer.body} {answer.stance}" if answer else ""
    state = "" if event.state == "open" else f" ({event.state})"
    return f"{event.kind}{about}{state}"


WEAK = Certainty.WEAK
