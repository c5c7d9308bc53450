"""What an answer is to a story: new, known, a broken silence, or a change of position.

Judged against the stances the story recorded before, per government and voice. Copies, background and weak findings
never make a stance known. Pure; called by `events`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.detect import ledger, provenance
from monitor.detect.event_keys import quote_hash
from monitor.detect.outlets import OutletTable
from monitor.detect.provenance import Label, Origin
from monitor.values import Certainty, Entry, EntryId, Finding, Stance, StanceFact, StoryFacts

UNRESOLVED = "ZZ"
_POSITIONS = {Stance.AGREED: 1, Stance.CONFIRMED: 1, Stance.REFUSED: -1, Stance.DENIED: -1}
_STRENGTH = (
    Stance.AGREED,
    Stance.REFUSED,
    Stance.DENIED,
    Stance.CONFIRMED,
    Stance.ANNOUNCED_ACTION,
    Stance.CONDEMNED,
    Stance.COMMENTED,
)
"""Which of several answers of one body leads."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one answer adds. At most one of `broken` and `was` leads; `known` with neither is told by nobody.

    `broken` are the ledger rows it ends, `breaks` counts silences of this voice ended before; `was` is the position it
    changes, `changes` how often it changed before. `earlier` marks an older statement re-told after a newer position.
    """

    finding: Finding
    said_at: datetime
    known: bool
    new_quote: bool
    earlier: bool = False
    broken: tuple[ledger.Row, ...] = ()
    breaks: int = 0
    was: Stance | None = None
    changes: int = 0


def may_alert(finding: Finding) -> bool:
    """Whether a finding may ever raise an alert: a resolved, current, sure or likely answer."""
    return (
        finding.stance.is_answer
        and finding.government != UNRESOLVED
        and finding.certainty is not Certainty.WEAK
        and not finding.background
    )


def said_at(finding: Finding, entry: Entry) -> datetime:
    """When it was said: the date the text gives, else the entry's."""
    return finding.said_at or entry.published or entry.first_seen


def judge(
    findings: Iterable[Finding],
    entry: Entry,
    facts: StoryFacts,
    book: tuple[ledger.Row, ...],
    origin: Origin,
    table: OutletTable,
) -> tuple[Verdict, ...]:
    """Judge an entry's answers, strongest first; one silence or position of a voice is ended by one of them.

    `book` are the story's ledger rows.
    """
    rumours = _rumours(facts.stances)
    counted = tuple(fact for fact in facts.stances if _counts(fact) and not _repeats(fact, rumours))
    past = _Past(counted, book, _origins(facts, table), rumours)
    ended: set[tuple[str, str]] = set()
    verdicts = []
    ordered = sorted(findings, key=lambda one: _STRENGTH.index(one.stance))
    torn = _torn((one.government, one.voice, one.stance) for one in ordered)
    for finding in ordered:
        verdict = _judge(finding, said_at(finding, entry), past, origin)
        voice = (finding.government, finding.voice)
        if voice in torn:
            verdict = replace(verdict, was=None)
        if voice in ended:
            verdict = replace(verdict, broken=(), was=None)
        elif verdict.broken or verdict.was is not None:
            ended.add(voice)
        verdicts.append(verdict)
    return tuple(verdicts)


def is_known_silence(finding: Finding, book: tuple[ledger.Row, ...], table: OutletTable) -> bool:
    """Whether a non-answer says nothing new: its row is there, in the same or a stronger form."""
    rows = ledger.joined(book, finding.government, finding.voice, finding.asker, table)
    if finding.asker is None:
        return bool(rows)
    return any(row.form in (finding.stance, Stance.DECLINED) for row in rows)


@dataclass(frozen=True, slots=True)
class _Past:
    """What the story knows: answers that count, the ledger, and whether an entry brought a new origin."""

    counted: tuple[StanceFact, ...]
    book: tuple[ledger.Row, ...]
    had_new_origin: Callable[[EntryId], bool]
    rumours: frozenset[tuple[str, Stance]] = frozenset()


@dataclass(frozen=True, slots=True)
class _Position:
    """Where a voice stands: the stance, since when by the first evidence, and how often it turned."""

    stance: Stance
    since: datetime
    changes: int = 0


def _judge(finding: Finding, said: datetime, past: _Past, origin: Origin) -> Verdict:
    same = [fact for fact in past.counted if _is_known_by(fact, finding)]
    known = bool(same) or _is_rumour(finding, past)
    new_quote = known and quote_hash(finding.quote) not in {quote_hash(fact.quote) for fact in same}
    now = _position([fact for fact in past.counted if _same_voice(fact, finding)], past.had_new_origin)
    if now is not None and _POSITIONS.get(finding.stance, 0) == -_POSITIONS[now.stance]:
        if _is_earlier(said, now.since):
            return Verdict(finding, said, known=True, new_quote=new_quote or not known, earlier=True)
        if _is_first_report(finding, origin):
            return Verdict(finding, said, known, new_quote, was=now.stance, changes=now.changes)
    if known:
        return Verdict(finding, said, known, new_quote)
    broken = ledger.broken(past.book, finding.government, finding.voice, said)
    breaks = ledger.times_broken(past.book, finding.government, finding.voice)
    return Verdict(finding, said, known, new_quote, broken=broken, breaks=breaks)


def _torn(told: Iterable[tuple[str, str, Stance]]) -> set[tuple[str, str]]:
    """The voices that take both positions in one entry: "talks are held, no figure was agreed" turns nothing round."""
    sides: dict[tuple[str, str], set[int]] = {}
    for government, voice, stance in told:
        sides.setdefault((government, voice), set()).add(_POSITIONS.get(stance, 0))
    return {voice for voice, taken in sides.items() if {1, -1} <= taken}


def _position(history: list[StanceFact], had_new_origin: Callable[[EntryId], bool]) -> _Position | None:
    """The position held now. A late or second-hand re-telling of the opposite did not change it."""
    now: _Position | None = None
    sides: dict[EntryId, set[int]] = {}
    for fact in history:
        sides.setdefault(fact.entry, set()).add(_POSITIONS.get(fact.stance, 0))
    for fact in history:
        if fact.stance not in _POSITIONS or {1, -1} <= sides[fact.entry]:
            continue
        if now is None:
            now = _Position(fact.stance, fact.said_at)
        elif _POSITIONS[fact.stance] == _POSITIONS[now.stance]:
            now = replace(now, stance=fact.stance, since=min(now.since, fact.said_at))
        elif not _is_earlier(fact.said_at, now.since) and (fact.first_hand or had_new_origin(fact.entry)):
            now = _Position(fact.stance, fact.said_at, now.changes + 1)
    return now


def _origins(facts: StoryFacts, table: OutletTable) -> Callable[[EntryId], bool]:
    """Whether an entry of the story brought a new origin. Only turns of position ask, so nothing is read before."""

    def had_new_origin(entry: EntryId) -> bool:
        sources = provenance.sources_of(facts)
        at = next((at for at, source in enumerate(sources) if source.entry == entry), None)
        return at is not None and provenance.origin_among(sources[at], sources[:at], table).label is Label.NEW

    return had_new_origin


def _counts(fact: StanceFact) -> bool:
    return (
        fact.stance.is_answer
        and not fact.background
        and fact.certainty is not Certainty.WEAK
        and fact.government != UNRESOLVED
    )


def _same_voice(fact: StanceFact, finding: Finding) -> bool:
    return (fact.government, fact.voice) == (finding.government, finding.voice)


def _rumours(told: Iterable[StanceFact]) -> frozenset[tuple[str, Stance]]:
    """What governments were said to have done by people nobody named."""
    weak = (fact for fact in told if fact.certainty is Certainty.WEAK and not fact.background)
    return frozenset((fact.government, fact.stance) for fact in weak if fact.government != UNRESOLVED)


def _is_rumour(finding: Finding, past: _Past) -> bool:
    """Whether a country named as the doer repeats a rumour of the story: only a body that speaks makes it an answer."""
    return finding.metonym and finding.hand == "relay" and (finding.government, finding.stance) in past.rumours


def _repeats(fact: StanceFact, rumours: frozenset[tuple[str, Stance]]) -> bool:
    """Whether a fact only passes a rumour on: it makes nothing known that a body may say later."""
    relayed = not fact.first_hand and fact.body == "government"
    return relayed and (fact.government, fact.stance) in rumours


def _is_known_by(fact: StanceFact, finding: Finding) -> bool:
    """A country named as the speaker adds to that stance of any of its voices."""
    if fact.government != finding.government or fact.stance is not finding.stance:
        return False
    return fact.voice == finding.voice or finding.metonym


def _is_earlier(said: datetime, than: datetime) -> bool:
    """Dates in texts are days, not instants: only another day is earlier, unless both have a time."""
    return said < than if _has_time(said) and _has_time(than) else said.date() < than.date()


def _has_time(moment: datetime) -> bool:
    return (moment.hour, moment.minute) != (0, 0)


def _is_first_report(finding: Finding, origin: Origin) -> bool:
    """Whether a flip is more than a re-telling: said to this outlet, or from an origin the story did not know."""
    if origin.label is Label.NEW:
        return True
    return finding.hand == "first" and origin.label in (Label.OWN, Label.UNKNOWN)
