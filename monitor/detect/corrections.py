"""What a changed or vanished entry is worth telling: a correction, with the answers it now holds, or a withdrawal.

An outlet that edits "considers" into "denies" has published news under an old address, and what it took back must not
stand. Typing mistakes mended are no news. Pure; called by the pipeline for revisions and missing pages of told entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from alerts.values import AnswerSnapshot, Event, Kind
from monitor.detect import events, stances
from monitor.detect.event_keys import quote_hash
from monitor.detect.events import Arrived, Circumstances, WatchRule
from monitor.text.fold import fold
from monitor.values import Entry, Finding, StanceFact, StoryFacts

_ANSWERS = frozenset((Kind.RESPONSE, Kind.SILENCE_BROKEN, Kind.STANCE_CHANGE, Kind.NON_ANSWER))


def corrected(
    story: StoryFacts,
    old: Entry,
    arrived: Arrived,
    rules: Mapping[str, WatchRule],
    circumstances: Circumstances,
    revision: str,
) -> tuple[Event, ...]:
    """Decide what a new revision of a told entry is worth; nothing when only spelling or signs changed.

    `story` holds the entry as it was told, `arrived` as it reads now, `revision` is the hash of its new text.
    """
    was = tuple(fact for fact in story.stances if fact.entry == old.id)
    changes = tuple(_changes(old, arrived, was))
    if not changes:
        return ()
    without = replace(story, stances=tuple(fact for fact in story.stances if fact.entry != old.id))
    known = {_stance(fact) for fact in was}
    answers = (event for event in events.decide(without, arrived, rules, circumstances) if event.kind in _ANSWERS)
    news = (one for one in answers if one.answer and _answer(one.answer) not in known)
    return (*_told(Kind.CORRECTION, story, arrived, rules, circumstances, changes, revision[:16]), *news)


def withdrawn(
    story: StoryFacts, arrived: Arrived, rules: Mapping[str, WatchRule], circumstances: Circumstances
) -> tuple[Event, ...]:
    """Tell that an entry that was told is gone."""
    return tuple(_told(Kind.WITHDRAWN, story, arrived, rules, circumstances, ()))


def _told(
    kind: Kind,
    story: StoryFacts,
    arrived: Arrived,
    rules: Mapping[str, WatchRule],
    circumstances: Circumstances,
    facts: tuple[tuple[str, str], ...],
    *parts: str,
) -> Iterator[Event]:
    for match in arrived.matches:
        rule = rules.get(match.watch)
        if rule is not None and kind in rule.alert_on:
            number = str(arrived.entry.id)
            event = events.plain(kind, story, arrived, match, rule, circumstances, number, *parts)
            yield replace(event, facts=facts)


def _changes(old: Entry, arrived: Arrived, was: tuple[StanceFact, ...]) -> Iterator[tuple[str, str]]:
    """What changed, each with how it read before: the title, a quoted sentence, a stance."""
    if quote_hash(old.title) != quote_hash(arrived.entry.title):
        yield "title_was", old.title
    text = _letters(f"{arrived.entry.title} {arrived.entry.text}")
    for fact in was:
        if _letters(fact.quote) not in text:
            yield "quote_gone", fact.quote
    before = {_stance(fact) for fact in was}
    now = {_stance(finding) for finding in arrived.evidence.findings if stances.may_alert(finding)}
    for government, voice, stance in sorted(now - before):
        yield "stance_new", f"{government} {voice} {stance}"


def _stance(found: StanceFact | Finding) -> tuple[str, str, str]:
    return found.government, found.voice, str(found.stance)


def _answer(answer: AnswerSnapshot) -> tuple[str, str, str]:
    return answer.government, answer.body, answer.stance


def _letters(text: str) -> str:
    return " ".join("".join(letter if letter.isalnum() else " " for letter in fold(text)).split())
