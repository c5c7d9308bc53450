"""Two configurations over the same stored history, and what differs: the whole of `storywatch backtest`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine

from monitor.backtest import causes, timeline
from monitor.backtest.causes import Cause, Side
from monitor.backtest.labels import MISSED, RIGHT, WRONG, Label
from monitor.backtest.run import Alert, Outcome, Pass, Story
from monitor.config import changes
from monitor.config.document import Document
from monitor.config.reading import read_text
from monitor.config.values import Config
from monitor.store import engine as engines
from monitor.store import entries, past
from monitor.values import Entry, EntryId

Progress = Callable[[int, int], None]
"""Called with how many happenings were replayed, of about how many."""
EXPLAINED = 200
"""Differences that get a cause; with more, the candidate is another configuration altogether."""


@dataclass(frozen=True, slots=True)
class File:
    """A configuration with the text it was read from."""

    config: Config
    text: str

    @property
    def document(self) -> Document:
        """Its places."""
        return read_text(self.text, self.config.file)


@dataclass(frozen=True, slots=True)
class Difference:
    """A story or an alert that only one of the two tells."""

    title: str
    at: datetime
    watch: str
    kind: str
    cause: Cause | None


@dataclass(frozen=True, slots=True)
class Missed:
    """A labelled story that the candidate would not tell."""

    label: Label
    title: str
    was_told: bool
    cause: Cause | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What both made of it, and every difference."""

    since: datetime
    until: datetime
    running: Outcome
    candidate: Outcome
    lost: tuple[Difference, ...]
    gained: tuple[Difference, ...]
    lost_alerts: tuple[Difference, ...]
    gained_alerts: tuple[Difference, ...]
    missed: tuple[Missed, ...]
    labelled: Mapping[str, int]
    missed_before: int
    wrong_told: tuple[int, int]
    notes: tuple[str, ...]

    @property
    def loses_label(self) -> bool:
        """Whether a story that people called right would be missed, or one they missed would be again."""
        return any(one.label.verdict == RIGHT or one.was_told for one in self.missed)


@dataclass(frozen=True, slots=True)
class Span:
    """The stretch of history that is replayed."""

    since: datetime
    until: datetime


def span_of(connection: Connection, back: timedelta) -> Span | None:
    """The last stretch of what is stored; None where nothing is."""
    extent = timeline.extent(connection)
    if extent is None:
        return None
    first, last = extent
    until = last + timedelta(microseconds=1)
    return Span(max(first, until - back), until)


def compare(
    source: Engine,
    running: File,
    candidate: File,
    span: Span,
    labels: Sequence[Label] = (),
    *,
    progress: Progress = lambda done, of: None,
    on_passes: Callable[[Pass, Pass, Outcome], None] = lambda old, new, before: None,
) -> Comparison:
    """Replay the stretch with both. `on_passes` may look at the two before their databases go."""
    with ExitStack() as stack:
        connection = stack.enter_context(engines.reading(source))
        folders = [Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="storywatch-"))) for _ in range(2)]
        old = stack.enter_context(Pass(running.config, folders[0], span.since))
        new = stack.enter_context(Pass(candidate.config, folders[1], span.since))
        primes = changes.to_prime(changes.changes(running.config, candidate.config))
        named = frozenset(feed.url for feed in running.config.feeds)
        asleep = {watch.name for watch in candidate.config.watches if watch.paused}
        old.begin(connection, frozenset(), named)
        new.begin(connection, primes - asleep, named)
        _replay(connection, (old, new), span, progress)
        before, after = old.finish(span.until), new.finish(span.until)
        on_passes(old, new, before)
        sides = (
            Side(running.config, running.document, old.plan_context),
            Side(candidate.config, candidate.document, new.plan_context),
        )
        return _Comparing(connection, span, before, after, sides, tuple(labels)).comparison()


def _replay(connection: Connection, passes: tuple[Pass, Pass], span: Span, progress: Progress) -> None:
    total = past.count_between(connection, span.since, span.until)
    done = 0
    for happening in timeline.happenings(connection, span.since, span.until):
        for one in passes:
            one.take(happening)
        if isinstance(happening, timeline.Arrival):
            done += 1
            if done % 100 == 0:
                progress(done, total)
    progress(total, total)


@dataclass(frozen=True, slots=True)
class _Comparing:
    """The comparison of two outcomes."""

    source: Connection
    span: Span
    before: Outcome
    after: Outcome
    sides: tuple[Side, Side]
    labels: tuple[Label, ...]

    def comparison(self) -> Comparison:
        old, new = self.sides
        missed = [label for label in self.labels if label.verdict != WRONG and not _told(self.after, label)]
        return Comparison(
            since=self.span.since,
            until=self.span.until,
            running=self.before,
            candidate=self.after,
            lost=self._stories(self.before, self.after, quiet=new, loud=old),
            gained=self._stories(self.after, self.before, quiet=old, loud=new),
            lost_alerts=self._alerts(self.before, self.after, quiet=new, loud=old),
            gained_alerts=self._alerts(self.after, self.before, quiet=old, loud=new),
            missed=tuple(self._missed(label) for label in missed),
            labelled={v: sum(one.verdict == v for one in self.labels) for v in (RIGHT, MISSED, WRONG)},
            missed_before=sum(one.verdict != WRONG and not _told(self.before, one) for one in self.labels),
            wrong_told=(self._wrong(self.before), self._wrong(self.after)),
            notes=tuple(self._notes()),
        )

    def _wrong(self, outcome: Outcome) -> int:
        return sum(label.verdict == WRONG and _told(outcome, label) for label in self.labels)

    def _stories(self, told: Outcome, other: Outcome, *, quiet: Side, loud: Side) -> tuple[Difference, ...]:
        """The stories of which the other told nothing: no entry of theirs is in a story it told."""
        there = frozenset[int]().union(*(story.entries for story in other.stories))
        found = [story for story in told.stories if not story.entries & there]
        return tuple(self._story(story, story.first, n, quiet, loud) for n, story in enumerate(found))

    def _story(self, story: Story, first: Alert, number: int, quiet: Side, loud: Side) -> Difference:
        cause = self._cause(first, quiet, loud) if number < EXPLAINED else None
        return Difference(story.title, story.at, first.watch, first.kind, cause)

    def _alerts(self, told: Outcome, other: Outcome, *, quiet: Side, loud: Side) -> tuple[Difference, ...]:
        there = {alert.fact for alert in other.alerts}
        found = [alert for alert in told.alerts if alert.fact not in there]
        return tuple(
            Difference(a.title, a.at, a.watch, a.kind, self._cause(a, quiet, loud) if n < EXPLAINED else None)
            for n, a in enumerate(found)
        )

    def _cause(self, alert: Alert, quiet: Side, loud: Side) -> Cause | None:
        entry = self._entry(alert.entry)
        return None if entry is None else causes.why_not(entry, alert.fact, quiet, loud, self.sides[1])

    def _entry(self, number: int | None) -> Entry | None:
        return None if number is None else entries.by_id(self.source, EntryId(number))

    def _missed(self, label: Label) -> Missed:
        """Explain a miss by the alert that told it so far, else by the first entry that the label names."""
        told = [alert for alert in self.before.alerts if alert.entry in label.entries]
        entry = self._entry(told[0].entry if told else min(label.entries, default=None))
        title = entry.title if entry is not None else label.named
        was_told = _told(self.before, label)
        if entry is None or not self.sides[1].config.watches:
            return Missed(label, title, was_told, None)
        old, new = self.sides
        fact = told[0].fact if told else ("new_story", new.config.watches[0].name, int(entry.id), "")
        return Missed(label, title, was_told, causes.why_not(entry, fact, new, old, new))

    def _notes(self) -> list[str]:
        """What the figures do not say by themselves."""
        notes = []
        old = {feed.url for feed in self.sides[0].config.feeds}
        fresh = [feed.url for feed in self.sides[1].config.feeds if feed.url not in old]
        if fresh:
            notes.append(f"{len(fresh)} feeds of the candidate have no history: what they bring is not in here")
        if self.after.left_out:
            notes.append(f"{self.after.left_out} entries came from feeds that the candidate does not poll")
        unknown = [label.named for label in self.labels if not label.entries]
        if unknown:
            notes.append(f"{len(unknown)} labels name nothing that is stored: {', '.join(unknown[:3])}")
        return notes


def _told(outcome: Outcome, label: Label) -> bool:
    return any(story.entries & label.entries for story in outcome.stories)
